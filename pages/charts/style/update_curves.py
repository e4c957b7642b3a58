"""What charts over the updates' clock share: which updates are drawn, on what axis, and what that leaves out."""

import math

import numpy as np

from engine import RunHistory
from pages.charts.style.figure import Array, Json, Look
from pages.charts.style.traces import MEDIUM, curve
from pages.text.labels import number, percent

MOST_POINTS = 240  # of a curve


def peaks(values: Array) -> Array:
    """Places of the updates that are drawn: of a long run the first, the last, and of each stretch its largest value.

    values: (S,); those that are not finite count as the largest.  Every so many-th update would miss the spikes.
    """
    n = len(values)
    if n <= MOST_POINTS:
        return np.arange(n)
    height = np.where(np.isnan(values), np.inf, values)
    stretches = np.array_split(np.arange(1, n - 1), MOST_POINTS - 2)
    return np.array([0, *(stretch[height[stretch].argmax()] for stretch in stretches), n - 1])


def on_log_axis(values: Array) -> Array:
    """The values that have a place on a log axis; NaN elsewhere."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def update_curve(look: Look, name: str, steps: Array, values: Array, hover: str) -> Json:
    """A network's curve over the updates, with its dash and a few of its markers.

    hover: quantity and value, "step ‖Δθ‖: %{y:.3~g}".
    """
    return curve(look, steps, values, name, f"update %{{x}}<br>{hover}", MEDIUM)


def left_out(look: Look, history: RunHistory, values: Array, axis: Json, what: str) -> list[str]:
    """Notes on what a log axis cannot show of a network's values (S,): zeros, and what is beyond its range."""
    notes = []
    if (values == 0).any():
        share = percent(float((values == 0).mean()))
        notes.append(f"{look.name}: {what} of exactly 0, not drawn, at {share} of updates.")
    decades = np.log10(values, where=np.isfinite(values) & (values > 0), out=np.full(len(values), np.nan))
    low, high = axis["range"]
    if (decades > high).any():
        top = int(np.nanargmax(decades))
        notes.append(f"{look.name}: off the axis, up to {number(float(values[top]))} at step {history.step[top]}.")
    if (decades < low).any():
        bottom = int(np.nanargmin(decades))
        notes.append(
            f"{look.name}: off the axis, down to {number(float(values[bottom]))} at step {history.step[bottom]}."
        )
    return notes


def median_and_largest(history: RunHistory, values: Array) -> str:
    """ "0.5 in the median and at most 16, at step 3", of the values (S,) that are finite; "" where none is."""
    finite = np.flatnonzero(np.isfinite(values))
    if not finite.size:
        return ""
    top = finite[values[finite].argmax()]
    return (
        f"{number(float(np.median(values[finite])))} in the median and at most {number(float(values[top]))}, at step "
        f"{history.step[top]}"
    )


def longest_clipped(history: RunHistory) -> float | None:
    """The longest gradient that clipping leaves: θ by norm, θ√n by value with n parameters; None without clipping."""
    e = history.experiment
    if e.clip == "none":
        return None
    parameters = (*history.weights, *history.biases, *history.scales, *history.shifts)
    entries = sum(math.prod(array.shape[1:]) for array in parameters)
    return e.clip_threshold * (entries**0.5 if e.clip == "value" else 1.0)
