"""Panels in rows of two: the patient's at the left, the treated network's at the right."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine import RunHistory
from pages.charts.style.annotations import column_headings, footnotes
from pages.charts.style.axes import axis
from pages.charts.style.figure import COLUMNS, HEIGHT, LOOKS, AnimatedFigure, Json, Look, merged, step_lines
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
    """Two panels on one value axis; it names its share of the figure's height as `domain` where there are several."""

    axis: Json
    patient: Sequence[Json]
    treated: Sequence[Json]


def grid(
    rows: Sequence[Sequence[Panel]],
    one_axis_a_column: bool = False,
    columns: Sequence[tuple[float, float]] = COLUMNS,
) -> Grid:
    """Panels in rows, of two.  What an axis would only repeat, of the panel at its left or below, is not written.

    one_axis_a_column: the panels of a column hang on the x axis of the lowest one.
    """
    traces: list[Json] = []
    moves: dict[int, Json] = {}
    layout: Json = {}
    for index, panel in enumerate(panel for row in rows for panel in row):
        row, column = divmod(index, len(columns))
        x, y = _numbered(1 + column if one_axis_a_column else 1 + index), _numbered(1 + index)
        moves |= {len(traces) + i: part for i, part in panel.moves.items()}
        traces += [one | {"xaxis": f"x{x}", "yaxis": f"y{y}"} for one in panel.traces]
        below = rows[row + 1][column] if row + 1 < len(rows) and column < len(rows[row + 1]) else None
        across: Json = {"anchor": f"y{y}", "domain": columns[column]}
        if below and not one_axis_a_column and panel.xaxis == below.xaxis:
            across |= _UNWRITTEN
        up: Json = {"anchor": f"x{x}"}
        if column:
            up |= _UNWRITTEN if panel.yaxis == rows[row][0].yaxis else {"side": "right"}
        layout[f"xaxis{x}"] = merged(panel.xaxis, across)
        layout[f"yaxis{y}"] = merged(panel.yaxis, up)
    return Grid(traces, moves, layout)


def over_training(
    rows: Sequence[Row],
    across: Sequence[Json],
    steps: Iterable[int],
    headings: tuple[Sequence[Json], int],
    notes: Sequence[str],
    height: float = HEIGHT,
    below: float = AXIS_BELOW,
    keys: Sequence[Json] = (),
    **layout: Any,
) -> AnimatedFigure:
    """A figure of panels against the training step, with a line that the timeline moves over the steps.

    across: the axes of steps, left and right; headings: what `column_headings` gives; keys: traces of the legend's
    own; height without the notes, below: see `footnotes`; layout: more of it, laid over this.
    """
    annotations, top = headings
    panels = grid(
        [[Panel(traces, {}, one, row.axis) for traces, one in zip(row[1:], across, strict=True)] for row in rows],
        one_axis_a_column=True,
    )
    noted = footnotes(notes, height, below, [*annotations, *layout.pop("annotations", ())])
    common = {"showlegend": False, "margin": {"t": top, "b": below}, "hovermode": "closest"}
    look = merged(merged(common | panels.layout, layout), noted)
    return AnimatedFigure([*keys, *panels.traces], look, step_lines(steps, columns=("x", "x2")))


def losses_side_by_side(
    histories: tuple[RunHistory, RunHistory],
    losses: Json,
    curves: Callable[[Look, RunHistory], Sequence[Json]],
    notes: Sequence[str],
) -> AnimatedFigure:
    """Curves of each network's losses over its whole training, on the same axis of losses."""
    row = Row(losses, *(curves(look, history) for look, history in zip(LOOKS, histories, strict=True)))
    return over_training(
        [row], whole_runs(*histories), timeline_steps(*histories), column_headings(legends(*histories)), notes
    )


def whole_runs(patient: RunHistory, treated: RunHistory) -> list[Json]:
    """Axes of steps over both runs, the same at both sides."""
    end = max(int(history.evaluation_step[-1]) for history in (patient, treated))
    return [step_axis([0, end])] * 2


def step_axis(values: Sequence[float] | None = None, **attributes: Any) -> Json:
    """An `axis` of steps for half the figure's width."""
    return axis("step (updates)", values, nticks=4, **attributes)


_UNWRITTEN: Json = {"showticklabels": False, "title": {"text": ""}}


def _numbered(number: int) -> str:
    """Plotly's number of an axis: the first has none."""
    return str(number) if number > 1 else ""
