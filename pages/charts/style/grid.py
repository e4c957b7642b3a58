"""Panels in rows of two, in a lesson the patient's at the left and the treated network's at the right."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine import RunHistory
from pages.charts.style.annotations import ABOVE_ROW, column_headings, footnotes, row_heading
from pages.charts.style.axes import axis
from pages.charts.style.figure import COLUMNS, HEIGHT, AnimatedFigure, Json, Look, merged, step_lines
from pages.text.clock import timeline_steps
from pages.text.labels import legends

AXIS_BELOW = 58  # px from the lowest panels to the notes: tick labels and axis title


@dataclass
class Panel:
    """One picture: its traces, what moves in them (see `moving`), and its axes."""

    traces: Sequence[Json]
    moves: dict[int, Json]
    xaxis: Json
    yaxis: Json
    color_axis: Json = field(default_factory=dict)
    has_legend: bool = False
    notes: list[str] = field(default_factory=list)


class Grid(NamedTuple):
    """Panels in their places: traces, what moves in them, and the axes' part of a layout."""

    traces: list[Json]
    moves: dict[int, Json]
    layout: Json


class Row(NamedTuple):
    """A measure: a panel's traces for each network, on one value axis.

    The axis names its share of a network's height as `domain` where there are several measures.
    """

    axis: Json
    panels: Sequence[Sequence[Json]]


class Places(NamedTuple):
    """Where the networks' panels stand: two networks side by side, further ones below them.

    spans: of the height, for each two networks, the first on top; plot: the height (px) that these are shares of;
    height: of the figure (px) without notes; below: px from the panels to the notes; top: px that headings take.
    """

    headings: list[Json]
    columns: Sequence[tuple[float, float]]
    spans: list[tuple[float, float]]
    plot: int
    height: int
    below: int
    top: int


