"""The network once more, in PyTorch and float64, written from the definitions in the design; PyTorch differentiates it.

One network, no stack: a list of layers, each a dictionary of `weights`, `biases` and, where a hidden layer is
normalised, `scale`, `shift`, `running_mean`, `running_variance`.  Nothing here uses the engine's mathematics.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional

torch.set_num_threads(1)

ACTIVATIONS = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
    "elu": functional.elu,
    "selu": functional.selu,
    "gelu": lambda z: functional.gelu(z, approximate="tanh"),
    "silu": functional.silu,
    "linear": lambda z: z,
}
LOSSES = {"mse": functional.mse_loss, "mae": functional.l1_loss, "huber": functional.huber_loss}
NAMES = {
    "weights": "weights",
    "biases": "biases",
    "scales": "scale",
    "shifts": "shift",
    "running_means": "running_mean",
    "running_variances": "running_variance",
}
STATISTICS = "running_mean", "running_variance"


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


def tensor(values):
    """A tensor of its own, unless it is one already."""
    return values if isinstance(values, torch.Tensor) else torch.from_numpy(np.array(values, np.float64, order="C"))


def differentiable(layers):
    """The layers in tensors; those that are learnt, all but the statistics, get a gradient."""
    return [
        {name: tensor(value).requires_grad_(name not in STATISTICS) for name, value in one.items()} for one in layers
    ]


def gradient_of(layers):
    """What backward() left in them."""
    return [{name: value.grad.numpy() for name, value in one.items() if value.requires_grad} for one in layers]


def normalise(u, layer, normalization, batch_statistics):
    """γ (u − μ)/√(σ² + 1e-5) + β with the biased variance."""
    if normalization == "layer":
        mean, variance = u.mean(1, keepdim=True), u.var(1, correction=0, keepdim=True)
    elif batch_statistics and len(u) > 1:
        mean, variance = u.mean(0), u.var(0, correction=0)
    else:
        mean, variance = layer["running_mean"], layer["running_variance"]
    return layer["scale"] * (u - mean) / torch.sqrt(variance + 1e-5) + layer["shift"]


def forward(layers, x, activation, normalization="none", residual="none", masks=None, training=False):
    """(output's z, hidden z, hidden h, u)"""
    zs, hs, us = [], [], []
    h = tensor(x)
    layers = [{name: tensor(value) for name, value in layer.items()} for layer in layers]
    for index, layer in enumerate(layers[:-1]):
        u = h @ layer["weights"] + layer["biases"]
        z = u if normalization == "none" else normalise(u, layer, normalization, training)
        value = ACTIVATIONS[activation](z)
        if masks is not None:
            value = value * tensor(masks[index])
        if residual == "scaled" and index > 0:
            value = value / (len(layers) - 1)
        h = value + h if residual != "none" and index > 0 else value
        zs.append(z)
        hs.append(h)
        us.append(u)
    return h @ layers[-1]["weights"] + layers[-1]["biases"], zs, hs, us


def answer(z, output):
    return torch.softmax(z, 1) if output == "softmax" else ACTIVATIONS[output](z)


def loss(z, targets, output, name, weights=1.0):
    """Mean over the batch (but for cross-entropy: and the outputs) of what an example costs times its weight.

    targets in rows, classes one-hot; weights (batch,).
    """
    targets = tensor(targets)
    if name != "cross_entropy":
        each = LOSSES[name](answer(z, output), targets, reduction="none").mean(1)
    elif output == "softmax":
        each = functional.cross_entropy(z, targets, reduction="none")
    else:
        each = functional.binary_cross_entropy_with_logits(z, targets, reduction="none").sum(1)
    return (tensor(weights) * each).mean()


def gradients(
    layers, x, targets, output, loss_name, activation, normalization="none", residual="none", weights=1.0, **how
):
    """(loss, gradient of the layers, [∂L/∂z], [∂L/∂h]) by automatic differentiation."""
    layers = differentiable(layers)
    z, zs, hs, _ = forward(layers, x, activation, normalization, residual, **how)
    zs = [*zs, z]
    for each in (*zs, *hs):
        each.retain_grad()
    value = loss(z, targets, output, loss_name, weights)
    value.backward()
    return value.item(), gradient_of(layers), *([each.grad.numpy() for each in some] for some in (zs, hs))


def slope(activation, z):
    """φ′(z) by automatic differentiation."""
    z = tensor(z).requires_grad_()
    ACTIVATIONS[activation](z).sum().backward()
    return z.grad.numpy()


def clipped(gradient, clip, threshold):
    """The gradient's layers: all shortened to a common norm, or each number held within ±threshold."""
    norm = np.sqrt(sum(np.sum(part**2) for layer in gradient for part in layer.values()))
    cut = {
        "none": lambda part: part,
        "norm": lambda part: part * min(1, threshold / norm),
        "value": lambda part: np.clip(part, -threshold, threshold),
    }[clip]
    return [{name: cut(part) for name, part in layer.items()} for layer in gradient]


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
