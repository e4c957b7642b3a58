"""The curves are the shares of weights below each size, and the number is that below a thousandth."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import Experiment, train
from pages.charts.one_run import weight_sizes as chart
from pages.text.clock import latest
from pages.text.labels import number, percent
from tests.charts.odd_runs import pair

PLAIN = Experiment(n_train=30, depth=2, width=8, steps=100)


@cache
def run(**changes):
    return train(replace(PLAIN, **changes))


def sizes_of(history, k):
    return np.concatenate([np.abs(weights[k]).ravel() for weights in history.weights])


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "of zeros", "stopped early"])
def test_curves_and_numbers_are_counted_from_the_weights_of_the_step(name):
    figure = chart.figure(*pair(name))
    for index, history in zip((0, 2), pair(name), strict=True):
        x = np.asarray(figure.data[index].x)
        for frame in figure.frames:
            sizes = sizes_of(history, latest(history.frame_step, int(frame["name"])))
            drawn = dict(zip(frame["traces"], frame["data"], strict=True))
            expected = 100 * (sizes[:, None] < x).mean(axis=0)
            np.testing.assert_allclose(drawn[index]["y"], expected, atol=1e-9)
            tiny = float((sizes < chart.NOTHING).mean())
            assert drawn[index + 1]["y"] == [pytest.approx(100 * tiny)]
            assert drawn[index + 1]["text"] == [percent(tiny)]


def test_zeros_are_below_every_size():
    patient, _ = pair("of zeros")
    drawn = chart.figure(*pair("of zeros")).frames[0]["data"][0]["y"]
    assert (sizes_of(patient, 0) == 0).all()
    np.testing.assert_array_equal(drawn, 100)


def test_penalties_move_the_curve_to_smaller_sizes():
    without, with_l2 = run(), run(l2=0.1)
    figure = chart.figure(without, with_l2)
    assert np.mean(figure.data[2].y) > np.mean(figure.data[0].y)


def test_large_networks_move_in_fewer_frames(monkeypatch):
    history = run()
    assert len(chart.figure(history, history).frames) > chart.FEWEST_FRAMES
    monkeypatch.setattr(chart, "MOST_WEIGHTS", 1)
    figure = chart.figure(history, history)
    assert len(figure.frames) == chart.FEWEST_FRAMES
    assert figure.steps[-1] == history.frame_step[-1]


def test_alt_and_table_say_the_runs_numbers():
    history = run(l1=0.01)
    text, table = chart.alt(run(), history), chart.table(run(), history)
    sizes = sizes_of(history, -1)
    assert f"the median size of its {len(sizes)} weights is {number(float(np.median(sizes)))}" in text
    assert f"{percent(float((sizes < 1e-3).mean()))} are below 10⁻³" in text
    last = table[(table["network"] == "Treated") & (table["training step (updates)"] == history.frame_step[-1])]
    row = last[np.isclose(last["size |w|"], 1e-3)]
    assert row["weights below it (share)"].item() == pytest.approx((sizes < 1e-3).mean())