def grid(
    rows: Sequence[Sequence[Panel]],
    rows_an_axis: int = 1,
    columns: Sequence[tuple[float, float]] = COLUMNS,
) -> Grid:
    """Panels in rows, of two.  What an axis would only repeat, of the panel at its left or below, is not written.

    rows_an_axis: of so many rows, the panels of a column hang on the x axis of the lowest one.
    """
    traces: list[Json] = []
    moves: dict[int, Json] = {}
    layout: Json = {}
    placed = [(row, column, panel) for row, panels in enumerate(rows) for column, panel in enumerate(panels)]
    for index, (row, column, panel) in enumerate(placed):
        x, y = _numbered(1 + row // rows_an_axis * len(columns) + column), _numbered(1 + index)
        moves |= {len(traces) + i: part for i, part in panel.moves.items()}
        traces += [one | {"xaxis": f"x{x}", "yaxis": f"y{y}"} for one in panel.traces]
        below = rows[row + 1][column] if row + 1 < len(rows) and column < len(rows[row + 1]) else None
        across: Json = {"anchor": f"y{y}", "domain": columns[column]}
        if below and panel.xaxis == below.xaxis:
            across |= _UNWRITTEN
        up: Json = {"anchor": f"x{x}"}
        if column:
            up |= _UNWRITTEN if panel.yaxis == rows[row][0].yaxis else {"side": "right"}
        layout[f"xaxis{x}"] = merged(panel.xaxis, across)
        layout[f"yaxis{y}"] = merged(panel.yaxis, up)
    return Grid(traces, moves, layout)


def side_by_side(
    texts: Sequence[str], looks: Sequence[Look], height: int = HEIGHT, below: int = AXIS_BELOW, above: int = 0
) -> Places:
    """Places of the networks' panels, with headings.

    texts: what is in each network's panels; height: of the figure (px) without notes, for two networks; below: see
    `footnotes`; above: see `column_headings`.
    """
    columns = COLUMNS if len(texts) > 1 else [(0.0, 1.0)]
    _, top = column_headings(texts, above)
    panels, count = height - top - below, math.ceil(len(texts) / 2)
    step = panels + AXIS_BELOW + top  # px from two networks to the next two
    plot = panels + (count - 1) * step
    lows = [step * i for i in reversed(range(count))]
    spans: list[tuple[float, float]] = [(0, 1)]
    if count > 1:
        spans = [(round(low / plot, 6), round((low + panels) / plot, 6)) for low in lows]
    headings, _ = column_headings(texts, above, looks, columns, [float(high) for _, high in spans])
    return Places(headings, columns, spans, plot, height + plot - panels, below, top)


def over_training(
    rows: Sequence[Row],
    across: Sequence[Json],
    steps: Iterable[int],
    places: Places,
    notes: Sequence[str],
    keys: Sequence[Json] = (),
    titles: Sequence[tuple[str, Sequence[float]]] = (),
    **layout: Any,
) -> AnimatedFigure:
    """A figure of panels against the training step, with a line that the timeline moves over the steps.

    across: each network's axis of steps; keys: traces of the legend's own; titles: of rows, and their `domain`;
    layout: more of it, laid over this.
    """
    two, panels = len(places.columns), []
    for i, span in zip(range(0, len(across), two), places.spans, strict=True):
        for row in rows:
            own = (
                row.axis if len(places.spans) == 1 else row.axis | {"domain": [*_within(span, row.axis.get("domain"))]}
            )
            beside = zip(row.panels[i : i + two], across[i : i + two], strict=True)
            panels.append([Panel(traces, {}, one, own) for traces, one in beside])
    placed = grid(panels, len(rows), places.columns)
    over_rows = [row_heading(text, _within(span, domain)[1]) for span in places.spans for text, domain in titles]
    noted = footnotes(notes, places.height, places.below, [*places.headings, *over_rows])
    common = {"showlegend": False, "margin": {"t": places.top, "b": places.below}, "hovermode": "closest"}
    look = merged(merged(common | placed.layout, layout), noted)
    lines = [  # not through the titles of the lower rows
        (f"x{_numbered(i + 1)}", *_within(places.spans[i // two], domain))
        for i in range(len(across))
        for _, domain in titles or [("", (0, 1))]
    ]
    return AnimatedFigure([*keys, *placed.traces], look, step_lines(steps, columns=lines))


def losses_side_by_side(
    histories: Sequence[RunHistory],
    looks: Sequence[Look],
    losses: Json,
    curves: Callable[[Look, RunHistory], Sequence[Json]],
    key: str,
    notes: Sequence[str],
) -> AnimatedFigure:
    """Curves of each network's losses over its whole training, on the same axis of losses.

    key: which curve is which, over the panels, since a chart in stage view has no notes.
    """
    row = Row(losses, [curves(look, history) for look, history in zip(looks, histories, strict=True)])
    places = side_by_side(legends(*histories), looks, above=ABOVE_ROW)
    steps, titles = timeline_steps(*histories), [(key, (0, 1))]
    return over_training([row], whole_runs(*histories), steps, places, notes, titles=titles)


def whole_runs(*histories: RunHistory) -> list[Json]:
    """Axes of steps over all runs, the same for each."""
    end = max(int(history.evaluation_step[-1]) for history in histories)
    return [step_axis([0, end])] * len(histories)


def step_axis(values: Sequence[float] | None = None, **attributes: Any) -> Json:
    """An `axis` of steps for half the figure's width."""
    return axis("step (updates)", values, nticks=4, **attributes)


_UNWRITTEN: Json = {"showticklabels": False, "title": {"text": ""}}


def _within(span: tuple[float, float], domain: Sequence[float] | None) -> tuple[float, float]:
    """What is this share of the height of a span, as a share of the whole height."""
    low, high = span
    start, end = domain or (0, 1)
    return low + start * (high - low), low + end * (high - low)


def _numbered(number: int) -> str:
    """Plotly's number of an axis: the first has none."""
    return str(number) if number > 1 else ""
