"""What the doctor found, and what detectors share.

A detector gets an Examination and returns a Finding or None.  It says what is measured, not what came first: precedence
and roles are given in diagnosis.py.
"""

from dataclasses import dataclass

import numpy as np

from engine.doctor.examination import Examination, finite_median

Array = np.ndarray

SEVERITIES = ("info", "warning", "severe")
TUNED = "tuned on small networks"  # the source of a rule that no other tool or paper states


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor found in a run, with its evidence.

    severity: one of SEVERITIES.  layers count from 0 here, and from 1 in words.  steps: first and last at
    which it was measured.  measured and threshold are of `metric`.  remedies: settings of an Experiment, or changes
    (learning_rate_up, learning_rate_down, wider, deeper, shallower), the likeliest first.  role: "cause",
    "consequence" or "context".
    """

    code: str
    severity: str
    layers: tuple[int, ...]
    steps: tuple[int, int]
    measured: float
    threshold: float
    metric: str
    explanation: str
    source: str
    remedies: tuple[str, ...]
    role: str = "cause"


def update_ratios(run: Examination) -> Array:
    """‖ΔW_l‖/‖W_l‖ of the recorded updates, (S, L)."""
    return run.history.update_norm / run.history.weight_norm


def layer_medians(rows: Array) -> Array:
    """Median of each column of (rows, layers), over what is finite."""
    return np.array([finite_median(column) for column in rows.T])


def steps_of(run: Examination, part: slice = slice(None)) -> tuple[int, int]:
    """First and last step of some evaluations."""
    steps = run.history.evaluation_step[part]
    return int(steps[0]), int(steps[-1])


def likeliest(*remedies: str, **first: bool) -> tuple[str, ...]:
    """Remedies in their order, after those that something in the run speaks for."""
    ahead = [remedy for remedy, speaks in first.items() if speaks]
    return (*ahead, *(remedy for remedy in remedies if remedy not in ahead))


def if_severe(found: Finding | None) -> Finding | None:
    return found if found and found.severity == "severe" else None


def layer_named(run: Examination, layer: int) -> str:
    return "the output layer" if layer == run.depth else f"layer {layer + 1}"


def layers_named(layers: Array) -> str:
    """Layers as people count them."""
    if len(layers) == 1:
        return f"Layer {layers[0] + 1}"
    return f"Layers {layers[0] + 1} to {layers[-1] + 1}"
