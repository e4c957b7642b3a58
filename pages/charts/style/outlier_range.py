"""Which part of widely spread sizes an axis or a scale of colours should show.

One update on the way to overflow can be a hundred powers of ten above all others.  On an axis that holds it, everything
else is one flat line.
"""

from typing import Any

import numpy as np

# Tukey's outer fences, of the logarithms: three interquartile ranges beyond the quartiles (Exploratory Data Analysis,
# 1977, 2D); and at least so many decades, so that runs of nearly constant size keep their tails.
OUTER, LEAST_DECADES = 3.0, 3.0


def within_outlier_range(values: Any) -> np.ndarray:
    """The positive finite values, flat, those beyond the fences moved onto them: what the ranges of a scale span.

    log10 of the fences: Q1 − max(3 IQR, 3) and Q3 + max(3 IQR, 3).
    """
    flat = np.asarray(values, float).ravel()
    flat = flat[np.isfinite(flat) & (flat > 0)]
    if not flat.size:
        return flat
    lower, upper = np.quantile(np.log10(flat), (0.25, 0.75))
    reach = max(OUTER * (upper - lower), LEAST_DECADES)
    with np.errstate(over="ignore", under="ignore"):  # a fence beyond the range of numbers fences nothing off
        return np.clip(flat, np.float64(10) ** (lower - reach), np.float64(10) ** (upper + reach))


def beyond(values: Any, shown: np.ndarray) -> np.ndarray:
    """Where values have a place on a logarithmic scale, but not between the least and the largest of those shown."""
    flat = np.asarray(values, float)
    if not shown.size:
        return np.zeros(flat.shape, bool)
    return np.isfinite(flat) & (flat > 0) & ((flat < shown.min()) | (flat > shown.max()))
