"""The left panels show the best step, the right ones the last; training and validation examples are told apart."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from engine import Experiment, load_dataset, train
from pages.charts.one_run import best_and_last as chart
from pages.charts.style import panels
from pages.charts.style.figure import PATIENT, TREATED
from pages.text.clock import latest
from pages.text.labels import number, percent
from tests.charts.odd_runs import FOUR, pair, panels_height

OVERFITS = Experiment(
    dataset="moons", n_train=20, noise=0.3, label_noise=0.2, depth=2, width=16, learning_rate=1.0, steps=200
)
SIDES = ("x", "x2"), ("x3", "x4")  # patient above, treated below


@cache
def run(**changes):
    return train(replace(OVERFITS, **changes))


def moments(history):
    return latest(history.frame_step, history.best_step), len(history.frame_step) - 1


def in_panel(figure, place, kind):
    return [trace for trace in figure.data if trace.type == kind and (trace.xaxis or "x") == place]


def test_surfaces_are_those_of_the_best_and_of_the_last_step():
    histories = run(), run(l2=0.01)
    figure = chart.figure(*histories)
    assert not figure.frames
    for history, places in zip(histories, SIDES, strict=True):
        for place, k in zip(places, moments(history), strict=True):
            (surface,) = in_panel(figure, place, "contour")
            assert np.abs(np.asarray(surface.z) - 100 * history.predictions[k, :, :, 0]).max() < 1.001


def test_examples_of_both_sets_are_drawn_and_told_apart_beyond_colour():
    history = run()
    figure, dataset = chart.figure(history, history), load_dataset(history.experiment)
    for place in ("x", "x2", "x3", "x4"):
        points = in_panel(figure, place, "scatter")
        training = [trace for trace in points if "training" in trace.hovertemplate]
        validation = [trace for trace in points if "validation" in trace.hovertemplate]
        assert sum(len(trace.x) for trace in training) == len(dataset.train_inputs)
        assert sum(len(trace.x) for trace in validation) == panels.EXAMPLES["validation"].most
        assert {trace.marker.size for trace in training}.isdisjoint({trace.marker.size for trace in validation})
        assert points.index(training[0]) > points.index(validation[-1]), "the training set lies on top"
        for k, trace in enumerate(validation):
            n = panels.EXAMPLES["validation"].most
            of_class = dataset.validation_targets[:n].ravel() == k
            np.testing.assert_array_equal(trace.x, dataset.validation_inputs[:n][of_class, 0])


def test_a_fit_has_both_lines_and_both_sets():
    histories = pair("of regression")
    figure = chart.figure(*histories)
    for look, history, places in zip((PATIENT, TREATED), histories, SIDES, strict=True):
        for place, k in zip(places, moments(history), strict=True):
            traces = {trace.name: trace for trace in in_panel(figure, place, "scatter")}
            np.testing.assert_array_equal(traces[f"{look.name}’s output"].y, history.predictions[k, :, 0])
            assert {"training examples", "validation examples", "noise-free curve"} <= set(traces)
    shown = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert sorted(shown) == ["noise-free curve", "training examples", "validation examples"]


def test_a_confusion_matrix_is_that_of_its_moment():
    histories = pair("of digits")
    figure = chart.figure(*histories)
    for history, places in zip(histories, SIDES, strict=True):
        for place, k in zip(places, moments(history), strict=True):
            (matrix,) = in_panel(figure, place, "heatmap")
            np.testing.assert_array_equal(matrix.z, history.confusion[k])


@pytest.mark.parametrize("count", [1, 3, 4])
def test_further_networks_have_further_rows_as_high_as_the_first_two(count):
    layout = chart.figure(*[run()] * count, looks=FOUR[:count]).to_dict()["layout"]
    rows = [layout[f"yaxis{2 * i + 1 if i else ''}"]["domain"] for i in range(count)]
    two = chart.figure(run(), run()).to_dict()["layout"]
    for low, high in rows:
        assert (high - low) * panels_height(layout) == pytest.approx(chart.ROW * panels_height(two), abs=1)
    assert (rows[0][1], rows[-1][0]) == (1, 0)
    assert all(upper[0] > lower[1] for upper, lower in pairwise(rows))
    tops = [note["y"] for note in layout["annotations"] if "best<br>" in note["text"]]
    assert tops == [high for _, high in rows]


def test_headings_say_moment_step_and_loss():
    history = run()
    texts = [note.text for note in chart.figure(history, history).layout.annotations]
    for k, when in zip(moments(history), ("best", "end"), strict=True):
        step = history.frame_step[k]
        loss = history.validation_loss[latest(history.evaluation_step, step)]
        for look in ("Patient", "Treated"):
            assert any(look in text and f"{when}<br>step {step}, loss {number(loss)}" in text for text in texts)


@pytest.mark.parametrize("name", ["plain", "of digits", "of regression", "stopped early"])
def test_alt_and_table_say_the_runs_numbers(name):
    text, table = chart.alt(*pair(name)), chart.table(*pair(name))
    for look, history in zip((PATIENT, TREATED), pair(name), strict=True):
        part = table[table["network"] == look.name]
        steps = [int(history.frame_step[k]) for k in moments(history)]
        assert part["training step (updates)"].tolist() == steps
        np.testing.assert_array_equal(part["validation accuracy (share)"].iloc[-1], history.validation_accuracy[-1])
        assert f"at step {steps[-1]} validation loss {number(history.validation_loss[-1])}" in text


def test_alt_says_on_how_much_of_the_plane_the_answer_changed():
    history = run()
    best, last = (history.predictions[k, ..., 0] > 0.5 for k in moments(history))
    share = percent(float((best != last).mean()))
    assert f"with another answer on {share} of the inputs shown" in chart.alt(history, history)
