"""The gap is that between the evaluations; of a run that was stopped early the other one shows what came after."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import Experiment, train
from engine.measures import generalization_loss
from pages.charts.one_run import generalization_gap as chart
from pages.charts.style.figure import PATIENT, TREATED
from pages.text.clock import latest
from pages.text.labels import number, percent
from tests.charts.odd_runs import FOUR, pair, panels_height

OVERFITS = Experiment(
    dataset="moons", n_train=20, noise=0.3, label_noise=0.2, depth=2, width=16, learning_rate=1.0, steps=200
)


@cache
def run(**changes):
    return train(replace(OVERFITS, **changes))


def curve(figure, name, panel):
    return next(trace for trace in figure.data if trace.name == name and trace.yaxis == panel)


def names(figure):
    return [trace.name for trace in figure.data]


def notes(figure):
    return " ".join(note.text.replace("<br>", " ") for note in figure.layout.annotations)


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "of regression", "of digits"])
def test_the_curves_are_the_evaluations_and_the_space_between_them_is_filled(name):
    figure = chart.figure(*pair(name))
    for look, history, loss, accuracy in zip(
        (PATIENT, TREATED), pair(name), ("y", "y2"), ("y3", "y4"), strict=True
    ):  # fmt: skip
        panels = {loss: "loss"} | ({accuracy: "accuracy"} if history.confusion is not None else {})
        for panel, measure in panels.items():
            thin, thick = curve(figure, f"{look.name} training", panel), curve(figure, look.name, panel)
            np.testing.assert_array_equal(thin.y, getattr(history, f"train_{measure}"))
            np.testing.assert_array_equal(thick.y, getattr(history, f"validation_{measure}"))
            np.testing.assert_array_equal(thick.x, history.evaluation_step)
            assert thick.fill == "tonexty"
            assert names(figure).index(thin.name) + 1 == names(figure).index(thick.name)
        star = curve(figure, f"{look.name} best", loss)
        assert (star.x[0], star.y[0]) == (history.best_step, np.nanmin(history.validation_loss))


def test_both_networks_have_the_same_ranges_and_titles_with_units():
    layout = chart.figure(*pair("plain")).layout
    assert layout.yaxis.range == layout.yaxis2.range
    assert layout.yaxis3.range == layout.yaxis4.range
    assert layout.xaxis.range == layout.xaxis2.range
    assert (layout.yaxis.title.text, layout.yaxis3.title.text) == ("loss (nats)", "accuracy")
    assert layout.xaxis.title.text == layout.xaxis2.title.text == "step (updates)"
    assert "yaxis3" not in chart.figure(*pair("of regression")).layout.to_plotly_json()


def test_a_run_that_stopped_early_shows_its_patience_and_what_would_have_followed():
    patient, treated = run(), run(patience=5)
    assert treated.status == "stopped_early"
    figure, stop = chart.figure(patient, treated), treated.evaluation_step[-1]
    window = curve(figure, "patience", "y2")
    assert (min(window.x), max(window.x)) == (treated.best_step, stop)
    every = max(1, treated.experiment.steps // 100)
    assert stop - treated.best_step == 5 * every
    for panel, measure in (("y2", "loss"), ("y4", "accuracy")):
        after = curve(figure, "had it gone on", panel)
        later = patient.evaluation_step >= stop
        np.testing.assert_array_equal(after.x, patient.evaluation_step[later])
        np.testing.assert_array_equal(after.y, getattr(patient, f"validation_{measure}")[later])
    # It is the same run: up to the stop the two have the same losses, to the last bit.
    np.testing.assert_array_equal(treated.validation_loss, patient.validation_loss[: len(treated.validation_loss)])
    message = f" to {number(patient.validation_loss[-1])} at step {patient.evaluation_step[-1]}"
    assert message in notes(figure)
    assert message in chart.alt(patient, treated)


def test_a_run_that_differs_in_more_than_patience_says_nothing_of_what_would_have_followed():
    figure = chart.figure(run(), run(patience=5, l2=1e-4))
    assert "patience" in names(figure)
    assert "had it gone on" not in names(figure)
    assert "gone on" not in notes(figure)
    assert "patience" not in names(chart.figure(run(), run(l2=1e-4)))


def test_what_would_have_followed_is_looked_for_among_all_networks():
    figure = chart.figure(run(patience=5), run(l2=1e-4), run(), looks=FOUR[:3])
    assert curve(figure, "had it gone on", "y").line.color == FOUR[2].color
    assert names(figure).count("had it gone on") == 2  # loss and accuracy


@pytest.mark.parametrize("count", [1, 3, 4])
def test_further_networks_stand_below_the_first_two_in_panels_as_high_as_theirs(count):
    runs = (*pair("plain"), *pair("of unequal depth"))[:count]
    sent, two = chart.figure(*runs, looks=FOUR[:count]).to_dict(), chart.figure(*pair("plain")).to_dict()["layout"]
    layout, lowest = sent["layout"], 1.1
    lines = {line["xref"]: (line["y0"], line["y1"]) for line in sent["frames"][0]["layout"]["shapes"]}
    for i, look in enumerate(FOUR[:count]):
        (x, loss), (same, accuracy) = [(one["xaxis"], one["yaxis"]) for one in sent["data"] if one["name"] == look.name]
        assert x == same, "loss and accuracy hang on one axis of steps"
        left, right = layout[x.replace("x", "xaxis")]["domain"]
        (low, top), (bottom, _) = (layout[y.replace("y", "yaxis")]["domain"] for y in (loss, accuracy))
        heading = next(note for note in layout["annotations"] if look.name in note["text"])
        assert (heading["x"], heading["y"]) == pytest.approx(((left + right) / 2, top))
        assert lines[x] == pytest.approx((bottom, top), abs=1e-5)
        assert (top - low) * panels_height(layout) == pytest.approx(0.5 * panels_height(two), abs=20)
        assert layout[loss.replace("y", "yaxis")]["range"] == layout["yaxis"]["range"]
        assert top < lowest or i % 2, "each two below the two before"
        lowest = bottom


@pytest.mark.parametrize("name", ["plain", "stopped early", "of regression"])
def test_alt_says_the_runs_numbers(name):
    text = chart.alt(*pair(name))
    for history in pair(name):
        best = history.validation_loss[latest(history.evaluation_step, history.best_step)]
        assert f"training loss is {number(history.train_loss[-1])}" in text
        assert f"lowest validation loss {number(best)} at step {history.best_step}" in text
        if history.confusion is not None:
            assert f"{percent(history.validation_accuracy[-1])} on validation data" in text


def test_the_table_is_the_history_with_prechelt_s_generalization_loss():
    patient, treated = run(), run(patience=5)
    table = chart.table(patient, treated)
    for look, history in zip((PATIENT, TREATED), (patient, treated), strict=True):
        part = table[table["network"] == look.name]
        np.testing.assert_array_equal(part["validation loss (nats)"], history.validation_loss)
        np.testing.assert_allclose(part["gap (nats)"], history.validation_loss - history.train_loss)
        np.testing.assert_array_equal(part["generalization loss (%)"], generalization_loss(history.validation_loss))
        assert part.loc[part["best"], "training step (updates)"].tolist() == [history.best_step]


def test_the_line_of_the_step_moves_in_both_columns():
    for frame in chart.figure(*pair("plain")).frames:
        shapes = frame["layout"]["shapes"]
        assert {shape["x0"] for shape in shapes} == {int(frame["name"])}
        assert {shape["xref"] for shape in shapes} == {"x", "x2"}
