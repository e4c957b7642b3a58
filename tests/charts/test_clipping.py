"""The curves are the recorded norms before and after clipping, and the line is what clipping leaves at most."""

import warnings
from dataclasses import replace

import numpy as np
import plotly.io
import pytest

from engine import initialize
from engine.formatting import TIMES_TEN
from pages.charts.one_run import clipping as chart
from pages.charts.style.update_curves import MOST_POINTS
from pages.text.clock import timeline_steps
from pages.text.labels import number, percent
from tests.charts.clipped_runs import BREAKS_OFF, BY_NORM, BY_VALUE, WILD, clipped_pair, run
from tests.charts.odd_runs import FOUR, pair

MOST_BYTES = 60_000


def curve(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def lines(figure):
    return {trace.xaxis: trace.y[0] for trace in figure.data if trace.name == "threshold"}


def notes(figure):
    return figure.layout.annotations[-1].text.replace("<br>", " ")


@pytest.mark.parametrize("experiment", [BY_NORM, BY_VALUE], ids=["norm", "value"])
def test_thin_is_before_and_thick_after_clipping(experiment):
    patient, treated = clipped_pair(WILD, experiment)
    figure = chart.figure(patient, treated)
    thin, thick = curve(figure, "Treated before clipping"), curve(figure, "Treated")
    np.testing.assert_array_equal(thin.x, treated.step)
    np.testing.assert_array_equal(thin.y, treated.total_gradient_norm)
    np.testing.assert_array_equal(thick.y, treated.clipped_norm)
    assert thin.line.width < thick.line.width
    assert (np.asarray(thick.y) <= np.asarray(thin.y)).all()
    np.testing.assert_array_equal(curve(figure, "Patient").y, patient.total_gradient_norm)
    assert "Patient before clipping" not in {trace.name for trace in figure.data}


def test_no_gradient_is_longer_than_the_line_after_clipping():
    for experiment in (BY_NORM, BY_VALUE):
        history = run(experiment)
        assert history.clipped_norm.max() <= chart.longest_clipped(history) * (1 + 1e-12)
    n_parameters = initialize(BY_VALUE).flat.shape[1]
    assert chart.longest_clipped(run(BY_VALUE)) == pytest.approx(0.05 * n_parameters**0.5)
    normalised = run(replace(BY_VALUE, normalization="layer"))
    n_parameters = initialize(normalised.experiment).flat.shape[1]
    assert chart.longest_clipped(normalised) == pytest.approx(0.05 * n_parameters**0.5)
    assert chart.longest_clipped(run(WILD)) is None


def test_the_line_stands_in_both_panels_to_compare_with():
    assert lines(chart.figure(*clipped_pair(WILD, BY_NORM))) == {"x": 0.5, "x2": 0.5}
    both = lines(chart.figure(*clipped_pair(BY_VALUE, BY_NORM)))
    assert both == {"x": pytest.approx(chart.longest_clipped(run(BY_VALUE))), "x2": 0.5}
    assert not lines(chart.figure(*clipped_pair(WILD, WILD)))


def test_the_share_of_clipped_updates_is_said():
    figure = chart.figure(*clipped_pair(WILD, BY_NORM))
    treated = run(BY_NORM)
    share = (treated.total_gradient_norm > 0.5).mean()
    assert share > 0
    assert "no clipping" in figure.layout.annotations[0].text
    assert f"{percent(share)} of updates" in figure.layout.annotations[1].text.replace("<br>", " ")
    assert f"at {percent(share)} of updates, to at most 0.5" in chart.alt(run(WILD), treated)
    assert chart.clipped(treated).mean() == share


def test_both_panels_share_a_log_axis_with_title_and_unit():
    layout = chart.figure(*clipped_pair(WILD, BY_NORM)).layout
    assert layout.yaxis.type == layout.yaxis2.type == "log"
    assert layout.yaxis.range == layout.yaxis2.range
    assert layout.yaxis.title.text == "gradient ‖∂L/∂θ‖ (nats, log)"
    assert layout.xaxis.title.text == layout.xaxis2.title.text == "step (updates)"


def test_a_gradient_off_the_axis_is_said_in_numbers_and_flattens_nothing():
    patient, treated = clipped_pair(WILD, BY_NORM)
    norms = patient.total_gradient_norm.copy()
    norms[3] = 1e200
    figure = chart.figure(replace(patient, total_gradient_norm=norms, clipped_norm=norms), treated)
    assert figure.layout.yaxis.range[1] < 12
    assert "Patient: off the axis, up to 10²⁰⁰ at step 3." in notes(figure).replace(f"1{TIMES_TEN}", "10")
    assert "off the axis" not in notes(chart.figure(patient, treated))


def test_what_whole_decades_bring_back_on_the_axis_is_not_said_to_be_off_it():
    for histories in (clipped_pair(BREAKS_OFF, replace(BREAKS_OFF, clip="norm")), clipped_pair(WILD, BY_VALUE)):
        figure = chart.figure(*histories)
        for who, history in zip(("Patient", "Treated"), histories, strict=True):
            top = np.log10(history.total_gradient_norm.max())
            assert (f"{who}: off the axis, up to" in notes(figure)) == (top > figure.layout.yaxis.range[1])


def test_how_a_run_diverged_is_said():
    histories = clipped_pair(BREAKS_OFF, replace(BREAKS_OFF, clip="norm"))
    assert histories[0].status == "diverged"
    assert f"Patient: not finite at step {histories[0].diverged_at[0]}" in notes(chart.figure(*histories))


def test_the_line_of_the_step_moves_in_both_columns():
    figure = chart.figure(*clipped_pair(WILD, BY_NORM))
    assert figure.steps == timeline_steps(*clipped_pair(WILD, BY_NORM))
    for frame in figure.frames:
        assert {shape["xref"] for shape in frame["layout"]["shapes"]} == {"x", "x2"}
        assert {shape["x0"] for shape in frame["layout"]["shapes"]} == {int(frame["name"])}


def test_long_runs_are_thinned_with_ends_and_largest_kept():
    patient, treated = pair("of thinned rows")
    norms = patient.total_gradient_norm.copy()
    norms[1234 % len(norms)] = 99.0
    patient = replace(patient, total_gradient_norm=norms)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = chart.figure(patient, treated)
    drawn = curve(figure, "Patient before clipping")
    assert len(drawn.x) <= MOST_POINTS
    assert (drawn.x[0], drawn.x[-1], max(drawn.y)) == (patient.step[0], patient.step[-1], 99)
    assert len(plotly.io.to_json(figure.to_dict(), validate=False)) < MOST_BYTES


def test_alt_and_table_are_the_history():
    patient, treated = clipped_pair(WILD, BY_VALUE)
    text, table = chart.alt(patient, treated), chart.table(patient, treated)
    for history in (patient, treated):
        norms = history.total_gradient_norm
        assert f"is {number(float(np.median(norms)))} in the median" in text
        assert f"at most {number(norms.max())}, at step {history.step[norms.argmax()]}" in text
    mine = table[table["network"] == "Treated"]
    np.testing.assert_array_equal(mine["‖∂L/∂θ‖ before clipping (nats)"], treated.total_gradient_norm)
    np.testing.assert_array_equal(mine["‖∂L/∂θ‖ after clipping (nats)"], treated.clipped_norm)
    np.testing.assert_array_equal(mine["clipped"], treated.clipped_norm < treated.total_gradient_norm)
    assert set(mine["clipping"]) == {"value"}


def test_neither_clips():
    figure = chart.figure(*clipped_pair(WILD, WILD))
    assert "Neither network clips its gradient." in notes(figure)
    assert "nothing is clipped" in chart.alt(*clipped_pair(WILD, WILD))
    assert "No network clips its gradient." in notes(chart.figure(run(WILD), looks=FOUR[:1]))


def test_of_three_networks_one_without_clipping_has_the_line_of_the_first_that_clips():
    figure = chart.figure(run(WILD), run(BY_NORM), run(BY_VALUE), looks=FOUR[:3])
    assert lines(figure) == {"x": 0.5, "x2": 0.5, "x3": pytest.approx(chart.longest_clipped(run(BY_VALUE)))}
