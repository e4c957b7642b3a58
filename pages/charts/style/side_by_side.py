"""Rows of panels against the training step: the patient's at the left, the treated network's at the right."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from engine import RunHistory
from pages.charts.style.annotations import footnotes
from pages.charts.style.axes import axis
from pages.charts.style.figure import COLUMNS, HEIGHT, AnimatedFigure, Json, frame, merged, step_line

AXIS_BELOW = 58  # px from the lowest panels to the notes: tick labels and axis title


class Row(NamedTuple):
    """Two panels on one value axis; it names its share of the figure's height as `domain` where there are several."""

    axis: Json
    patient: Sequence[Json]
    treated: Sequence[Json]


def side_by_side(
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
    """The figure, with a line that the timeline moves over the steps.

    across: the axes of steps, left and right; headings: what `column_headings` gives; keys: traces of the legend's
    own; height without the notes, below: see `footnotes`; layout: more of it, laid over this.
    """
    annotations, top = headings
    traces = list(keys)
    panels: Json = {}
    for row, (value_axis, *pair) in enumerate(rows):
        for column, panel in enumerate(pair):
            x, y = _numbered(1 + column), _numbered(1 + 2 * row + column)
            traces += [trace | {"xaxis": f"x{x}", "yaxis": f"y{y}"} for trace in panel]
            shared = {"showticklabels": False, "title": {"text": ""}} if column else {}
            panels[f"yaxis{y}"] = merged(value_axis, {"anchor": f"x{x}"} | shared)
    for column, (domain, one) in enumerate(zip(COLUMNS, across, strict=True)):
        lowest = _numbered(2 * len(rows) - 1 + column)
        panels[f"xaxis{_numbered(1 + column)}"] = merged(one, {"domain": domain, "anchor": f"y{lowest}"})
    noted = footnotes(notes, height, below)
    layout["annotations"] = [*annotations, *layout.get("annotations", ()), *noted.pop("annotations", ())]
    common = {"showlegend": False, "margin": {"t": top, "b": below}, "hovermode": "closest"}
    frames = [
        frame(step, layout={"shapes": step_line(step, "paper") + step_line(step, "paper", "x2")}) for step in steps
    ]
    return AnimatedFigure(traces, merged(merged(common | panels, layout), noted), frames)


def whole_runs(patient: RunHistory, treated: RunHistory) -> list[Json]:
    """Axes of steps over both runs, the same at both sides."""
    end = max(int(history.evaluation_step[-1]) for history in (patient, treated))
    return [step_axis([0, end])] * 2


def step_axis(values: Sequence[float] | None = None, **attributes: Any) -> Json:
    """An `axis` of steps for half the figure's width."""
    return axis("step (updates)", values, nticks=4, **attributes)


def _numbered(place: int) -> str:
    """Plotly's number of an axis: the first has none."""
    return str(place) if place > 1 else ""
