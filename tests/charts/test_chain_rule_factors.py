"""The factors are the measured ones, and their products are the error signal's own decline."""

from dataclasses import replace

import numpy as np
import pytest

from pages.charts.one_run import chain_rule_factors as chart
from pages.text.clock import latest
from pages.text.labels import number
from tests.charts.odd_runs import PAIRS, pair


def drawn(figure, frame, row):
    """y of patient and treated in a panel of a frame."""
    indices = [i for i, trace in enumerate(figure.data) if trace.mode == "lines+markers" and trace.yaxis == row]
    return [np.asarray(frame["data"][frame["traces"].index(index)]["y"]) for index in indices]


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "stopped early", "of thinned rows", "one step"])
def test_factors_are_the_measured_ones_at_every_step(name):
    figure = chart.figure(*pair(name))
    for row, field in (("y", "slope_factor"), ("y2", "weight_factor")):
        for frame in figure.frames:
            for values, history in zip(drawn(figure, frame, row), pair(name), strict=True):
                measured = getattr(history, field)[latest(history.step, int(frame["name"])), :-1]
                np.testing.assert_allclose(values, np.where(measured == 0, np.nan, measured), rtol=1e-6)


@pytest.mark.parametrize("name", ["plain", "of digits", "of regression", "normalised, bridged, dropped out"])
def test_products_multiply_the_factors(name):
    figure = chart.figure(*pair(name))
    for frame in figure.frames:
        slopes, weights, layers, products = (drawn(figure, frame, row) for row in chart.ROWS)
        for slope, weight, layer, product in zip(slopes, weights, layers, products, strict=True):
            np.testing.assert_allclose(layer, slope * weight, rtol=1e-6)
            np.testing.assert_allclose(product, np.cumprod((slope * weight)[::-1])[::-1], rtol=1e-5)


def test_the_running_product_holds_r():
    figure = chart.figure(*pair("plain"))
    for product, history in zip(drawn(figure, figure.frames[0], "y4"), pair("plain"), strict=True):
        assert product[0] / product[-1] == pytest.approx(history.gradient_ratio[0])


@pytest.mark.parametrize("name", PAIRS)
def test_factors_share_one_log_scale_with_a_line_at_1(name):
    figure = chart.figure(*pair(name))
    axes = [figure.layout[f"yaxis{row[1:]}"] for row in chart.ROWS]
    assert all(axis.type == "log" for axis in axes)
    assert axes[0].range == axes[1].range == axes[2].range
    assert [axis.title.text for axis in axes] == ["slope", "weights", "both", "product"]
    for row, axis in zip(chart.ROWS, axes, strict=True):
        assert axis.range[0] < 0 < axis.range[1]
        assert any(line.yref == row and line.y0 == line.y1 == 1 for line in figure.layout.shapes)
        for frame in figure.frames:
            for values in drawn(figure, frame, row):
                logs = np.log10(values[np.isfinite(values)])
                assert ((axis.range[0] < logs) & (logs < axis.range[1])).all()
    assert chart.ONE in [trace.name for trace in figure.data]
    assert figure.layout.xaxis.title.text == "hidden layer (1 = nearest the input)"
    assert "out" not in figure.layout.xaxis.ticktext


def test_a_dead_signal_is_marked_as_exactly_0_and_what_is_not_defined_is_left_out():
    patient, _ = pair("of zeros")
    figure = chart.figure(*pair("of zeros"))
    marks = {trace.yaxis: np.isfinite(trace.y) for trace in figure.data if trace.mode == "markers"}
    assert set(marks) == {"y2", "y3", "y4"}  # slopes are 0/0
    np.testing.assert_array_equal(marks["y2"], patient.weight_factor[-1, :-1] == 0)
    assert marks["y4"].all()
    for row in chart.ROWS:
        assert np.isnan(drawn(figure, figure.frames[-1], row)[0]).all()
    assert "exactly 0" in figure.layout.annotations[-1].text.replace("<br>", " ")


def test_what_else_is_in_the_factors_is_said():
    note = chart.figure(*pair("normalised, bridged, dropped out")).layout.annotations[-1].text.replace("<br>", " ")
    for sentence in chart.BESIDES.values():
        assert sentence in note
    texts = [note.text for note in chart.figure(*pair("plain")).layout.annotations]
    assert texts[:-1] == list(chart.HEADINGS)
    assert texts[-1].replace("<br>", " ") == chart.KEY


def test_what_scaled_residual_connections_are_counted_with():
    patient, treated = pair("plain")
    treated = replace(treated, experiment=replace(treated.experiment, residual="scaled"))
    note = chart.figure(patient, treated).layout.annotations[-1].text.replace("<br>", " ")
    assert chart.BESIDES["residual"] in note
    assert chart.SCALED in note


def test_a_sigmoid_never_lets_more_than_a_quarter_through():
    figure = chart.figure(*pair("both deep"))
    for frame in figure.frames:
        assert drawn(figure, frame, "y")[0].max() <= 0.25


def test_the_text_has_the_factors_of_both_ends():
    text = chart.alt(*pair("plain"))
    for history in pair("plain"):
        for row in (0, -1):
            slope = history.slope_factor[row, :-1]
            assert (
                f"at step {history.step[row]} the slope factors are {number(slope.min())} to {number(slope.max())}"
                in text
            )
            assert f"multiply to {number(history.delta_rms[row, 0] / history.delta_rms[row, -1])}" in text
    assert chart.alt(*pair("diverging at once")).startswith("Patient: not finite at step 0")


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "stopped early", "diverging at once"])
def test_the_table_is_the_history(name):
    table = chart.table(*pair(name))
    for who, history in zip(("Patient", "Treated"), pair(name), strict=True):
        mine = table[table["network"] == who]
        depth = history.experiment.depth
        rows = np.searchsorted(history.step, mine["step (updates)"].unique())
        np.testing.assert_array_equal(mine["hidden layer"], np.tile(np.arange(1, depth + 1), len(rows)))
        np.testing.assert_array_equal(mine["slope factor"], history.slope_factor[rows, :-1].ravel())
        np.testing.assert_array_equal(mine["weight factor"], history.weight_factor[rows, :-1].ravel())
        np.testing.assert_allclose(
            mine["slope × weight factor"], (history.slope_factor * history.weight_factor)[rows, :-1].ravel(), rtol=1e-9
        )
        running = (history.delta_rms[:, :-1] / history.delta_rms[:, -1:])[rows].ravel()
        np.testing.assert_array_equal(mine["product from the output back"], running)
