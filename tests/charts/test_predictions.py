"""Surfaces, fits and confusion matrices are the recorded outputs; no place is on the wrong side of the boundary."""

import warnings
from functools import cache

import numpy as np
import plotly.io
import pytest

from engine import Experiment, data_digest, load_dataset, train
from pages.charts.one_run import predictions as chart
from pages.charts.style import class_colors, panels
from pages.charts.style.figure import LOOKS, PATIENT, TREATED
from pages.charts.style.validation_answers import validation_answers
from pages.text.clock import latest, timeline_steps
from pages.text.labels import input_unit, number, percent
from pages.text.own_data import OwnData, at_hand
from tests.charts.odd_runs import PAIRS, RELU, SIGMOID, SMALL, pair

MOST_BYTES = 135_000  # of 600,000 for all charts of a page


@cache
def run(**settings):
    return train(Experiment(**SMALL | RELU | settings))


@cache
def own(n_in, kind):
    """A run on data that were handed in: kind "numbers" or a number of classes."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(80, n_in))
    targets = inputs[:, 0] ** 2 if kind == "numbers" else np.arange(80) % kind
    settings = {"dataset": "custom", "data_digest": data_digest(inputs, targets), "steps": 5}
    return train(Experiment(**SMALL | RELU | settings), data=(inputs, targets))


def frame_at(figure, step):
    return [frame for frame in figure.frames if int(frame["name"]) <= step][-1]


def assert_drawn(patient, treated):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = chart.figure(patient, treated)
        text, table = chart.alt(patient, treated), chart.table(patient, treated)
    figure.validate()
    steps = timeline_steps(patient, treated)
    assert set(figure.steps) <= set(steps)
    assert (figure.steps[0], figure.steps[-1]) == (steps[0], steps[-1])
    assert len(figure.frames) <= chart.MOST_FRAMES
    assert len(plotly.io.to_json(figure.to_dict(), validate=False)) < MOST_BYTES
    assert "nan" not in text
    return figure, table


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair_of_runs_is_drawn(name):
    _, table = assert_drawn(*pair(name))
    assert set(table["network"]) == {"Patient", "Treated"}


@pytest.mark.parametrize("n_in", [1, 2, 5])
@pytest.mark.parametrize("kind", ["numbers", 2, 3, 15])
def test_own_data_are_drawn_without_the_examples_which_no_history_holds(n_in, kind):
    figure, _ = assert_drawn(own(n_in, kind), own(n_in, kind))
    assert all(
        trace.name in (None, "Patient", "Treated", "Patient’s output", "Treated’s output") for trace in figure.data
    )


@pytest.mark.parametrize("dataset", ["sine", "blobs", "digits"])
def test_networks_with_different_data_have_axes_and_colours_of_their_own(dataset):
    figure, _ = assert_drawn(run(dataset=dataset), run())
    assert any("different data" in note.text.replace("<br>", " ") for note in figure.layout.annotations)
    assert (figure.layout.yaxis2.side == "right") == (dataset != "blobs")


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "stopped early", "both of zeros"])
def test_a_surface_is_the_probability_and_its_line_the_boundary(name):
    figure = chart.figure(*pair(name))
    surfaces = [i for i, trace in enumerate(figure.data) if trace.type == "contour"]
    for index, history in zip(surfaces, pair(name), strict=True):
        surface, (across, up) = figure.data[index], history.prediction_axes
        assert (surface.x0, surface.y0) == (across[0], up[0])
        np.testing.assert_allclose(surface.x0 + 31 * surface.dx, across[-1], rtol=1e-5)
        boundary = surface.contours.start
        for frame in figure.frames:
            drawn = frame["data"][frame["traces"].index(index)]["z"]
            probability = history.predictions[latest(history.frame_step, int(frame["name"])), :, :, 0]
            assert drawn.dtype == np.uint8
            assert np.abs(drawn - 100 * probability).max() < 1.001
            np.testing.assert_array_equal(drawn > boundary, probability > 0.5)
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax) == (0, 100)
    assert list(axis.colorbar.tickvals) == class_colors.CLASS_TICKS


def test_three_classes_are_drawn_as_winner_and_certainty():
    history = run(dataset="blobs")
    figure = chart.figure(history, history)
    levels = class_colors.LEVELS // 3
    drawn, probabilities = figure.data[0].z.astype(int), history.predictions[-1]
    np.testing.assert_array_equal(drawn // levels, probabilities.argmax(axis=-1))
    certainty = (probabilities.max(axis=-1) - 1 / 3) / (2 / 3)
    assert np.abs(drawn % levels / (levels - 1) - certainty).max() < 0.51 / (levels - 1) + 1e-6
    assert [text.split()[-1] for text in figure.layout.coloraxis.colorbar.ticktext] == ["top", "left", "right"]


def test_outputs_that_are_not_finite_leave_gaps_that_are_explained():
    figure = chart.figure(*pair("diverging at once"))
    assert [list(row) for row in figure.data[0].z] == class_colors.EMPTY
    assert any("not finite" in note.text for note in figure.layout.annotations)


def test_training_examples_tell_classes_apart_by_colour_and_symbol():
    history = run()
    figure, dataset = chart.figure(history, history), load_dataset(history.experiment)
    points = [trace for trace in figure.data if trace.type == "scatter" and trace.xaxis == "x"]
    assert len({trace.marker.color for trace in points}) == len({trace.marker.symbol for trace in points}) == 2
    for k, trace in enumerate(points):
        np.testing.assert_array_equal(trace.x, dataset.train_inputs[dataset.train_targets.ravel() == k, 0])
        assert trace.name == dataset.class_names[k]


def test_of_many_examples_some_are_drawn_and_the_figure_says_so():
    history = run(n_train=1000, steps=3)
    figure = chart.figure(history, history)
    drawn = sum(len(trace.x) for trace in figure.data if trace.type == "scatter" and trace.xaxis == "x")
    assert drawn == panels.MOST_POINTS
    assert any("200 of 1,000" in note.text for note in figure.layout.annotations)


def test_a_fit_is_the_output_line_over_examples_and_noise_free_curve():
    figure, histories = chart.figure(*pair("of regression")), pair("of regression")
    for look, history in zip((PATIENT, TREATED), histories, strict=True):
        index = next(i for i, trace in enumerate(figure.data) if trace.name.startswith(look.name))
        np.testing.assert_array_equal(figure.data[index].x, history.prediction_axes[0])
        for frame in figure.frames:
            drawn = frame["data"][frame["traces"].index(index)]["y"]
            np.testing.assert_array_equal(
                drawn, history.predictions[latest(history.frame_step, int(frame["name"])), :, 0]
            )
    truth = next(trace for trace in figure.data if trace.name == "noise-free curve")
    x = np.asarray(truth.x) * 2 * np.pi / np.sqrt(3)  # back from standardised inputs
    np.testing.assert_allclose(truth.y, np.sin(x), atol=1e-12)
    np.testing.assert_allclose(x[[0, -1]], [-2 * np.pi, 2 * np.pi])
    examples = next(trace for trace in figure.data if trace.name == "training examples")
    np.testing.assert_array_equal(examples.y, load_dataset(histories[0].experiment).train_targets[:, 0])
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range


def test_an_exploded_fit_does_not_flatten_the_other_one():
    figure = chart.figure(*pair("diverging"))
    low, high = figure.layout.yaxis.range
    assert high - low < 10


@pytest.mark.parametrize("dataset", ["digits", "breast_cancer"])
def test_a_confusion_matrix_has_the_counts_with_true_classes_downwards(dataset):
    history = run(dataset=dataset)
    figure = chart.figure(history, history)
    matrix, layout = figure.data[0], figure.layout
    np.testing.assert_array_equal(matrix.z, history.confusion[-1])
    assert matrix.texttemplate == "%{z}"
    assert layout.yaxis.range[0] > layout.yaxis.range[1]
    assert (layout.yaxis.title.text, layout.xaxis.title.text) == ("true class", "predicted class")
    assert tuple(layout.xaxis.ticktext) == load_dataset(history.experiment).class_names
    for frame in figure.frames:
        row = latest(history.frame_step, int(frame["name"]))
        np.testing.assert_array_equal(frame["data"][0]["z"], history.confusion[row])


def test_headings_name_the_networks():
    patient, treated = chart.figure(*pair("plain")).layout.annotations[:2]
    assert "Patient" in patient.text
    assert "sigmoid, Xavier normal" in patient.text
    assert "Treated" in treated.text
    assert "ReLU, He normal" in treated.text


def test_alt_says_the_runs_numbers():
    _, treated = pair("plain")
    surface = chart.alt(*pair("plain"))
    last = treated.predictions[-1]
    assert f"between {number(float(last.min()))} and {number(float(last.max()))}" in surface
    assert f"above one half on {percent(float((last > 0.5).mean()))} of the inputs shown" in surface
    assert f"correct for {percent(treated.validation_accuracy[-1])}" in surface
    digits = run(dataset="digits")
    right = np.trace(digits.confusion[-1])
    assert f"correct for {right} of 359 validation examples" in chart.alt(digits, digits)


def test_the_table_has_start_best_and_end_in_full_precision():
    patient, treated = pair("stopped early")
    table = chart.table(patient, treated)
    for look, history in zip((PATIENT, TREATED), (patient, treated), strict=True):
        part = table[table["network"] == look.name]
        steps = sorted({0, history.best_step, int(history.frame_step[-1])})
        assert sorted(set(part["training step (updates)"])) == steps
        last = part[part["training step (updates)"] == steps[-1]]
        np.testing.assert_array_equal(last["probability of lower moon"], history.predictions[-1].ravel())
        across, up = np.meshgrid(*history.prediction_axes)
        np.testing.assert_array_equal(last["x₁ (standardised)"], across.ravel())
        np.testing.assert_array_equal(last["x₂ (standardised)"], up.ravel())


def test_the_table_of_a_confusion_matrix_counts_every_validation_example():
    history = train(Experiment(**SMALL | SIGMOID | {"dataset": "digits"}))
    table = chart.table(history, history)
    last = table[(table["network"] == "Treated") & (table["training step (updates)"] == history.frame_step[-1])]
    assert last["validation examples (count)"].sum() == 359
    entry = last[(last["true class"] == "3") & (last["predicted class"] == "8")]
    assert entry["validation examples (count)"].item() == history.confusion[-1, 3, 8]


@pytest.mark.parametrize("name", ["plain", "of digits"])
def test_a_dark_page_has_a_scale_of_its_own_that_is_dark_where_the_pale_one_is_pale(name):
    layout = chart.figure(*pair(name)).to_dict()["layout"]
    pale, dark = layout["coloraxis"]["colorscale"], layout["meta"]["dark_scales"]["coloraxis"]
    assert [place for place, _ in pale] == [place for place, _ in dark]
    for (_, color), (_, instead) in zip(pale, dark, strict=True):
        if lightness(color) > 0.8:
            assert lightness(instead) < 0.2
    assert "dark_scale" not in layout["coloraxis"]


def lightness(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return (max(parts) + min(parts)) / 2


def test_numbers_need_no_other_scale_on_a_dark_page():
    assert "dark_scales" not in chart.figure(*pair("of regression")).to_dict()["layout"].get("meta", {})


@pytest.mark.parametrize(
    "changes", [{"inputs": "raw"}, {"input_scale": 1e3, "input_shift": 5.0, "target_scale": 1e6, "target_shift": 9.0}]
)
def test_a_fit_is_drawn_in_the_units_of_training(changes):
    standard, history = run(dataset="sine"), run(dataset="sine", **changes)
    figure, _ = assert_drawn(standard, history)
    dataset, panel = load_dataset(history.experiment), {"xaxis": "x2", "yaxis": "y2"}
    drawn = {trace.name: trace for trace in figure.data if trace.xaxis == panel["xaxis"]}
    examples, truth = drawn["training examples"], drawn["noise-free curve"]
    np.testing.assert_array_equal(examples.x, dataset.train_inputs[:, 0])
    np.testing.assert_array_equal(examples.y, dataset.train_targets[:, 0])
    (zero,), (one,) = dataset.units
    x = (np.asarray(truth.x) - zero) / one * 2 * np.pi / np.sqrt(3)
    expected = history.experiment.target_scale * np.sin(x) + history.experiment.target_shift
    np.testing.assert_allclose(truth.y, expected, rtol=1e-9, atol=1e-6)
    low, high = figure.layout.xaxis2.range
    assert low <= examples.x.min() < examples.x.max() <= high
    low, high = figure.layout.yaxis2.range
    assert low <= examples.y.min() < examples.y.max() <= high < 10 * examples.y.max()
    assert figure.layout.xaxis.title.text == "x (standardised)"
    assert figure.layout.xaxis2.title.text == f"x ({input_unit(history.experiment)})"
    assert figure.layout.xaxis2.tickvals is None


def test_an_output_that_gives_no_probabilities_is_not_called_one():
    history = run(output="tanh", loss="huber")
    figure = chart.figure(history, history)
    key = figure.layout.coloraxis.colorbar.title.text
    assert "output" in key
    assert "probability" not in key + chart.alt(history, history) + " ".join(chart.table(history, history).columns)
    assert "probability" in chart.figure(run(), run()).layout.coloraxis.colorbar.title.text


@pytest.mark.parametrize("settings", [{}, {"normalization": "batch", "target_scale": 0.01, "target_shift": -3.0}])
def test_numbers_from_many_inputs_are_drawn_against_the_true_ones(settings):
    inputs = np.random.default_rng(0).normal(size=(80, 4))
    data = OwnData(inputs, 300 + 50 * inputs[:, 0] ** 2, ("a", "b", "c", "d"), "price")
    custom = {"dataset": "custom", "data_digest": data.digest, "n_train": 40}
    e = Experiment(**SMALL | RELU | {"learning_rate": 1e-5, "steps": 5} | settings | custom)
    history = train(e, data=data.arrays)
    frames = [0, len(history.frame_step) - 1]
    with at_hand(data):
        figure = chart.figure(history, looks=LOOKS[:1])
        figure.validate()
        assert "price" in str(figure.layout)
        true, answers = validation_answers(history, frames)
        assert len(chart.table(history, looks=LOOKS[:1])) >= 2 * len(true)
        assert "typical error" in chart.alt(history, looks=LOOKS[:1])
    losses = (((answers - true) * e.target_scale) ** 2).mean(axis=1)
    expected = history.validation_loss[np.searchsorted(history.evaluation_step, history.frame_step[frames])]
    np.testing.assert_allclose(losses, expected, rtol=1e-10)
