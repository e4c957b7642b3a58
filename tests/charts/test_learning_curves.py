"""The curves are the evaluations, and the axes fit them."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine import Experiment, data_digest, load_dataset, train
from engine.data.baselines import AVERAGE, average_loss
from pages.charts.one_run import learning_curves as chart
from pages.charts.style.axes import LOG_FROM_DECADES
from pages.charts.style.figure import PATIENT, TREATED
from pages.text.clock import latest
from pages.text.labels import number, percent
from tests.charts.odd_runs import FOUR, PAIRS, SMALL, pair


def curve(figure, name, row="y"):
    return next(trace for trace in figure.data if trace.name == name and (trace.yaxis or "y") == row)


def averages(figure):
    """Name -> loss of the lines of the average answer."""
    lines = [trace for trace in figure.data if str(trace.name).startswith(AVERAGE)]
    assert all(line.y[0] == line.y[1] for line in lines)
    return {line.name: line.y[0] for line in lines}


@pytest.mark.parametrize("name", PAIRS)
def test_the_curves_are_the_evaluations(name):
    figure = chart.figure(*pair(name))
    for look, history in zip((PATIENT, TREATED), pair(name), strict=True):
        for suffix, part in ((" training", "train"), ("", "validation")):
            loss = curve(figure, look.name + suffix)
            np.testing.assert_array_equal(loss.x, history.evaluation_step)
            np.testing.assert_array_equal(loss.y, getattr(history, f"{part}_loss"))
            if history.confusion is not None:
                accuracy = curve(figure, look.name + suffix, "y2")
                np.testing.assert_array_equal(accuracy.y, getattr(history, f"{part}_accuracy"))


@pytest.mark.parametrize("name", PAIRS)
def test_the_loss_axis_holds_every_drawn_loss(name):
    figure, histories = chart.figure(*pair(name)), pair(name)
    losses = np.concatenate([loss for history in histories for loss in (history.train_loss, history.validation_loss)])
    finite = losses[np.isfinite(losses)]
    axis = figure.layout.yaxis
    drawn = np.log10(finite[finite > 0]) if axis.type == "log" else finite
    if len(drawn):
        assert axis.range[0] <= drawn.min()
        assert axis.range[1] >= drawn.max()
        assert (axis.type == "log") == (np.ptp(np.log10(finite[finite > 0])) > LOG_FROM_DECADES)


def test_the_average_answer_is_a_line_on_the_axis_that_follows_from_the_data():
    for name, expected in (("plain", np.log(2)), ("of digits", np.log(10))):
        figure = chart.figure(*pair(name))
        ((legend, value),) = averages(figure).items()
        assert legend == AVERAGE
        assert value == average_loss(pair(name)[0].experiment)
        assert value == pytest.approx(expected, rel=0.1)  # the classes are about equally frequent
        drawn = np.log10(value) if figure.layout.yaxis.type == "log" else value
        assert figure.layout.yaxis.range[0] <= drawn <= figure.layout.yaxis.range[1]
        assert f"Always the average: training loss {number(value)}." in chart.alt(*pair(name))
    variance = load_dataset(pair("of regression")[0].experiment).train_targets.var()
    assert list(averages(chart.figure(*pair("of regression"))).values()) == pytest.approx([variance])


def test_networks_with_unlike_data_have_an_average_each_and_handed_in_data_none():
    patient, (_, treated) = train(Experiment(dataset="sine", **SMALL)), pair("of regression")
    fewer = train(Experiment(dataset="sine", **SMALL | {"n_train": 6}))
    assert len(averages(chart.figure(patient, treated))) == 1
    expected = {
        f"{AVERAGE} (patient)": average_loss(patient.experiment),
        f"{AVERAGE} (treated)": average_loss(fewer.experiment),
    }
    assert averages(chart.figure(patient, fewer)) == expected
    inputs, targets = np.random.default_rng(0).normal(size=(2, 20, 1))
    own = train(
        Experiment(dataset="custom", n_train=8, steps=1, data_digest=data_digest(inputs, targets)),
        data=(inputs, targets),
    )
    assert math.isnan(average_loss(own.experiment))
    assert averages(chart.figure(own, own)) == {}
    assert "average" not in chart.alt(own, own)


def test_titles_name_units_and_regression_has_no_accuracy():
    classes, regression = chart.figure(*pair("plain")), chart.figure(*pair("of regression"))
    assert classes.layout.yaxis.title.text == "loss (nats)"
    assert classes.layout.yaxis2.title.text == "accuracy"
    assert regression.layout.yaxis.title.text == "loss (squared error)"
    assert not any(trace.yaxis == "y2" for trace in regression.data)
    assert classes.layout.xaxis.title.text == "training step (updates)"


def test_the_star_stands_at_the_lowest_validation_loss():
    figure, (patient, _) = chart.figure(*pair("stopped early")), pair("stopped early")
    star = curve(figure, "Patient best")
    assert star.x[0] == patient.best_step
    assert star.y[0] == patient.validation_loss.min()


def test_the_line_of_the_step_moves_over_both_panels():
    figure = chart.figure(*pair("plain"))
    for frame in figure.frames:
        for shape in frame["layout"]["shapes"]:
            assert shape["x0"] == shape["x1"] == int(frame["name"])
            assert (shape["yref"], shape["y0"], shape["y1"]) == ("paper", 0, 1)


def test_losses_of_unlike_unit_are_said_to_be_so():
    patient, (_, treated) = train(Experiment(loss="mse", **SMALL)), pair("plain")
    figure = chart.figure(patient, treated)
    assert figure.layout.yaxis.title.text == "loss"
    assert "squared error, nats" in figure.layout.annotations[-1].text.replace("<br>", " ")
    columns = chart.table(patient, treated).columns
    assert {"training loss (nats)", "training loss (squared error)"} <= set(columns)


def test_a_loss_of_zero_is_said_to_be_missing_on_a_log_axis():
    (_, treated), losses = pair("plain"), pair("plain")[1].train_loss.copy()
    losses[-2:] = 1e-9, 0
    history = replace(treated, train_loss=losses)
    notes = chart.figure(history, history).layout.annotations[-1].text.replace("<br>", " ")
    assert "loss of 0" in notes


@pytest.mark.parametrize("name", ["plain", "of regression", "diverging", "stopped early"])
def test_alt_says_the_runs_numbers(name):
    text = chart.alt(*pair(name))
    for history in pair(name):
        best = history.validation_loss[latest(history.evaluation_step, history.best_step)]
        assert f"from {number(history.train_loss[0])} to {number(history.train_loss[-1])}" in text
        assert f"lowest {number(best)} at step {history.best_step}" in text
        if not math.isnan(history.validation_accuracy[-1]):
            assert f"{percent(history.validation_accuracy[-1])} on validation data" in text


@pytest.mark.parametrize("name", ["plain", "of regression", "stopped early"])
def test_the_table_is_the_history(name):
    table = chart.table(*pair(name))
    for look, history in zip((PATIENT, TREATED), pair(name), strict=True):
        part = table[table["network"] == look.name]
        unit = "squared error" if name == "of regression" else "nats"
        expected = pd.DataFrame(
            {
                "training step (updates)": history.evaluation_step,
                f"training loss ({unit})": history.train_loss,
                f"validation loss ({unit})": history.validation_loss,
                "training accuracy (share)": history.train_accuracy,
                "validation accuracy (share)": history.validation_accuracy,
            }
        )
        pd.testing.assert_frame_equal(part[expected.columns].reset_index(drop=True), expected)
        assert part.loc[part["best"], "training step (updates)"].tolist() == [history.best_step]


@pytest.mark.parametrize("name", ["plain", "equal", "diverging", "of regression"])
def test_lines_are_named_at_their_ends_and_names_stay_apart(name):
    figure = chart.figure(*pair(name))
    labels = [note for note in figure.layout.annotations if note.x == 1]
    assert {"Patient", "Treated", "average"} <= {note.text.rpartition(" ")[2] for note in labels}
    heights = sorted(note.y for note in labels)
    axis = figure.layout.yaxis
    assert axis.domain is None or axis.domain[0] <= heights[0] <= heights[-1] <= axis.domain[1] + 1e-9
    assert min(np.diff(heights)) * chart.WHOLE_HEIGHT > 16
    assert not figure.layout.showlegend


def test_without_a_finite_loss_a_legend_names_the_lines():
    assert chart.figure(*pair("both diverging at once")).layout.showlegend


def test_names_too_long_for_the_lines_ends_stand_in_a_legend():
    looks = [replace(look, name=f"width {i}, depth {i}") for i, look in enumerate(FOUR)]
    figure = chart.figure(*[pair("plain")[0]] * 4, looks=looks)
    assert figure.layout.showlegend
    assert sum(trace.showlegend is not False for trace in figure.data) == len(looks)
    assert not any("width" in note.text for note in figure.layout.annotations)
    assert not chart.figure(*pair("plain")).layout.showlegend
