"""The page of the lesson in Streamlit's AppTest."""

import re

import pytest

from pages.components.lesson.catalogue import exercises_of, lesson_of
from pages.components.shell.runs import histories_of
from pages.text.data_faults_verdict import verdict
from tests.pages.opened import charts_of_all_parts, headline, opened

PAGE = "data_faults"
LESSON = lesson_of(PAGE)
TRIALS = exercises_of(PAGE)
CHARTS = 8


def test_the_default_view_shows_patient_and_treated():
    page = opened(PAGE)
    said = verdict(*histories_of((LESSON.patient, LESSON.treated)))
    assert headline(page) == said
    assert not page.warning
    shown = charts_of_all_parts(page)
    assert len(shown) == CHARTS
    assert all(chart["alt"] for chart in shown), "every chart has a text alternative"


@pytest.mark.parametrize("dataset", ["sine", "digits"])
def test_other_data(dataset):
    page = opened(PAGE, dataset=dataset, steps="30")
    assert re.search("(^The|: the) patient (is right for|has a loss|diverged)", headline(page))
    assert len(charts_of_all_parts(page)) == CHARTS


def test_a_run_that_diverges_draws_every_chart_and_is_said_so():
    page = opened(
        PAGE, dataset="sine", target_scale="10000", treated_target_scale="1", inputs="standardised", steps="60"
    )
    assert "diverged" in headline(page)
    assert len(charts_of_all_parts(page)) == CHARTS


def test_a_validation_set_that_lies_is_said_to():
    page = opened(PAGE, inputs="standardised", leakage="1", treated_leakage="0", steps="100")
    assert "which holds training examples" in headline(page)


def test_a_prediction_comes_first_then_the_result_beside_it():
    page = opened(PAGE, part="try")
    assert page.button(key="try_leak").disabled
    trial = next(trial for trial in TRIALS if trial.key == "leak")
    page.radio(key="predict_leak").set_value("same")
    page.radio(key="because_leak").set_value(trial.reasons[trial.reason])
    page.run()
    page.button(key="try_leak").click().run()
    assert not page.exception
    assert any("As you said, and for that reason" in success.value for success in page.success)
