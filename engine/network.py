"""The network: forward pass and backpropagation, readable as a textbook page.

    u_l = h_{l-1} W_l + b_l          z_l = u_l, or γ·norm(u_l) + β          h_l = φ(z_l)  (· mask)  (· s + h_{l-1})

Rows are examples.  Networks of equal shape lie along a leading axis: W_l is (networks, n_in, n_out), inputs are
(networks, batch, n_in), or (batch, n_in) for all of them.  One network is a stack of one; its numbers are the same, to
the last bit, alone or in a stack (on a processor with AVX; BLAS kernels for older ones round by where in memory the
numbers begin).  Hidden layers alone are normalised and dropped out, and they alone, from the second one on, may have
skip connections (+ h_{l-1}), plain (s = 1) or scaled (s = 1/H).  blocks.py says how they lie in memory.

Nielsen 2015, ch. 2; batch and layer normalization: Ioffe & Szegedy 2015, Ba et al. 2016; skip connections: He et al.
2016.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.activations import ACTIVATIONS
from engine.blocks import (
    NOT_KEPT,
    add_rows,
    hidden_arrays,
    layer_by_layer,
    ones_row,
    repeated,
    row_product,
    slopes_downwards,
)
from engine.experiment import Experiment
from engine.initializers import INITIALIZERS
from engine.losses import chosen_output, outputs
from engine.randomness import BIASES, WEIGHTS, generator

Array = np.ndarray

NORMALIZATION_EPSILON = 1e-5
RUNNING_MOMENTUM = 0.1  # weight of the newest batch in the running statistics


@dataclass(frozen=True)
class Architecture:
    """Layer sizes from inputs to outputs, and what the layers do.

    Raises ValueError for hidden layers of different sizes: they share arrays, so they have one size.
    """

    sizes: tuple[int, ...]
    activation: str = "relu"
    output: str = "linear"  # sigmoid, softmax, linear, tanh or relu
    normalization: str = "none"  # none, batch or layer
    residual: str = "none"  # none, plain or scaled

    def __post_init__(self) -> None:
        if len(set(self.sizes[1:-1])) > 1:
            sizes = ", ".join(map(str, self.sizes[1:-1]))
            raise ValueError(f"All hidden layers must have the same size; these have {sizes} units.")

    @property
    def depth(self) -> int:
        """H, the number of hidden layers."""
        return len(self.sizes) - 2

    @property
    def skips(self) -> bool:
        """Whether hidden layers, from the second one on, add what the layer below outputs."""
        return self.residual != "none"

    @property
    def branch_scale(self) -> float:
        """s, what φ(z) of a hidden layer with a skip connection is multiplied by."""
        return 1 / self.depth if self.residual == "scaled" else 1.0

    @property
    def width(self) -> int:
        """Units of a hidden layer; 0 where there is none."""
        return self.sizes[1] if self.depth else 0


class Parameters:
    """The parameters of a stack of networks, as one flat array and as views of it, layer by layer.

    flat (networks, n): all weights, layer by layer, then biases, scales γ and shifts β.
    weights L x (networks, n_in, n_out); biases L x (networks, n_out); scales and shifts H x (networks, width), where
    normalised.  between (H − 1, networks, width, width): the weights from one hidden layer to the next; hidden_biases
    (H, networks, width).  running_means and running_variances H x (networks, width) are statistics, not parameters.
    frozen: (n,) True for the parameters whose gradient is to be taken as 0, or None.
    """

    def __init__(self, architecture: Architecture, flat: Array, running: Array | None = None):
        self.architecture, self.flat = architecture, flat
        self.frozen: Array | None = None
        sizes = architecture.sizes
        hidden = sizes[1:-1] if architecture.normalization != "none" else ()
        self.weight_starts: list[int] = []
        position = 0
        self.weights: list[Array] = []
        for n_in, n_out in itertools.pairwise(sizes):
            self.weight_starts.append(position)
            self.weights.append(flat[:, position : position + n_in * n_out].reshape(-1, n_in, n_out))
            position += n_in * n_out
        self.n_weights = position
        width, depth = architecture.width, architecture.depth
        between = flat[:, self.weight_starts[min(depth, 1)] : self.weight_starts[-1]]
        self.between = between.reshape(len(flat), max(depth - 1, 0), width, width).swapaxes(0, 1)
        biases = flat[:, position : position + depth * width]
        self.hidden_biases = biases.reshape(len(flat), depth, width).swapaxes(0, 1)
        views = []
        for n in (*sizes[1:], *hidden, *hidden):
            views.append(flat[:, position : position + n])
            position += n
        n_layers = len(sizes) - 1
        self.biases = views[:n_layers]
        self.scales = views[n_layers : n_layers + len(hidden)]
        self.shifts = views[n_layers + len(hidden) :]

        tracked = sum(hidden) if architecture.normalization == "batch" else 0
        if running is None:
            running = np.repeat(np.array([[0.0, 1.0]], flat.dtype), tracked, axis=1).repeat(len(flat), axis=0)
        self.running = running
        ends = np.cumsum([0, *hidden]) if tracked else [0]
        self.running_means = [running[:, a:b] for a, b in itertools.pairwise(ends)]
        self.running_variances = [running[:, tracked + a : tracked + b] for a, b in itertools.pairwise(ends)]

    @staticmethod
    def size(architecture: Architecture) -> int:
        """Parameters of one network."""
        sizes = architecture.sizes
        weights = sum(n_in * n_out for n_in, n_out in itertools.pairwise(sizes))
        return weights + sum(sizes[1:]) + (2 * sum(sizes[1:-1]) if architecture.normalization != "none" else 0)

    def copy(self) -> "Parameters":
        """All networks of the stack, in arrays of their own."""
        return self[slice(None)]

    def __getitem__(self, networks: slice | Sequence[int] | Array) -> "Parameters":
        """A copy of some networks of the stack."""
        chosen = Parameters(self.architecture, self.flat[networks].copy(), self.running[networks].copy())
        chosen.frozen = self.frozen
        return chosen

    def astype(self, dtype: str) -> "Parameters":
        """The same in another precision."""
        return _restored(self.architecture, self.flat.astype(dtype), self.running.astype(dtype), self.frozen)

    def __reduce__(self):
        return _restored, (self.architecture, self.flat, self.running, self.frozen)


def _restored(architecture: Architecture, flat: Array, running: Array, frozen: Array | None) -> Parameters:
    """Views are rebuilt after pickling, which would make copies of them."""
    parameters = Parameters(architecture, flat, running)
    parameters.frozen = frozen
    return parameters


def architecture_of(experiment: Experiment, n_in: int, n_out: int, task: str) -> Architecture:
    """The experiment's layers between n_in inputs and n_out outputs."""
    return Architecture(
        (n_in, *[experiment.width] * experiment.depth, n_out),
        experiment.activation,
        chosen_output(experiment.output, task),
        experiment.normalization,
        experiment.residual,
    )


