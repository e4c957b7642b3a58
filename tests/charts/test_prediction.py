"""What was predicted beside what was measured, on one axis."""

import math

import pytest

from engine.formatting import TIMES_TEN
from pages.charts.one_run import prediction
from pages.text.outcome_measures import DIRECTIONS, MEASURES

RATIO, GAP = MEASURES["ratio"], MEASURES["accuracy_gap"]


@pytest.mark.parametrize("predicted", DIRECTIONS)
@pytest.mark.parametrize(
    ("patient", "treated"),
    [(1e-6, 0.7), (1.0, 1.0), (2.0, 1e-300), (0.0, 1.0), (1.0, math.inf), (math.inf, 1.0), (math.nan, 1.0), (0.0, 0.0)],
)
def test_the_mark_stands_in_the_part_that_the_measure_calls_it(predicted, patient, treated):
    figure = prediction.figure(RATIO, predicted, patient, treated).validate()
    (at,) = figure.data[0].x
    low, high = figure.layout.xaxis.range
    assert low < at < high or abs(at) == high
    clear = math.log10(RATIO.clear)
    part = "more" if at > clear else "less" if at < -clear else "same"
    before, after = patient, treated
    if math.isnan(before) or before == after:
        assert part == "same"
    else:
        assert part == ("more" if after > RATIO.clear * before else "less" if before > RATIO.clear * after else "same")
    bar, alike = figure.layout.shapes
    edges = {"less": (low, -clear), "same": (-clear, clear), "more": (clear, high)}
    assert (bar.x0, bar.x1) == edges[predicted]
    assert (alike.x0, alike.x1) == edges["same"]


@pytest.mark.parametrize(
    ("patient", "treated", "beside", "far"),
    [
        (1.0, 56.0, "56×", "10×"),
        (2.0, 0.05, "0.025×", "10×"),
        (1.0, 1.0, "1×", "5×"),
        (math.inf, math.inf, "1×", "5×"),
        (math.nan, 1.0, "not defined", "5×"),
        (1.0, 2.8e6, "10<sup>6</sup>×", "10<sup>7</sup>×"),
        (2.8, 1e-12, "10<sup>−12</sup>×", "10<sup>13</sup>×"),
        (1e-300, 1e300, "10<sup>600</sup>×", "10<sup>13</sup>×"),
        (35.0, math.inf, "∞×", "10<sup>13</sup>×"),
        (math.inf, 35.0, "0×", "10<sup>13</sup>×"),
    ],
)
def test_the_multiple_stands_beside_the_mark_and_the_axis_has_three_labels(patient, treated, beside, far):
    layout = prediction.figure(RATIO, "same", patient, treated).layout
    texts = [one.text for one in layout.annotations]
    assert texts[:3] == ["less", "about the same", "more"]
    assert f"measured <b>{beside}</b>" in texts
    assert "you said" in texts
    assert len(layout.xaxis.ticktext) == 3
    assert layout.xaxis.ticktext[1:] == ("1×", far)
    assert layout.xaxis.tickangle == 0


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_has_a_smallest_axis_and_a_name_of_two_lines(name):
    layout = prediction.figure(MEASURES[name], "less", 1.0, 1.0).layout
    assert len(set(layout.xaxis.ticktext)) == 3
    assert layout.xaxis.title.text.count("<br>") <= 1


def test_values_below_the_least_count_as_the_same():
    (at,) = prediction.figure(GAP, "same", 0.001, -0.2).data[0].x
    assert at == 0


def test_alt_says_both():
    text = prediction.alt(RATIO, "more", 1e-6, 0.5)
    assert text == f"You said: more. Measured, as a multiple of the patient’s value: 5{TIMES_TEN}⁵."
    assert prediction.alt(RATIO, "same", 1.0, math.inf).endswith(": infinite.")
    assert prediction.alt(RATIO, "same", 1e-300, 1e300).endswith(": infinite.")
