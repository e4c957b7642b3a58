"""Data loss, penalty and sum are those of the run; a network without a penalty has none drawn."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import Experiment, train
from pages.charts.one_run import data_loss_and_penalty as chart
from pages.text.labels import number
from tests.charts.odd_runs import FOUR, pair

PLAIN = Experiment(n_train=30, depth=2, width=8, steps=50)


@cache
def run(**changes):
    return train(replace(PLAIN, **changes))


def curves(figure):
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize(("l1", "l2"), [(0.002, 0.0), (0.0, 0.02), (0.001, 0.01)])
def test_the_curves_are_the_parts_and_the_penalty_is_its_formula(l1, l2):
    history = run(l1=l1, l2=l2)
    drawn = curves(chart.figure(run(), history))
    np.testing.assert_array_equal(drawn["Treated data loss"].y, history.train_loss)
    np.testing.assert_array_equal(drawn["Treated sum"].y, history.train_loss + history.penalty)
    last = np.concatenate([weights[-1].ravel() for weights in history.weights])
    formula = l1 * np.abs(last).sum() + l2 / 2 * (last**2).sum()
    assert drawn["Treated penalty"].y[-1] == pytest.approx(formula, rel=1e-6)
    assert not {"Patient penalty", "Patient sum"} & set(drawn)


def test_a_network_without_a_penalty_is_said_to_have_none():
    def notes(*histories, **looks):
        return " ".join(note.text.replace("<br>", " ") for note in chart.figure(*histories, **looks).layout.annotations)

    assert "Patient: no penalty." in notes(run(), run(l2=0.02))
    assert "Neither network has a penalty" in notes(run(), run())
    assert "no penalty" not in notes(run(l1=0.01), run(l2=0.02))
    assert "No network has a penalty" in notes(run(), looks=FOUR[:1])
    assert "first network, second network: no penalty." in notes(run(), run(), run(l2=0.02), looks=FOUR[:3])


def test_alt_and_table_say_the_runs_numbers():
    history = run(l2=0.02)
    text, table = chart.alt(run(), history), chart.table(run(), history)
    assert (
        f"the data loss is {number(history.train_loss[-1])} nats and the penalty {number(history.penalty[-1])}" in text
    )
    assert "there is no penalty" in text
    part = table[table["network"] == "Treated"]
    np.testing.assert_array_equal(part["penalty (nats)"], history.penalty)
    np.testing.assert_array_equal(part["sum (nats)"], history.train_loss + history.penalty)
    assert (table.loc[table["network"] == "Patient", "penalty (nats)"] == 0).all()


def test_both_networks_have_one_range():
    layout = chart.figure(run(), run(l2=0.02)).layout
    assert layout.yaxis.range == layout.yaxis2.range
    assert layout.yaxis.title.text == "loss (nats)"
    assert chart.figure(*pair("of regression")).layout.yaxis.title.text == "loss (squared error)"
