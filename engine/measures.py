"""What is measured at one step.  Each function gives RunHistory fields by their names, one row a network.

Norms and means accumulate in float64.  A measure reads; it never changes what it measures.
"""

from collections.abc import Callable, Sequence

import numpy as np

from engine.activations import ACTIVATIONS
from engine.losses import LOSSES
from engine.network import ErrorSignal, ForwardPass, Parameters, backpropagate, network_outputs
from engine.remedies import penalty

Array = np.ndarray

SATURATED = 0.05  # share of the steepest slope below which a unit counts as saturated (DeepDiagnosis)
SAFE_SQUARES = 1e-280, 1e290  # sums of squares outside may have lost numbers to under- or overflow


def update_shapes(n_layers: int) -> dict[str, tuple[int, ...]]:
    """The fields of one update and the shape of one network's row."""
    layered = "gradient_norm", "weight_norm", "update_norm", "delta_rms", "weight_factor", "slope_factor"
    single = "batch_loss", "data_gradient_norm", "penalty_gradient_norm", "total_gradient_norm", "clipped_norm"
    return dict.fromkeys(layered, (n_layers,)) | dict.fromkeys(single, ())


def evaluation_shapes(n_layers: int, n_classes: int) -> dict[str, tuple[int, ...]]:
    """The fields of one evaluation and the shape of one network's row; n_classes is 0 for regression."""
    layered = "dead_fraction", "saturated_fraction", "activation_mean", "activation_std", "probe_delta_rms"
    single = "train_loss", "validation_loss", "train_accuracy", "validation_accuracy", "penalty"
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(layered, (n_layers,)) | dict.fromkeys(single, ())
    return shapes | ({"confusion": (n_classes, n_classes)} if n_classes else {})


def norms(values: Array) -> Array:
    """Euclidean norm along the last axis, in float64; also where squares would under- or overflow."""
    wide = values.astype(np.float64, copy=False)
    return _roots(np.vecdot(wide, wide), lambda: _scaled_norms(wide))


def layer_norms(parameters: Parameters, *flats: Array) -> Array:
    """‖·‖ of each layer's weights, (len(flats), networks, L), of flat arrays laid out like the parameters."""
    wide = np.stack([flat[:, : parameters.n_weights] for flat in flats], dtype=np.float64)
    squares = np.add.reduceat(wide * wide, parameters.weight_starts, axis=-1)
    ends = [*parameters.weight_starts[1:], parameters.n_weights]
    parts = zip(parameters.weight_starts, ends, strict=True)
    return _roots(squares, lambda: np.stack([_scaled_norms(wide[..., a:b]) for a, b in parts], axis=-1))


def root_mean_squares(*groups: Sequence[Array]) -> Array:
    """Root mean square over batch and units of each array, (networks, arrays); the arrays of a group have one shape."""
    wide = [_together(arrays) for arrays in groups]
    squares = np.concatenate([np.vecdot(values, values) / values.shape[2] for values in wide])
    again = lambda: np.concatenate([_scaled_norms(values) / values.shape[2] ** 0.5 for values in wide])
    return _roots(squares, again).T


def _together(arrays: Sequence[Array]) -> Array:
    """Arrays of one shape as (arrays, networks, values) in float64: a call for all costs little more than for one."""
    return np.concatenate(arrays, dtype=np.float64).reshape(len(arrays), len(arrays[0]), -1)


def _roots(squares: Array, again: Callable[[], Array]) -> Array:
    """√squares, or what `again` gives where sums of squares may have under- or overflowed."""
    low, high = SAFE_SQUARES
    if low < squares.min() and squares.max() < high:
        return np.sqrt(squares)
    # entry by entry, so that a network's numbers do not depend on its neighbours in the stack
    return np.where((squares > low) & (squares < high), np.sqrt(squares), again())


def _scaled_norms(wide: Array) -> Array:
    """Norms along the last axis by way of numbers of at most 1."""
    largest = np.abs(wide).max(axis=-1, initial=0)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1)
    scaled = wide / scale[..., None]
    return np.sqrt(np.vecdot(scaled, scaled)) * scale


