"""How far does each step really move the network?

Length ‖Δθ‖ of the step that was taken, over all parameters, through training.  With gradient descent clipped by norm it
is at most ηθ: the learning rate times the threshold.
"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.clock import timeline_steps
from pages.charts.figure import (
    PATIENT,
    TREATED,
    AnimatedFigure,
    Json,
    Look,
    axis,
    footnotes,
    frame,
    log_axis,
    merged,
    step_line,
)
from pages.charts.through_updates import curve, on_log_axis, peaks
from pages.charts.wording import ending, number

TITLE = "Size of the steps taken"
QUESTION = "How far does each step really move the network?"

BOUND_WIDTH = 2


def figure(patient: RunHistory, treated: RunHistory) -> AnimatedFigure:
    """‖Δθ‖ of both networks against the training step, on a log axis; the longest that clipping allows as a line."""
    networks = ((PATIENT, patient), (TREATED, treated))
    end = max(int(history.evaluation_step[-1]) for _, history in networks)
    traces: list[Json] = []
    drawn = []
    for look, history in networks:
        kept = peaks(history.total_update_norm)
        values = on_log_axis(history.total_update_norm)[kept]
        traces.append(curve(look, history.step[kept], values, "step ‖Δθ‖"))
        drawn.append(values)
    for look, history in networks:
        if longest := longest_step(history):
            traces.append(_bound(look, longest, end))
            drawn.append(np.array([longest]))
    layout = {
        "xaxis": axis("training step (updates)", [0, end]),
        "yaxis": log_axis("step ‖Δθ‖", np.concatenate(drawn)),
        "hovermode": "closest",
    }
    frames = [frame(step, layout={"shapes": step_line(step, "paper")}) for step in timeline_steps(patient, treated)]
    return AnimatedFigure(traces, merged(layout, footnotes(_notes(networks))), frames)


def alt(patient: RunHistory, treated: RunHistory) -> str:
    """Median and longest step of both networks."""
    return " ".join(_sentence(look, history) for look, history in ((PATIENT, patient), (TREATED, treated)))


def table(patient: RunHistory, treated: RunHistory) -> pd.DataFrame:
    """One row a network and drawn update."""
    parts = []
    for look, history in ((PATIENT, patient), (TREATED, treated)):
        kept = peaks(history.total_update_norm)
        columns = {
            "network": look.name,
            "training step (updates)": history.step[kept],
            "‖Δθ‖": history.total_update_norm[kept],
            "longest ‖Δθ‖ that clipping allows": longest_step(history) or np.nan,
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def longest_step(history: RunHistory) -> float:
    """ηθ, the longest step that gradient descent clipped by norm can take; 0 where there is no such bound."""
    e = history.experiment
    return e.learning_rate * e.clip_threshold if e.clip == "norm" and e.optimizer == "sgd" else 0.0


def _bound(look: Look, longest: float, end: int) -> Json:
    return {
        "type": "scatter", "mode": "lines", "x": [0, end], "y": [longest] * 2,
        "name": f"{look.name}: longest with clipping, ηθ", "hovertemplate": "ηθ = %{y:.3~g}<extra></extra>",
        "line": {"color": look.color, "width": BOUND_WIDTH, "dash": "dot"},
    }  # fmt: skip


def _notes(networks: tuple[tuple[Look, RunHistory], ...]) -> list[str]:
    notes = []
    for look, history in networks:
        if (history.total_update_norm == 0).any():
            notes.append(f"{look.name}: a step of exactly 0 is not drawn.")
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    if not len(history.step):
        return f"{look.name}: {ending(history)}, before there was any update."
    lengths = history.total_update_norm
    finite = np.isfinite(lengths)
    if not finite.any():
        return f"{look.name}: no step is of finite length; {ending(history)}."
    longest = int(np.where(finite, lengths, -np.inf).argmax())
    text = (
        f"{look.name}: the median step moves the parameters by {number(float(np.median(lengths[finite])))}, the "
        f"longest by {number(float(lengths[longest]))} at step {history.step[longest]}"
    )
    if bound := longest_step(history):
        text += f"; clipping allows at most {number(bound)}"
    return text + (f"; {words}." if (words := ending(history)) else ".")
