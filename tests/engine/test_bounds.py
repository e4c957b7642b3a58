"""Rules where they begin to hold: the smallest batch that has statistics, rows of a run too long to keep them all."""

import numpy as np
import pytest

from engine import Experiment, Training, forward
from engine.network import NORMALIZATION_EPSILON, track_statistics
from engine.training import initialize


def test_two_examples_are_a_batch_with_statistics_of_its_own():
    """Of two, each is half their distance d from the mean: ±(d/2)/√(d²/4 + ε), and the unbiased variance is d²/2."""
    parameters = initialize(Experiment(depth=1, width=3, normalization="batch", activation="linear"))
    inputs = np.array([[1.0, -2.0], [0.5, 3.0]])
    passed = forward(parameters, inputs, training=True)
    u = inputs @ parameters.weights[0][0] + parameters.biases[0][0]
    half = (u[0] - u[1]) / 2
    normalised = half / np.sqrt(half**2 + NORMALIZATION_EPSILON)
    np.testing.assert_allclose(passed.z[0][0], [normalised, -normalised], rtol=1e-9)
    track_statistics(parameters, passed)
    np.testing.assert_allclose(parameters.running_means[0][0], 0.1 * u.mean(axis=0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(parameters.running_variances[0][0], 0.9 + 0.1 * 2 * half**2, rtol=1e-12)


def test_one_example_is_normalised_by_the_running_statistics():
    parameters = initialize(Experiment(depth=1, width=3, normalization="batch", activation="linear"))
    inputs = np.array([[1.0, -2.0]])
    passed = forward(parameters, inputs, training=True)
    u = inputs @ parameters.weights[0][0] + parameters.biases[0][0]
    np.testing.assert_allclose(passed.z[0][0], u / np.sqrt(1 + NORMALIZATION_EPSILON), rtol=1e-12)


@pytest.mark.parametrize(("steps", "stride"), [(2001, 2), (4001, 3)])
def test_a_thinned_run_keeps_the_row_of_the_update_that_could_not_be_made(steps, stride):
    """One of two networks overflows at an update whose row would be left out; the other keeps to its stride."""
    settings = {"dataset": "sine", "depth": 1, "width": 2, "activation": "linear", "precision": "float32"}
    pair = [Experiment(**settings, steps=steps, learning_rate=1e-6, seed=seed) for seed in (0, 1)]
    training = Training(pair).advance(2 * stride + 1)
    # a loss of 10³² is a float32; its gradient with respect to a hidden unit is not
    training._parameters.weights[0][0], training._parameters.biases[0][0] = 1e-20, 0
    training._parameters.weights[1][0] = 1e36
    broken, other = training.advance(4 * stride - 1).histories()
    assert broken.diverged_at == (2 * stride + 1, 0, "error signal")
    np.testing.assert_array_equal(broken.step, [0, stride, 2 * stride, 2 * stride + 1])
    assert not np.isfinite(broken.gradient_norm[-1]).all()
    np.testing.assert_array_equal(other.step, stride * np.arange(6))
