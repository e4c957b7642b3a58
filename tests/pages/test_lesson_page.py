"""The lesson's page in Streamlit's AppTest: default view, real data, over budget, diverging, things to try."""

from dataclasses import replace

import pytest

from pages.components.home.lesson_cards import OF_TWO
from pages.components.lesson.catalogue import exercises_of, lesson_of
from pages.components.lesson.lessons import HIDDEN_VERDICT
from pages.components.settings.lesson_address import parameters
from pages.components.shell.frame import PAGES
from pages.components.shell.runs import histories_of
from pages.text.labels import differences
from pages.text.stage_measures import STAGE_MEASURES
from pages.text.verdict import verdict
from tests.pages.opened import LESSONS, charts, charts_of_all_parts, headline, in_part, opened, plain
from tests.pages.test_lesson_versions import STARTS
from tests.pages.test_vanishing_lesson import PATIENT, TREATED

PAGE = "vanishing_gradients"
CHARTS = 8


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_a_row_in_every_table_of_lessons(lesson):
    tables = {"PAGES": [row.name for row in PAGES], "OF_TWO": OF_TWO, "STAGE_MEASURES": STAGE_MEASURES}
    assert not [table for table, rows in (tables | {"STARTS": STARTS}).items() if lesson not in rows]


def test_default_view_shows_patient_and_treated():
    page = opened(PAGE)
    patient, treated = histories_of((PATIENT, TREATED))
    assert headline(page) == verdict(patient, treated)
    assert not page.warning
    assert len(charts(page)) == 3, "only those of the open part are sent"
    shown = charts_of_all_parts(page)
    assert len(shown) == CHARTS
    assert all(chart["alt"] for chart in shown), "every chart has a text alternative"


@pytest.mark.parametrize("dataset", ["sine", "blobs", "digits", "breast_cancer"])
def test_other_data(dataset):
    page = opened(PAGE, dataset=dataset, steps="30")
    assert headline(page).startswith("Before training, the first layer receives")
    assert len(charts_of_all_parts(page)) == CHARTS


def test_a_run_that_diverges_draws_every_chart_and_names_the_place():
    page = opened(PAGE, learning_rate="1000", activation="relu", gain="4", dataset="sine", steps="60")
    text = plain(" ".join(paragraph.value for paragraph in page.markdown))
    assert "diverged at step" in text
    assert len(charts_of_all_parts(page)) == CHARTS


def test_over_budget_shows_the_last_good_run_and_says_so():
    page = opened(PAGE, depth="8", steps="40")
    before = headline(page)
    page.button(key="settings").click().run()
    page.number_input(key="steps").set_value(20000)
    page.number_input(key="width").set_value(256)
    page.run()
    assert not page.exception
    assert headline(page) == before
    (warning,) = page.warning
    assert "steps is 20000" in warning.value
    assert "at most" in warning.value


def test_over_budget_as_the_first_request_shows_the_lesson_s_own_networks():
    page = opened(PAGE, depth="50", width="256", steps="20000")
    assert "steps is 20000" in page.warning[0].value
    assert len(charts_of_all_parts(page)) == CHARTS


def test_garbage_in_the_address_is_ignored_with_a_line():
    page = opened(PAGE, depth="ten", activation="reluu", colour="red")
    assert headline(page) == headline(opened(PAGE))
    (warning,) = page.warning
    for word in ("ten", "reluu", "colour"):
        assert word in warning.value


def test_a_prediction_comes_first_then_the_result_beside_it():
    page = opened(PAGE, part="try")
    button = page.button(key="try_bridges")
    assert button.disabled
    page.radio(key="predict_bridges").set_value("more")
    page.radio(key="because_bridges").set_value(page.radio(key="because_bridges").options[0])
    page.run()
    page.button(key="try_bridges").click().run()
    assert not page.exception
    patient, treated = histories_of((PATIENT, replace(PATIENT, residual="plain")))
    assert headline(page) == verdict(patient, treated)
    assert any("As you said" in success.value for success in page.success)


def test_a_wrong_prediction_is_reconciled():
    page = opened(PAGE, part="try")
    page.radio(key="predict_louder").set_value("more")
    page.radio(key="because_louder").set_value(page.radio(key="because_louder").options[0])
    page.run()
    page.button(key="try_louder").click().run()
    assert "No, it has about as much." in [info.value for info in page.info]
    said = [paragraph.value for paragraph in page.markdown]
    assert any(text.startswith("The treated network has about as much, because") for text in said)
    assert any("You said: **more than in the patient**" in text for text in said)


def test_a_right_prediction_for_a_wrong_reason_is_not_marked_as_right():
    page = opened(PAGE, part="try")
    page.radio(key="predict_louder").set_value("same")
    page.radio(key="because_louder").set_value(page.radio(key="because_louder").options[2])
    page.run()
    page.button(key="try_louder").click().run()
    assert not page.success
    assert "As you said, but for another reason." in [info.value for info in page.info]


def test_on_the_stage_the_keys_choose_charts_and_hide_the_verdict():
    assert len(charts(opened(PAGE, view="stage"))) == 3
    one = opened(PAGE, view="stage", chart="4")
    assert len(charts(one)) == 1
    beyond = opened(PAGE, view="stage", chart="9")
    assert len(charts(beyond)) == 3
    assert "chart=9" in beyond.warning[0].value
    for nonsense in ("0", "10", "one"):
        page = opened(PAGE, view="stage", chart=nonsense)
        assert f"chart={nonsense}" in page.warning[0].value
        assert len(charts(page)) == 3


def test_the_verdict_and_the_notes_can_be_hidden_until_something_was_predicted():
    page = opened(PAGE, hide="verdict", part="cure")
    assert headline(page).endswith(HIDDEN_VERDICT)
    assert not any("evidence" in str(button.key) for button in page.button)
    in_part(page, "try")
    assert page.toggle(key="hide_verdict").value
    page.radio(key="predict_louder").set_value("more")
    page.radio(key="because_louder").set_value(page.radio(key="because_louder").options[0])
    page.run()
    page.button(key="try_louder").click().run()
    assert not headline(page).endswith(HIDDEN_VERDICT)
    assert "hide" not in page.query_params
    page.toggle(key="hide_verdict").set_value(True).run()
    assert headline(page).endswith(HIDDEN_VERDICT)
    assert page.query_params["hide"] == "verdict"
    del page.query_params["hide"]  # as Back does
    assert not page.run().toggle(key="hide_verdict").value
    assert "hide=all" in opened(PAGE, hide="all").warning[0].value


def test_a_result_can_be_seen_in_the_charts_or_asked_again():
    page = opened(PAGE, part="try")
    page.radio(key="predict_louder").set_value("same")
    page.radio(key="because_louder").set_value(page.radio(key="because_louder").options[1])
    page.run()
    page.button(key="try_louder").click().run()
    page.button(key="see_louder").click().run()
    assert len(charts(page)) == 3
    in_part(page, "try").button(key="again_louder").click().run()
    assert page.radio(key="predict_louder").value is None


@pytest.mark.parametrize(
    ("lesson", "trial"),
    [(lesson_of(name), trial) for name in LESSONS for trial in exercises_of(name)],
    ids=lambda part: getattr(part, "key", None) or part.page,
)
def test_each_thing_to_try_opens_from_its_address(lesson, trial):
    pair = [replace(network, steps=30) for network in trial.pair(lesson)]  # enough to see where it leads
    page = opened(lesson.page, **parameters(lesson, *pair))
    assert any(differences(*trial.pair(lesson)) in plain(paragraph.value) for paragraph in page.markdown)
    assert not page.warning
