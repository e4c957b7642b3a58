"""The strip: both networks as rows of cells, one a layer, whose brightness the timeline moves.

assets/components/strip.js draws it.  A cell that is clicked marks its layer in every chart.
"""

from collections.abc import Sequence

import numpy as np
import orjson

from engine import RunHistory
from pages.charts.style.figure import PATIENT, TREATED
from pages.components.shell.byte_cache import ByteCache
from pages.components.shell.component import component
from pages.text.stage_measures import STAGE_MEASURES

SENT_BYTES = 1e6  # of strips as they are sent; about 10 kB each
DIGITS = 3  # significant, of what a cell says
LEAST_DECADES = 1.0  # between the darkest and the brightest cell, so that equal layers look equal
MOST_DECADES = 8.0

_sent = ByteCache(SENT_BYTES)
_strip = component("strip", "cells")


def strip(page: str, steps: Sequence[int], patient: RunHistory, treated: RunHistory) -> None:
    """Draw the strip of a lesson's page at these steps of the timeline."""
    key = page, patient.experiment, treated.experiment
    _strip(key="strip", data=_sent.get(key, lambda: _described(page, steps, patient, treated)))


def _described(page: str, steps: Sequence[int], patient: RunHistory, treated: RunHistory) -> bytes:
    measure = STAGE_MEASURES[page]
    cells = [measure.cells(history, steps) for history in (patient, treated)]
    rows = [
        {
            "who": look.name.lower(),
            "size": _size(history),
            "cells": [[_rounded(value) for value in row] for row in values.tolist()],
            "readout": measure.readout(history, steps),
        }
        for look, history, values in zip((PATIENT, TREATED), (patient, treated), cells, strict=True)
    ]
    return orjson.dumps(
        {"steps": steps, "name": measure.name, "caption": measure.caption, "decades": _decades(cells), "rows": rows}
    )


def _size(history: RunHistory) -> str:
    """As in "10 × 16": hidden layers, and units in each."""
    return f"{history.experiment.depth} × {history.experiment.width}"


def _decades(cells: Sequence[np.ndarray]) -> tuple[float, float]:
    """Powers of ten at the dark and at the bright end, the same for both networks and all steps."""
    values = np.concatenate([one.ravel() for one in cells])
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return 0.0, 1.0
    low, high = np.log10(values.min()), np.log10(values.max())
    return float(min(max(low, high - MOST_DECADES), high - LEAST_DECADES)), float(high)


def _rounded(value: float) -> float | None:
    """None: not a number, or beyond all numbers."""
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
