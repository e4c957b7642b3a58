"""The curves are the recorded gradients and steps, on log axes that hold them."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, train
from pages.charts.one_run import gradient_and_steps as chart
from pages.text.labels import number
from tests.charts.odd_runs import PAIRS, SMALL, pair


def curve(figure, name, row="y"):
    return next(trace for trace in figure.data if trace.name == name and (trace.yaxis or "y") == row)


@pytest.fixture(scope="module")
def penalised():
    return train(Experiment(**SMALL, l2=0.1))


@pytest.mark.parametrize("name", PAIRS)
def test_the_curves_are_the_recorded_norms(name):
    figure = chart.figure(*pair(name))
    for who, history in zip(("Patient", "Treated"), pair(name), strict=True):
        for row, values in (("y", history.data_gradient_norm), ("y2", history.total_update_norm)):
            drawn = curve(figure, who, row)
            places = np.searchsorted(history.step, drawn.x)
            np.testing.assert_array_equal(history.step[places], drawn.x)
            expected = np.where(np.isfinite(values) & (values > 0), values, np.nan)[places]
            np.testing.assert_array_equal(np.asarray(drawn.y, float), expected)
            axis = figure.layout.yaxis if row == "y" else figure.layout.yaxis2
            finite = expected[np.isfinite(expected)]
            assert axis.type == "log"
            assert not finite.size or axis.range[0] <= np.log10(finite.min()) <= np.log10(finite.max()) <= axis.range[1]


def test_a_penalty_has_a_thin_curve_and_keys_to_tell_them_apart(penalised):
    plain = pair("plain")[0]
    figure = chart.figure(plain, penalised)
    thin, thick = curve(figure, "Treated penalty"), curve(figure, "Treated")
    np.testing.assert_array_equal(thin.y, penalised.penalty_gradient_norm)
    assert thin.line.width < thick.line.width
    names = [trace.name for trace in figure.data]
    assert {"data loss", "penalty"} <= set(names)
    assert "Patient penalty" not in names
    assert "penalty" not in [trace.name for trace in chart.figure(plain, plain).data]


def test_axes_have_titles_and_the_line_of_the_step_moves_over_both():
    figure = chart.figure(*pair("plain"))
    above = {note.text: note.y for note in figure.layout.annotations}
    assert above["Gradient that is left, ‖∂L/∂θ‖ (log)"] == figure.layout.yaxis.domain[1]
    assert above["Length of a step, ‖Δθ‖ (log)"] == figure.layout.yaxis2.domain[1]
    assert figure.layout.xaxis.title.text == "training step (updates)"
    for frame in figure.frames:
        assert {(shape["x0"], shape["yref"]) for shape in frame["layout"]["shapes"]} == {(int(frame["name"]), "paper")}
        ends = {(shape["y0"], shape["y1"]) for shape in frame["layout"]["shapes"]}
        assert ends == {tuple(chart.UPPER), tuple(chart.LOWER)}


def test_long_runs_are_thinned_with_both_ends_kept():
    patient, _ = pair("of thinned rows")
    steps = curve(chart.figure(*pair("of thinned rows")), "Patient").x
    assert len(steps) == chart.MOST_POINTS < len(patient.step)
    assert (steps[0], steps[-1]) == (patient.step[0], patient.step[-1])


def test_alt_says_the_runs_numbers(penalised):
    patient, _ = pair("plain")
    text = chart.alt(patient, penalised)
    for history in (patient, penalised):
        first, last = history.data_gradient_norm[[0, -1]]
        assert f"norm {number(first)} at the first update and {number(last)} at the last" in text
        assert f"by {number(history.total_update_norm[0])} and {number(history.total_update_norm[-1])}" in text
    assert f"penalties goes from {number(penalised.penalty_gradient_norm[0])}" in text


def test_a_gradient_that_is_no_number_or_zero_is_said_so():
    history = pair("plain")[0]

    def ending_with(norm):
        return replace(history, data_gradient_norm=np.append(history.data_gradient_norm[:-1], norm))

    assert "no finite number at the last" in chart.alt(ending_with(np.inf), history)
    figure = chart.figure(ending_with(0.0), history)
    assert "exactly 0" in figure.layout.annotations[-1].text.replace("<br>", " ")


def test_the_table_is_the_history():
    table = chart.table(*pair("plain"))
    for who, history in zip(("Patient", "Treated"), pair("plain"), strict=True):
        part = table[table["network"] == who]
        np.testing.assert_array_equal(part["training step (updates)"], history.step)
        np.testing.assert_array_equal(part["‖∂L/∂θ‖ of the data loss"], history.data_gradient_norm)
        np.testing.assert_array_equal(part["‖∂L/∂θ‖ of the penalties"], history.penalty_gradient_norm)
        np.testing.assert_array_equal(part["‖Δθ‖"], history.total_update_norm)
