"""The picture's data: what is drawn of a large network, and the phases in their order."""

import json

import numpy as np
import pytest

from pages.walkthrough.calculation import Rule, one_update
from pages.walkthrough.derivation import Selection
from pages.walkthrough.network_graph import MOST_LAYERS, MOST_UNITS, drawn_layers, drawn_units, graph, importance
from pages.walkthrough.presets import PRESETS
from tests.walkthrough.test_calculation import problem


def update_of(*sizes, **kind):
    return one_update(problem(sizes, "tanh", "sigmoid", "mse", **kind), Rule(0.5))


def test_a_small_network_is_drawn_whole():
    drawn = graph(update_of(3, 6, 6, 6, 2), Selection(0))
    assert [len(column["units"]) for column in drawn["columns"]] == [3, 6, 6, 6, 2]
    assert all(column["more"] == 0 for column in drawn["columns"])
    assert len(drawn["edges"]) == 3 * 6 + 36 + 36 + 12
    assert drawn["rule"] == ""


def test_of_a_large_layer_those_whose_silence_would_change_the_loss_most():
    update = update_of(2, 20, 1, batch=1)
    changes = []
    for unit in range(20):  # what the loss would be, to first order: by a small part of the silence
        quieter = problem((2, 20, 1), "tanh", "sigmoid", "mse", batch=1)
        quieter.parameters.weights[1][0, unit] *= 1 - 1e-6
        changes.append(abs(one_update(quieter, Rule(0.5)).loss - update.loss))
    most = np.argsort(changes)[-MOST_UNITS:]
    assert drawn_units(update, 1, Selection(1)) == sorted(most.tolist())
    np.testing.assert_allclose(np.array(changes) / 1e-6, importance(update, 1), rtol=1e-3)
    assert graph(update, Selection(1))["columns"][1]["more"] == 14
    assert "fell silent" in graph(update, Selection(1))["rule"]


def test_what_is_looked_at_is_always_drawn():
    update = update_of(20, 20, 20, 3)
    least = int(np.argmin(importance(update, 1)))
    assert least in drawn_units(update, 1, Selection(0, least))
    assert least in drawn_units(update, 1, Selection(1, 0, least))
    assert len(drawn_units(update, 1, Selection(0, least))) == MOST_UNITS


@pytest.mark.parametrize("looked_at", range(11))
def test_of_a_deep_network_the_ends_and_what_is_around_the_layer(looked_at):
    layers = drawn_layers(11, looked_at)
    assert len(layers) == MOST_LAYERS
    assert {0, 11, looked_at, looked_at + 1} <= set(layers)
    assert layers == sorted(layers)


def test_phases_in_their_order():
    names = [step["name"] for step in graph(update_of(2, 3, 3, 1), Selection(0))["steps"]]
    assert names == [
        "forward-1", "forward-2", "forward-3", "loss", "backward-3", "backward-2", "backward-1", "update",
    ]  # fmt: skip


def test_numbers_that_are_none_are_still_json():
    case = PRESETS["saturated"].problem
    update = one_update(case, Rule(1e308))
    text = json.dumps(graph(update, Selection(0)), allow_nan=False)
    assert "Infinity" in text or "NaN" in text or np.isfinite(update.after.flat).all()
