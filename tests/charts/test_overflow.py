"""The chart shows the last finite numbers, and marks the layer that overflowed first."""

from dataclasses import replace

import numpy as np
import pytest

from pages.charts.one_run import overflow as chart
from pages.text.labels import number
from tests.charts.clipped_runs import BREAKS_OFF, WILD, clipped_pair
from tests.charts.odd_runs import PAIRS, pair

FIELDS = ("delta_rms", "gradient_norm", "weight_norm")
PANELS = {"Patient": ("y", "y3", "y5"), "Treated": ("y2", "y4", "y6")}


def curves(figure, who, row):
    """Layer, counted from 1, with None for the output -> its curve."""
    mine = [trace for trace in figure.data if trace.mode != "markers" and trace.yaxis == PANELS[who][row]]
    return {None if "output" in trace.name else int(trace.name.split()[-1]): trace for trace in mine}


def crosses(figure):
    return [trace for trace in figure.data if trace.marker.symbol == "x"]


def broken(layer, tensor):
    """A pair whose patient broke off at step 40 in this layer and tensor, its last recorded update not finite there."""
    patient, treated = clipped_pair(WILD, WILD)
    rows = {field: getattr(patient, field).copy() for field in FIELDS}
    if layer is not None:
        for values in rows.values():
            values[-1, layer] = np.inf
    return replace(patient, status="diverged", diverged_at=(40, layer, tensor), **rows), treated


@pytest.mark.parametrize("name", PAIRS)
def test_the_curves_are_the_last_recorded_numbers(name):
    figure = chart.figure(*pair(name))
    for who, history in zip(("Patient", "Treated"), pair(name), strict=True):
        for row, field in enumerate(FIELDS):
            drawn = curves(figure, who, row)
            assert not len(history.step) or {1, None} <= set(drawn)
            for layer, curve in drawn.items():
                np.testing.assert_array_equal(curve.x, history.step[-chart.LAST :])
                values = getattr(history, field)[-chart.LAST :, -1 if layer is None else layer - 1]
                expected = np.where(np.isfinite(values) & (values > 0), values, np.nan)
                np.testing.assert_array_equal(np.asarray(curve.y, float), expected)


def test_a_real_overflow_is_followed_to_its_end():
    patient, treated = clipped_pair(BREAKS_OFF, replace(BREAKS_OFF, clip="norm"))
    step, _, tensor = patient.diverged_at
    figure, text = chart.figure(patient, treated), chart.alt(patient, treated)
    assert f"diverges at step {step}: {tensor}" in figure.layout.annotations[0].text.replace("<br>", " ")
    assert "all numbers finite" in figure.layout.annotations[1].text
    assert f"Patient: at step {step} the {tensor}" in text
    assert "Treated: it did not diverge" in text
    assert np.nanmax(curves(figure, "Patient", 1)[1].y) > 1e9
    assert figure.layout.xaxis.range[1] > step


def test_the_first_layer_to_overflow_is_crossed_at_its_last_finite_number():
    patient, treated = broken(1, "gradient")
    figure = chart.figure(patient, treated)
    marks = crosses(figure)
    assert [mark.yaxis for mark in marks] == list(PANELS["Patient"])
    for mark, field in zip(marks, FIELDS, strict=True):
        assert list(mark.x) == [38]
        assert list(mark.y) == [getattr(patient, field)[-2, 1]]
    assert any(chart.OVERFLOWED[:20] in note.text for note in figure.layout.annotations)
    heading = figure.layout.annotations[0].text.replace("<br>", " ")
    assert "diverges at step 40: gradient, layer 2" in heading


def test_an_overflow_of_the_loss_has_no_layer():
    patient, treated = broken(None, "loss")
    figure = chart.figure(patient, treated)
    assert not crosses(figure)
    assert "Patient: at step 40 the loss was the first that was not finite. Steps" in chart.alt(patient, treated)
    assert not chart.table(patient, treated)["overflowed first"].any()


def test_deep_networks_show_some_layers_the_culprit_among_them():
    patient, treated = pair("both deep")
    figure = chart.figure(replace(patient, status="diverged", diverged_at=(30, 17, "weights")), treated)
    assert len(curves(figure, "Treated", 0)) == chart.MOST_CURVES
    assert 18 in curves(figure, "Patient", 0)


def test_axes_are_logarithmic_and_every_row_is_named():
    layout = chart.figure(*clipped_pair(WILD, WILD)).layout
    assert {layout[f"yaxis{suffix}"].type for suffix in ("", *"23456")} == {"log"}
    names = [note.text for note in layout.annotations]
    for name in ("error signal rms ∂L/∂z (nats)", "gradient ‖∂L/∂W‖ (nats)", "weights ‖W‖"):
        assert name in names
    assert layout.xaxis.title.text == layout.xaxis2.title.text == "step (updates)"


def test_alt_has_the_numbers_of_the_layer():
    patient, treated = broken(1, "gradient")
    text = chart.alt(patient, treated)
    assert "Patient: at step 40 the gradient of layer 2 was the first that was not finite." in text
    first, last = patient.weight_norm[-chart.LAST, 1], patient.weight_norm[-2, 1]
    assert f"‖W‖ from {number(first)} to {number(last)}" in text
    assert "before there was any update" in chart.alt(*pair("diverging at once"))


def test_the_table_is_the_history():
    patient, treated = broken(1, "gradient")
    table = chart.table(patient, treated)
    mine = table[table["network"] == "Patient"]
    assert len(mine) == chart.LAST * patient.layers
    np.testing.assert_array_equal(mine["weights ‖W‖"], patient.weight_norm[-chart.LAST :].ravel())
    assert set(mine[mine["overflowed first"]]["layer"]) == {2}
    assert not table[table["network"] == "Treated"]["overflowed first"].any()


def test_zeros_are_said_in_words():
    for name, expected in (("both of zeros", True), ("plain", False)):
        notes = chart.figure(*pair(name)).layout.annotations[-1].text.replace("<br>", " ")
        assert ("Treated: what is missing is exactly 0" in notes) == expected


def test_the_line_of_the_step_moves_only_where_it_is_in_view_and_leaves_it():
    patient, treated = clipped_pair(replace(WILD, steps=100), replace(WILD, steps=100))
    figure = chart.figure(patient, treated)
    assert figure.steps[0] == 0
    assert figure.steps[-1] == 100
    assert min(figure.steps[1:]) >= 100 - chart.LAST
    broken_at = replace(patient, diverged_at=(3, 0, "gradient"), status="diverged")
    early = {name: getattr(patient, name)[:3] for name in ("step", *FIELDS)}
    figure = chart.figure(replace(broken_at, **early), treated)
    assert any(3 < step < 10 for step in figure.steps), "else the line would stay in view when the timeline is beyond"


def test_axes_end_within_the_numbers_that_there_are():
    patient, treated = broken(1, "gradient")
    gradients = patient.gradient_norm.copy()
    gradients[-2] = 1.7e308
    figure = chart.figure(replace(patient, gradient_norm=gradients), treated)
    assert figure.layout.yaxis3.range[1] == chart.LARGEST_DECADE