def initial_parameters(experiments: "Sequence[Experiment]", architecture: Architecture) -> Parameters:
    """θ_0 of a stack: each layer's weights and biases from streams of their own; γ = 1, β = 0.

    b ~ bias · N(0, 1), plus bias_mean in the hidden layers.
    """
    flat = np.zeros((len(experiments), Parameters.size(architecture)), experiments[0].precision)
    parameters = Parameters(architecture, flat)
    for i, experiment in enumerate(experiments):
        initializer = INITIALIZERS[experiment.initializer]
        for layer, weights in enumerate(parameters.weights):
            n_in, n_out = weights.shape[1:]
            draw = initializer.weights(generator(experiment.seed, WEIGHTS, layer), n_in, n_out)
            weights[i] = experiment.gain * draw
            if experiment.bias > 0:
                normal = generator(experiment.seed, BIASES, layer).standard_normal(n_out)
                parameters.biases[layer][i] = experiment.bias * normal
        if experiment.bias_mean != 0:
            parameters.hidden_biases[:, i] += experiment.bias_mean
    for scales in parameters.scales:
        scales[...] = 1
    return parameters


@dataclass
class ForwardPass:
    """What a forward pass computed; of hidden layers one array for all, (H, networks, batch, width), if kept."""

    inputs: Array  # (networks, batch, n_in)
    hidden_z: Array  # pre-activations
    phi: Array  # values φ(z)
    h: Array  # outputs: φ(z), masked, scaled and added to the layer below's
    output: Array  # pre-activation at the output, (networks, batch, n_out)
    masks: Sequence[Array] | Array | None
    normalised: list[Array]  # H arrays norm(u), where normalised
    deviations: list[Array]  # H arrays σ that u was divided by
    statistics: list[tuple[Array, Array]] | None  # H (mean, biased variance) of the batch, where they were used

    @property
    def z(self) -> list[Array]:
        """Pre-activations of all L layers; of the output alone, where hidden layers were not kept."""
        return [*self.hidden_z, self.output]


