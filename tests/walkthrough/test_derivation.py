"""The lines of a calculation: the written numbers really give the result, and Mazur's are the published ones."""

import math
import re

import numpy as np
import pytest

from engine.activations import ACTIVATIONS, SELU_ALPHA, SELU_SCALE
from pages.walkthrough.calculation import Rule, one_update
from pages.walkthrough.chain_factors import chain_factors, written_out
from pages.walkthrough.derivation import Selection, derivation
from pages.walkthrough.latex import exact, matrix, rounded, summed
from pages.walkthrough.presets import PRESETS
from tests.walkthrough.test_calculation import DIFFERENT, HEADS, problem

PRINTED = 1e-9  # the post prints nine decimals, of some numbers eight
RULES = [
    Rule(0.3), Rule(0.3, l1=0.02, l2=0.1), Rule(0.3, clip="norm", clip_threshold=0.01), Rule(0.3, clip="norm"),
    Rule(0.3, clip="value", clip_threshold=0.01), *(Rule(0.01, optimizer) for optimizer in
    ("momentum", "nesterov", "rmsprop", "adam", "adagrad", "adamw")), Rule(0.01, "adamw", l1=0.02, l2=0.1),
]  # fmt: skip
SYMBOLS = (
    (r"\\text\{.*?\}", ""), (r"\\tfrac\{(.*?)\}\{(.*?)\}", r"(\1/\2)*"), (r"\\frac\{(.*?)\}\{(.*?)\}", r"((\1)/(\2))"),
    (r"\\times\\nobreak 10\^\{(-?\d+)\}", r"e\1"), (r"\\big|\\,|\\quad", ""), (r"\\cdot", "*"), (r"\\(max|min)", r"\1"),
    (r"\|(.*?)\|", r" abs(\1)"),
    (r"\\ln (\(-?[\d.e -]+\)|[\d.e-]+)", r"*log(\1)"), (r"\\tanh", "tanh"), (r"\\sqrt\{(2/\\pi)\}", "sqrt(2/pi)"),
    (r"\\sqrt", "sqrt"), (r"\\pi", "pi"), (r"\\lambda", "SCALE"), (r"\\alpha", "*ALPHA*"), (r"[{]", "("), (r"[}]", ")"),
    (r"\^", "**"), (r"\be\*\*", "E**"), (r"(\d) +(e-?\d)", r"\1\2"), (r"(\d|\))\s*\(", r"\1*("),
)  # fmt: skip


def value_of(latex):
    """What a line's numbers come to, worked out from the text."""
    text = latex
    for pattern, python in SYMBOLS:
        text = re.sub(pattern, python, text)
    names = {"log": math.log, "tanh": np.tanh, "sqrt": math.sqrt, "pi": math.pi, "E": math.e, "max": max, "min": min,
             "abs": abs, "SCALE": SELU_SCALE, "ALPHA": SELU_ALPHA}  # fmt: skip
    return eval(text.strip(), {"__builtins__": {}}, names)


def written(update, example):
    """All lines about all units and weights."""
    for layer in range(update.layers):
        for unit in range(update.sizes[layer + 1]):
            for source in (None, *range(update.sizes[layer])):
                yield from derivation(update, Selection(layer, unit, source), example)


def check_arithmetic(update, example=0):
    count = 0
    for line in written(update, example):
        calculated, equals, result = line.full.rpartition(" = ")
        assert value_of(result) == line.value, line
        if equals:
            assert value_of(calculated) == pytest.approx(line.value, rel=1e-9, abs=1e-12), line
            count += 1
    assert count > 4


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("head", HEADS, ids=str)
def test_the_written_numbers_give_the_result(activation, head):
    check_arithmetic(one_update(problem((2, 2, 2, 2), activation, *head, batch=2), Rule(0.3)), example=1)


@pytest.mark.parametrize("head", HEADS, ids=str)
def test_the_written_numbers_have_the_class_weights(head):
    case = problem((2, 2, 2), "tanh", *head, batch=2, class_weights=np.array([0.625, 2.5]))
    check_arithmetic(one_update(case, Rule(0.3)), example=1)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_written_numbers_of_every_update_give_the_result(rule):
    case = problem((2, 2, 2), "tanh", "sigmoid", "mse", batch=1)
    first = one_update(case, rule)
    check_arithmetic(first)
    check_arithmetic(one_update(case, rule, first.state_after, 2))


