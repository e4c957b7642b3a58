"""Questions: answered once more by changing the network and running it, and graded with a tolerance."""

from dataclasses import replace

import pytest

from pages.walkthrough.calculation import Rule, one_update
from pages.walkthrough.derivation import PHASES, Selection
from pages.walkthrough.presets import PRESETS
from pages.walkthrough.questions import Question, question

RULE = Rule(0.5)


@pytest.fixture(params=PRESETS)
def preset(request):
    return PRESETS[request.param]


def test_forward_by_doubling_the_weight(preset):
    selection, update = preset.selection, one_update(preset.problem, RULE)
    doubled = preset.problem.parameters.copy()
    doubled.weights[selection.layer][0, selection.source, selection.unit] *= 2
    again = one_update(replace(preset.problem, parameters=doubled), RULE)
    assert question(update, "forward", selection).answer == pytest.approx(again.z[selection.layer][0, selection.unit])


def test_loss_by_hand():
    update = one_update(PRESETS["mazur"].problem, RULE)
    halves = [(answer - target) / 2 for answer, target in ((0.751365070, 0.01), (0.772928465, 0.99))]
    expected = sum(half**2 for half in halves) / 2
    assert question(update, "loss", Selection(0)).answer == pytest.approx(expected, rel=1e-8)


def test_update_by_twice_the_rate(preset):
    selection, update = preset.selection, one_update(preset.problem, RULE)
    twice = one_update(preset.problem, Rule(2 * RULE.learning_rate))
    expected = twice.after.weights[selection.layer][0, selection.source, selection.unit]
    assert question(update, "update", selection).answer == pytest.approx(expected)


def test_backward_by_three_times_the_input():
    update = one_update(PRESETS["mazur"].problem, RULE)
    assert question(update, "backward", Selection(1, 0, 0)).answer == pytest.approx(3 * 0.082167041, rel=1e-8)


@pytest.mark.parametrize("phase", PHASES)
def test_a_layer_as_a_whole_is_asked_about_its_first_weight(phase):
    update = one_update(PRESETS["mazur"].problem, RULE)
    assert question(update, phase, Selection(1)) == question(update, phase, Selection(1, 0, 0))


def test_grading_forgives_rounding_and_nothing_else():
    rounded = Question("", "", 0.25)
    assert rounded.right(0.2524)
    assert not rounded.right(0.2527)
    assert not rounded.right(-0.25)
    # the answer is the small rest of large numbers that were shown with four digits
    assert Question("", "", 1e-4, reach=2.0).right(6e-4)
    assert Question("", "", 0.0).right(0)
    assert not Question("", "", 0.0).right(0.01)
