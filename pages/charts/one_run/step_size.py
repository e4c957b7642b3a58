"""How far does each step really move the network?

Length ‖Δθ‖ of the step that was taken, over all parameters, through training.  With gradient descent it is η times the
gradient that clipping left, and so at most η times the longest that clipping leaves.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import ABOVE, after_names, captioned, footnotes, more_above
from pages.charts.style.axes import axis, log_axis
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import (
    HEIGHT,
    LOOKS,
    AnimatedFigure,
    Json,
    Look,
    merged,
    step_lines,
)
from pages.charts.style.outlier_range import within_outlier_range
from pages.charts.style.traces import hover_of, level, stroke
from pages.charts.style.update_curves import (
    left_out,
    longest_clipped,
    median_and_largest,
    on_log_axis,
    peaks,
    update_curve,
)
from pages.text.clock import timeline_steps
from pages.text.labels import ending, legends, number

TITLE = "Size of the steps taken"
QUESTION = "How far does each step really move the network?"
HOW_TO_READ = (
    "Left to right: training. Height: how far one update moves all parameters together; each labelled line is ten "
    "or more times the one below. Healthy: steady or slowly falling. Single spikes throw the network back, and a "
    "level far below the other’s means that it hardly moves."
)


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """‖Δθ‖ of all networks against the training step, on a log axis; dotted the longest that clipping allows."""
    end = max(int(history.evaluation_step[-1]) for history in histories)
    bounds = [longest_step(history) for history in histories]
    lengths = np.concatenate([history.total_update_norm for history in histories])
    shown = within_outlier_range(np.append(lengths, [bound for bound in bounds if bound]))
    traces: list[Json] = []
    for look, history, what in zip(looks, histories, after_names(looks, legends(*histories)), strict=True):
        kept = peaks(history.total_update_norm)
        values = on_log_axis(history.total_update_norm)[kept]
        name = look.name + what
        traces.append(update_curve(look, name, history.step[kept], values, "step ‖Δθ‖: %{y:.3~g}"))
    for look, bound in zip(looks, bounds, strict=True):
        if bound:
            name, hover = f"{look.name}, longest step", hover_of(look, "at most %{y:.3~g}")
            traces.append(level([0, end], bound, name, hover, showlegend=False, **stroke(look.color, 2, "dot")))
    value_axis = log_axis("length of a step, ‖Δθ‖ (log)", shown)
    more = more_above(len(histories))
    layout = {
        "margin": {"t": ABOVE + more},
        "xaxis": axis("training step (updates)", [0, end]),
        "yaxis": value_axis,
        "hovermode": "closest",
    }
    frames = step_lines(timeline_steps(*histories))
    return captioned(
        TITLE,
        AnimatedFigure(traces, merged(layout, footnotes(_notes(histories, looks, value_axis), HEIGHT + more)), frames),
        *histories,
        looks=looks,
    )


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Median and longest step of all networks, and the longest that clipping allows."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network and drawn update."""

    def columns(history: RunHistory) -> Columns:
        kept = peaks(history.total_update_norm)
        return {
            STEP: history.step[kept],
            "‖Δθ‖": history.total_update_norm[kept],
            "longest ‖Δθ‖ that clipping allows": longest_step(history) or np.nan,
        }

    return table_of(histories, looks, columns)


def longest_step(history: RunHistory) -> float | None:
    """η times the longest gradient that clipping leaves; None without clipping, and for optimizers that rescale it."""
    longest = longest_clipped(history)
    return longest * history.experiment.learning_rate if longest and history.experiment.optimizer == "sgd" else None


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look], value_axis: Json) -> list[str]:
    notes = []
    for look, history in zip(looks, histories, strict=True):
        if bound := longest_step(history):
            notes.append(f"{look.name}: dotted, the longest step that clipping allows, {number(bound)}.")
        notes += left_out(look, history, history.total_update_norm, value_axis, "steps")
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    how = f"; {words}" if (words := ending(history)) else ""
    if not len(history.step):
        return f"{look.name}: it takes no step{how}."
    message = median_and_largest(history, history.total_update_norm)
    if not message:
        return f"{look.name}: no step is of finite length{how}."
    bound = longest_step(history)
    allowed = f"; clipping allows at most {number(bound)}" if bound else ""
    return f"{look.name}: the length ‖Δθ‖ of a step is {message}{allowed}{how}."