def _mean_and_deviation(values: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of (arrays, networks, values), each (networks, arrays)."""
    n = values.shape[2]
    mean = np.add.reduce(values, axis=2) / n
    return mean.T, (norms(values - mean[:, :, None]) / n**0.5).T


def error_signal_row(signal: ErrorSignal) -> dict[str, Array]:
    """delta_rms, weight_factor, slope_factor: how the error fades or grows from layer to layer.

    δ is that of one example's own loss: the batch mean's, times the batch size.
    """
    batch = signal.z[0].shape[1]
    *below, output = signal.z
    rms, depth = root_mean_squares([*signal.h, *below], [output]), len(below)
    hidden, delta = rms[:, :depth], rms[:, depth:]
    weight_factor, slope_factor = np.full((2, *delta.shape), np.nan)
    weight_factor[:, :-1] = hidden / delta[:, 1:]
    slope_factor[:, :-1] = delta[:, :-1] / hidden
    return {"delta_rms": delta * batch, "weight_factor": weight_factor, "slope_factor": slope_factor}


def update_row(
    parameters: Parameters, gradient: Parameters, update: Array, signal: ErrorSignal, norm: dict[str, Array]
) -> dict[str, Array]:
    """One update: gradient of the data loss, flat Δ; norm holds the global norms that the update needed anyway."""
    gradient_norm, weight_norm, update_norm = layer_norms(parameters, gradient.flat, parameters.flat, update)
    return {
        "gradient_norm": gradient_norm,
        "weight_norm": weight_norm,
        "update_norm": update_norm,
        **error_signal_row(signal),
        **norm,
    }


def set_row(name: str, loss: str, z: Array, targets: Array, output: str) -> dict[str, Array]:
    """Loss and accuracy on one set: train_loss, train_accuracy, ...  z, targets (networks, n, n_out), one-hot rows."""
    value = LOSSES[loss].value(z, targets, output).astype(np.float64)
    accuracy = np.full(len(z), np.nan)
    if output != "linear":
        right = predicted_classes(z, output) == true_classes(targets, output)
        np.divide(np.add.reduce(right, axis=1), right.shape[1], out=accuracy, where=np.isfinite(value))
    return {f"{name}_loss": value, f"{name}_accuracy": accuracy}


def predicted_classes(z: Array, output: str) -> Array:
    """The class with the highest probability, (networks, n); of two, class 1 (True) where z > 0."""
    return z[..., 0] > 0 if output == "sigmoid" else z.argmax(axis=-1)


def true_classes(targets: Array, output: str) -> Array:
    return targets[..., 0] > 0.5 if output == "sigmoid" else targets.argmax(axis=-1)


def confusion(z: Array, targets: Array, output: str) -> Array:
    """Counts (networks, C, C): row the true class, column the predicted one.  z and targets as in set_row."""
    n_classes = 2 if output == "sigmoid" else targets.shape[2]
    cell = true_classes(targets, output) * n_classes + predicted_classes(z, output)
    counts = [np.bincount(row, minlength=n_classes**2) for row in cell]
    return np.array(counts).reshape(-1, n_classes, n_classes)


def probe_row(parameters: Parameters, passed: ForwardPass, targets: Array, loss: str) -> dict[str, Array]:
    """Activations and error signal on the probe, in evaluation mode; each field (networks, L)."""
    architecture = parameters.architecture
    activation = ACTIVATIONS[architecture.activation]
    networks, depth = len(targets), architecture.depth
    dead, saturated, mean, deviation = np.full((4, networks, depth + 1), np.nan)
    if activation.dies:
        ones = np.ones((1, targets.shape[1]), targets.dtype)  # a product sums faster than sum
        silent = np.stack([ones @ phi for phi in passed.phi]) == 0
        dead[:, :-1] = silent.mean(axis=(2, 3)).T
    if activation.saturates:
        slope = activation.slope(np.concatenate(passed.z[:-1]), np.concatenate(passed.phi))
        slope = slope.reshape(depth, networks, -1)
        shallow = np.abs(slope, out=slope) < SATURATED * activation.steepest
        saturated[:, :-1] = shallow.mean(axis=2).T
    mean[:, :-1], deviation[:, :-1] = _mean_and_deviation(_together(passed.h))
    mean[:, -1:], deviation[:, -1:] = _mean_and_deviation(_together([network_outputs(parameters, passed)]))
    gradient = LOSSES[loss].gradient(passed.z[-1], targets, architecture.output)
    *below, output = backpropagate(parameters, passed, gradient).z
    delta = root_mean_squares(below, [output])
    return {
        "dead_fraction": dead,
        "saturated_fraction": saturated,
        "activation_mean": mean,
        "activation_std": deviation,
        "probe_delta_rms": delta * targets.shape[1],
    }


def penalty_value(parameters: Parameters, l1: Array, l2: Array) -> Array:
    """L1 and L2 penalty, (networks,)."""
    if not (l1.any() or l2.any()):
        return np.zeros(len(l1))
    return penalty(parameters.flat[:, : parameters.n_weights].astype(np.float64), l1, l2)
