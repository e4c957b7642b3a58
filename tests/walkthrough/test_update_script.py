"""The script of an update is run, and comes to the page's numbers; its table has every parameter."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, train
from engine.optimizers import OPTIMIZERS
from pages.walkthrough.calculation import Rule, course, one_update
from pages.walkthrough.opened_network import opened, rule_of
from pages.walkthrough.presets import PRESETS
from pages.walkthrough.update_script import MOST_WRITTEN_OUT, update_script, update_table
from tests.walkthrough.test_calculation import CASES, close, name

LINK = "https://example.org/backpropagation?layer=1"
RULES = [
    *(Rule(0.3, optimizer) for optimizer in OPTIMIZERS),
    Rule(0.3, l1=0.1, l2=0.2), Rule(0.3, "adamw", l2=0.2), Rule(0.3, clip="norm", clip_threshold=0.01),
    Rule(0.3, "momentum", l2=0.1, clip="value", clip_threshold=0.01),
]  # fmt: skip


def expect_the_same(update):
    found = {}
    exec(update_script(update, LINK), found)
    close(found["loss"].item(), update.loss)
    for kind in ("weights", "biases", "scales", "shifts"):
        for layer, after in enumerate(getattr(update.after, kind)):
            close(found[kind][layer].detach().numpy(), after[0])


@pytest.mark.parametrize("case", CASES, ids=name)
def test_it_comes_to_the_same_parameters(case, capsys):
    expect_the_same(one_update(case, Rule(0.3)))
    for line in capsys.readouterr().out.splitlines():
        here, _, page = line.partition(": ")[2].partition(" on the page: ")
        close(float(here), float(page))


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_every_rule_and_what_it_keeps_of_the_updates_before(rule):
    expect_the_same(course(CASES[0], rule, 0).next)
    expect_the_same(course(CASES[0], rule, 3).next)


def test_what_is_kept_fixed_stays():
    update = one_update(PRESETS["mazur"].problem, Rule(0.5))
    expect_the_same(update)
    assert "# Kept as they are: biases." in update_script(update, LINK)


def test_a_trained_network_with_many_weights_and_running_statistics():
    experiment = Experiment(depth=2, width=30, normalization="batch", dropout=0.2, steps=20, optimizer="adam")
    history = train(experiment)
    for batch in (False, True):
        update = one_update(opened(history, -1, batch, 0), rule_of(experiment))
        expect_the_same(update)
        assert update.weights(1).size > MOST_WRITTEN_OUT
        assert "unpacked(" in update_script(update, LINK)


def test_the_table_has_every_parameter_as_it_was_and_as_it_is():
    update = one_update(replace(PRESETS["mazur"].problem), Rule(0.5))
    rows = list(csv.DictReader(io.StringIO(update_table(update))))
    assert len(rows) == update.after.flat.size
    found = [[float(row[column]) for row in rows] for column in ("value", "gradient of the loss", "new value")]
    expected = update.problem.parameters, update.gradient, update.after
    for numbers, parameters in zip(found, expected, strict=True):
        np.testing.assert_array_equal(numbers, parameters.flat[0])
    assert [row["from unit"] for row in rows[:4]] == ["1", "1", "2", "2"]
    assert [row["to unit"] for row in rows[:4]] == ["1", "2", "1", "2"]
