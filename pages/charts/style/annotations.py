"""The words around a figure's panels: headings over them, and footnotes below them."""

import math
import textwrap
from collections.abc import Sequence
from itertools import product
from typing import Any

from engine import Experiment, RunHistory
from pages.charts.style.figure import COLUMNS, HEIGHT, LOOKS, TICK_SIZE, AnimatedFigure, Json, Look
from pages.text.labels import differences, ending

MARKS = {"circle": "●", "diamond": "◆", "square": "■", "triangle-up": "▲"}
_COLUMN_CHARACTERS = 22  # of a heading over one column at 390 px
_NOTE_CHARACTERS = 39  # a line in a chart of 314 px, of three side by side at 1280 px
FOOTNOTES = "footnotes"  # by which figures.js finds them
_NOTE_LINE = 19  # px
BELOW_AXIS = 58  # px that tick labels and title of the lowest axis take
ABOVE_ROW = 28  # px that a heading of a row takes
BESIDE = 72  # px at the right of a plot that `end_labels` take
ABOVE, _LEGEND_LINE = 36, 24  # px above a figure's panels, and what each network beyond two adds there
ABOVE_BOTH = 57  # px of a legend over the heading of a row
_LABEL_LINE = 25  # px: on the stage, where type grows more than panels do, enough is left
_BESIDE_CHARACTERS = 8
_LINE_CHARACTERS = 45  # of a network and what it is, over a panel or in a legend


def column_headings(
    texts: Sequence[str],
    above: int = 0,
    looks: Sequence[Look] = LOOKS,
    columns: Sequence[tuple[float, float]] = COLUMNS,
    tops: Sequence[float] = (1.0,),
) -> tuple[list[Json], int]:
    """Whose panel it is, and what is in it, over each panel; and the top margin (px) that this takes.

    texts: of the networks' panels, row by row.  above: px from the panels, ABOVE_ROW over a heading.  tops: of the
    rows, as shares of the height.
    """
    wrapped = [textwrap.wrap(text, _COLUMN_CHARACTERS) for text in texts]
    headings = [
        words(
            "<br>".join([marked(look), *lines]),
            (left + right) / 2,
            top,
            "center",
            "bottom",
            align="center",
            yshift=above,
        )
        for look, lines, (top, (left, right)) in zip(looks, wrapped, product(tops, columns), strict=False)
    ]
    return headings, above + 8 + _NOTE_LINE * (1 + max(map(len, wrapped)))


def more_above(networks: int) -> int:
    """Pixels that the legend of so many networks takes above the panels, beyond those that two take."""
    return _LEGEND_LINE * max(networks - 2, 0)


def row_heading(text: str, y: float, look: Look | None = None) -> Json:
    """Annotation in one line over a panel that has the whole width and reaches up to y (0 to 1)."""
    return words(f"{marked(look)}: {text}" if look else text, 0, y, "left", "bottom")


def words(text: str, x: float, y: float, xanchor: str, yanchor: str, yref: str = "paper", **attributes: Any) -> Json:
    """An annotation without an arrow; x is a share of the panels' width, and so is y of their height by default."""
    place = {"xref": "paper", "x": x, "xanchor": xanchor, "yref": yref, "y": y, "yanchor": yanchor}
    return {"text": text, "showarrow": False, **place, "font": {"size": TICK_SIZE}, **attributes}


def off_the_axis(y: float, what: str = "× diverged") -> Json:
    """What stands at the end of a row, at height y, whose value the axis does not have."""
    return words(what, 1, y, "right", "middle", yref="y")


def endings(histories: Sequence[RunHistory], looks: Sequence[Look] = LOOKS) -> list[str]:
    """A footnote on each of these runs that did not complete."""
    return [f"{look.name}: {text}." for look, run in zip(looks, histories, strict=True) if (text := ending(run))]


def end_labels(ends: Sequence[tuple[str, float]], axis: Json, height: float) -> list[Json]:
    """Names beside the right ends of lines, moved apart where lines end close together.

    ends: what stands there, and at which value of the axis; height: px of the axis.
    """
    low, high = axis["range"]
    on_axis = sorted((math.log10(value) if axis.get("type") == "log" else value, text) for text, value in ends)
    places = [height * min(max((value - low) / (high - low), 0.0), 1.0) for value, _ in on_axis]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + _LABEL_LINE)
    top = height
    for i in reversed(range(len(places))):
        places[i] = top = min(places[i], top)
        top -= _LABEL_LINE
    bottom, up = axis.get("domain", (0, 1))
    return [
        words(text, 1, bottom + place / height * (up - bottom), "left", "middle", xshift=8)
        for place, (_, text) in zip(places, on_axis, strict=True)
    ]


def marks_of(looks: Sequence[Look]) -> str:
    """A footnote in place of a legend: "● Patient. ◆ Treated (dashed)." """
    dashed = {"dash": " (dashed)"}
    return " ".join(f"{MARKS[look.symbol]} {look.name}{dashed.get(look.dash, '')}." for look in looks)


def no_network(looks: Sequence[Look]) -> str:
    """Begins a footnote on what none of these networks has."""
    return "Neither network" if len(looks) == 2 else "No network"


def after_names(looks: Sequence[Look], texts: Sequence[str]) -> list[str]:
    """What stands after each network's name in a line: ": sigmoid, Xavier normal"; nothing where not all have room."""
    fit = all(len(look.name) + len(text) + 2 <= _LINE_CHARACTERS for look, text in zip(looks, texts, strict=True))
    return [f": {text}" if fit else "" for text in texts]


def fit_beside(looks: Sequence[Look]) -> bool:
    """Whether BESIDE has room for the names of all these networks; a legend has them otherwise."""
    return all(len(look.name) <= _BESIDE_CHARACTERS for look in looks)


def mark(look: Look) -> str:
    """A network's mark, to stand beside the end of its line."""
    return f'<span style="color:{look.color}">{MARKS[look.symbol]}</span>'


def marked(look: Look) -> str:
    """A network's mark and name, to head a panel."""
    return f"{mark(look)} <b>{look.name}</b>"


def footnotes(
    sentences: Sequence[str], height: float = HEIGHT, below: float = BELOW_AXIS, others: Sequence[Json] = ()
) -> Json:
    """The part of a layout that says, below the lowest axis, what the drawing cannot show.

    height: of the figure without notes; it grows so that the plot stays as it is.  below: pixels from the plot to the
    notes, more than what an axis takes where a legend stands there too.  others: the figure's other annotations.
    """
    if not sentences:
        return {"height": height, "annotations": list(others)}
    lines = [
        line for sentence in sentences for line in textwrap.wrap(sentence, _NOTE_CHARACTERS, break_on_hyphens=False)
    ]
    room = _NOTE_LINE * len(lines)
    note = words("<br>".join(lines), 0, 0, "left", "top", align="left", yshift=-below, name=FOOTNOTES)
    return {"height": height + room, "margin": {"b": below + room}, "annotations": [*others, note]}


def captioned(
    title: str, figure: AnimatedFigure, *networks: Experiment | RunHistory | None, looks: Sequence[Look] = LOOKS
) -> AnimatedFigure:
    """The figure, which says beneath a picture of it what it is of: the chart's title, and what two networks differ in.

    networks: patient and treated network, where there are two and their settings may be known.
    """
    both = [one.experiment if isinstance(one, RunHistory) else one for one in networks if one]
    patient_and_treated = len(both) == 2 and tuple(looks) == LOOKS
    return figure.with_meta(title=title, **({"note": differences(*both)} if patient_and_treated else {}))
