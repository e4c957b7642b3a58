"""Means, spreads and shares are the measured ones; what is not defined is not drawn as 0."""

from dataclasses import replace

import numpy as np
import pytest

from pages.charts.one_run import activations as chart
from pages.charts.style.figure import PATIENT, TREATED
from pages.text.clock import latest
from pages.text.labels import number, percent
from tests.charts.odd_runs import PAIRS, pair


def trace_index(figure, name):
    return next((i for i, trace in enumerate(figure.data) if trace.name == name), None)


@pytest.mark.parametrize("name", ["plain", "equal", "stopped early", "one step"])
def test_means_and_spreads_are_those_of_the_step(name):
    figure = chart.figure(*pair(name))
    assert figure.layout.yaxis.tickvals is None, "these runs have a linear axis"
    for index, history in enumerate(pair(name)):
        for frame in figure.frames:
            row = latest(history.evaluation_step, int(frame["name"]))
            drawn = frame["data"][index]
            np.testing.assert_allclose(drawn["y"], history.activation_mean[row], rtol=1e-6)
            np.testing.assert_allclose(drawn["error_y"]["array"], history.activation_std[row], rtol=1e-6, atol=1e-12)


def test_shares_are_drawn_in_percent_where_they_are_defined():
    figure, (patient, treated) = chart.figure(*pair("plain")), pair("plain")
    assert trace_index(figure, "Patient: dead") is None
    assert trace_index(figure, "Treated: saturated") is None
    for name, history, measured in (
        ("Patient: saturated", patient, patient.saturated_fraction),
        ("Treated: dead", treated, treated.dead_fraction),
    ):
        index = trace_index(figure, name)
        for frame in figure.frames:
            drawn = frame["data"][frame["traces"].index(index)]["y"]
            row = latest(history.evaluation_step, int(frame["name"]))
            np.testing.assert_allclose(drawn, 100 * measured[row], rtol=1e-6)
            assert np.isnan(drawn[-1]), "the output has no such share"


def test_undefined_shares_are_said_in_words():
    figure = chart.figure(*pair("plain"))
    notes = figure.layout.annotations[-1].text.replace("<br>", " ")
    assert "dead for sigmoid" in notes
    assert "saturated for ReLU" in notes


def test_without_any_share_there_is_no_panel_for_them():
    (history, _), unknown = pair("plain"), np.full_like(pair("plain")[0].dead_fraction, np.nan)
    linear = replace(history.experiment, activation="linear")
    history = replace(history, experiment=linear, dead_fraction=unknown, saturated_fraction=unknown)
    layout = chart.figure(history, looks=[PATIENT]).to_dict()["layout"]
    assert "yaxis2" not in layout
    assert layout["xaxis"]["anchor"] == "y"
    (note,) = layout["annotations"]
    assert "not defined for linear." in note["text"].replace("<br>", " ")


def test_layers_that_are_not_finite_have_no_share():
    figure, (patient, _) = chart.figure(*pair("both diverging at once")), pair("both diverging at once")
    for trace in figure.data:
        if trace.yaxis == "y2":
            assert not np.isfinite(np.asarray(trace.y)[~np.isfinite(patient.activation_mean[-1])]).any()


@pytest.mark.parametrize("name", PAIRS)
def test_one_axis_holds_every_bar_of_every_frame(name):
    figure = chart.figure(*pair(name))
    low, high = figure.layout.yaxis.range
    for frame in figure.frames:
        for part in frame["data"]:
            if "error_y" in part:
                top, below = part["error_y"]["array"], part["error_y"].get("arrayminus", part["error_y"]["array"])
                assert np.nanmax(part["y"] + top, initial=low) <= high + 1e-9
                assert np.nanmin(part["y"] - below, initial=high) >= low - 1e-9
    if any(trace.yaxis == "y2" for trace in figure.data):
        assert figure.layout.yaxis2.title.text == "units (%)"
    assert "layer (1 = nearest the input" in figure.layout.xaxis.title.text


@pytest.mark.parametrize(
    ("activation", "least", "most"),
    [
        ("relu", 0, np.inf),
        ("sigmoid", 0, 1),
        ("tanh", -1, 1),
        ("linear", -np.inf, np.inf),
        ("leaky_relu", -np.inf, np.inf),
    ],
)
def test_no_bar_reaches_where_the_activation_has_no_value(activation, least, most):
    (history, _), mean = pair("plain"), np.array([0.1, 0.9, 0.5, 0.2, 0.5])
    history = replace(history, experiment=replace(history.experiment, activation=activation))
    low, high = chart.ends_of_bars(history, mean, np.full(5, 3.0))
    np.testing.assert_allclose(low[:-1], np.maximum(mean - 3, least)[:-1], atol=1e-6)
    np.testing.assert_allclose(high[:-1], np.minimum(mean + 3, most)[:-1], atol=1e-6)
    assert (low[-1], high[-1]) == (-2.5, 3.5), "the output has another activation"
    added = replace(history, experiment=replace(history.experiment, residual="plain"))
    low, high = chart.ends_of_bars(added, mean, np.full(5, 3.0))
    np.testing.assert_allclose(low[:-1], 0 if least == 0 else mean[:-1] - 3, atol=1e-6)
    np.testing.assert_allclose(high, mean + 3)


def test_networks_differ_beyond_colour():
    patient, treated = chart.figure(*pair("plain")).data[:2]
    assert patient.marker.symbol == PATIENT.symbol != treated.marker.symbol
    assert treated.name == "Treated"


def test_alt_says_the_runs_numbers():
    text, (patient, treated) = chart.alt(*pair("plain")), pair("plain")
    for history in (patient, treated):
        mean, std = history.activation_mean[-1], history.activation_std[-1]
        assert f"layer 1 outputs {number(mean[0])} ± {number(std[0])}" in text
    most = float(np.nanmax(treated.dead_fraction[-1]))
    assert (f"at most {percent(most)} are dead" if most else "none is dead") in text


@pytest.mark.parametrize("name", ["plain", "of unequal depth"])
def test_the_table_is_the_history(name):
    table = chart.table(*pair(name))
    for look, history in zip((PATIENT, TREATED), pair(name), strict=True):
        part = table[table["network"] == look.name]
        columns = {
            "mean activation": history.activation_mean,
            "standard deviation of the activation": history.activation_std,
            "saturated (share)": history.saturated_fraction,
            "dead (share)": history.dead_fraction,
        }
        for column, values in columns.items():
            np.testing.assert_array_equal(part[column], values.ravel())
        np.testing.assert_array_equal(part["layer"].iloc[: history.layers], np.arange(1, history.layers + 1))
