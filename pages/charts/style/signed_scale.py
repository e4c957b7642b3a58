"""Signed numbers on one axis, also where some layers' are a thousand times as large as others'."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pages.charts.style.axes import axis
from pages.charts.style.figure import Array, Json, merged

# Beyond this ratio of the largest to the smallest layer the smallest is a hair's breadth on a linear axis.
LINEAR_DECADES = 1.5
# What is smaller than the typical layer by more than this may merge with 0, else the axis shows only tiny layers.
DECADES_BELOW_TYPICAL = 3
SMALLEST_DECADE = -300  # close to the smallest number there is
LABELS_A_SIDE = 3


def signed_axis(title: str, low: Array, high: Array, **attributes: Any) -> tuple[Json, Callable[[Array], Array], bool]:
    """An axis for signed values: linear, or logarithmic on both sides of 0 where layers differ by orders of magnitude.

    low, high: where each layer's drawing begins and ends in each frame.  Returns the axis, the function that puts
    values on it, and whether it is logarithmic: sign(v) log₁₀(1 + |v|/t), t the power of ten below the smallest layer.
    """
    reach = np.maximum(np.abs(low), np.abs(high))
    finite = reach[np.isfinite(reach) & (reach > 0)]
    ends = np.array([low[np.isfinite(low)].min(initial=0), high[np.isfinite(high)].max(initial=0)])
    if not finite.size or math.log10(finite.max()) - math.log10(finite.min()) <= LINEAR_DECADES:
        return axis(title, ends if finite.size else [-1, 1], **attributes), np.asarray, False

    lowest = max(math.log10(finite.min()), math.log10(np.median(finite)) - DECADES_BELOW_TYPICAL, SMALLEST_DECADE)
    start, end = math.floor(lowest), math.floor(math.log10(finite.max()))

    def place(values: Array) -> Array:
        # |v|/t itself may be beyond the largest number.
        return np.sign(values) * (np.log10(10.0**start + np.abs(values)) - start)

    every = max(1, math.ceil((end - start) / LABELS_A_SIDE))
    decades = range(end, start, -every)
    ticks = [0.0] + [sign * float(place(np.array(10.0**decade))) for decade in decades for sign in (1, -1)]
    labels = ["0"] + [sign + _power(decade) for decade in decades for sign in ("", "−")]
    look = axis(f"{title}, log scale", place(ends)) | {"tickvals": ticks, "ticktext": labels}
    return merged(look, attributes), place, True


def _power(decade: int) -> str:
    return f"{10.0**decade:g}" if -2 <= decade <= 2 else f"10<sup>{decade}</sup>".replace("-", "−")
