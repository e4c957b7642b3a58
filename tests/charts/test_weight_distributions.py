"""The boxes are quantiles of the recorded weights."""

import numpy as np
import pytest

from pages.charts.one_run import weight_distributions as chart
from pages.charts.style.figure import PATIENT, TREATED
from pages.text.clock import latest
from pages.text.labels import number
from tests.charts.odd_runs import PAIRS, pair


def of_layer(history, frame, layer):
    return np.quantile(history.weights[layer][frame], [0.05, 0.25, 0.5, 0.75, 0.95])


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "stopped early", "of zeros"])
def test_the_boxes_are_quantiles_of_the_weights(name):
    figure = chart.figure(*pair(name))
    assert figure.layout.yaxis.tickvals is None, "these runs have a linear axis"
    for index, history in enumerate(pair(name)):
        for frame in figure.frames:
            row, box = latest(history.frame_step, int(frame["name"])), frame["data"][index]
            for layer in (0, history.layers - 1):
                drawn = [box[part][layer] for part in ("lowerfence", "q1", "median", "q3", "upperfence")]
                np.testing.assert_allclose(drawn, of_layer(history, row, layer), rtol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_one_axis_holds_every_box_of_every_frame(name):
    figure = chart.figure(*pair(name))
    low, high = figure.layout.yaxis.range
    for frame in figure.frames:
        for box in frame["data"]:
            assert (box["lowerfence"] >= low).all()
            assert (box["upperfence"] <= high).all()


def test_exploded_weights_are_drawn_on_a_log_scale_that_says_so():
    figure = chart.figure(*pair("diverging"))
    assert "log scale" in figure.layout.yaxis.title.text
    assert figure.data[0].hoverinfo == "skip"


def test_layers_count_from_one_and_networks_differ_beyond_colour():
    figure = chart.figure(*pair("plain"))
    patient, treated = figure.data
    np.testing.assert_array_equal(patient.x, [1, 2, 3, 4, 5])
    assert (patient.name, treated.name) == ("Patient", "Treated")
    assert patient.fillcolor != treated.fillcolor
    assert "layer (1 = nearest the input)" in figure.layout.xaxis.title.text


def test_alt_says_where_the_middle_half_of_the_weights_lies():
    text, (patient, _) = chart.alt(*pair("plain")), pair("plain")
    _, low, _, high, _ = of_layer(patient, -1, 0)
    assert f"between {number(low)} and {number(high)} at step {patient.frame_step[-1]}" in text


@pytest.mark.parametrize("name", ["plain", "of unequal depth"])
def test_the_table_has_every_frame_and_layer(name):
    table = chart.table(*pair(name))
    for look, history in zip((PATIENT, TREATED), pair(name), strict=True):
        part = table[table["network"] == look.name]
        assert len(part) == len(history.frame_step) * history.layers
        last = part[part["training step (updates)"] == history.frame_step[-1]].set_index("layer")
        values = last.loc[history.layers].filter(like="quantile").to_numpy(float)
        np.testing.assert_allclose(values, of_layer(history, -1, history.layers - 1), rtol=1e-12)
