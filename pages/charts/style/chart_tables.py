"""The table of a chart: rows of several networks below each other."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.figure import Array, Look

STEP = "training step (updates)"
Columns = Mapping[str, Any]  # title -> values, or one value for all rows


def table_of(
    histories: Sequence[RunHistory], looks: Sequence[Look], columns: Callable[[RunHistory], Columns]
) -> pd.DataFrame:
    """All networks' rows; columns: of one of them, beside its name."""
    networks = zip(looks, histories, strict=True)
    parts = [pd.DataFrame({"network": look.name, **columns(history)}) for look, history in networks]
    return pd.concat(parts, ignore_index=True)


def by_layer(steps: Array, values: Mapping[str, Array], step: str = STEP, layer: str = "layer") -> Columns:
    """A row a step and layer of values (steps, layers), by title; step, layer: the titles of these."""
    n_layers = next(iter(values.values())).shape[1]
    where = {step: np.repeat(steps, n_layers), layer: np.tile(np.arange(1, n_layers + 1), len(steps))}
    return where | {title: array.ravel() for title, array in values.items()}
