"""The curves are the recorded norms, on axes that both networks share."""

from dataclasses import replace

import numpy as np
import pytest

from pages.charts.one_run import weight_norms as chart
from pages.charts.style.figure import PATIENT, TREATED, depth_colors
from pages.text.labels import number
from tests.charts.odd_runs import PAIRS, pair

PANELS = {("Patient", "norm"): "y", ("Treated", "norm"): "y2", ("Patient", "update"): "y3", ("Treated", "update"): "y4"}


def curves(figure, network, kind):
    """Layer, counted from 1, with None for the output -> its curve."""
    of_panel = [
        trace for trace in figure.data if trace.yaxis == PANELS[network, kind] and trace.name.startswith(network)
    ]
    return {None if "output" in trace.name else int(trace.name.split()[-1]): trace for trace in of_panel}


def relative(history):
    with np.errstate(all="ignore"):
        return history.update_norm / history.weight_norm


@pytest.mark.parametrize("name", PAIRS)
def test_the_curves_are_the_recorded_norms(name):
    figure = chart.figure(*pair(name))
    for look, history in zip((PATIENT, TREATED), pair(name), strict=True):
        for kind, values in (("norm", history.weight_norm), ("update", relative(history))):
            drawn = curves(figure, look.name, kind)
            assert {1, None} <= set(drawn)
            for layer, curve in drawn.items():
                rows = np.searchsorted(history.step, curve.x)
                np.testing.assert_array_equal(history.step[rows], curve.x)
                expected = values[rows, history.layers - 1 if layer is None else layer - 1]
                expected = np.where(np.isfinite(expected) & (expected > 0), expected, np.nan)
                np.testing.assert_array_equal(np.asarray(curve.y, float), expected)


def test_long_runs_are_thinned_with_both_ends_kept():
    figure, (patient, _) = chart.figure(*pair("of thinned rows")), pair("of thinned rows")
    steps = curves(figure, "Patient", "norm")[1].x
    assert chart.MOST_POINTS - 10 < len(steps) <= chart.MOST_POINTS < len(patient.step)
    assert (steps[0], steps[-1]) == (patient.step[0], patient.step[-1])


def test_deep_networks_show_some_layers_and_say_so():
    figure = chart.figure(*pair("both deep"))
    assert len(curves(figure, "Patient", "norm")) == chart.MOST_CURVES
    assert any(f"{chart.MOST_CURVES} are drawn" in note.text for note in figure.layout.annotations)


def test_both_networks_share_log_axes_with_titles():
    layout = chart.figure(*pair("plain")).layout
    for left, right, title in ((layout.yaxis, layout.yaxis2, "‖W‖"), (layout.yaxis3, layout.yaxis4, "‖ΔW‖ / ‖W‖")):
        assert left.type == right.type == "log"
        assert left.range == right.range
        assert any(title in note.text and note.y == left.domain[1] for note in layout.annotations)
    assert layout.xaxis.range == layout.xaxis2.range
    assert layout.xaxis.title.text == "step (updates)"
    assert layout.coloraxis.colorbar.title.text == "layer (1 = nearest the input)"


def test_colour_is_depth_and_the_ends_differ_beyond_colour():
    figure, colors = chart.figure(*pair("plain")), depth_colors(5)
    drawn = curves(figure, "Treated", "update")
    assert [drawn[layer].line.color for layer in (1, 2, 3, 4, None)] == colors
    assert drawn[1].line.width > drawn[2].line.width
    assert drawn[None].line.dash == "dot"


def test_the_rule_of_thumb_is_marked_in_both_lower_panels():
    figure = chart.figure(*pair("plain"))
    bands = [trace for trace in figure.data if trace.name == "rule of thumb" and trace.fill == "toself"]
    assert {trace.yaxis for trace in bands} == {"y3", "y4"}
    assert all(set(trace.y) == {1e-4, 1e-2} for trace in bands)


def test_the_line_of_the_step_moves_in_both_columns():
    for frame in chart.figure(*pair("plain")).frames:
        assert {shape["xref"] for shape in frame["layout"]["shapes"]} == {"x", "x2"}
        assert {shape["x0"] for shape in frame["layout"]["shapes"]} == {int(frame["name"])}
        # through the panels, and not through the heading between them
        assert {(shape["y0"], shape["y1"]) for shape in frame["layout"]["shapes"]} == {
            tuple(chart.UPPER),
            tuple(chart.LOWER),
        }


def test_zeros_are_said_in_words():
    notes = " ".join(note.text.replace("<br>", " ") for note in chart.figure(*pair("both of zeros")).layout.annotations)
    assert "Patient: weights all 0" in notes
    assert "Treated: weights all 0" in notes
    patient, treated = pair("plain")
    still = treated.update_norm.copy()
    still[5:, 0] = 0
    figure = chart.figure(patient, replace(treated, update_norm=still))
    assert "updates of exactly 0, not drawn, in 1 of 5" in figure.layout.annotations[-1].text.replace("<br>", " ")


def test_the_first_updates_are_drawn_and_seen_where_none_follow():
    patient, treated = pair("plain")
    still = treated.update_norm.copy()
    still[3:] = 0
    drawn = curves(chart.figure(patient, replace(treated, update_norm=still)), "Treated", "update")
    for curve in drawn.values():
        assert list(np.flatnonzero(np.isfinite(curve.y))) == [0, 1, 2]
        assert list(curve.x[:3]) == [0, 1, 2]
        assert curve.mode == "lines+markers"
    assert all(curve.mode == "lines" for curve in curves(chart.figure(patient, treated), "Treated", "update").values())


def test_alt_says_the_runs_numbers():
    text, (patient, treated) = chart.alt(*pair("plain")), pair("plain")
    for history in (patient, treated):
        assert f"from {number(history.weight_norm[0, 0])} to {number(history.weight_norm[-1, 0])}" in text
        assert f"update is {number(float(np.median(relative(history)[:, 0])))} in layer 1" in text


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "of thinned rows"])
def test_the_table_is_the_history(name):
    table = chart.table(*pair(name))
    for look, history in zip((PATIENT, TREATED), pair(name), strict=True):
        part = table[table["network"] == look.name].set_index(["training step (updates)", "layer"])
        for row in (0, len(history.step) - 1):
            for layer in (1, history.layers):
                entry = part.loc[(history.step[row], layer)]
                assert entry["‖W‖"] == history.weight_norm[row, layer - 1]
                assert entry["‖ΔW‖"] == history.update_norm[row, layer - 1]
                assert entry["‖ΔW‖ / ‖W‖"] == relative(history)[row, layer - 1]
