"""The network once more, in JAX and float64, written from the definitions in the design and differentiated by JAX.

One network, no stack: a list of layers, each a dictionary of `weights`, `biases` and, where a hidden layer is
normalised, `scale`, `shift`, `running_mean`, `running_variance`.  Nothing here uses the engine's mathematics.
"""

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_disable_most_optimizations", True)  # compiles twice as fast

import jax.numpy as jnp  # noqa: E402

ACTIVATIONS = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "leaky_relu": lambda z: jax.nn.leaky_relu(z, 0.01),
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "gelu": lambda z: jax.nn.gelu(z, approximate=True),
    "silu": jax.nn.silu,
    "linear": lambda z: z,
}
NAMES = {
    "weights": "weights",
    "biases": "biases",
    "scales": "scale",
    "shifts": "shift",
    "running_means": "running_mean",
    "running_variances": "running_variance",
}


def layers_of(parameters, network=0):
    """The layers of one network of the engine's Parameters (or of a RunHistory's frame)."""
    n_layers = len(parameters.weights)
    return [
        {
            name: np.asarray(getattr(parameters, field)[layer][network], dtype=np.float64)
            for field, name in NAMES.items()
            if layer < len(getattr(parameters, field))
        }
        for layer in range(n_layers)
    ]


def normalise(u, layer, normalization, batch_statistics):
    """γ (u − μ)/√(σ² + 1e-5) + β with the biased variance."""
    if normalization == "layer":
        mean, variance = u.mean(1, keepdims=True), u.var(1, keepdims=True)
    elif batch_statistics and len(u) > 1:
        mean, variance = u.mean(0), u.var(0)
    else:
        mean, variance = jax.lax.stop_gradient((layer["running_mean"], layer["running_variance"]))  # no parameters
    return layer["scale"] * (u - mean) / jnp.sqrt(variance + 1e-5) + layer["shift"]


def forward(layers, x, activation, normalization="none", residual="none", masks=None, training=False, nudges=None):
    """(output's z, hidden z, hidden h, u).  nudges (z, h): zeros added on the way, so that ∂L/∂z, ∂L/∂h have a name."""
    zs, hs, us = [], [], []
    h = x
    for index, layer in enumerate(layers[:-1]):
        u = h @ layer["weights"] + layer["biases"]
        z = u if normalization == "none" else normalise(u, layer, normalization, training)
        if nudges is not None:
            z = z + nudges[0][index]
        value = ACTIVATIONS[activation](z)
        if masks is not None:
            value = value * masks[index]
        if residual == "scaled" and index > 0:
            value = value / (len(layers) - 1)
        h = value + h if residual != "none" and index > 0 else value
        if nudges is not None:
            h = h + nudges[1][index]
        zs.append(z)
        hs.append(h)
        us.append(u)
    z = h @ layers[-1]["weights"] + layers[-1]["biases"]
    if nudges is not None:
        z = z + nudges[0][-1]
    return z, zs, hs, us


def answer(z, output):
    return jax.nn.softmax(z) if output == "softmax" else ACTIVATIONS[output](z)


def loss(z, targets, output, name, weights=1.0):
    """Mean over the batch (but for cross-entropy: and the outputs) of what an example costs times its weight.

    targets in rows, classes one-hot; weights (batch,).
    """
    if name == "mse":
        each = jnp.mean((answer(z, output) - targets) ** 2, axis=1)
    elif name == "mae":
        each = jnp.mean(jnp.abs(answer(z, output) - targets), axis=1)
    elif name == "huber":
        each = optax.huber_loss(answer(z, output), targets, delta=1.0).mean(axis=1)
    elif output == "softmax":
        each = optax.softmax_cross_entropy(z, targets)
    else:
        each = optax.sigmoid_binary_cross_entropy(z, targets).sum(axis=1)
    return jnp.mean(weights * each)


def gradients(
    layers, x, targets, output, loss_name, activation, normalization="none", residual="none", weights=1.0, **how
):
    """(loss, gradient of the layers, [∂L/∂z], [∂L/∂h]) by automatic differentiation."""
    n = len(x)
    widths = [layer["biases"].shape[0] for layer in layers]
    nudges = [jnp.zeros((n, width)) for width in widths], [jnp.zeros((n, width)) for width in widths[:-1]]

    def objective(layers, nudges):
        z = forward(layers, x, activation, normalization, residual, nudges=nudges, **how)[0]
        return loss(z, targets, output, loss_name, weights)

    value, (layer_gradients, (z_gradients, h_gradients)) = jax.value_and_grad(objective, (0, 1))(layers, nudges)
    return value, layer_gradients, z_gradients, h_gradients


def one_hot(targets, task, n_out):
    return np.eye(n_out)[targets] if task == "classes" else targets


def balanced(targets):
    """What each example counts where all classes count alike: n over the classes and its class’s n_c."""
    classes, which, counts = np.unique(np.asarray(targets).ravel(), return_inverse=True, return_counts=True)
    return (len(which) / (len(classes) * counts))[which.ravel()]


def error(found, expected):
    """‖found − expected‖/‖expected‖ of one tensor, the absolute error where 0 is expected."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape
    return np.linalg.norm(found - expected) / (np.linalg.norm(expected) or 1)
