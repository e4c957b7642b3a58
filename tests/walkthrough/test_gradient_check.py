"""Finite differences: of every weight of every preset within the error that is shown; the price is really measured."""

from dataclasses import replace

import numpy as np
import pytest

from pages.walkthrough.calculation import Rule, one_update
from pages.walkthrough.gradient_check import price, weight_check
from pages.walkthrough.presets import PRESETS
from tests.walkthrough.test_calculation import problem

CLEAR = 1e-4  # gradients above have no trouble with rounding
CLOSE = 1e-6


def checks(update):
    for layer in range(update.layers):
        for unit in range(update.sizes[layer + 1]):
            for source in range(update.sizes[layer]):
                yield weight_check(update, layer, unit, source)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_every_weight_of_every_preset(preset, loss):
    case = PRESETS[preset].problem
    update = one_update(case.changed(case.architecture.activation, loss), Rule(0.5))
    found = list(checks(update))
    assert len(found) == case.parameters.n_weights
    for check in found:
        assert not check.kink
        assert check.agrees
        if abs(check.gradient) > CLEAR:
            assert check.relative < CLOSE


def test_a_wrong_gradient_is_found():
    update = one_update(PRESETS["mazur"].problem, Rule(0.5))
    check = weight_check(update, 1, 0, 0)
    assert not replace(check, gradient=check.gradient * 1.0001).agrees
    assert not replace(check, gradient=-check.gradient).agrees


@pytest.mark.parametrize(
    "kind", [{"normalization": "batch"}, {"normalization": "layer"}, {"residual": "scaled", "dropout": True}]
)
def test_it_checks_networks_of_the_lessons_too(kind):
    assert all(
        check.agrees for check in checks(one_update(problem((2, 4, 4, 3), "tanh", "softmax", "mse", **kind), Rule(1)))
    )


def test_a_step_over_a_corner_means_nothing_and_says_so():
    case = problem((1, 1, 1), "relu", "linear", "mse", batch=1)
    case.parameters.biases[0][0] = -case.inputs[0, 0] * case.parameters.weights[0][0, 0, 0] + 1e-9
    update = one_update(case, Rule(1))
    assert weight_check(update, 0, 0, 0).kink
    assert not weight_check(update, 1, 0, 0).kink


def test_many_weights_cost_many_forward_passes():
    small, large = price(PRESETS["mazur"].problem), price(problem((4, 40, 40, 3), "tanh", "softmax", "cross_entropy"))
    assert (small.weights, small.measured) == (8, 8)
    assert large.weights == 4 * 40 + 40 * 40 + 40 * 3
    assert 1 <= large.measured <= 50
    assert large.all_differences == pytest.approx(large.differences * large.weights / large.measured)
    assert large.all_differences / large.backward > 10 * small.all_differences / small.backward
    assert np.isfinite(small.backward)