def forward(
    parameters: Parameters,
    inputs: Array,
    masks: Sequence[Array] | Array | None = None,
    training: bool = False,
    keep: bool = True,
) -> ForwardPass:
    """The forward pass.

    inputs: (networks, batch, n_in), or (batch, n_in) for every network.  masks: H arrays (batch, width) or (networks,
    batch, width), already divided by 1 − p.  training: batch normalisation uses the batch's statistics, unless the
    batch is one example; otherwise the running ones.  keep: False keeps nothing but the output's
    pre-activation, in less memory.
    """
    architecture = parameters.architecture
    phi = ACTIVATIONS[architecture.activation].value
    normalises, skips, scale = architecture.normalization != "none", architecture.skips, architecture.branch_scale
    h = inputs if inputs.ndim == 3 else inputs[None]
    arrays = NOT_KEPT, NOT_KEPT, NOT_KEPT
    if keep:
        shape = architecture.depth, len(parameters.flat), h.shape[1], architecture.width
        kind = np.result_type(h, parameters.flat)
        arrays = hidden_arrays(shape, kind, h_differs=skips or masks is not None)
    uses_batch = training and architecture.normalization == "batch" and h.shape[1] > 1
    result = ForwardPass(h, *arrays, NOT_KEPT, masks, [], [], [] if uses_batch else None)
    multiply, biases = row_product(h.shape[1], architecture.width), repeated(parameters.hidden_biases, h.shape[1])
    for layer, (z_out, phi_out, h_out) in enumerate(layer_by_layer(*arrays, architecture.depth)):
        u = multiply(h, parameters.weights[layer], out=None if normalises else z_out)
        add_rows(u, biases[layer])
        z = _normalise(parameters, layer, u, result, z_out) if normalises else u
        value = phi(z, phi_out if keep else z)
        if masks is not None:
            value = value * masks[layer]
        if skips and layer > 0:
            if scale != 1:
                value = value * scale
            value = value + h
        if h_out is not None:
            h_out[...] = value
        h = value
    result.output = h @ parameters.weights[-1]
    result.output += parameters.biases[-1][:, None]
    return result


def _normalise(parameters: Parameters, layer: int, u: Array, result: ForwardPass, out: Array | None) -> Array:
    """z = γ (u − μ)/√(σ² + ε) + β over the batch (or its running statistics), or over the units of the layer.

    (u − μ)/√(σ² + ε) overwrites u.
    """
    by_layer = parameters.architecture.normalization == "layer"
    if by_layer or result.statistics is not None:
        axis = 2 if by_layer else 1
        mean = u.mean(axis=axis, keepdims=True)
        u -= mean
        variance = (u * u).mean(axis=axis, keepdims=True)
        if result.statistics is not None:
            result.statistics.append((mean[:, 0], variance[:, 0]))
    else:
        u -= parameters.running_means[layer][:, None]
        variance = parameters.running_variances[layer][:, None]
    deviation = np.sqrt(variance + NORMALIZATION_EPSILON)
    u /= deviation
    result.normalised.append(u)
    result.deviations.append(deviation)
    z = np.multiply(parameters.scales[layer][:, None], u, out=out)
    z += parameters.shifts[layer][:, None]
    return z


def track_statistics(parameters: Parameters, forward_pass: ForwardPass) -> None:
    """running ← .9 running + .1 batch, the variance unbiased; nothing where the batch's statistics were not used."""
    batch = forward_pass.inputs.shape[1]
    for layer, (mean, variance) in enumerate(forward_pass.statistics or ()):
        unbiased = variance * (batch / (batch - 1))
        for running, newest in ((parameters.running_means, mean), (parameters.running_variances, unbiased)):
            running[layer][...] = (1 - RUNNING_MOMENTUM) * running[layer] + RUNNING_MOMENTUM * newest


@dataclass
class ErrorSignal:
    """How the error travelled back through the hidden layers, (H, networks, batch, width), from the output."""

    hidden: Array  # (2, ...): ∂L/∂h, ∂L/∂z
    hidden_u: Array  # ∂L/∂u; is ∂L/∂z where not normalised
    output: Array  # ∂L/∂z at the output, (networks, batch, n_out)

    @property
    def h(self) -> Array:
        """∂L/∂h of the hidden layers."""
        return self.hidden[0]

    @property
    def z(self) -> list[Array]:
        """∂L/∂z of all L layers."""
        return [*self.hidden[1], self.output]

    @property
    def u(self) -> list[Array]:
        """∂L/∂u of all L layers."""
        return [*self.hidden_u, self.output]


