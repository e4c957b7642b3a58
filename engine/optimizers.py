"""How a gradient becomes a change of the parameters: a small state and an update rule each.

All act on flat parameters (networks, n) with one learning rate a network, (networks, 1).  An update returns Δ, so that
θ_new = θ_old − Δ, and changes the state's arrays in place.  Written as PyTorch writes them, ε outside the root.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray

MOMENTUM = 0.9
RMSPROP_DECAY = 0.99
ADAM_DECAYS = 0.9, 0.999
EPSILON = 1e-8


@dataclass(frozen=True)
class Optimizer:
    """update(gradient, state, rate, count) -> Δ; slots is how many arrays the state has; count starts from 1.

    decoupled: an L2 penalty λ is no part of the gradient, but takes η λ w off the weights at every update.
    """

    update: Callable[[Array, list[Array], Array, int], Array]
    slots: int
    formula: str
    source: str
    decoupled: bool = False

    def state(self, parameters: Array) -> list[Array]:
        """What it starts from: zeros."""
        return [np.zeros_like(parameters) for _ in range(self.slots)]


def sgd(gradient: Array, state: list[Array], rate: Array, count: int) -> Array:
    """Δ = η g"""
    return rate * gradient


def momentum(gradient: Array, state: list[Array], rate: Array, count: int) -> Array:
    """v ← .9 v + g;  Δ = η v"""
    (velocity,) = state
    velocity *= MOMENTUM
    velocity += gradient
    return rate * velocity


def nesterov(gradient: Array, state: list[Array], rate: Array, count: int) -> Array:
    """v ← .9 v + g;  Δ = η (g + .9 v)"""
    (velocity,) = state
    velocity *= MOMENTUM
    velocity += gradient
    return rate * (gradient + MOMENTUM * velocity)


def adagrad(gradient: Array, state: list[Array], rate: Array, count: int) -> Array:
    """s ← s + g²;  Δ = η g/(√s + ε)"""
    (square,) = state
    square += gradient * gradient
    return rate * gradient / (np.sqrt(square) + EPSILON)


def rmsprop(gradient: Array, state: list[Array], rate: Array, count: int) -> Array:
    """s ← .99 s + .01 g²;  Δ = η g/(√s + ε)"""
    (square,) = state
    square *= RMSPROP_DECAY
    square += (1 - RMSPROP_DECAY) * gradient * gradient
    return rate * gradient / (np.sqrt(square) + EPSILON)


def adam(gradient: Array, state: list[Array], rate: Array, count: int) -> Array:
    """m ← .9 m + .1 g;  s ← .999 s + .001 g²;  Δ = η m̂/(√ŝ + ε) with m̂ = m/(1 − .9ᵗ), ŝ = s/(1 − .999ᵗ)"""
    mean, square = state
    decay_mean, decay_square = ADAM_DECAYS
    update = (1 - decay_mean) * gradient
    mean *= decay_mean
    mean += update
    np.multiply(1 - decay_square, gradient, out=update)
    update *= gradient
    square *= decay_square
    square += update
    root = square / (1 - decay_square**count)
    np.sqrt(root, out=root)
    root += EPSILON
    np.divide(mean, 1 - decay_mean**count, out=update)
    update *= rate
    update /= root
    return update


OPTIMIZERS = {
    "sgd": Optimizer(sgd, 0, r"\Delta = \eta g", "gradient descent"),
    "momentum": Optimizer(momentum, 1, r"v \leftarrow 0.9 v + g,\ \Delta = \eta v", "Polyak 1964"),
    "nesterov": Optimizer(nesterov, 1, r"v \leftarrow 0.9 v + g,\ \Delta = \eta (g + 0.9 v)", "Nesterov 1983"),
    "rmsprop": Optimizer(rmsprop, 1, r"\Delta = \eta g / (\sqrt{s} + \epsilon)", "Tieleman & Hinton 2012"),
    "adam": Optimizer(adam, 2, r"\Delta = \eta \hat m / (\sqrt{\hat s} + \epsilon)", "Kingma & Ba 2015"),
    "adagrad": Optimizer(adagrad, 1, r"\Delta = \eta g / (\sqrt{s} + \epsilon)", "Duchi et al. 2011"),
    "adamw": Optimizer(
        adam,
        2,
        r"\Delta = \eta \hat m / (\sqrt{\hat s} + \epsilon) + \eta \lambda w",
        "Loshchilov & Hutter 2019",
        decoupled=True,
    ),
}
