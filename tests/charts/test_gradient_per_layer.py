"""What is drawn is what was measured, and the line of theory is the theory's."""

import numpy as np
import pytest

from engine.theory import gradient_flow
from pages.charts.one_run import gradient_per_layer as chart
from pages.charts.style.figure import PATIENT, TREATED
from pages.text.clock import latest, timeline_steps
from pages.text.labels import number
from tests.charts.odd_runs import PAIRS, pair


def curves(figure, row):
    """Indices of patient's and treated's curve in a panel."""
    return [i for i, trace in enumerate(figure.data) if trace.mode == "lines+markers" and (trace.yaxis or "y") == row]


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "stopped early", "of thinned rows", "one step"])
@pytest.mark.parametrize(("row", "field"), [("y", "delta_rms"), ("y2", "gradient_norm")])
def test_the_points_are_the_measured_ones_at_every_step(name, row, field):
    figure = chart.figure(*pair(name))
    for index, history in zip(curves(figure, row), pair(name), strict=True):
        np.testing.assert_array_equal(figure.data[index].x, np.arange(1, history.layers + 1))
        for frame in figure.frames:
            measured = getattr(history, field)[latest(history.step, int(frame["name"]))]
            drawn = frame["data"][frame["traces"].index(index)]["y"]
            np.testing.assert_allclose(drawn, np.where(measured == 0, np.nan, measured), rtol=1e-6)


def test_the_base_figure_is_the_end_of_the_run():
    figure = chart.figure(*pair("plain"))
    for index, history in zip(curves(figure, "y"), pair("plain"), strict=True):
        np.testing.assert_allclose(figure.data[index].y, history.delta_rms[-1], rtol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_both_networks_share_axes_that_hold_every_value(name):
    figure = chart.figure(*pair(name))
    for axis, field, unit in (
        (figure.layout.yaxis, "delta_rms", "rms ∂L/∂z"),
        (figure.layout.yaxis2, "gradient_norm", "‖∂L/∂W‖"),
    ):
        assert axis.type == "log"
        (over,) = (note.text for note in figure.layout.annotations if note.y == axis.domain[1])
        assert unit in over
        assert over.endswith(("(nats, log)", "(error², log)"))
        low, high = 10.0 ** np.array(axis.range)
        steps = timeline_steps(*pair(name))
        for history in pair(name):
            if len(history.step):
                values = getattr(history, field)[[latest(history.step, step) for step in steps]]
                values = values[np.isfinite(values) & (values > 0)]
                assert ((low < values) & (values < high)).all()
    assert figure.layout.xaxis.title.text.startswith("layer (1 = nearest the input")
    assert figure.layout.xaxis.range[1] >= max(history.layers for history in pair(name))


def test_networks_are_told_apart_by_more_than_colour():
    figure = chart.figure(*pair("plain"))
    patient, treated = (figure.data[index] for index in curves(figure, "y"))
    assert (patient.name, treated.name) == ("Patient", "Treated")
    assert patient.line.dash != treated.line.dash
    assert patient.marker.symbol != treated.marker.symbol
    assert (patient.line.color, treated.line.color) == (PATIENT.color, TREATED.color)


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "one hidden layer", "of digits"])
def test_theory_starts_from_the_last_hidden_layer_at_step_0_and_stays(name):
    figure = chart.figure(*pair(name))
    for index, history in enumerate(pair(name)):
        flow, line = gradient_flow(history.experiment), figure.data[index]
        np.testing.assert_allclose(line.y, np.array(flow.delta_ratio) * history.delta_rms[0, -2])
        assert line.y[-2] == history.delta_rms[0, -2]
        assert line.line.dash == "dot"
        assert all(index not in frame["traces"] for frame in figure.frames)
    assert "theory, step 0" in [trace.name for trace in figure.data]


def test_where_there_is_no_theory_the_chart_says_why():
    figure = chart.figure(*pair("normalised, bridged, dropped out"))
    note = figure.layout.annotations[-1].text.replace("<br>", " ")
    for who, history in zip(("Patient", "Treated"), pair("normalised, bridged, dropped out"), strict=True):
        assert f"{who}: no theory line. {gradient_flow(history.experiment).reason}" in note
    assert "theory, step 0" not in [trace.name for trace in figure.data]
    assert figure.layout.height > chart.HEIGHT


def test_one_reason_for_both_is_said_once():
    note = chart.figure(*pair("both of zeros")).layout.annotations[-1].text.replace("<br>", " ")
    assert note.count("Patient and Treated: no theory line.") == 1


def test_zeros_are_marked_on_the_lower_edge():
    figure = chart.figure(*pair("of zeros"))
    low, high = figure.layout.yaxis.range
    marks = [trace for trace in figure.data if trace.mode == "markers" and (trace.yaxis or "y") == "y"]
    (mark,) = marks
    zeros = pair("of zeros")[0].delta_rms[-1] == 0
    np.testing.assert_array_equal(np.isfinite(mark.y), zeros)
    heights = np.log10(np.asarray(mark.y)[zeros])
    assert ((low < heights) & (heights < low + 0.1 * (high - low))).all()
    assert mark.hovertemplate == "exactly 0"
    assert "exactly 0" in figure.layout.annotations[-1].text.replace("<br>", " ")


def test_a_run_without_one_gradient_says_so():
    figure = chart.figure(*pair("diverging at once"))
    assert "Patient: not finite at step 0" in figure.layout.annotations[-1].text
    assert chart.alt(*pair("diverging at once")).startswith("Patient: not finite at step 0 (pre-activation, layer 15)")


def test_the_text_has_the_numbers_of_both_ends():
    text = chart.alt(*pair("plain"))
    for history in pair("plain"):
        for row in (0, -1):
            assert f"{number(history.delta_rms[row, 0])} nats at step {history.step[row]}" in text
            assert f"{number(history.gradient_ratio[row])} times that of hidden layer 4" in text
        assert f"theory predicts {number(gradient_flow(history.experiment).gradient_ratio)} times" in text


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "stopped early", "diverging at once"])
def test_the_table_is_the_history(name):
    table = chart.table(*pair(name))
    for who, history in zip(("Patient", "Treated"), pair(name), strict=True):
        mine = table[table["network"] == who]
        steps = mine["step (updates)"].unique()
        rows = np.searchsorted(history.step, steps)
        assert set(steps) <= set(history.step)
        np.testing.assert_array_equal(mine["layer"], np.tile(np.arange(1, history.layers + 1), len(rows)))
        np.testing.assert_array_equal(mine["rms ∂L/∂z (nats)"], history.delta_rms[rows].ravel())
        np.testing.assert_array_equal(mine["‖∂L/∂W‖ (nats)"], history.gradient_norm[rows].ravel())
        predicted = mine["rms ∂L/∂z predicted for step 0 (nats)"].to_numpy()
        assert np.isnan(predicted[history.layers :]).all()
        if len(rows):
            ratios = np.array(gradient_flow(history.experiment).delta_ratio)
            np.testing.assert_allclose(predicted[: history.layers], ratios * history.delta_rms[0, -2])


def test_a_gradient_that_vanishes_sinks_by_decades():
    figure = chart.figure(*pair("both deep"))
    heights = np.log10(np.asarray(figure.data[curves(figure, "y")[0]].y))
    assert heights[0] < heights[-2] - 20