def backpropagate(parameters: Parameters, forward_pass: ForwardPass, output_gradient: Array) -> ErrorSignal:
    """The error signal δ_l = ∂L/∂z_l of every layer, from the output's, (networks, batch, n_out).

    ∂L/∂h_l = ∂L/∂u_{l+1} W_{l+1}ᵀ  (+ ∂L/∂h_{l+1})        δ_l = ∂L/∂h_l ⊙ φ′(z_l)  (⊙ mask)  (· s)
    """
    architecture = parameters.architecture
    slope, skips, scale = ACTIVATIONS[architecture.activation].slope, architecture.skips, architecture.branch_scale
    hidden = np.empty((2, *forward_pass.phi.shape), output_gradient.dtype)
    h_gradients, deltas = hidden
    u_gradients = deltas if architecture.normalization == "none" else np.empty_like(deltas)
    # W_{l+1}ᵀ; a product with a view takes longer than one with a copy
    transposed = [*parameters.between.swapaxes(2, 3).copy(), parameters.weights[-1].swapaxes(1, 2).copy()]
    multiply, above = row_product(output_gradient.shape[1], architecture.width), output_gradient
    for layer, slopes in slopes_downwards(slope, forward_pass.hidden_z, forward_pass.phi):
        h_gradient, delta = h_gradients[layer], deltas[layer]
        multiply(above, transposed[layer], out=h_gradient)
        if skips and layer + 1 < architecture.depth:
            h_gradient += h_gradients[layer + 1]
        np.multiply(slopes, h_gradient, out=delta)
        if forward_pass.masks is not None:
            delta *= forward_pass.masks[layer]
        if layer > 0 and scale != 1:
            delta *= scale
        above = delta
        if u_gradients is not deltas:
            above = u_gradients[layer] = _unnormalise(parameters, forward_pass, layer, delta)
    return ErrorSignal(hidden, u_gradients, output_gradient)


def _unnormalise(parameters: Parameters, forward_pass: ForwardPass, layer: int, delta: Array) -> Array:
    """∂L/∂u = (g − mean g − norm(u)·mean(g·norm(u)))/σ with g = γ δ; g/σ where the statistics were constants."""
    scaled = delta * parameters.scales[layer][:, None]
    by_layer = parameters.architecture.normalization == "layer"
    if by_layer or forward_pass.statistics is not None:
        axis = 2 if by_layer else 1
        normalised = forward_pass.normalised[layer]
        product = scaled * normalised
        along = product.mean(axis=axis, keepdims=True)
        scaled -= scaled.mean(axis=axis, keepdims=True)
        scaled -= np.multiply(normalised, along, out=product)
    scaled /= forward_pass.deviations[layer]
    return scaled


def backward(
    parameters: Parameters, forward_pass: ForwardPass, output_gradient: Array, gradient: Parameters | None = None
) -> tuple[Parameters, ErrorSignal]:
    """Backpropagate the batch-mean loss through every layer.

    ∂L/∂W_l = h_{l-1}ᵀ ∂L/∂u_l      ∂L/∂b_l = Σ ∂L/∂u_l      ∂L/∂γ_l = Σ δ_l ⊙ norm(u_l)      ∂L/∂β_l = Σ δ_l

    output_gradient: (networks, batch, n_out), ∂L/∂z at the output.  gradient: where to write, else made anew.
    Gradients are of the data loss alone, sums over the examples (rows); frozen parameters get 0.
    """
    signal = backpropagate(parameters, forward_pass, output_gradient)
    if gradient is None:
        gradient = Parameters(parameters.architecture, np.empty_like(parameters.flat), parameters.running)
    ones = ones_row(output_gradient.shape[1], output_gradient.dtype)
    deltas, h = signal.hidden[1], forward_pass.h
    if parameters.architecture.depth:
        np.matmul(forward_pass.inputs.swapaxes(1, 2), signal.hidden_u[0], out=gradient.weights[0])
        np.matmul(h[:-1].swapaxes(2, 3), signal.hidden_u[1:], out=gradient.between)
        np.matmul(ones, signal.hidden_u, out=gradient.hidden_biases[:, :, None])
    below = h[-1] if len(h) else forward_pass.inputs
    np.matmul(below.swapaxes(1, 2), output_gradient, out=gradient.weights[-1])
    np.matmul(ones, output_gradient, out=gradient.biases[-1][:, None])
    for layer, normalised in enumerate(forward_pass.normalised):
        np.matmul(ones, deltas[layer] * normalised, out=gradient.scales[layer][:, None])
        np.matmul(ones, deltas[layer], out=gradient.shifts[layer][:, None])
    if parameters.frozen is not None:
        gradient.flat[:, parameters.frozen] = 0
    return gradient, signal


def network_outputs(parameters: Parameters, forward_pass: ForwardPass) -> Array:
    """What the networks answer, (networks, batch, n_out): probabilities, or numbers for regression."""
    return outputs(forward_pass.output, parameters.architecture.output)
