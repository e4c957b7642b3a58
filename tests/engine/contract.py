"""What every RunHistory keeps, whatever the experiment, and whether two are the same."""

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest

from engine import RunHistory

UPDATES = (
    "gradient_norm", "weight_norm", "update_norm", "delta_rms", "weight_factor", "slope_factor",
    "batch_loss", "data_gradient_norm", "penalty_gradient_norm", "total_gradient_norm", "clipped_norm",
    "clip_cosine", "total_update_norm",
)  # fmt: skip
EVALUATIONS = (
    "dead_fraction", "saturated_fraction", "activation_mean", "activation_std", "probe_delta_rms",
    "train_loss", "validation_loss", "train_accuracy", "validation_accuracy", "penalty",
)  # fmt: skip
PARAMETERS = ("weights", "biases", "scales", "shifts", "running_means", "running_variances")


def _rounding_hangs_on_alignment() -> bool:
    numbers = np.sin(np.arange(64.0))
    shifted = np.concatenate([[0.0], numbers])[1:]
    return any(np.vecdot(numbers[:n], numbers[:n]) != np.vecdot(shifted[:n], shifted[:n]) for n in range(64))


same_bits = pytest.mark.skipif(
    _rounding_hangs_on_alignment(),
    reason="without AVX, BLAS rounds by where in memory the numbers begin, so that a stack has other last bits",
)


def assert_well_formed(history, n_in=2, n_out=1):
    """Every field has the shape that the design gives it, is read-only, and agrees with the others."""
    experiment = history.experiment
    depth, width, layers = experiment.depth, experiment.width, experiment.depth + 1
    assert history.layers == layers
    rows = len(history.step)
    for i, name in enumerate(UPDATES):
        assert getattr(history, name).shape == ((rows, layers) if i < 6 else (rows,)), name
    evaluations, frames = len(history.evaluation_step), len(history.frame_step)
    for i, name in enumerate(EVALUATIONS):
        assert getattr(history, name).shape == ((evaluations, layers) if i < 5 else (evaluations,)), name
    sizes = [n_in, *[width] * depth, n_out]
    assert [w.shape for w in history.weights] == [(frames, *pair) for pair in pairwise(sizes)]
    assert [b.shape for b in history.biases] == [(frames, n) for n in sizes[1:]]
    for name in PARAMETERS[2:]:
        kept = experiment.normalization == "batch" or (experiment.normalization == "layer" and name in PARAMETERS[2:4])
        assert [array.shape for array in getattr(history, name)] == [(frames, width)] * (depth if kept else 0)
    if n_in <= 2:
        side = {1: (200,), 2: (32, 32)}[n_in]
        assert history.predictions.shape == (frames, *side, n_out)
        assert [axis.shape for axis in history.prediction_axes] == [side[:1]] * n_in
    else:
        assert history.predictions is history.prediction_axes is None

    assert rows <= 2000 + 1  # thinned rows, and the one at which a run diverged
    assert frames <= 60
    for clock in (history.step, history.evaluation_step, history.frame_step):
        assert (np.diff(clock) > 0).all()
        assert clock.dtype == np.int64
    assert {0, history.best_step, history.evaluation_step[-1]} <= set(history.frame_step.tolist())
    assert set(history.frame_step.tolist()) <= set(history.evaluation_step.tolist())
    assert history.frame_step[-1] == history.evaluation_step[-1]
    finite = np.isfinite(history.validation_loss)
    if finite.any():
        assert (
            history.best_step
            == history.evaluation_step[np.nanargmin(np.where(finite, history.validation_loss, np.nan))]
        )

    for field in fields(RunHistory):
        value = getattr(history, field.name)
        for array in value if isinstance(value, tuple) else (value,):
            if isinstance(array, np.ndarray):
                assert not array.flags.writeable, field.name
    if history.status == "diverged":
        step, layer, tensor = history.diverged_at
        assert isinstance(step, int)
        assert layer is None or 0 <= layer < layers
        assert isinstance(tensor, str)
        assert history.evaluation_step[-1] <= step
        assert rows == 0 or history.step[-1] <= step
    else:
        assert history.diverged_at is None
    for name in PARAMETERS:
        assert all(np.isfinite(array).all() for array in getattr(history, name)), name
    if history.diverged_at is None or history.diverged_at[0] > 0:
        for name in ("batch_loss", "train_loss", "validation_loss"):
            assert np.isfinite(getattr(history, name)).all(), name


def difference(first, second):
    """The name of the first field in which two histories differ, or None."""
    for field in fields(RunHistory):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if not isinstance(one, tuple) or not any(isinstance(item, np.ndarray) for item in one):
            one, other = (one,), (other,)
        if len(one) != len(other):
            return field.name
        for a, b in zip(one, other, strict=True):
            if isinstance(a, np.ndarray):
                same = a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
            else:
                same = a == b or (a != a and b != b)
            if not same:
                return field.name
    return None


def bits(history: RunHistory) -> list:
    """Everything in a history, down to the last bit."""
    values = [(row.name, getattr(history, row.name)) for row in fields(history)]
    flat = [(name, item) for name, value in values for item in (value if isinstance(value, tuple) else (value,))]
    return [
        (name, item.dtype.str, item.shape, item.tobytes()) if isinstance(item, np.ndarray) else (name, repr(item))
        for name, item in flat
    ]
