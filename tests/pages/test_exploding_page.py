"""The page of the lesson in Streamlit's AppTest."""

import pytest

from pages.components.lesson.catalogue import exercises_of, lesson_of
from pages.components.shell.runs import histories_of
from pages.text.exploding_verdict import verdict
from tests.pages.opened import charts_of_all_parts, headline, opened

PAGE = "exploding_gradients"
LESSON = lesson_of(PAGE)
PATIENT, TREATED = LESSON.patient, LESSON.treated
TRIALS = exercises_of(PAGE)
CHARTS = 9


def test_the_default_view_shows_patient_and_treated():
    page = opened(PAGE)
    assert headline(page) == verdict(*histories_of((PATIENT, TREATED)))
    assert not page.warning
    charts = charts_of_all_parts(page)
    assert len(charts) == CHARTS
    assert all(chart["alt"] for chart in charts), "every chart has a text alternative"


@pytest.mark.parametrize("dataset", ["sine", "digits"])
def test_other_data(dataset):
    page = opened(PAGE, dataset=dataset, steps="30")
    assert headline(page).startswith("The patient’s gradient norm reaches")
    assert len(charts_of_all_parts(page)) == CHARTS


def test_a_run_that_breaks_off_draws_every_chart_and_names_the_place():
    page = opened(PAGE, dataset="sine", gain="4", steps="60")
    assert "before the run diverges: not finite at step" in headline(page)
    assert len(charts_of_all_parts(page)) == CHARTS


def test_clipping_by_value_for_both():
    page = opened(PAGE, clip="value", clip_threshold="0.01", treated_clip="as patient", treated_clip_threshold="0.1")
    assert ", has its entries cut off at 0.01 in " in headline(page)
    assert ", has its entries cut off at 0.1 in " in headline(page)


def test_garbage_in_the_address_is_ignored_with_a_line():
    page = opened(PAGE, clip="both", gain="loud", colour="red")
    assert headline(page) == headline(opened(PAGE))
    (warning,) = page.warning
    for word in ("both", "loud", "colour"):
        assert word in warning.value


def test_a_prediction_comes_first_then_the_result_beside_it():
    page = opened(PAGE, part="try")
    assert page.button(key="try_rescue").disabled
    page.radio(key="predict_rescue").set_value("same")
    page.radio(key="because_rescue").set_value(TRIALS[0].reasons[TRIALS[0].reason])
    page.run()
    page.button(key="try_rescue").click().run()
    assert not page.exception
    assert headline(page) == verdict(*histories_of(TRIALS[0].pair(LESSON)))
    assert any("As you said, and for that reason" in success.value for success in page.success)
