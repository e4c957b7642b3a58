"""How large does the gradient get, and how much of it does clipping let through?

Norm of the gradient of loss and penalties over all parameters, before and after clipping, through training.

    by norm: g ← g θ/‖g‖ where ‖g‖ > θ        by value: every entry to [−θ, θ]        Pascanu et al. 2013
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
    row_heading,
    step_line,
)
from pages.charts.through_updates import THICK, THIN, curve, on_log_axis, peaks
from pages.charts.wording import ending, number, percent

TITLE = "Gradient before and after clipping"
QUESTION = "How large does the gradient get, and how much of it does clipping let through?"

Array = np.ndarray

HEIGHT = 372
ROWS = ("y", "y2")
PANELS = ([0.56, 1.0], [0.0, 0.44])  # patient above treated, so that a step is at the same place in both
LABELS = 4  # powers of ten that stay apart in a panel
ABOVE_HEADING = 1.08
NEUTRAL = "#808080"  # what belongs to neither network
THRESHOLD = {"color": NEUTRAL, "width": 2, "dash": "dot"}


def figure(patient: RunHistory, treated: RunHistory) -> AnimatedFigure:
    """‖∂L/∂θ‖ on one log axis in two panels: before clipping thin, after it thick, the threshold dotted."""
    networks = ((PATIENT, patient), (TREATED, treated))
    end = max(int(history.evaluation_step[-1]) for _, history in networks)
    norms = [_drawn(history) for _, history in networks]
    thresholds = [history.experiment.clip_threshold for _, history in networks if history.experiment.clip == "norm"]
    everything = np.concatenate([thresholds, *[part for _, before, after in norms for part in (before, after)]])

    traces: list[Json] = []
    for row, (look, history), (steps, before, after) in zip(ROWS, networks, norms, strict=True):
        place = {"yaxis": row, "showlegend": False}
        if history.experiment.clip == "norm":
            traces.append(_line_of_threshold(history.experiment.clip_threshold, end) | place)
        traces.append(curve(look, steps, after, "after clipping" if _clips(history) else "not clipped") | place)
        if _clips(history):
            traces.append(_before(look, steps, before) | place)
    traces += _keys(any(_clips(history) for _, history in networks), bool(thresholds))

    value_axis = log_axis("‖∂L/∂θ‖", everything, LABELS)
    layout = merged(
        {
            "xaxis": axis("training step (updates)", [0, end], anchor=ROWS[-1]),
            "yaxis": merged(value_axis, {"domain": PANELS[0]}),
            "yaxis2": merged(value_axis, {"domain": PANELS[1]}),
            "legend": {"y": ABOVE_HEADING},
            "hovermode": "closest",
        },
        footnotes(_notes(networks), HEIGHT),
    )
    headings = [
        row_heading(_heading(history), panel[1], look)
        for (look, history), panel in zip(networks, PANELS, strict=True)
    ]  # fmt: skip
    layout["annotations"] = headings + layout.get("annotations", [])
    frames = [frame(step, layout={"shapes": step_line(step, "paper")}) for step in timeline_steps(patient, treated)]
    return AnimatedFigure(traces, layout, frames)


def alt(patient: RunHistory, treated: RunHistory) -> str:
    """Largest and last norm of both networks, before and after clipping, and how many steps were clipped."""
    return " ".join(_sentence(look, history) for look, history in ((PATIENT, patient), (TREATED, treated)))


def table(patient: RunHistory, treated: RunHistory) -> pd.DataFrame:
    """One row a network and drawn update; the threshold is NaN without clipping."""
    parts = []
    for look, history in ((PATIENT, patient), (TREATED, treated)):
        kept = peaks(history.total_gradient_norm)
        columns = {
            "network": look.name,
            "training step (updates)": history.step[kept],
            "‖∂L/∂θ‖ before clipping": history.total_gradient_norm[kept],
            "‖∂L/∂θ‖ after clipping": history.clipped_norm[kept],
            "clipping": history.experiment.clip,
            "threshold": history.experiment.clip_threshold if _clips(history) else np.nan,
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def clipped(history: RunHistory) -> Array:
    """Whether clipping changed the gradient, (S,)."""
    return history.clipped_norm < history.total_gradient_norm


def clipped_share(history: RunHistory) -> float:
    """The share of the updates on record that were clipped; NaN without any."""
    return float(clipped(history).mean()) if len(history.step) else np.nan


def _clips(history: RunHistory) -> bool:
    return history.experiment.clip != "none"


def _drawn(history: RunHistory) -> tuple[Array, Array, Array]:
    """Steps, norms before and norms after clipping, of the updates that are drawn."""
    kept = peaks(history.total_gradient_norm)
    before, after = (on_log_axis(norms)[kept] for norms in (history.total_gradient_norm, history.clipped_norm))
    return history.step[kept], before, after


def _before(look: Look, steps: Array, values: Array) -> Json:
    mode = "lines+markers" if len(steps) == 1 else "lines"
    return {
        "type": "scatter", "mode": mode, "x": steps, "y": values, "name": f"{look.name}, before clipping",
        "line": {"color": look.color, "width": THIN}, "marker": {"color": look.color, "size": 5},
        "hovertemplate": f"before clipping<br>update %{{x}}: %{{y:.3~g}}<extra>{look.name}</extra>",
    }  # fmt: skip


def _line_of_threshold(threshold: float, end: int) -> Json:
    return {
        "type": "scatter", "mode": "lines", "x": [0, end], "y": [threshold] * 2, "name": "threshold",
        "line": THRESHOLD, "hovertemplate": "threshold %{y:.3~g}<extra></extra>",
    }  # fmt: skip


def _keys(clipping: bool, threshold: bool) -> list[Json]:
    """Legend entries for what both panels share."""
    empty = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip", "mode": "lines"}
    lines: list[tuple[str, Json]] = [("gradient", {"color": NEUTRAL, "width": THICK + 1})]
    if clipping:
        lines = [("before clipping", {"color": NEUTRAL, "width": THIN}), ("after", lines[0][1])]
    if threshold:
        lines.append(("threshold", THRESHOLD))
    return [empty | {"name": name, "line": line} for name, line in lines]


def _heading(history: RunHistory) -> str:
    if not len(history.step):
        return "no update"
    if not _clips(history):
        return "not clipped"
    e = history.experiment
    how = f"by norm to {number(e.clip_threshold)}" if e.clip == "norm" else f"entries to ±{number(e.clip_threshold)}"
    return f"clipped in {percent(clipped_share(history))} of steps, {how}"


def _notes(networks: tuple[tuple[Look, RunHistory], ...]) -> list[str]:
    notes = []
    for look, history in networks:
        if (history.total_gradient_norm == 0).any():
            notes.append(f"{look.name}: a gradient of exactly 0 is not drawn.")
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    if not len(history.step):
        return f"{look.name}: {ending(history)}, before there was any gradient."
    norm = np.where(np.isfinite(history.total_gradient_norm), history.total_gradient_norm, -np.inf)
    peak = int(norm.argmax())
    if norm[peak] == -np.inf:
        return f"{look.name}: the gradient’s norm is not finite from the first update on; {ending(history)}."
    text = (
        f"{look.name}: the gradient’s norm over all parameters is {number(norm[0])} at step {history.step[0]} and at "
        f"most {number(norm[peak])}, at step {history.step[peak]}"
    )
    if _clips(history):
        finite = history.clipped_norm[np.isfinite(history.clipped_norm)]
        text += f"; {_heading(history)}, which leaves at most {number(finite.max())}"
    else:
        text += "; it is not clipped"
    return text + (f"; {words}." if (words := ending(history)) else ".")
