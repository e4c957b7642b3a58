"""Outcomes of the odd runs, and what a figure drew of outcomes."""

import numpy as np

from engine.cures.outcomes import Outcome, outcome_of
from tests.charts.odd_runs import pair


def odd(name: str) -> list[Outcome]:
    """Of an odd pair of runs."""
    return [outcome_of(history) for history in pair(name)]


def drawn(trace: dict, name: str) -> np.ndarray:
    """An array of a trace as it was given."""
    return np.asarray(trace[name], float)
