"""What training makes small, and its gradient at the output's pre-activation.

z (networks, batch, n_out) is the output's pre-activation; targets have the same shape (classes as one-hot rows).  The
output is "sigmoid", "softmax" or "linear".  All values are means over the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.activations import relu, sigmoid

Array = np.ndarray


@dataclass(frozen=True)
class Loss:
    """value(z, targets, output) -> (networks,); gradient(z, targets, output) -> ∂L/∂z, like z."""

    value: Callable[[Array, Array, str], Array]
    gradient: Callable[[Array, Array, str], Array]
    unit: str


def outputs(z: Array, output: str) -> Array:
    """What the network answers: probabilities, or z itself for regression."""
    if output == "sigmoid":
        return sigmoid(z)
    if output == "softmax":
        raised = np.exp(z - z.max(axis=-1, keepdims=True))
        return raised / raised.sum(axis=-1, keepdims=True)
    return z


def cross_entropy(z: Array, targets: Array, output: str) -> Array:
    """−Σ t ln p (softmax), −Σ [t ln p + (1 − t) ln(1 − p)] (sigmoid), in nats, computed from z without overflow."""
    if output == "softmax":
        highest = z.max(axis=-1, keepdims=True)
        log_total = np.log(np.exp(z - highest).sum(axis=-1, keepdims=True)) + highest
        each = targets * (log_total - z)
    elif output == "linear":
        raise ValueError("Cross-entropy is of probabilities: the output must be sigmoid or softmax.")
    else:
        each = relu(z) - z * targets + np.log1p(np.exp(-np.abs(z)))
    return np.add.reduce(each.reshape(len(z), -1), axis=1) / z.shape[1]


def cross_entropy_gradient(z: Array, targets: Array, output: str) -> Array:
    """∂L/∂z = (p − t)/batch: the slope of the output cancels."""
    if output == "linear":
        raise ValueError("Cross-entropy is of probabilities: the output must be sigmoid or softmax.")
    return (outputs(z, output) - targets) / z.shape[1]


def mse(z: Array, targets: Array, output: str) -> Array:
    """Mean of (p − t)² over batch and outputs."""
    error = outputs(z, output) - targets
    return np.add.reduce((error * error).reshape(len(z), -1), axis=1) / (z.shape[1] * z.shape[2])


def mse_gradient(z: Array, targets: Array, output: str) -> Array:
    """∂L/∂z = 2 (p − t)/(batch · outputs), times the slope of the output, which a saturated output makes small."""
    p = outputs(z, output)
    error = (p - targets) * (2 / (z.shape[1] * z.shape[2]))
    if output == "sigmoid":
        return error * p * (1 - p)
    if output == "softmax":
        return p * (error - (error * p).sum(axis=-1, keepdims=True))
    return error


LOSSES = {
    "cross_entropy": Loss(cross_entropy, cross_entropy_gradient, "nats"),
    "mse": Loss(mse, mse_gradient, "squared error"),
}


def chosen_loss(loss: str, task: str) -> str:
    """A name in LOSSES: what "auto" stands for, or the loss itself."""
    if loss != "auto":
        return loss
    return "mse" if task == "regression" else "cross_entropy"
