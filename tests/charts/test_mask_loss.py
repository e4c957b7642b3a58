"""The two losses are of the same weights; without dropout they are one."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import Experiment, train
from pages.charts.one_run import mask_loss as chart
from pages.text.labels import number
from tests.charts.odd_runs import FOUR

PLAIN = Experiment(n_train=30, depth=2, width=8, steps=200)


@cache
def run(**changes):
    return train(replace(PLAIN, **changes))


def curves(figure):
    return {trace.name: trace for trace in figure.data}


def notes(figure):
    return " ".join(note.text.replace("<br>", " ") for note in figure.layout.annotations)


def test_with_dropout_the_curves_are_of_the_same_steps():
    history = run(dropout=0.4)
    drawn = curves(chart.figure(run(), history))
    masked, whole = drawn["Treated with the mask"], drawn["Treated"]
    np.testing.assert_array_equal(masked.x, history.evaluation_step[:-1])  # the last evaluation has no update
    np.testing.assert_array_equal(whole.x, masked.x)
    np.testing.assert_array_equal(masked.y, history.batch_loss[np.isin(history.step, masked.x)])
    np.testing.assert_array_equal(whole.y, history.train_loss[:-1])
    assert np.median(np.asarray(masked.y) / np.asarray(whole.y)) > 1, "the mask costs something"


def test_without_dropout_the_full_batch_has_one_loss():
    drawn = curves(chart.figure(run(), run()))
    np.testing.assert_allclose(drawn["Patient with the mask"].y, drawn["Patient"].y, rtol=1e-9)
    assert "Neither network has dropout" in notes(chart.figure(run(), run()))
    assert "Patient: no dropout" in notes(chart.figure(run(), run(dropout=0.4)))
    assert "No network has dropout" in notes(chart.figure(run(), looks=FOUR[:1]))
    three = chart.figure(run(), run(), run(dropout=0.4), looks=FOUR[:3])
    assert "first network, second network: no dropout" in notes(three)


def test_of_mini_batches_it_is_said_that_they_are():
    assert "one mini-batch" in notes(chart.figure(run(), run(dropout=0.4, batch_size=8)))
    assert "mini-batch" not in notes(chart.figure(run(), run(dropout=0.4)))


def test_thinned_updates_are_matched_to_evaluations():
    history = run(steps=2500, width=2, depth=1)
    assert len(history.step) < 2500
    drawn = curves(chart.figure(history, history))
    at = np.isin(history.step, drawn["Patient"].x)
    np.testing.assert_array_equal(history.step[at], drawn["Patient"].x)
    assert len(drawn["Patient"].x) > 5


def test_alt_and_table_say_the_runs_numbers():
    history = run(dropout=0.4)
    text, table = chart.alt(run(), history), chart.table(run(), history)
    part = table[table["network"] == "Treated"]
    masked, whole = (part[f"training loss {which} (nats)"] for which in ("with the mask", "without it"))
    assert f"is {number(masked.iloc[-1])} nats with the mask and {number(whole.iloc[-1])} without it" in text
    assert number(float(np.median(masked / whole))) in text
    assert "no mask" in text


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_both_networks_have_one_range(dropout):
    layout = chart.figure(run(), run(dropout=dropout)).layout
    assert layout.yaxis.range == layout.yaxis2.range
    assert layout.yaxis.title.text == "training loss (nats)"
