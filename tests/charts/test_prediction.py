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
    shaded = figure.layout.shapes[0]
    edges = {"less": (low, -clear), "same": (-clear, clear), "more": (clear, high)}[predicted]
    assert (shaded.x0, shaded.x1) == edges
    assert any("you said" in one.text for one in figure.layout.annotations)


def test_values_below_the_least_count_as_the_same():
    (at,) = prediction.figure(GAP, "same", 0.001, -0.2).data[0].x
    assert at == 0


def test_alt_says_both():
    text = prediction.alt(RATIO, "more", 1e-6, 0.5)
    assert text == f"You said: more. Measured: the treated network has 5{TIMES_TEN}⁵ times the patient’s value."
