"""How large does the gradient get, and how much of it does clipping let through?

Norm of the gradient of loss and penalties over all parameters, before and after clipping, through training.

    by norm: g ← g θ/‖g‖ where ‖g‖ > θ (Pascanu et al. 2013)        by value: every entry to [−θ, θ] (Mikolov 2012)
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import captioned, no_network
from pages.charts.style.axes import log_axis
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import LOOKS, NEUTRAL, AnimatedFigure, Array, Json, Look
from pages.charts.style.grid import Row, over_training, side_by_side, whole_runs
from pages.charts.style.outlier_range import within_outlier_range
from pages.charts.style.traces import MEDIUM, THIN, hover_of, key, level, mode_of, stroke, trace
from pages.charts.style.update_curves import (
    left_out,
    longest_clipped,
    median_and_largest,
    on_log_axis,
    peaks,
    update_curve,
)
from pages.text.clock import timeline_steps
from pages.text.exploding_verdict import clipped
from pages.text.labels import ending, loss_unit, number, percent

TITLE = "Gradient before and after clipping"
QUESTION = "How large does the gradient get, and how much of it does clipping let through?"
HOW_TO_READ = (
    "Left to right: training. Height: the length of the gradient of all parameters, each labelled line ten or more "
    "times the one below; thin before clipping, thick after it. Healthy: only rare spikes reach above the dotted "
    "threshold. Where thin is always above thick, every update is clipped."
)

HEIGHT = 352
LEGEND = 56  # px from the panels to the legend below them
BELOW = LEGEND + 32  # px from the panels to the notes
THRESHOLD = stroke(NEUTRAL, 2, "dot")
BY_VALUE = "By value, the line is θ√n: the largest norm of n entries of at most θ."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """‖∂L/∂θ‖ against the training step on one log axis, a panel for each network.

    Before clipping thin, after it thick.  Dotted is the longest gradient that clipping leaves; beside a network without
    clipping it is that of the first one that clips, to compare with.
    """
    end = max(int(history.evaluation_step[-1]) for history in histories)
    limits = [longest_clipped(history) for history in histories]
    norms = np.concatenate([part for history in histories for part in _norms(history)])
    shown = within_outlier_range(np.append(norms, [limit for limit in limits if limit]))

    panels: list[list[Json]] = []
    for look, history, own in zip(looks, histories, limits, strict=True):
        panel = _curves(look, history)
        if limit := own or next(filter(None, limits), None):
            first = not any(one["name"] == "threshold" for other in panels for one in other)
            hover = "at most %{y:.3~g}<extra></extra>"
            panel.append(level([0, end], limit, "threshold", hover, showlegend=first, **THRESHOLD))
        panels.append(panel)
    places = side_by_side([_heading(history) for history in histories], looks, HEIGHT, BELOW)
    value_axis = log_axis(f"gradient ‖∂L/∂θ‖ ({loss_unit(*histories).replace('squared error', 'error²')}, log)", shown)
    legend = {"itemwidth": 30, "y": -LEGEND / places.plot, "yanchor": "top"}
    keys, notes = _keys(any(clipped(history).any() for history in histories)), _notes(histories, looks, value_axis)
    across, steps, row = whole_runs(*histories), timeline_steps(*histories), Row(value_axis, panels)
    drawn = over_training([row], across, steps, places, notes, keys, showlegend=True, legend=legend)
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Median and largest norm before clipping, and how often and to what it was clipped, of each network."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network and update on record."""
    unit = loss_unit(*histories)

    def columns(history: RunHistory) -> Columns:
        return {
            STEP: history.step,
            f"‖∂L/∂θ‖ before clipping ({unit})": history.total_gradient_norm,
            f"‖∂L/∂θ‖ after clipping ({unit})": history.clipped_norm,
            "clipping": history.experiment.clip,
            "clipped": clipped(history),
        }

    return table_of(histories, looks, columns)


def _norms(history: RunHistory) -> tuple[Array, Array]:
    return history.total_gradient_norm, history.clipped_norm


def _curves(look: Look, history: RunHistory) -> list[Json]:
    """After clipping thick; before it thin, and on top, since the thick one hides it where they agree."""
    kept = peaks(history.total_gradient_norm)
    before, after = (on_log_axis(norms)[kept] for norms in _norms(history))
    steps = history.step[kept]
    traces = [update_curve(look, look.name, steps, after, "‖∂L/∂θ‖: %{y:.3~g}") | {"showlegend": False}]
    if clipped(history).any():
        hover = hover_of(look, "update %{x}<br>before clipping: %{y:.3~g}")
        thin = stroke(look.color, THIN) | {"marker": {"color": look.color, "size": 5}, "showlegend": False}
        traces.append(trace(mode_of(steps), steps, before, f"{look.name} before clipping", hover, **thin))
    return traces


def _keys(clips: bool) -> list[Json]:
    """Legend entries for what all panels share."""
    thick, thin = stroke(width=MEDIUM + 1), stroke(width=THIN)
    return [key("before", **thin), key("after", **thick)] if clips else [key("gradient", **thick)]


def _heading(history: RunHistory) -> str:
    e = history.experiment
    if e.clip == "none":
        return "no clipping"
    if not len(history.step):
        return f"by {e.clip}, no update"
    return f"by {e.clip}, at {percent(float(clipped(history).mean()))} of updates"


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look], value_axis: Json) -> list[str]:
    clips = [history.experiment.clip for history in histories]
    notes = [BY_VALUE] if "value" in clips else []
    if set(clips) == {"none"}:
        notes = [f"{no_network(looks)} clips its gradient."]
    for look, history in zip(looks, histories, strict=True):
        notes += left_out(look, history, history.total_gradient_norm, value_axis, "gradients")
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    how = f"; {words}" if (words := ending(history)) else ""
    if not len(history.step):
        return f"{look.name}: there is no gradient{how}."
    message = median_and_largest(history, history.total_gradient_norm)
    if not message:
        return f"{look.name}: the gradient’s norm over all parameters is not finite at any step{how}."
    return f"{look.name}: the gradient’s norm over all parameters is {message}; {_cut(history)}{how}."


def _cut(history: RunHistory) -> str:
    if history.experiment.clip == "none":
        return "nothing is clipped"
    share, longest = percent(float(clipped(history).mean())), longest_clipped(history)
    return f"it is clipped by {history.experiment.clip} at {share} of updates, to at most {number(longest or 0.0)}"
