"""Bias² and variance add up to the mean squared error against the function, exactly."""

import warnings
from dataclasses import replace

import numpy as np
import plotly.io
import pytest

from engine import Experiment, train_many
from engine.cures.outcomes import outcome_of
from pages.charts.sweeps import bias_variance as chart
from pages.charts.sweeps.groups import clean_line, draws_of
from pages.text.labels import number
from tests.charts.made_outcomes import odd
from tests.charts.odd_runs import PAIRS
from tests.engine.made_outcomes import made

MOST_BYTES = 60_000
OWN = Experiment(dataset="sine", width=2, depth=1, steps=10, n_train=20, seed=1)
INPUTS, FUNCTION = clean_line(OWN)


def shifted(shifts, **changes):
    """Predictions that are the function and a shift."""
    grid = np.linspace(-3, 3, 2001, dtype=np.float32)
    line = np.interp(grid, INPUTS, FUNCTION)
    return [
        made(replace(OWN, data_seed=seed, **changes), line_axis=grid, line=(line + shift).astype(np.float32))
        for seed, shift in enumerate(shifts)
    ]


@pytest.fixture(scope="module")
def measured():
    return [outcome_of(history) for history in train_many(draws_of(OWN), max_updates=0, max_frames=3)]


def test_known_shifts():
    found = chart.decomposition(shifted([0.5, 0.5, 0.5]))
    assert found.squared_bias == pytest.approx(0.25, abs=1e-3)
    assert found.variance == pytest.approx(0, abs=1e-9)
    found = chart.decomposition(shifted([-1.0, 1.0]))
    assert found.squared_bias == pytest.approx(0, abs=1e-3)
    assert found.variance == pytest.approx(1, abs=1e-6)


def test_they_add_up_to_the_squared_error(measured):
    some = chart.of_draws(measured, OWN)["data"]
    found = chart.decomposition(some)
    errors = [np.interp(INPUTS, one.line_axis, one.line) - FUNCTION for one in some]
    assert found.squared_bias + found.variance == pytest.approx(np.mean(np.square(errors)), rel=1e-12)


def test_each_panel_has_its_own_draws(measured):
    draws = chart.of_draws(measured, OWN)
    assert {one.experiment.seed for one in draws["data"]} == {1}
    assert [one.experiment.data_seed for one in draws["data"]] == list(range(8))
    assert sorted(one.experiment.seed for one in draws["weights"]) == list(range(8))
    assert {one.experiment.data_seed for one in draws["weights"]} == {1}


def test_the_figure_shows_mean_and_band(measured):
    figure = chart.figure({"Patient": measured, "Treated": measured}, OWN, OWN)
    figure.validate()
    assert len(plotly.io.to_json(figure.to_dict(), validate=False)) < MOST_BYTES
    for kind, axis in (("data", "y"), ("weights", "y2")):
        found = chart.decomposition(chart.of_draws(measured, OWN)[kind])
        line, band = [
            next(one for one in figure._data if one["name"].startswith(start) and one["yaxis"] == axis)
            for start in ("Treated, mean", "Treated ±")
        ]
        np.testing.assert_array_equal(line["y"], found.mean)
        np.testing.assert_array_equal(band["y"][: len(found.inputs)], found.mean + found.deviation)
    assert figure.layout.xaxis2.title.text == "input x (standardised)"
    assert figure.layout.yaxis2.title.text == "output y"


def test_the_sentence_says_the_numbers(measured):
    found = chart.decomposition(chart.of_draws(measured, OWN)["data"])
    for text in (chart.says({"Patient": measured}, OWN), chart.alt({"Patient": measured}, OWN)):
        assert number(found.squared_bias) in text
        assert number(found.variance) in text
    assert "mostly bias" in chart.says({"Patient": shifted([0.5, 0.5])}, OWN)
    assert "mostly variance" in chart.says({"Patient": shifted([-1.0, 1.0])}, OWN)
    assert "about equal" in chart.says({"Patient": shifted([0.0, 2.0])}, OWN)


def test_broken_runs_and_none_at_all():
    lines = shifted([0.0, 1.0, 2.0])
    broken = [replace(lines[0], status="diverged"), *lines[1:]]
    assert chart.decomposition(broken).draws == 2
    everything = {"Patient": [replace(one, status="diverged") for one in lines]}
    assert "no draw" in chart.says(everything, OWN)
    assert chart.alt(everything, OWN) == "No finite prediction."
    chart.figure(everything, OWN).validate()
    assert chart.table(everything, OWN).empty


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair_of_runs_is_drawn(name):
    patient, treated = odd(name)
    networks = {"patient": patient.experiment, "treated": treated.experiment}
    both = {"Patient": [patient], "Treated": [treated]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chart.figure(both, **networks).validate()
        assert "nan" not in chart.alt(both, **networks) + chart.says(both, **networks)


def test_the_table_is_the_decomposition(measured):
    table = chart.table({"Patient": measured}, OWN)
    found = chart.decomposition(chart.of_draws(measured, OWN)["weights"])
    part = table[table["draws of"] == "weights"]
    np.testing.assert_array_equal(part["mean prediction"], found.mean)
    np.testing.assert_array_equal(part["function"], FUNCTION)
