"""Networks to look at that are small enough for a pocket calculator."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import Parameters
from engine.network import Architecture
from pages.walkthrough.calculation import Problem
from pages.walkthrough.derivation import Selection


@dataclass(frozen=True, eq=False)
class Preset:
    """A network to look at.  note: what is to be seen; learning_rate and selection: to begin with."""

    title: str
    note: str
    problem: Problem
    learning_rate: float
    selection: Selection


def _problem(
    sizes: tuple[int, ...],
    weights: Sequence[Sequence[Sequence[float]]],
    biases: Sequence[Sequence[float]],
    inputs: Sequence[Sequence[float]],
    targets: Sequence[Sequence[float]],
    activation: str = "sigmoid",
    loss: str = "mse",
) -> Problem:
    """With one sigmoid output or more.  weights: a matrix (n_in, n_out) a layer."""
    architecture = Architecture(sizes, activation, "sigmoid")
    parameters = Parameters(architecture, np.zeros((1, Parameters.size(architecture))))
    for layer, (matrix, vector) in enumerate(zip(weights, biases, strict=True)):
        parameters.weights[layer][0], parameters.biases[layer][0] = matrix, vector
    return Problem(parameters, np.array(inputs, float), np.array(targets, float), loss)


def _mazur() -> Problem:
    """Two outputs and one example: the mean squared error is Σ ½(t − o)².  Biases stay, as in the post."""
    problem = _problem(
        (2, 2, 2),
        [[[0.15, 0.25], [0.20, 0.30]], [[0.40, 0.50], [0.45, 0.55]]],
        [[0.35, 0.35], [0.60, 0.60]],
        [[0.05, 0.10]],
        [[0.01, 0.99]],
    )
    problem.parameters.frozen = np.arange(problem.parameters.flat.shape[1]) >= problem.parameters.n_weights
    return problem


PRESETS = {
    "mazur": Preset(
        "Mazur’s worked example",
        "“A Step by Step Backpropagation Example” by Matt Mazur. The weight looked at first is its w₅; the "
        "biases are kept fixed, as there.",
        _mazur(),
        0.5,
        Selection(1, 0, 0),
    ),
    "xor": Preset(
        "XOR, 2-2-1",
        "Four examples at once: every gradient is the average of theirs. No straight line separates the two classes; "
        "after 300 updates this network answers all four correctly.",
        # From these weights it does, which is not so from everywhere.
        _problem(
            (2, 2, 1), [[[1.2, -0.8], [-1.0, 0.9]], [[0.7], [0.6]]], [[0.1, -0.2], [0.05]],
            [[1, 0], [0, 1], [1, 1], [0, 0]], [[1], [1], [0], [0]], "tanh", "cross_entropy",
        ),
        0.5,
        Selection(0, 0, 1),
    ),
    "saturated": Preset(
        "A saturated neuron",
        "One neuron, badly wrong and sure of it (Nielsen, chapter 3). Change the loss to cross-entropy: the slope "
        "cancels, and the network learns from the same error at once.",
        _problem((1, 1), [[[2.0]]], [[2.0]], [[1.0]], [[0.0]]),
        0.15,
        Selection(0, 0, 0),
    ),
    "chain": Preset(
        "A chain, 1-1-1-1-1",
        "The smallest deep network. The gradient of its first weight is one product, in which the slope of a "
        "sigmoid is a factor of at most a quarter.",
        _problem(
            (1, 1, 1, 1, 1), [[[0.8]], [[-1.2]], [[1.5]], [[0.9]]], [[0.1], [0.3], [-0.4], [0.2]], [[1.0]], [[1.0]]
        ),
        0.5,
        Selection(0, 0, 0),
    ),
}  # fmt: skip
