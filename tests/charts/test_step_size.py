"""The curves are the lengths of the steps taken, and no step is longer than what clipping allows."""

from dataclasses import replace

import numpy as np
import pytest

from engine import initialize
from pages.charts.one_run import step_size as chart
from pages.text.labels import number
from tests.charts.clipped_runs import BY_NORM, BY_VALUE, WILD, clipped_pair, run
from tests.charts.odd_runs import pair


def curve(figure, who):
    return next(trace for trace in figure.data if trace.name.startswith(f"{who}:"))


def bounds(figure):
    return {trace.name: trace.y[0] for trace in figure.data if "longest step" in trace.name}


def notes(figure):
    return figure.layout.annotations[-1].text.replace("<br>", " ")


def test_the_curves_are_the_steps_taken():
    figure = chart.figure(*clipped_pair(WILD, BY_NORM))
    for who, history in zip(("Patient", "Treated"), clipped_pair(WILD, BY_NORM), strict=True):
        np.testing.assert_array_equal(curve(figure, who).x, history.step)
        np.testing.assert_array_equal(curve(figure, who).y, history.total_update_norm)
    assert curve(figure, "Patient").marker.symbol != curve(figure, "Treated").marker.symbol
    layout = figure.layout
    assert (layout.yaxis.type, layout.yaxis.title.text) == ("log", "length of a step, ‖Δθ‖ (log)")
    assert layout.xaxis.title.text == "training step (updates)"


@pytest.mark.parametrize("experiment", [BY_NORM, BY_VALUE], ids=["norm", "value"])
def test_no_step_of_gradient_descent_is_longer_than_the_bound(experiment):
    longest = experiment.clip_threshold
    if experiment.clip == "value":
        longest *= initialize(experiment).flat.shape[1] ** 0.5
    figure = chart.figure(*clipped_pair(WILD, experiment))
    assert bounds(figure) == {"Treated, longest step": pytest.approx(experiment.learning_rate * longest)}
    assert max(curve(figure, "Treated").y) <= experiment.learning_rate * longest * (1 + 1e-12)
    assert f"allows, {number(experiment.learning_rate * longest)}." in notes(figure)


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov", "rmsprop", "adam"])
def test_other_optimizers_have_no_such_bound(optimizer):
    assert not bounds(chart.figure(run(WILD), run(replace(BY_NORM, optimizer=optimizer))))


def test_a_step_off_the_axis_and_steps_of_zero_are_said():
    patient, treated = clipped_pair(WILD, BY_NORM)
    lengths = patient.total_update_norm.copy()
    lengths[2], lengths[20:] = 1e120, 0
    figure = chart.figure(replace(patient, total_update_norm=lengths), treated)
    assert figure.layout.yaxis.range[1] < 12
    assert "Patient: off the axis, up to" in notes(figure)
    assert "steps of exactly 0, not drawn, at 50\N{NO-BREAK SPACE}% of updates" in notes(figure)


def test_alt_and_table_are_the_history():
    text, table = chart.alt(*clipped_pair(WILD, BY_NORM)), chart.table(*clipped_pair(WILD, BY_NORM))
    for who, history in zip(("Patient", "Treated"), clipped_pair(WILD, BY_NORM), strict=True):
        lengths = history.total_update_norm
        assert f"is {number(float(np.median(lengths)))} in the median" in text
        assert f"at most {number(lengths.max())}, at step {history.step[lengths.argmax()]}" in text
        np.testing.assert_array_equal(table[table["network"] == who]["‖Δθ‖"], lengths)


def test_networks_that_take_no_step_say_so():
    assert chart.alt(*pair("diverging at once")).startswith("Patient: it takes no step; not finite at step 0")
