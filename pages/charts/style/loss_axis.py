"""An axis for losses: linear while they are of one size, logarithmic where they span more."""

from typing import Any

import numpy as np

from pages.charts.style.axes import axis, log_axis
from pages.charts.style.figure import Json

LOG_FROM_DECADES = 1.5  # a loss that falls further than this is a line along the bottom of a linear axis
LOG_LABELS = 5  # that stay apart in a panel of half a chart's height
AIR = 0.15  # decades


def loss_axis(title: str, losses: Any, **attributes: Any) -> Json:
    """The axis on which all these losses are drawn; those that are not finite, or 0 on a log axis, are left out."""
    values = np.asarray(losses, float).ravel()
    decades = np.log10(values[np.isfinite(values) & (values > 0)])
    if not decades.size or np.ptp(decades) <= LOG_FROM_DECADES:
        return axis(title, values, **attributes)
    # closer than whole decades, which would leave half of a small panel empty
    tight = [float(decades.min()) - AIR, float(decades.max()) + AIR]
    return log_axis(title, values, LOG_LABELS, range=tight, **attributes)


def ends(loss_axis: Json) -> tuple[float, float]:
    """The lowest and the highest loss that the axis shows."""
    low, high = loss_axis.get("range", (0.0, 1.0))
    return (10.0**low, 10.0**high) if loss_axis.get("type") == "log" else (low, high)
