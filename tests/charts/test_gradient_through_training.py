"""The map's colours are the measured error signals, on one scale for both networks."""

from dataclasses import replace

import numpy as np
import pytest

from engine.doctor.thresholds import VANISHES
from engine.formatting import TIMES_TEN
from pages.charts.one_run import gradient_through_training as chart
from pages.charts.style.figure import step_line
from pages.text.clock import timeline_steps
from pages.text.labels import number, percent
from tests.charts.odd_runs import PAIRS, pair


def maps(figure):
    return [trace for trace in figure.data if trace.type == "heatmap" and trace.coloraxis == "coloraxis"]


@pytest.mark.parametrize("name", PAIRS)
def test_the_table_is_no_longer_than_the_map(name):
    assert len(chart.table(*pair(name))) <= sum(chart.MOST_COLUMNS * history.layers for history in pair(name))


@pytest.mark.parametrize(
    "name", ["plain", "of unequal depth", "stopped early", "of thinned rows", "one step", "of zeros"]
)
def test_colours_are_the_logarithms_of_what_was_measured(name):
    figure = chart.figure(*pair(name))
    for drawn, history in zip(maps(figure), pair(name), strict=True):
        rows = np.searchsorted(history.step, drawn.x)
        np.testing.assert_array_equal(history.step[rows], drawn.x)
        assert (drawn.x[0], drawn.x[-1]) == (history.step[0], history.step[-1])
        assert len(rows) <= chart.MOST_COLUMNS
        np.testing.assert_array_equal(drawn.y, np.arange(1, history.layers + 1))
        signal = history.delta_rms[rows].T
        np.testing.assert_allclose(drawn.z, np.log10(signal, where=signal > 0, out=np.full_like(signal, np.nan)))


def test_one_colour_scale_with_powers_of_ten_and_a_unit():
    figure = chart.figure(*pair("plain"))
    scale = figure.layout.coloraxis
    both = np.concatenate([history.delta_rms.ravel() for history in pair("plain")])
    assert (scale.cmin, scale.cmax) == pytest.approx((np.log10(both.min()), np.log10(both.max())))
    assert scale.colorbar.title.text == "error signal, rms ∂L/∂z (nats)"
    for place, text in zip(scale.colorbar.tickvals, scale.colorbar.ticktext, strict=True):
        assert text in ("1", "10") or text == f"10<sup>{place}</sup>".replace("-", "−")


def test_axes_are_named_and_panels_stand_in_one_column():
    layout = chart.figure(*pair("of unequal depth")).layout
    assert layout.xaxis.title.text == "training step (updates)"
    assert layout.yaxis.title.text == layout.yaxis2.title.text == "layer"
    assert layout.yaxis.ticktext[-1] == layout.yaxis2.ticktext[-1] == "out"
    assert layout.yaxis.tickvals[-1] == 51
    assert layout.yaxis2.tickvals[-1] == 2
    assert layout.yaxis.domain[0] > layout.yaxis2.domain[1]
    headings = [note.text for note in layout.annotations]
    assert any("Patient" in text and "sigmoid" in text for text in headings)
    assert any("Treated" in text and "ReLU" in text for text in headings)


@pytest.mark.parametrize("name", PAIRS)
def test_the_step_line_stands_in_both_panels_within_the_axis(name):
    figure = chart.figure(*pair(name))
    low, high = figure.layout.xaxis.range
    for frame, step in zip(figure.frames, timeline_steps(*pair(name)), strict=True):
        assert frame["traces"] == []
        assert frame["layout"]["shapes"] == step_line(step, "y domain") + step_line(step, "y2 domain")
        assert low <= step <= high


def test_zeros_have_a_look_of_their_own_and_a_note():
    figure = chart.figure(*pair("of zeros"))
    (zeros,) = (trace for trace in figure.data if trace.type == "heatmap" and trace.coloraxis is None)
    patient, _ = pair("of zeros")
    np.testing.assert_array_equal(np.isfinite(zeros.z), (patient.delta_rms == 0).T)
    assert zeros.colorscale[0][1] == zeros.colorscale[1][1] == chart.ZERO_COLOR
    assert zeros.ygap > 0
    assert not zeros.showscale
    assert any(chart.ZEROS in note.text for note in figure.layout.annotations)
    assert not any(chart.ZEROS in note.text for note in chart.figure(*pair("plain")).layout.annotations)


def test_what_is_not_finite_is_blank():
    figure = chart.figure(*pair("without finite gradients at the end"))
    drawn = maps(figure)[0].z
    assert np.isnan(drawn[:2, -1]).all()
    assert np.isfinite(drawn[2:]).all()
    assert np.isfinite([figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax]).all()


def test_how_a_run_ended_is_said():
    for name in ("stopped early", "diverging", "diverging at once"):
        notes = [note.text for note in chart.figure(*pair(name)).layout.annotations]
        assert any(text.startswith(("Patient: stopped early", "Patient: not finite")) for text in notes)


def test_the_text_has_the_extremes_and_the_share_of_vanished_steps():
    text = chart.alt(*pair("plain"))
    for history in pair("plain"):
        first = history.delta_rms[:, 0]
        assert f"{number(first[0])} nats at step 0 and {number(first[-1])} at step 29" in text
        assert f"lowest with {number(first.min())} at step {history.step[first.argmin()]}" in text
        assert f"highest with {number(first.max())} at step {history.step[first.argmax()]}" in text
        vanished = (history.delta_rms[:, 0] / history.delta_rms[:, -2] < VANISHES).mean()
        assert f"hidden layer 4’s at {percent(vanished)} of the steps" in text
    assert "exactly 0 at every step" in chart.alt(*pair("of zeros"))
    assert chart.alt(*pair("diverging at once")).startswith("Patient: not finite at step 0")


@pytest.mark.parametrize("name", ["plain", "of unequal depth", "of thinned rows", "diverging at once"])
def test_the_table_is_the_history(name):
    table = chart.table(*pair(name))
    for who, history in zip(("Patient", "Treated"), pair(name), strict=True):
        mine = table[table["network"] == who]
        rows = np.searchsorted(history.step, mine["step (updates)"].unique())
        np.testing.assert_array_equal(mine["step (updates)"], np.repeat(history.step[rows], history.layers))
        np.testing.assert_array_equal(mine["layer"], np.tile(np.arange(1, history.layers + 1), len(rows)))
        np.testing.assert_array_equal(mine["rms ∂L/∂z (nats)"], history.delta_rms[rows].ravel())


def test_an_exploding_patient_does_not_flatten_the_scale():
    patient, treated = pair("plain")
    signal = patient.delta_rms.copy()
    signal[-2:, 0] = 1e150, 1e250
    exploding = replace(patient, delta_rms=signal[:, :1] * np.ones(patient.layers))
    figure = chart.figure(exploding, treated)
    calm = np.log10(treated.delta_rms)
    scale = figure.layout.coloraxis
    assert scale.cmax - scale.cmin < 20
    assert scale.cmin <= calm.min()
    assert calm.max() <= scale.cmax
    assert np.nanmax(maps(figure)[0].z) == pytest.approx(250)  # hovering still tells the measured number
    words = " ".join(note.text.replace("<br>", " ") for note in figure.layout.annotations)
    cells = f"{percent(0.03)} of the cells, rms ∂L/∂z 10¹⁵⁰ to 10²⁵⁰"
    beyond = f"Beyond the scale, in the colour of its end: {cells}."
    assert beyond in words.replace(f"1{TIMES_TEN}", "10")