@pytest.mark.parametrize("kind", DIFFERENT, ids=str)
@pytest.mark.parametrize("batch", [1, 2])
def test_the_written_numbers_of_unusual_networks_give_the_result(kind, batch):
    check_arithmetic(one_update(problem((2, 2, 2, 2), "tanh", "softmax", "mse", batch=batch, **kind), Rule(0.3)))


def test_mazurs_numbers_are_the_published_ones():
    preset = PRESETS["mazur"]
    update = one_update(preset.problem, Rule(preset.learning_rate))

    def values(layer, unit, source=None):
        return {line.name: line.value for line in derivation(update, Selection(layer, unit, source))}

    def close(found, expected):
        np.testing.assert_allclose(found, expected, atol=PRINTED, rtol=0)

    hidden, answers = [values(0, unit) for unit in (0, 1)], [values(1, unit) for unit in (0, 1)]
    close([one["pre-activation"] for one in hidden], [0.3775, 0.3925])
    close([one["activation"] for one in hidden], [0.593269992, 0.596884378])
    close([one["answer"] for one in answers], [0.751365070, 0.772928465])
    close([one["this answer’s share"] for one in answers], [0.274811083, 0.023560026])
    close(answers[0]["loss"], 0.298371109)
    close([one["error signal"] for one in answers], [0.138498562, -0.038098236])
    close(values(1, 0, 0)["gradient of the weight"], 0.082167041)
    close(values(0, 0, 0)["gradient of the weight"], 0.000438568)
    new = [values(layer, unit, source)["new weight"] for layer in (0, 1) for unit in (0, 1) for source in (0, 1)]
    close(new[:4], [0.149780716, 0.199561433, 0.249751144, 0.299502287])
    close(new[4:], [0.358916480, 0.408666186, 0.511301270, 0.561370121])
    close(update.new_loss, 0.291027774)
    assert "is kept fixed" in derivation(update, Selection(0, 0))[-1].symbols


def test_the_chain_is_one_product():
    preset = PRESETS["chain"]
    update = one_update(preset.problem, Rule(preset.learning_rate))
    factors = chain_factors(update)
    assert len(factors) == 1 + 4 + 3 + 1  # the input, four slopes, three weights, how wrong
    gradient = update.gradient.weights[0][0, 0, 0]
    assert math.prod(value for _, value in factors) == pytest.approx(gradient, rel=1e-12)
    assert all(0 < value <= 0.25 for name, value in factors if "varphi" in name)
    calculated, _, result = written_out(factors, exact)[1].rpartition(" = ")
    assert value_of(calculated) == pytest.approx(gradient, rel=1e-12)
    assert value_of(result) == pytest.approx(gradient, rel=1e-12)
    assert chain_factors(one_update(PRESETS["mazur"].problem, Rule(0.5))) == []


def test_what_is_not_there_is_named():
    update = one_update(PRESETS["mazur"].problem, Rule(0.5))
    for selection, words in (
        (Selection(2, 0), "no layer 3"),
        (Selection(1, 2), "unit 3 in layer 2"),
        (Selection(0, 0, 5), "its inputs"),
    ):
        with pytest.raises(IndexError, match=words):
            derivation(update, selection)
    with pytest.raises(IndexError, match="example 2"):
        derivation(update, Selection(0, 0), 1)


def test_numbers_on_screen_have_four_digits():
    assert [rounded(value) for value in (0.13849856, 0.4, 1.0, 0, -0.0380982, 12345.6)] == [
        "0.1385", "0.4", "1", "0", "-0.0381", "12350",
    ]  # fmt: skip
    assert rounded(4.38568e-7) == r"4.386 \times\nobreak 10^{-7}"
    assert rounded(math.inf) == r"\infty"
    assert exact(1e-7) == r"1 \times\nobreak 10^{-7}"
    assert exact(0.1 + 0.2) == "0.30000000000000004"


def test_long_sums_and_matrices_are_shortened():
    assert summed(["1", "-2"]) == "1 + (-2)"
    assert summed([str(n) for n in range(7)], "9") == r"0 + 1 + 2 + 3 + \ldots\,\text{(3 more)} + 9"
    assert matrix(np.zeros((5, 5)), rounded).count("&") == 4 * 3
    assert r"\vdots" not in matrix(np.zeros((3, 4)), rounded)
    assert r"\cdots" not in matrix(np.zeros((4, 3)), rounded)
