"""Backpropagation against automatic differentiation (PyTorch, float64), tensor by tensor."""

import itertools
import pickle
import warnings

import numpy as np
import pytest

import engine
from engine import SETTINGS
from engine.activations import ACTIVATIONS
from engine.losses import LOSSES
from engine.network import Architecture, Parameters, backward, forward, track_statistics

TOLERANCE = 1e-8
ROUNDING = 1e-14
N_IN, WIDTH, N_OUT, BATCH = 3, 5, 3, 7
ENDS = (
    ("sigmoid", "cross_entropy"),
    ("sigmoid", "mse"),
    ("softmax", "cross_entropy"),
    ("softmax", "mse"),
    ("linear", "mse"),
    ("tanh", "mse"),
    ("relu", "mse"),
    ("linear", "huber"),
    ("tanh", "mae"),
    ("sigmoid", "huber"),
    ("softmax", "huber"),
)
RESIDUALS = SETTINGS["residual"].choices
NORMALIZATIONS = ("none", "layer", "batch", "batch, evaluation", "batch of one")


def cases(activation):
    """Every three of end, normalization and residual meet once; each activation meets each of them, depth and mask."""
    number = list(ACTIVATIONS).index(activation)
    for (e, end), (n, normalization), (r, residual) in itertools.product(
        enumerate(ENDS), enumerate(NORMALIZATIONS), enumerate(RESIDUALS)
    ):
        if (e + n + 5 * r) % len(ACTIVATIONS) == number:
            yield end, normalization, residual, 1 + (e + 3 * n + r) % 6, (e // 2 + n) % 2 == 0


def random_parameters(architecture, seed, networks=1):
    """Every parameter and running statistic different from its neutral value."""
    generator = np.random.default_rng(seed)
    flat = np.empty((networks, Parameters.size(architecture)))
    parameters = Parameters(architecture, flat)
    for weights in parameters.weights:
        weights[...] = generator.normal(0, 1.3 / weights.shape[1] ** 0.5, weights.shape)
    for biases in (*parameters.biases, *parameters.shifts):
        biases[...] = generator.normal(0, 0.4, biases.shape)
    for scales in parameters.scales:
        scales[...] = generator.uniform(0.5, 1.5, scales.shape)
    for means, variances in zip(parameters.running_means, parameters.running_variances, strict=True):
        means[...] = generator.normal(0, 0.5, means.shape)
        variances[...] = generator.uniform(0.3, 2, variances.shape)
    return parameters


def random_targets(generator, output, batch, n_out):
    if output in ("linear", "tanh", "relu"):
        return generator.normal(size=(batch, n_out))
    if output == "sigmoid":
        return generator.integers(0, 2, (batch, n_out)).astype(float)
    return np.eye(n_out)[generator.integers(0, n_out, batch)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_tensor_agrees_with_automatic_differentiation(activation, oracle):
    for i, ((output, loss), mode, residual, depth, masked) in enumerate(cases(activation)):
        normalization = mode.split()[0].strip(",")
        training = mode != "batch, evaluation"
        batch = 1 if mode == "batch of one" else BATCH
        generator = np.random.default_rng([i, depth])
        architecture = Architecture((N_IN, *[WIDTH] * depth, N_OUT), activation, output, normalization, residual)
        parameters = random_parameters(architecture, i, networks=2)
        inputs = generator.normal(size=(batch, N_IN))
        targets = random_targets(generator, output, batch, N_OUT)
        masks = (generator.random((depth, batch, WIDTH)) >= 0.3) / 0.7 if masked else None

        passed = forward(parameters, inputs, masks, training)
        value = LOSSES[loss].value(passed.z[-1], targets, output)
        gradient, signal = backward(parameters, passed, LOSSES[loss].gradient(passed.z[-1], targets, output))

        network = i % 2
        expected_value, layers, z_gradients, h_gradients = oracle.gradients(
            oracle.layers_of(parameters, network), inputs, targets, output, loss, activation, normalization, residual,
            masks=masks, training=training,
        )  # fmt: skip
        where = f"{output} {loss} {mode} residual={residual} depth={depth} masked={masked}"
        assert oracle.error(value[network], expected_value) < TOLERANCE, where
        for layer, expected in enumerate(layers):
            for field in ("weights", "biases", "scales", "shifts"):
                if (name := oracle.NAMES[field]) not in expected:
                    continue
                found = getattr(gradient, field)[layer][network]
                if np.linalg.norm(expected[name]) < ROUNDING:
                    # a batch's mean takes a constant away, biases above all: both sides are rounding
                    assert np.linalg.norm(found) < ROUNDING, f"{where} {field} {layer}"
                else:
                    assert oracle.error(found, expected[name]) < TOLERANCE, f"{where} {field} {layer}"
            assert oracle.error(signal.z[layer][network], z_gradients[layer]) < TOLERANCE, f"{where} δ {layer}"
            if layer < depth:
                assert oracle.error(signal.h[layer][network], h_gradients[layer]) < TOLERANCE, f"{where} ∂L/∂h {layer}"


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gelu", "silu", "linear"])
def test_complex_step_agrees_for_smooth_activations(name, residual, oracle):
    """∂L/∂θ = Im L(θ + ih)/h has no cancellation: it checks the engine by the engine's own forward pass."""
    architecture = Architecture((2, 4, 4, 3), name, "linear", "layer", residual)
    parameters = random_parameters(architecture, 5)
    generator = np.random.default_rng(5)
    inputs, targets = generator.normal(size=(6, 2)), generator.normal(size=(6, 3))
    passed = forward(parameters, inputs)
    gradient, _ = backward(parameters, passed, LOSSES["mse"].gradient(passed.z[-1], targets, "linear"))
    step = 1e-30
    n = parameters.flat.shape[1]
    nudged = Parameters(architecture, parameters.flat + 1j * step * np.eye(n))  # a stack: one network a parameter
    loss = LOSSES["mse"].value(forward(nudged, inputs).z[-1], targets, "linear")
    assert oracle.error(gradient.flat[0], loss.imag / step) < 1e-13


def test_central_difference_agrees_down_to_its_floor():
    """A difference of two losses near 1 knows a gradient to about 1e-16/h: why the tests above do not use it."""
    architecture = Architecture((2, 5, 5, 1), "tanh", "sigmoid")
    parameters = random_parameters(architecture, 3)
    generator = np.random.default_rng(3)
    inputs, targets = generator.normal(size=(8, 2)), generator.integers(0, 2, (8, 1)).astype(float)
    passed = forward(parameters, inputs)
    loss = LOSSES["cross_entropy"]
    gradient, _ = backward(parameters, passed, loss.gradient(passed.z[-1], targets, "sigmoid"))
    h = 1e-6
    shifts = h * np.eye(parameters.flat.shape[1])
    above, below = (
        loss.value(forward(Parameters(architecture, parameters.flat + side), inputs).z[-1], targets, "sigmoid")
        for side in (shifts, -shifts)
    )
    floor = np.finfo(float).eps * loss.value(passed.z[-1], targets, "sigmoid") / h
    assert np.abs(gradient.flat[0] - (above - below) / (2 * h)).max() < 10 * floor


def test_frozen_parameters_get_no_gradient_and_the_others_are_untouched():
    architecture = Architecture((3, 4, 2), "tanh", "softmax")
    parameters = random_parameters(architecture, 0)
    generator = np.random.default_rng(0)
    inputs, targets = generator.normal(size=(5, 3)), random_targets(generator, "softmax", 5, 2)
    passed = forward(parameters, inputs)
    output_gradient = LOSSES["cross_entropy"].gradient(passed.z[-1], targets, "softmax")
    free, _ = backward(parameters, passed, output_gradient)
    parameters.frozen = generator.random(parameters.flat.shape[1]) < 0.5
    for some in (parameters, parameters.copy(), pickle.loads(pickle.dumps(parameters)), parameters.astype("float64")):
        held, _ = backward(some, passed, output_gradient)
        assert not held.flat[:, parameters.frozen].any()
        np.testing.assert_array_equal(held.flat[:, ~parameters.frozen], free.flat[:, ~parameters.frozen])


def test_gradient_is_written_where_it_is_asked_for():
    architecture = Architecture((3, 4, 4, 2), "relu", "softmax", "batch")
    parameters = random_parameters(architecture, 0, networks=3)
    generator = np.random.default_rng(0)
    inputs, targets = generator.normal(size=(3, 5, 3)), random_targets(generator, "softmax", 5, 2)
    passed = forward(parameters, inputs, training=True)
    output_gradient = LOSSES["mse"].gradient(passed.z[-1], targets, "softmax")
    anew, _ = backward(parameters, passed, output_gradient)
    place = Parameters(architecture, np.full_like(parameters.flat, np.nan))
    given, _ = backward(parameters, passed, output_gradient, place)
    assert given is place
    np.testing.assert_array_equal(place.flat, anew.flat)


@pytest.mark.parametrize("normalization", SETTINGS["normalization"].choices)
def test_a_network_in_float32_is_computed_in_float32(normalization):
    """Every array, as a framework of that precision has it; a wider one would be rounded elsewhere."""
    architecture = Architecture((3, 4, 4, 2), "gelu", "softmax", normalization, "scaled")
    parameters = random_parameters(architecture, 0).astype("float32")
    generator = np.random.default_rng(0)
    inputs, masks = generator.normal(size=(5, 3)).astype("float32"), np.full((2, 5, 4), 1.25, "float32")
    targets = random_targets(generator, "softmax", 5, 2).astype("float32")
    forward_pass = forward(parameters, inputs, masks, training=True)
    gradient, signal = backward(
        parameters, forward_pass, LOSSES["mse"].gradient(forward_pass.output, targets, "softmax")
    )
    for values in (forward_pass.phi, forward_pass.h, *forward_pass.z, signal.h, *signal.z, *signal.u, gradient.flat):
        assert values.dtype == np.float32


def test_network_without_hidden_layers_is_logistic_regression():
    parameters = random_parameters(Architecture((3, 2), output="softmax"), 1)
    generator = np.random.default_rng(1)
    inputs, targets = generator.normal(size=(6, 3)), random_targets(generator, "softmax", 6, 2)
    passed = forward(parameters, inputs)
    gradient, _ = backward(parameters, passed, LOSSES["cross_entropy"].gradient(passed.z[-1], targets, "softmax"))
    probabilities = np.exp(passed.z[0][0])
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(gradient.weights[0][0], inputs.T @ (probabilities - targets) / 6, rtol=1e-12)


def test_running_statistics_follow_the_batches_and_count_for_a_batch_of_one():
    architecture = Architecture((2, 3, 1), "tanh", "sigmoid", "batch")
    parameters = random_parameters(architecture, 2)
    before = parameters.copy()
    inputs = np.random.default_rng(2).normal(size=(6, 2))
    u = (inputs @ parameters.weights[0] + parameters.biases[0][:, None])[0]
    track_statistics(parameters, forward(parameters, inputs, training=True))
    np.testing.assert_allclose(parameters.running_means[0][0], 0.9 * before.running_means[0][0] + 0.1 * u.mean(axis=0))
    np.testing.assert_allclose(
        parameters.running_variances[0][0], 0.9 * before.running_variances[0][0] + 0.1 * u.var(axis=0, ddof=1)
    )
    after = parameters.running.copy()
    for example, training in ((inputs[:1], True), (inputs, False)):
        passed = forward(parameters, example, training=training)
        track_statistics(parameters, passed)
        np.testing.assert_array_equal(parameters.running, after)
        normalised = (u[: len(example)] - parameters.running_means[0]) / np.sqrt(parameters.running_variances[0] + 1e-5)
        np.testing.assert_allclose(
            passed.z[0][0], parameters.scales[0] * normalised + parameters.shifts[0], rtol=1e-12, atol=1e-14
        )


def test_hidden_layers_have_one_size():
    with pytest.raises(ValueError, match=r"^All hidden layers must have the same size; these have 1, 4 units\.$"):
        Architecture((2, 1, 4, 1))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalization", ["none", "layer", "batch"])
def test_numbers_that_overflow_raise_no_warning(activation, normalization):
    architecture = Architecture((2, 4, 4, 1), activation, "sigmoid", normalization)
    parameters = random_parameters(architecture, 0)
    parameters.flat *= 1e200
    inputs = np.full((1, 3, 2), 1e200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        passed = engine.forward(parameters, inputs, training=True)
        gradient, _ = engine.backward(parameters, passed, np.full((1, 3, 1), 1e200))
    assert not np.isfinite(gradient.flat).all()
