"""The page of the lesson in Streamlit's AppTest."""

from dataclasses import replace

import pytest

from pages.components.lesson.catalogue import exercises_of, lesson_of
from pages.components.shell.address import PARTS
from pages.components.shell.runs import histories_of
from pages.text.underfitting_verdict import verdict
from tests.pages.opened import charts, charts_of_all_parts, headline, in_part, opened

PAGE = "underfitting"
LESSON = lesson_of(PAGE)
PATIENT, TREATED = LESSON.patient, LESSON.treated
TRIALS = exercises_of(PAGE)
CHARTS = 5
SWEEPS = 5


def test_the_default_view_shows_patient_and_treated():
    page = opened(PAGE)
    assert headline(page) == verdict(*histories_of((PATIENT, TREATED)))
    assert not page.warning
    shown, sweeps = [], 0
    for part in PARTS:
        shown += charts(in_part(page, part))
        sweeps += sum(str(button.key).startswith("start_") for button in page.button)
    assert len(shown) == CHARTS
    assert all(chart["alt"] for chart in shown), "every chart has a text alternative"
    assert sweeps == SWEEPS


def test_more_data_and_more_steps_are_treatments():
    page = opened(PAGE, treated_n_train="300", treated_steps="100")
    treated = replace(TREATED, n_train=300, steps=100)
    assert headline(page) == verdict(*histories_of((PATIENT, treated)))
    assert len(charts_of_all_parts(page)) == CHARTS


@pytest.mark.parametrize("dataset", ["spirals", "digits"])
def test_other_data(dataset):
    page = opened(PAGE, dataset=dataset, steps="30", treated_steps="30")
    assert headline(page).startswith("The patient’s training loss ends at")
    assert len(charts_of_all_parts(page)) == CHARTS


def test_a_run_that_breaks_off_draws_every_chart_and_is_said_so():
    page = opened(PAGE, learning_rate="1000", optimizer="sgd", gain="4", steps="60")
    assert "diverged" in headline(page)
    assert len(charts_of_all_parts(page)) == CHARTS


def test_garbage_in_the_address_is_ignored_with_a_line():
    page = opened(PAGE, width="wide", optimizer="adamm", colour="red")
    assert headline(page) == headline(opened(PAGE))
    (warning,) = page.warning
    for word in ("wide", "adamm", "colour"):
        assert word in warning.value


def test_a_prediction_comes_first_then_the_result_beside_it():
    page = opened(PAGE, part="try")
    assert page.button(key="try_slow").disabled
    page.radio(key="predict_slow").set_value("less")
    page.radio(key="because_slow").set_value(TRIALS[0].reasons[TRIALS[0].reason])
    page.run()
    page.button(key="try_slow").click().run()
    assert not page.exception
    assert headline(page) == verdict(*histories_of(TRIALS[0].pair(LESSON)))
    assert any("As you said, and for that reason" in success.value for success in page.success)
