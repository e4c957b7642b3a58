"""What is measured at one step.  Each function gives RunHistory fields by their names, one row a network.

Norms and means accumulate in float64.  A measure reads; it never changes what it measures.
"""

from collections.abc import Callable

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


def layer_norms(parameters: Parameters, flat: Array) -> Array:
    """‖·‖ of each layer's weights, (networks, L), of a flat array laid out like the parameters."""
    wide = flat[:, : parameters.n_weights].astype(np.float64, copy=False)
    squares = np.add.reduceat(wide * wide, parameters.weight_starts, axis=1)
    ends = [*parameters.weight_starts[1:], parameters.n_weights]
    parts = zip(parameters.weight_starts, ends, strict=True)
    return _roots(squares, lambda: np.stack([_scaled_norms(wide[:, a:b]) for a, b in parts], axis=1))


def root_mean_squares(arrays: list[Array]) -> Array:
    """Root mean square over batch and units of each array, (networks, len(arrays))."""
    flat = [array.reshape(len(array), -1).astype(np.float64, copy=False) for array in arrays]
    squares = np.empty((len(arrays[0]), len(arrays)))
    for i, values in enumerate(flat):
        np.vecdot(values, values, out=squares[:, i])
    roots = _roots(squares, lambda: np.stack([_scaled_norms(values) for values in flat], axis=1))
    return roots / np.sqrt([values.shape[1] for values in flat])


def _roots(squares: Array, again: Callable[[], Array]) -> Array:
    """√squares, or what `again` gives where sums of squares may have under- or overflowed."""
    low, high = SAFE_SQUARES
    if low < squares.min(initial=1) and squares.max(initial=1) < high:
        return np.sqrt(squares)
    # entry by entry, so that a network's numbers do not depend on its neighbours in the stack
    return np.where((squares > low) & (squares < high), np.sqrt(squares), again())


def _scaled_norms(wide: Array) -> Array:
    """Norms along the last axis by way of numbers of at most 1."""
    largest = np.abs(wide).max(axis=-1, initial=0)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1)
    scaled = wide / scale[..., None]
    return np.sqrt(np.vecdot(scaled, scaled)) * scale


def error_signal_row(signal: ErrorSignal) -> dict[str, Array]:
    """delta_rms, weight_factor, slope_factor: how the error fades or grows from layer to layer.

    δ is that of one example's own loss: the batch mean's, times the batch size.
    """
    batch = signal.z[0].shape[1]
    delta, hidden = root_mean_squares(signal.z), root_mean_squares(signal.h)
    weight_factor, slope_factor = np.full((2, *delta.shape), np.nan)
    weight_factor[:, :-1] = hidden / delta[:, 1:]
    slope_factor[:, :-1] = delta[:, :-1] / hidden
    return {"delta_rms": delta * batch, "weight_factor": weight_factor, "slope_factor": slope_factor}


def update_row(
    parameters: Parameters, gradient: Parameters, update: Array, signal: ErrorSignal, norm: dict[str, Array]
) -> dict[str, Array]:
    """One update: gradient of the data loss, flat Δ; norm holds the global norms that the update needed anyway."""
    return {
        "gradient_norm": layer_norms(parameters, gradient.flat),
        "weight_norm": layer_norms(parameters, parameters.flat),
        "update_norm": layer_norms(parameters, update),
        **error_signal_row(signal),
        **norm,
    }


def set_row(name: str, loss: str, passed: ForwardPass, targets: Array, output: str) -> dict[str, Array]:
    """Loss and accuracy on one set: train_loss, train_accuracy, ...  targets (networks, n, n_out), one-hot rows."""
    z = passed.z[-1]
    value = LOSSES[loss].value(z, targets, output).astype(np.float64)
    if output == "linear":
        accuracy = np.full(len(z), np.nan)
    else:
        right = classes(z, output) == classes(targets - 0.5, output)
        accuracy = np.where(np.isfinite(value), right.mean(axis=1), np.nan)
    return {f"{name}_loss": value, f"{name}_accuracy": accuracy}


def classes(z: Array, output: str) -> Array:
    """The class with the highest probability, (networks, n); of two, class 1 where z > 0."""
    return (z[..., 0] > 0).astype(np.intp) if output == "sigmoid" else z.argmax(axis=-1)


def confusion(passed: ForwardPass, targets: Array, output: str) -> Array:
    """Counts (networks, C, C): row the true class, column the predicted one."""
    n_classes = 2 if output == "sigmoid" else targets.shape[2]
    cell = classes(targets - 0.5, output) * n_classes + classes(passed.z[-1], output)
    counts = [np.bincount(row, minlength=n_classes**2) for row in cell]
    return np.array(counts).reshape(-1, n_classes, n_classes)


def probe_row(parameters: Parameters, passed: ForwardPass, targets: Array, loss: str) -> dict[str, Array]:
    """Activations and error signal on the probe, in evaluation mode; each field (networks, L)."""
    architecture = parameters.architecture
    activation = ACTIVATIONS[architecture.activation]
    networks, depth = len(targets), architecture.depth
    dead, saturated = np.full((2, networks, depth + 1), np.nan)
    for layer in range(depth):
        z = passed.z[layer]
        if activation.dies:
            dead[:, layer] = (z.max(axis=1) <= 0).mean(axis=1)
        if activation.saturates:
            slope = activation.slope(z, passed.phi[layer]).reshape(networks, -1)
            shallow = np.abs(slope, out=slope) < SATURATED * activation.steepest
            saturated[:, layer] = np.count_nonzero(shallow, axis=1) / shallow.shape[1]
    mean, deviation = np.empty((2, networks, depth + 1))
    for layer, h in enumerate([*passed.h, network_outputs(parameters, passed)]):
        values = h.reshape(networks, -1).astype(np.float64, copy=False)
        mean[:, layer] = np.add.reduce(values, axis=1) / values.shape[1]
        deviation[:, layer] = norms(values - mean[:, layer, None]) / values.shape[1] ** 0.5
    gradient = LOSSES[loss].gradient(passed.z[-1], targets, architecture.output)
    delta = root_mean_squares(backpropagate(parameters, passed, gradient).z)
    return {
        "dead_fraction": dead,
        "saturated_fraction": saturated,
        "activation_mean": mean,
        "activation_std": deviation,
        "probe_delta_rms": delta * targets.shape[1],
    }


def penalty_value(parameters: Parameters, l1: Array, l2: Array) -> Array:
    """L1 and L2 penalty, (networks,)."""
    return penalty(parameters.flat[:, : parameters.n_weights].astype(np.float64), l1, l2)
