"""Activations: slopes against differentiation of the values, values against their formulas, and the stated extremes."""

import math

import numpy as np
import pytest
from scipy.special import erf, expit

from engine.activations import ACTIVATIONS

ANALYTIC = ("sigmoid", "tanh", "gelu", "silu")  # formulas that work on complex numbers
Z = np.concatenate([-np.geomspace(30, 1e-4, 200), np.geomspace(1e-4, 30, 200)])

FORMULAS = {  # written down a second time, one number at a time
    "relu": lambda z: max(0.0, z),
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": lambda z: (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z)),
    "leaky_relu": lambda z: z if z > 0 else 0.01 * z,
    "elu": lambda z: z if z > 0 else math.exp(z) - 1,
    "selu": lambda z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * (math.exp(z) - 1)),
    "gelu": lambda z: z / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z / (1 + math.exp(-z)),
    "linear": lambda z: z,
}


def slope_of(name, z):
    activation = ACTIVATIONS[name]
    return activation.slope(z, activation.value(z))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_are_the_formulas(name):
    np.testing.assert_allclose(ACTIVATIONS[name].value(Z), [FORMULAS[name](z) for z in Z], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ANALYTIC)
def test_slopes_agree_with_the_complex_step(name):
    step = 1e-30
    exact = ACTIVATIONS[name].value(Z + 1j * step).imag / step
    np.testing.assert_allclose(slope_of(name, Z), exact, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_agree_with_central_differences(name):
    step = 1e-5  # smaller than the distance of Z from the kink at 0
    value = ACTIVATIONS[name].value
    difference = (value(Z + step) - value(Z - step)) / (2 * step)
    np.testing.assert_allclose(slope_of(name, Z), difference, rtol=0, atol=2e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_steepest_is_the_largest_slope(name):
    z = np.r_[-40, np.linspace(-12, 12, 240_001), 40]
    largest = np.abs(slope_of(name, z)).max()
    assert ACTIVATIONS[name].steepest == pytest.approx(largest, rel=2e-4 if name == "selu" else 1e-8)


def test_slopes_at_zero():
    zero = {"relu": 0, "leaky_relu": 0.01, "sigmoid": 0.25, "gelu": 0.5, "silu": 0.5, "selu": 1.7580993408473766}
    for name in ACTIVATIONS:
        for sign in (1, -1):
            assert slope_of(name, np.array([sign * 0.0])) == pytest.approx(zero.get(name, 1), rel=1e-12)


def test_gelu_is_near_the_exact_one():
    exact = Z / 2 * (1 + erf(Z / 2**0.5))
    np.testing.assert_allclose(ACTIVATIONS["gelu"].value(Z), exact, atol=5e-4)  # the tanh form's known error


def test_sigmoid_is_accurate_in_both_tails():
    z = np.array([-700.0, -40, 0, 40, 700])
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"].value(z), expit(z), rtol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_type_shape_and_input_are_kept(name, kind):
    z = np.linspace(-3, 3, 24, dtype=kind).reshape(2, 3, 4)
    before = z.copy()
    value = ACTIVATIONS[name].value(z)
    kept = value.copy()
    place = np.full_like(z, np.nan)
    assert ACTIVATIONS[name].value(z, place) is place
    np.testing.assert_array_equal(place, value)
    slope = ACTIVATIONS[name].slope(z, value)
    assert value.dtype == slope.dtype == kind
    assert value.shape == slope.shape == z.shape
    np.testing.assert_array_equal(z, before)
    np.testing.assert_array_equal(value, kept)
    assert not np.shares_memory(value, z)
    assert not np.shares_memory(slope, value)
    assert not np.shares_memory(slope, z)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_far_out_everything_is_finite(name, kind):
    far = kind(1e4)  # cubes of it, which gelu takes, are within float32
    with np.errstate(over="ignore"):
        z = np.array([-far, far], kind)
        value = ACTIVATIONS[name].value(z)
        slope = ACTIVATIONS[name].slope(z, value)
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    assert (np.abs(slope) <= ACTIVATIONS[name].steepest).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_dies_and_saturates_are_what_the_slopes_do(name):
    activation, slope = ACTIVATIONS[name], slope_of(name, np.linspace(-30, 30, 601))
    left, right = slope[:300], slope[301:]
    assert activation.dies == bool((left == 0).all())
    fades = min(np.abs(left[0]), np.abs(right[-1])) < 1e-9
    assert activation.saturates == (fades and not activation.dies)


def test_every_activation_states_formula_and_source():
    assert set(FORMULAS) == set(ACTIVATIONS)
    assert all(activation.formula and activation.source for activation in ACTIVATIONS.values())
