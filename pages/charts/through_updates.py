"""Curves over the updates' clock: which updates are drawn, and what has a place on a log axis."""

import numpy as np

from pages.charts.figure import Json, Look, merged

Array = np.ndarray

MOST_POINTS = 240  # of a curve
MARKERS = 8  # on a curve, enough to tell the networks apart without colour
THICK, THIN = 2.5, 1.2


def peaks(values: Array, most: int = MOST_POINTS) -> Array:
    """Places of the updates that are drawn of a long run: the first, the last, and of each stretch its largest value.

    values: (S,), those that are not finite count as the largest.  Taking every so many-th would miss the spikes.
    """
    n = len(values)
    if n <= most:
        return np.arange(n)
    height = np.where(np.isfinite(values), values, np.inf)
    stretches = np.array_split(np.arange(1, n - 1), most - 2)
    return np.array([0, *(stretch[height[stretch].argmax()] for stretch in stretches), n - 1])


def on_log_axis(values: Array) -> Array:
    """The values that have a place on a log axis; NaN elsewhere."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def curve(look: Look, steps: Array, values: Array, what: str, unit: str = "") -> Json:
    """A network's curve over the updates, with its dash and a few of its markers.  what: the quantity, for hovering."""
    trace = {
        "type": "scatter", "mode": "lines+markers", "x": steps, "y": values, "name": look.name,
        "hovertemplate": f"{what}<br>update %{{x}}: %{{y:.3~g}}{unit}<extra>{look.name}</extra>",
    }  # fmt: skip
    return trace | look.line(THICK) | merged(look.marker(), {"marker": {"maxdisplayed": MARKERS}})
