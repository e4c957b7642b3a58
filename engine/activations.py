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

    value(z) is φ(z); slope(z, value) is φ′(z), given φ(z) so that what is already known is not computed again.
    steepest is max |φ′|; dies says that a unit with z ≤ 0 everywhere passes no gradient at all; saturates says that
    the slope fades smoothly for large |z|, so that a saturated share is defined.
    """

    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    steepest: float
    formula: str
    source: str
    dies: bool = False
    saturates: bool = False


def sigmoid(z: Array) -> Array:
    """Logistic function 1 / (1 + e⁻ᶻ).  For very negative z the exponential overflows to ∞ and the result is 0."""
    result = np.negative(z)
    np.exp(result, out=result)
    result += 1
    return np.reciprocal(result, out=result)


def sigmoid_slope(z: Array, value: Array) -> Array:
    slope = 1 - value
    slope *= value
    return slope


@lru_cache(maxsize=4)
def _zeros(shape: tuple[int, ...], kind: np.dtype) -> Array:
    return np.zeros(shape, kind)


def relu(z: Array) -> Array:
    return np.maximum(z, _zeros(z.shape, z.dtype))  # NumPy compares two whole arrays two to four times faster


def relu_slope(z: Array, value: Array) -> Array:
    return (z > 0).astype(z.dtype)


def tanh_slope(z: Array, value: Array) -> Array:
    slope = value * value
    return np.subtract(1, slope, out=slope)


def leaky_relu(z: Array) -> Array:
    return np.maximum(z, LEAKY_SLOPE * z)


def leaky_relu_slope(z: Array, value: Array) -> Array:
    return np.where(z > 0, z.dtype.type(1), z.dtype.type(LEAKY_SLOPE))


def elu(z: Array) -> Array:
    return np.where(z > 0, z, ELU_ALPHA * np.expm1(np.minimum(z, 0)))


def elu_slope(z: Array, value: Array) -> Array:
    return np.where(z > 0, z.dtype.type(1), value + z.dtype.type(ELU_ALPHA))


def selu(z: Array) -> Array:
    return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0)))


def selu_slope(z: Array, value: Array) -> Array:
    return np.where(z > 0, z.dtype.type(SELU_SCALE), value + z.dtype.type(SELU_SCALE * SELU_ALPHA))


def gelu(z: Array) -> Array:
    return 0.5 * z * (1 + np.tanh(GELU_SCALE * (z + GELU_CUBIC * z * z * z)))


def gelu_slope(z: Array, value: Array) -> Array:
    inner = np.tanh(GELU_SCALE * (z + GELU_CUBIC * z * z * z))
    return 0.5 * (1 + inner) + 0.5 * z * (1 - inner * inner) * GELU_SCALE * (1 + 3 * GELU_CUBIC * z * z)


def silu(z: Array) -> Array:
    return z * sigmoid(z)


def silu_slope(z: Array, value: Array) -> Array:
    gate = sigmoid(z)
    return gate + value * (1 - gate)


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
    "linear": Activation(
        lambda z: z.copy(), lambda z, value: np.ones_like(z), 1.0, r"z", "none: the network stays linear"
    ),
}
