"""How far does each step really move the network?

Length ‖Δθ‖ of the step that was taken, over all parameters, through training.  With gradient descent it is η times the
gradient that clipping left, and so at most η times the longest that clipping leaves.
"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.one_run.clipping import longest_clipped
from pages.charts.style.annotations import footnotes
from pages.charts.style.axes import axis, log_axis
from pages.charts.style.figure import PATIENT, TREATED, AnimatedFigure, Json, Look, frame, merged, step_line
from pages.charts.style.outlier_range import within_outlier_range
from pages.charts.style.update_curves import curve, left_out, median_and_largest, on_log_axis, peaks
from pages.text.clock import timeline_steps
from pages.text.labels import ending, legends, number

TITLE = "Size of the steps taken"
QUESTION = "How far does each step really move the network?"

Array = np.ndarray

LOOKS = (PATIENT, TREATED)
BOUND_WIDTH = 2


def figure(patient: RunHistory, treated: RunHistory) -> AnimatedFigure:
    """‖Δθ‖ of both networks against the training step, on a log axis; dotted the longest that clipping allows."""
    histories = (patient, treated)
    end = max(int(history.evaluation_step[-1]) for history in histories)
    bounds = [longest_step(history) for history in histories]
    lengths = np.concatenate([history.total_update_norm for history in histories])
    shown = within_outlier_range(np.append(lengths, [bound for bound in bounds if bound]))
    traces: list[Json] = []
    for look, history, legend in zip(LOOKS, histories, legends(*histories), strict=True):
        kept = peaks(history.total_update_norm)
        values = on_log_axis(history.total_update_norm)[kept]
        traces.append(curve(look, f"{look.name}: {legend}", history.step[kept], values, "step ‖Δθ‖: %{y:.3~g}"))
    for look, bound in zip(LOOKS, bounds, strict=True):
        if bound:
            traces.append(_line(look, bound, end))
    value_axis = log_axis("step ‖Δθ‖", shown)
    layout = {
        "xaxis": axis("training step (updates)", [0, end]),
        "yaxis": value_axis,
        "hovermode": "closest",
    }
    frames = [frame(step, layout={"shapes": step_line(step, "paper")}) for step in timeline_steps(*histories)]
    return AnimatedFigure(traces, merged(layout, footnotes(_notes(histories, value_axis))), frames)


def alt(patient: RunHistory, treated: RunHistory) -> str:
    """Median and longest step of both networks, and the longest that clipping allows."""
    return " ".join(_sentence(look, history) for look, history in zip(LOOKS, (patient, treated), strict=True))


def table(patient: RunHistory, treated: RunHistory) -> pd.DataFrame:
    """One row a network and drawn update."""
    parts = []
    for look, history in zip(LOOKS, (patient, treated), strict=True):
        kept = peaks(history.total_update_norm)
        columns = {
            "network": look.name,
            "training step (updates)": history.step[kept],
            "‖Δθ‖": history.total_update_norm[kept],
            "longest ‖Δθ‖ that clipping allows": longest_step(history) or np.nan,
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def longest_step(history: RunHistory) -> float | None:
    """η times the longest gradient that clipping leaves; None without clipping, and for optimizers that rescale it."""
    longest = longest_clipped(history)
    return longest * history.experiment.learning_rate if longest and history.experiment.optimizer == "sgd" else None


def _line(look: Look, bound: float, end: int) -> Json:
    return {
        "type": "scatter", "mode": "lines", "x": [0, end], "y": [bound] * 2, "name": f"{look.name}, longest step",
        "showlegend": False, "line": {"color": look.color, "width": BOUND_WIDTH, "dash": "dot"},
        "hovertemplate": f"at most %{{y:.3~g}}<extra>{look.name}</extra>",
    }  # fmt: skip


def _notes(histories: tuple[RunHistory, RunHistory], value_axis: Json) -> list[str]:
    notes = []
    for look, history in zip(LOOKS, histories, strict=True):
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
