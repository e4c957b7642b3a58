"""The words around a figure's panels: headings over them, and footnotes below them."""

import textwrap
from collections.abc import Sequence

from pages.charts.style.figure import COLUMNS, HEIGHT, PATIENT, TICK_SIZE, TREATED, Json, Look

_COLUMN_CHARACTERS = 22  # of a heading over one column at 390 px
_NOTE_CHARACTERS = 46  # a line at 390 px
_NOTE_LINE = 19  # px
_BELOW_AXIS = 58  # px that tick labels and title of the lowest axis take


def column_headings(texts: Sequence[str]) -> tuple[list[Json], int]:
    """Whose panel it is, and what is in it, over each of the two COLUMNS; and the top margin (px) that this takes.

    texts: of the patient's and of the treated network's panel.
    """
    wrapped = [textwrap.wrap(text, _COLUMN_CHARACTERS) for text in texts]
    headings = [
        {
            "text": "<br>".join([_marked(look), *lines]), "align": "center", "showarrow": False, "xref": "paper",
            "x": (left + right) / 2, "xanchor": "center", "yref": "paper", "y": 1, "yanchor": "bottom",
            "font": {"size": TICK_SIZE},
        }
        for look, lines, (left, right) in zip((PATIENT, TREATED), wrapped, COLUMNS, strict=True)
    ]  # fmt: skip
    return headings, 8 + _NOTE_LINE * (1 + max(map(len, wrapped)))


def row_heading(text: str, y: float, look: Look | None = None) -> Json:
    """Annotation in one line over a panel that has the whole width and reaches up to y (0 to 1)."""
    return {
        "text": f"{_marked(look)}: {text}" if look else text, "showarrow": False, "xref": "paper", "x": 0,
        "xanchor": "left", "yref": "paper", "y": y, "yanchor": "bottom", "font": {"size": TICK_SIZE},
    }  # fmt: skip


def footnotes(sentences: Sequence[str], height: float = HEIGHT, below: float = _BELOW_AXIS) -> Json:
    """The part of a layout that says, below the lowest axis, what the drawing cannot show; empty without sentences.

    height: of the figure without notes; it grows so that the plot stays as it is.  below: pixels from the plot to the
    notes, more than what an axis takes where a legend stands there too.
    """
    if not sentences:
        return {"height": height}
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, _NOTE_CHARACTERS)]
    room = _NOTE_LINE * len(lines)
    note = {
        "text": "<br>".join(lines), "showarrow": False, "align": "left", "font": {"size": TICK_SIZE},
        "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 0, "yanchor": "top", "yshift": -below,
    }  # fmt: skip
    return {"height": height + room, "margin": {"b": below + room}, "annotations": [note]}


def _marked(look: Look) -> str:
    mark = {"circle": "●", "diamond": "◆"}[look.symbol]
    return f'<span style="color:{look.color}">{mark}</span> <b>{look.name}</b>'
