"""Activation functions: value and slope side by side.

Every function works elementwise on an array of pre-activations of any shape and keeps its dtype.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

Array = np.ndarray

LEAKY_SLOPE = 0.01  # Maas et al. 2013
ELU_ALPHA = 1.0  # Clevert et al. 2016
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017
GELU_SCALE, GELU_CUBIC = 0.7978845608028654, 0.044715  # √(2/π); the tanh form, Hendrycks & Gimpel 2016


@dataclass(frozen=True)
class Activation:
    """An activation function φ.

    value(z, out) is φ(z), in a new array or in out, which may be z; slope(z, value) is φ′(z), given φ(z) so that what
    is already known is not computed again.
    steepest is max |φ′|; dies says that a unit with z ≤ 0 everywhere passes no gradient at all; saturates says that
    the slope fades smoothly for large |z|, so that a saturated share is defined.
    """

    value: Callable[..., Array]
    slope: Callable[[Array, Array], Array]
    steepest: float
    formula: str
    source: str
    dies: bool = False
    saturates: bool = False


def sigmoid(z: Array, out: Array | None = None) -> Array:
    """Logistic function 1 / (1 + e⁻ᶻ).  For very negative z the exponential overflows to ∞ and the result is 0."""
    result = np.negative(z, out)
    np.exp(result, out=result)
    result += 1
    return np.reciprocal(result, out=result)


def sigmoid_slope(z: Array, value: Array) -> Array:
    """φ (1 − φ)"""
    slope = 1 - value
    slope *= value
    return slope


@lru_cache(maxsize=4)
def _zeros(shape: tuple[int, ...], kind: np.dtype) -> Array:
    return np.zeros(shape, kind)


def relu(z: Array, out: Array | None = None) -> Array:
    """max(0, z)"""
    return np.maximum(z, _zeros(z.shape, z.dtype), out=out)  # NumPy compares two whole arrays two to four times faster


def relu_slope(z: Array, value: Array) -> Array:
    """1 for z > 0, else 0"""
    return (z > 0).astype(z.dtype)


def tanh_slope(z: Array, value: Array) -> Array:
    """1 − φ²"""
    slope = value * value
    return np.subtract(1, slope, out=slope)


def leaky_relu(z: Array, out: Array | None = None) -> Array:
    """max(.01 z, z)"""
    return np.maximum(z, LEAKY_SLOPE * z, out=out)


def leaky_relu_slope(z: Array, value: Array) -> Array:
    """1 for z > 0, else .01"""
    return np.where(z > 0, z.dtype.type(1), z.dtype.type(LEAKY_SLOPE))


def elu(z: Array, out: Array | None = None) -> Array:
    """z for z > 0, else eᶻ − 1"""
    return _exponential(z, 1.0, ELU_ALPHA, out)


def elu_slope(z: Array, value: Array) -> Array:
    """1 for z > 0, else eᶻ = φ + 1"""
    return np.where(z > 0, z.dtype.type(1), value + z.dtype.type(ELU_ALPHA))


def selu(z: Array, out: Array | None = None) -> Array:
    """λ z for z > 0, else λα (eᶻ − 1)"""
    return _exponential(z, SELU_SCALE, SELU_SCALE * SELU_ALPHA, out)


def selu_slope(z: Array, value: Array) -> Array:
    """λ for z > 0, else λα eᶻ = φ + λα"""
    return np.where(z > 0, z.dtype.type(SELU_SCALE), value + z.dtype.type(SELU_SCALE * SELU_ALPHA))


def _exponential(z: Array, above: float, below: float, out: Array | None) -> Array:
    """above · z for z > 0, below · (eᶻ − 1) else."""
    positive = above * relu(z)
    result = np.minimum(z, _zeros(z.shape, z.dtype), out=out)
    np.expm1(result, out=result)
    result *= below
    result += positive
    return result


def gelu(z: Array, out: Array | None = None) -> Array:
    """z (1 + tanh v)/2 with v = √(2/π) (z + .044715 z³)"""
    return np.multiply(_gelu_gate(z, z * z), z, out)


def gelu_slope(z: Array, value: Array) -> Array:
    """g + z g′, where the gate g = (1 + tanh v)/2 has the slope g′ = 2 g (1 − g) v′."""
    square = z * z
    gate = _gelu_gate(z, square)
    slope = square * (6 * GELU_SCALE * GELU_CUBIC)
    slope += 2 * GELU_SCALE
    slope *= z
    slope *= 1 - gate
    slope += 1
    slope *= gate
    return slope


def _gelu_gate(z: Array, square: Array) -> Array:
    gate = square * (GELU_SCALE * GELU_CUBIC)
    gate += GELU_SCALE
    gate *= z
    np.tanh(gate, out=gate)
    gate += 1
    gate *= 0.5
    return gate


def silu(z: Array, out: Array | None = None) -> Array:
    """z σ(z)"""
    return np.multiply(sigmoid(z), z, out)


def silu_slope(z: Array, value: Array) -> Array:
    """σ + z σ (1 − σ) = σ + φ (1 − σ)"""
    gate = sigmoid(z)
    slope = 1 - gate
    slope *= value
    slope += gate
    return slope


ACTIVATIONS = {
    "relu": Activation(relu, relu_slope, 1.0, r"\max(0, z)", "Nair & Hinton 2010", dies=True),
    "sigmoid": Activation(sigmoid, sigmoid_slope, 0.25, r"1 / (1 + e^{-z})", "logistic function", saturates=True),
    "tanh": Activation(np.tanh, tanh_slope, 1.0, r"\tanh z", "LeCun et al. 1998", saturates=True),
    "leaky_relu": Activation(leaky_relu, leaky_relu_slope, 1.0, r"\max(0.01 z, z)", "Maas et al. 2013"),
    "elu": Activation(elu, elu_slope, 1.0, r"z \text{ or } e^z - 1", "Clevert et al. 2016", saturates=True),
    "selu": Activation(
        selu,
        selu_slope,
        SELU_SCALE * SELU_ALPHA,
        r"\lambda z \text{ or } \lambda \alpha (e^z - 1)",
        "Klambauer et al. 2017",
        saturates=True,
    ),
    "gelu": Activation(
        gelu,
        gelu_slope,
        1.1289930687,
        r"\tfrac{z}{2} (1 + \tanh(\sqrt{2/\pi} (z + 0.044715 z^3)))",
        "Hendrycks & Gimpel 2016",
        saturates=True,
    ),
    "silu": Activation(silu, silu_slope, 1.0998393201, r"z / (1 + e^{-z})", "Elfwing et al. 2018", saturates=True),
    "linear": Activation(np.positive, lambda z, value: np.ones_like(z), 1.0, r"z", "none: the network stays linear"),
}
