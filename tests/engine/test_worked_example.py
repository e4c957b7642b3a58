"""Published numbers: "A Step by Step Backpropagation Example" by Matt Mazur, through the engine's own pieces."""

import numpy as np
import pytest

from engine.losses import LOSSES, outputs
from engine.network import Architecture, Parameters, backward, forward
from engine.optimizers import OPTIMIZERS

INPUTS, TARGETS = np.array([[0.05, 0.10]]), np.array([[[0.01, 0.99]]])
RATE = 0.5
PRINTED = 6e-10  # the post prints nine decimals


@pytest.fixture
def network():
    """w1, w2 lead into the first hidden unit, w3, w4 into the second, and so on; the biases stay."""
    architecture = Architecture((2, 2, 2), "sigmoid", "sigmoid")
    parameters = Parameters(architecture, np.zeros((1, Parameters.size(architecture))))
    parameters.weights[0][0] = np.array([[0.15, 0.20], [0.25, 0.30]]).T
    parameters.weights[1][0] = np.array([[0.40, 0.45], [0.50, 0.55]]).T
    parameters.biases[0][0], parameters.biases[1][0] = 0.35, 0.60
    parameters.frozen = np.arange(parameters.flat.shape[1]) >= parameters.n_weights
    return parameters


def error_of(parameters):
    """E = Σ ½(t − o)² is the mean squared error of two outputs and one example."""
    return LOSSES["mse"].value(forward(parameters, INPUTS).z[-1], TARGETS, "sigmoid")[0]


def stepped(network):
    passed = forward(network, INPUTS)
    gradient, signal = backward(network, passed, LOSSES["mse"].gradient(passed.z[-1], TARGETS, "sigmoid"))
    update = OPTIMIZERS["sgd"].update(gradient.flat, [], np.array([[RATE]]), 1)
    after = Parameters(network.architecture, network.flat - update)
    return passed, gradient, signal, after


def test_forward(network):
    passed = forward(network, INPUTS)
    np.testing.assert_allclose(passed.z[0][0, 0], [0.3775, 0.3925], atol=PRINTED)
    np.testing.assert_allclose(passed.h[0][0, 0], [0.593269992, 0.596884378], atol=PRINTED)
    answer = outputs(passed.z[1], "sigmoid")[0, 0]
    np.testing.assert_allclose(answer, [0.751365070, 0.772928465], atol=PRINTED)
    np.testing.assert_allclose((answer - TARGETS[0, 0]) ** 2 / 2, [0.274811083, 0.023560026], atol=PRINTED)
    assert error_of(network) == pytest.approx(0.298371109, abs=PRINTED)


def test_backward(network):
    _, gradient, signal, _ = stepped(network)
    np.testing.assert_allclose(signal.z[1][0, 0], [0.138498562, -0.038098236], atol=PRINTED)
    assert gradient.weights[1][0, 0, 0] == pytest.approx(0.082167041, abs=PRINTED)
    assert gradient.weights[0][0, 0, 0] == pytest.approx(0.000438568, abs=PRINTED)
    assert not np.any(gradient.biases[0])
    assert not np.any(gradient.biases[1])


def test_one_update(network):
    *_, after = stepped(network)
    np.testing.assert_allclose(
        after.weights[1][0].T, [[0.358916480, 0.408666186], [0.511301270, 0.561370121]], atol=PRINTED
    )
    np.testing.assert_allclose(
        after.weights[0][0].T, [[0.149780716, 0.199561433], [0.249751144, 0.299502287]], atol=PRINTED
    )
    np.testing.assert_array_equal(after.biases[0][0], 0.35)
    np.testing.assert_array_equal(after.biases[1][0], 0.60)


def test_error_after_one_simultaneous_update_and_where_the_famous_one_comes_from(network):
    passed, _, signal, after = stepped(network)
    assert error_of(after) == pytest.approx(0.291027774, abs=PRINTED)

    mixed = after.copy()  # the hidden deltas taken over the output weights that were already updated
    hidden = passed.h[0][0, 0]
    delta = (signal.z[1][0, 0] @ after.weights[1][0].T) * hidden * (1 - hidden)
    mixed.weights[0][0] = network.weights[0][0] - RATE * np.outer(INPUTS[0], delta)
    assert error_of(mixed) == pytest.approx(0.291027924, abs=PRINTED)
    assert mixed.weights[0][0, 0, 0] != pytest.approx(0.149780716, abs=PRINTED), "the post's own w1 is not from these"
