"""What training makes small, and its gradient at the output's pre-activation.

z (networks, batch, n_out) is the output's pre-activation; targets have the same shape (classes as one-hot rows).  The
output is "sigmoid", "softmax", "linear", "tanh" or "relu", and a = output(z) the answers.  Classes are 0 and 1 whatever
the output.  All values are means over the batch; what training minimises may count each example as its class weighs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.activations import ACTIVATIONS, relu, sigmoid

Array = np.ndarray

OUTPUTS = "auto", "linear", "sigmoid", "tanh", "relu"  # auto: sigmoid for two classes, softmax for more, else linear
PROBABILITIES = "auto", "sigmoid"  # those whose answers, for classes, are probabilities
CLASS_WEIGHTS = "none", "balanced"
NUMERIC = "auto, mse, mae or huber"  # the losses of numbers, in words
HUBER_DELTA = 1.0  # as torch.nn.HuberLoss has it


@dataclass(frozen=True)
class Loss:
    """value(z, targets, output) -> (networks,); gradient(z, targets, output) -> ∂L/∂z, like z."""

    value: Callable[[Array, Array, str], Array]
    gradient: Callable[[Array, Array, str], Array]
    unit: str

    def weighted_value(self, z: Array, targets: Array, output: str, class_weights: Array | None) -> Array:
        """Σ v ℓ/batch, (networks,), where an example of loss ℓ has a class of weight v.

        class_weights: (networks, classes), or None where all classes count alike, which is the value itself.  The sum
        is divided by the number of examples, not by that of the weights: its mean over batches is that of all examples.
        """
        if class_weights is None:
            return self.value(z, targets, output)
        singly = z.reshape(-1, 1, z.shape[2]), targets.reshape(-1, 1, z.shape[2])
        each = self.value(*singly, output).reshape(z.shape[:2])
        return np.add.reduce(each * example_weights(targets, class_weights), axis=1) / z.shape[1]

    def weighted_gradient(self, z: Array, targets: Array, output: str, class_weights: Array | None) -> Array:
        """∂/∂z of the weighted value, like z."""
        gradient = self.gradient(z, targets, output)
        return gradient if class_weights is None else gradient * example_weights(targets, class_weights)[..., None]


def example_weights(targets: Array, class_weights: Array) -> Array:
    """What each example's class weighs, (networks, batch), of class weights (networks, classes)."""
    rows = targets if targets.shape[2] > 1 else np.concatenate([1 - targets, targets], axis=2)
    return (rows * class_weights[:, None]).sum(axis=2)


def outputs(z: Array, output: str) -> Array:
    """What the network answers, a: probabilities, numbers within the output's range, or z itself."""
    if output == "sigmoid":
        return sigmoid(z)
    if output == "softmax":
        raised = np.exp(z - z.max(axis=-1, keepdims=True))
        return raised / raised.sum(axis=-1, keepdims=True)
    return z if output == "linear" else ACTIVATIONS[output].value(z)


def cross_entropy(z: Array, targets: Array, output: str) -> Array:
    """−Σ t ln p (softmax), −Σ [t ln p + (1 − t) ln(1 − p)] (sigmoid), in nats, computed from z without overflow.

    Raises ValueError for any other output, as its gradient does.
    """
    if output == "softmax":
        highest = z.max(axis=-1, keepdims=True)
        log_total = np.log(np.exp(z - highest).sum(axis=-1, keepdims=True)) + highest
        each = targets * (log_total - z)
    elif output != "sigmoid":
        raise ValueError("Cross-entropy is of probabilities: the output must be sigmoid or softmax.")
    else:
        each = relu(z) - z * targets + np.log1p(np.exp(-np.abs(z)))
    return np.add.reduce(each.reshape(len(z), -1), axis=1) / z.shape[1]


def cross_entropy_gradient(z: Array, targets: Array, output: str) -> Array:
    """∂L/∂z = (p − t)/batch: the slope of the output cancels."""
    if output not in ("sigmoid", "softmax"):
        raise ValueError("Cross-entropy is of probabilities: the output must be sigmoid or softmax.")
    return (outputs(z, output) - targets) / z.shape[1]


def mse(z: Array, targets: Array, output: str) -> Array:
    """Mean of (a − t)² over batch and outputs, a the answers."""
    error = outputs(z, output) - targets
    return _mean(error * error)


def mse_gradient(z: Array, targets: Array, output: str) -> Array:
    """∂L/∂z = 2 (a − t)/(batch · outputs), times the slope of the output, which a saturated output makes small."""
    a = outputs(z, output)
    return _through_output((a - targets) * (2 / (z.shape[1] * z.shape[2])), z, a, output)


def mae(z: Array, targets: Array, output: str) -> Array:
    """Mean of |a − t| over batch and outputs."""
    return _mean(np.abs(outputs(z, output) - targets))


def mae_gradient(z: Array, targets: Array, output: str) -> Array:
    """∂L/∂z = sign(a − t)/(batch · outputs), 0 at 0, times the slope of the output."""
    a = outputs(z, output)
    return _through_output(np.sign(a - targets) * (1 / (z.shape[1] * z.shape[2])), z, a, output)


def huber(z: Array, targets: Array, output: str) -> Array:
    """Mean over batch and outputs of e²/2 for |e| ≤ 1, else |e| − 1/2, with e = a − t.  Huber 1964, δ = 1."""
    error = outputs(z, output) - targets
    near = np.clip(error, -HUBER_DELTA, HUBER_DELTA)
    return _mean(near * (error - near / 2))


def huber_gradient(z: Array, targets: Array, output: str) -> Array:
    """∂L/∂z = min(1, max(−1, a − t))/(batch · outputs), times the slope of the output."""
    a = outputs(z, output)
    error = np.clip(a - targets, -HUBER_DELTA, HUBER_DELTA)
    return _through_output(error * (1 / (z.shape[1] * z.shape[2])), z, a, output)


def _mean(each: Array) -> Array:
    """(networks, batch, n_out) -> (networks,)."""
    return np.add.reduce(each.reshape(len(each), -1), axis=1) / (each.shape[1] * each.shape[2])


def _through_output(error: Array, z: Array, a: Array, output: str) -> Array:
    """∂L/∂z, given error = ∂L/∂a and the answers a."""
    if output == "linear":
        return error
    if output == "sigmoid":
        return error * a * (1 - a)
    if output == "softmax":
        return a * (error - (error * a).sum(axis=-1, keepdims=True))
    return error * ACTIVATIONS[output].slope(z, a)


LOSSES = {
    "cross_entropy": Loss(cross_entropy, cross_entropy_gradient, "nats"),
    "mse": Loss(mse, mse_gradient, "squared error"),
    "mae": Loss(mae, mae_gradient, "absolute error"),
    "huber": Loss(huber, huber_gradient, "Huber loss"),
}


def chosen_output(output: str, task: str) -> str:
    """What the output layer applies: what "auto" stands for, or the function itself."""
    return {"binary": "sigmoid", "classes": "softmax", "regression": "linear"}[task] if output == "auto" else output


def chosen_loss(loss: str, task: str, output: str = "auto") -> str:
    """A name in LOSSES: what "auto" stands for, or the loss itself.

    auto: cross-entropy for classes whose answers are probabilities, else the mean squared error.
    """
    if loss != "auto":
        return loss
    return "cross_entropy" if task != "regression" and output in PROBABILITIES else "mse"
