"""The lesson's page in Streamlit's AppTest: default view, every cure, real data, odd runs, nonsense, things to try."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.lesson.catalogue import exercises_of, lesson_of
from pages.components.shell.runs import histories_of
from pages.text.overfitting_verdict import verdict
from tests.pages.opened import charts_of_all_parts, headline, opened

PAGE = "overfitting"
LESSON = lesson_of("overfitting")
PATIENT, TREATED = LESSON.patient, LESSON.treated
CHARTS = 7


def assert_all_charts(page: AppTest) -> None:
    assert len(charts_of_all_parts(page)) == CHARTS


def expected(patient, treated) -> str:
    return verdict(*histories_of((patient, treated)))


def test_default_view_shows_patient_and_treated():
    page = opened(PAGE)
    assert headline(page) == expected(PATIENT, TREATED)
    assert "it has learnt the noise by heart. With L2 penalty 0.015:" in headline(page)
    assert not page.warning
    assert_all_charts(page)


@pytest.mark.parametrize(
    "cure",
    [
        {"l1": 0.003}, {"dropout": 0.3}, {"patience": 10}, {"n_train": 300}, {"width": 4}, {"label_noise": 0.0},
        {"l2": 0.01, "dropout": 0.1},
    ],
    ids=str,
)  # fmt: skip
def test_every_cure_can_be_given_to_the_treated_network_alone(cure):
    patient = replace(PATIENT, steps=100)  # what it does in the end, the lesson's tests say
    treated = replace(patient, **{"l2": 0.0} | cure)
    fields = {f"treated_{name}": str(value) for name, value in ({"l2": 0.0} | cure).items()}
    page = opened(PAGE, steps="100", **fields)
    assert headline(page) == expected(patient, treated)
    assert not page.warning
    assert_all_charts(page)


@pytest.mark.parametrize("trial", exercises_of("overfitting"), ids=lambda trial: trial.key)
def test_each_thing_to_try_in_the_address(trial):
    patient, treated = trial.pair(LESSON)
    parameters = {name: str(value) for name, value in trial.patient.items()}
    fields = {"l2": treated.l2} | trial.treated
    page = opened(PAGE, **parameters, **{f"treated_{name}": str(value) for name, value in fields.items()})
    assert headline(page) == expected(patient, treated)
    assert not page.warning
    assert_all_charts(page)


@pytest.mark.parametrize("dataset", ["sine", "blobs", "breast_cancer"])
def test_other_data(dataset):
    assert_all_charts(opened(PAGE, dataset=dataset, steps="30"))


def test_a_run_that_diverges_draws_every_chart_and_names_the_place():
    page = opened(PAGE, learning_rate="1000", optimizer="sgd", gain="4", dataset="sine", steps="60")
    assert "diverged at step" in headline(page)
    assert_all_charts(page)


def test_more_data_than_there_are_shows_the_lesson_s_own_networks_and_says_so():
    page = opened(PAGE, dataset="digits", treated_n_train="5000")
    assert headline(page) == expected(PATIENT, TREATED)
    assert "5000" in page.warning[0].value


def test_garbage_in_the_address_is_ignored_with_a_line():
    page = opened(PAGE, l2="much", label_noise="2", treated_steps="3", colour="red")
    assert headline(page) == expected(PATIENT, TREATED)
    (warning,) = page.warning
    for word in ("much", "label_noise", "treated_steps", "colour"):
        assert word in warning.value


def test_a_prediction_comes_first_then_the_result_beside_it():
    page = opened(PAGE, part="try")
    assert page.button(key="try_patience").disabled
    page.radio(key="predict_patience").set_value("same")
    page.radio(key="because_patience").set_value(page.radio(key="because_patience").options[1])
    page.run()
    page.button(key="try_patience").click().run()
    assert not page.exception
    assert headline(page) == expected(replace(PATIENT, patience=10), replace(PATIENT, patience=40))
    assert any("As you said, and for that reason" in success.value for success in page.success)


def test_the_sweep_over_cures_is_offered():
    page = opened(PAGE, part="cure")
    assert any("Measure over 8 seeds" in button.label for button in page.button)
