"""Typed inputs, targets and weights: taken where they make sense, refused with a sentence where not."""

import numpy as np
import pytest

from pages.walkthrough.presets import PRESETS
from pages.walkthrough.user_input import with_example, with_parameters
from tests.walkthrough.test_calculation import problem

MAZUR = PRESETS["mazur"].problem


def test_an_example_of_ones_own():
    case = with_example(PRESETS["xor"].problem, "0.3; -2e-1", "", 1)
    np.testing.assert_array_equal(case.inputs, [[0.3, -0.2]])
    np.testing.assert_array_equal(case.targets, PRESETS["xor"].problem.targets[[1]])
    np.testing.assert_array_equal(with_example(MAZUR, "", "1, 0", 0).targets, [[1, 0]])


@pytest.mark.parametrize("text", ["1", "1 2 3", "1 banana", "nan 1", "inf 1", "1000001 1", "1 -1e7"])
def test_inputs_that_make_no_sense_are_refused(text):
    with pytest.raises(ValueError, match="Inputs"):
        with_example(MAZUR, text, "", 0)


def test_targets_fit_the_kind_of_answer():
    with pytest.raises(ValueError, match="from 0 to 1"):
        with_example(MAZUR, "", "2 0", 0)
    softmax = problem((2, 3, 3), "relu", "softmax", "cross_entropy")
    with pytest.raises(ValueError, match="add up to 1"):
        with_example(softmax, "", "1 1 0", 0)
    np.testing.assert_array_equal(with_example(softmax, "", ".25 .25 .5", 0).targets, [[0.25, 0.25, 0.5]])
    assert with_example(problem((2, 3, 1), "relu", "linear", "mse"), "", "-1e6", 0).targets == -1e6


def test_weights_and_biases_by_name():
    case = with_parameters(MAZUR, "w1.2.1 = 0.7, b2.1=-3; w2.1.2=1e-3")
    assert case.parameters.weights[0][0, 1, 0] == 0.7
    assert case.parameters.biases[1][0, 0] == -3
    assert case.parameters.weights[1][0, 0, 1] == 1e-3
    assert MAZUR.parameters.weights[0][0, 1, 0] == 0.2
    assert case.parameters.frozen is MAZUR.parameters.frozen


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("w3.1.1=1", "no such weight"), ("b1.3=1", "no such bias"), ("w1.0.1=1", "no such weight"),
        ("w1.1=1", "should look like"), ("banana", "should look like"), ("w1.1.1=x", "is not a number"),
        ("w1.1.1=1e9", "is not a number"), ("w1.1.1=nan", "is not a number"),
    ],
)  # fmt: skip
def test_weights_that_make_no_sense_are_refused(text, words):
    with pytest.raises(ValueError, match=words):
        with_parameters(MAZUR, text)
