"""Pairs of runs that every chart must be able to draw, small ones."""

import re
from dataclasses import replace
from functools import lru_cache

import numpy as np

from engine import Experiment, RunHistory, train
from pages.components.laboratory.networks import LOOKS

Pair = tuple[RunHistory, RunHistory]

FOUR = tuple(replace(look, name=f"{look.key} network") for look in LOOKS)  # how the laboratory's networks look

SIGMOID = {"activation": "sigmoid", "initializer": "xavier_normal"}
RELU = {"activation": "relu", "initializer": "he_normal"}
SMALL = {"width": 6, "depth": 4, "steps": 30, "n_train": 30}
DIVERGES_AT_ONCE = {
    "depth": 50, "width": 16, "activation": "linear", "initializer": "standard_normal", "gain": 100, "steps": 3,
    "precision": "float32",
}  # fmt: skip

LONG = {"steps": 4100, "depth": 1, "width": 2, "n_train": 5}

PAIRS: dict[str, tuple[dict, dict]] = {
    "plain": (SIGMOID, RELU),
    "equal": (SIGMOID, SIGMOID),
    "of unequal depth": (SIGMOID | {"depth": 50}, RELU | {"depth": 1}),
    "both deep": (SIGMOID | {"depth": 50}, RELU | {"depth": 50}),
    "one hidden layer": (SIGMOID | {"depth": 1}, RELU | {"depth": 1}),
    "one step": (SIGMOID | {"steps": 1}, RELU | {"steps": 1}),
    "of zeros": (RELU | {"initializer": "zeros", "activation": "tanh"}, RELU),
    "both of zeros": (SIGMOID | {"initializer": "zeros"}, RELU | {"initializer": "zeros"}),
    "normalised, bridged, dropped out": (
        SIGMOID | {"normalization": "batch"},
        RELU | {"residual": "plain", "dropout": 0.5},
    ),
    "diverging": (
        RELU | {"dataset": "sine", "learning_rate": 1000.0, "gain": 3.0, "depth": 8},
        RELU | {"dataset": "sine"},
    ),
    "diverging at once": (DIVERGES_AT_ONCE, RELU),
    "both diverging at once": (DIVERGES_AT_ONCE, DIVERGES_AT_ONCE),
    "stopped early": (RELU | {"patience": 1, "learning_rate": 3.0, "steps": 200}, RELU),
    "of digits": (SIGMOID | {"dataset": "digits"}, RELU | {"dataset": "digits"}),
    "of regression": (SIGMOID | {"dataset": "sine"}, RELU | {"dataset": "sine"}),
    "of thinned rows": (SIGMOID | LONG, RELU | LONG),
    "without finite gradients at the end": (SIGMOID, RELU),
}


@lru_cache(None)
def pair(name: str) -> Pair:
    """The histories of patient and treated, trained once."""
    patient, treated = (train(Experiment(**(SMALL | settings))) for settings in PAIRS[name])
    if name == "without finite gradients at the end":
        patient = _overflowing(patient)
    return patient, treated


def _overflowing(history: RunHistory) -> RunHistory:
    """The same run as if its last update's gradient had overflowed in the first layers."""
    rows = {}
    for field in ("gradient_norm", "update_norm", "delta_rms", "slope_factor", "weight_factor"):
        rows[field] = getattr(history, field).copy()
        rows[field][-1, :2] = np.inf, np.nan
    return replace(history, status="diverged", diverged_at=(int(history.step[-1]), 1, "error signal"), **rows)


def panels_height(layout: dict) -> float:
    """Pixels from the lowest panel's bottom to the highest one's top, of a figure as it is sent."""
    return layout["height"] - layout["margin"]["t"] - layout["margin"]["b"]


ILL_WORDED = re.compile(
    r"\b1 (batches|inputs|steps|updates|layers|examples)\b|\b([a-z]+) \2\b|[a-z]_[a-z]|[a-z0-9]'s|\bnan\b|\binf\b"
    r"|not defined (nats|of|and|±)|[Ss]teps (\d+) to \4\b"
)
"""What no sentence about a run may have: one of many, a word twice, a code name, Python's numbers, a range of one."""
