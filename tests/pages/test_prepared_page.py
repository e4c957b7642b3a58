"""A lesson opened by a lecturer's link: its locks hold on the server, an answer opens what is hidden."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.lesson.lessons import HIDDEN_VERDICT
from pages.components.settings.locks import SEAL
from pages.components.shell.assignment import JOINER
from pages.components.shell.runs import shared_runs
from tests.pages.opened import charts, headline, in_part, opened, shared_link

PAGE = "vanishing_gradients"
LOCK = "depth:12,treated_activation:tanh"
QUESTION = {"question": "**Which** <b>layer</b>?", "choices": "# the first\nhttps://the.last", "right": "2"}


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    shared_runs().close()


def text_of(page: AppTest) -> str:
    return "\n".join(element.value for element in [*page.markdown, *page.text, *page.success, *page.info])


def tabs(page: AppTest) -> list[str]:
    return [tab.label for tab in page.tabs]


def test_what_is_locked_does_not_move_whoever_asks():
    page = opened(PAGE, part="read", lock=LOCK, depth="5", steps="200")
    assert "`depth=5` in the address was ignored: it must be 12" in page.warning[0].value
    assert page.slider(key="depth").disabled
    assert not page.button_group(key="activation").disabled
    assert "Locked by this link: Hidden layers; Treated: activation." in text_of(page)

    page.slider(key="depth").proto.disabled = False  # for who writes to the server himself
    page.slider(key="depth").set_value(3).run()
    assert page.slider(key="depth").value == 12
    page.query_params["depth"] = "7"
    page.run()
    assert "depth=12&" in shared_link(page)
    assert page.query_params["depth"] == "12"
    assert page.query_params["lock"].startswith(LOCK)

    page.button(key="settings").click().run()
    next(button for button in page.button if button.label == "Back to this lesson's start").click().run()
    assert "steps" not in page.query_params
    assert page.query_params["depth"] == "12"
    in_part(page, "try")
    page.radio(key="predict_louder").set_value("same")
    page.radio(key="because_louder").set_value(page.radio(key="because_louder").options[1])
    page.run()
    button = page.button(key="try_louder")
    assert button.disabled
    assert "locks" in button.help


def test_an_edited_lock_locks_all_at_the_start():
    sealed = opened(PAGE, part="read", lock=LOCK).query_params["lock"]
    assert SEAL in sealed
    page = opened(PAGE, part="read", lock=sealed.replace("12", "3"), depth="3")
    assert "The link was changed" in page.warning[0].value
    assert page.slider(key="depth").value == 10
    assert page.slider(key="depth").disabled
    assert all(group.disabled for group in page.button_group)
    assert "All settings are locked by this link." in text_of(page)


def test_an_answer_opens_what_is_hidden_and_is_kept():
    page = opened(PAGE, **QUESTION, hide="verdict,part-why,part-more", part="why", task="_Look_ $1$ first")
    assert headline(page) == HIDDEN_VERDICT
    assert "part=why" in page.warning[0].value
    assert not {"why", "more"} & set(tabs(page))
    assert {QUESTION["question"], "_Look_ $1$ first"} <= {text.value for text in page.text}
    assert all("\\" in option for option in page.radio(key="assignment_choice").options)
    assert not any(button.key == "to_why" for button in page.button)

    in_part(page, "try")
    assert "hide_verdict" not in [toggle.key for toggle in page.toggle]
    in_part(page, "cure")
    assert "hidden until you have answered the question" in text_of(page)
    assert page.button(key="assignment_answer").disabled

    page.radio(key="assignment_choice").set_value(0).run()
    page.button(key="assignment_answer").click().run()
    assert headline(page) != HIDDEN_VERDICT
    assert "hide" not in page.query_params
    assert {"why", "more"} < set(tabs(page))
    right = next(info.value for info in page.info if "Right is" in info.value).replace(JOINER, "").replace("\\", "")
    assert right == "You said: **A** # the first  \nRight is: **B** https://the.last"
    assert any(QUESTION["question"] in key for _, key in page.session_state["session"].predictions)

    page.query_params["hide"] = "verdict"  # as Back does
    page.run()
    assert headline(page) == HIDDEN_VERDICT
    page.button(key="assignment_show").click().run()
    assert headline(page) != HIDDEN_VERDICT


def test_on_the_stage_no_chart_of_a_hidden_part_shows():
    assert len(charts(opened(PAGE, view="stage", chart="4", hide="part-why"))) == 3


def test_a_goal_is_watched_in_the_run_and_over_seeds():
    reached = "Reached"
    for goal, says in {
        "treated validation_accuracy above 0.8": reached,
        "patient validation_accuracy above 0.8": "Not yet",
        "treated validation_accuracy above 0.8 with activation sigmoid": "but its activation is ReLU",
        "treated ratio above 0.01": reached,
    }.items():
        assert says in text_of(opened(PAGE, part="read", goal=goal)), goal
    page = opened(PAGE, goal="treated validation_accuracy above 0.8 in 7", part="read", steps="60")
    assert "the seeds are not measured yet" in text_of(page)
    page.button(key="measure_goal").click().run()
    for _ in range(200):
        if "of 8 seeds; this run" in text_of(page):
            break
        time.sleep(0.5)
        page.run()
    assert "of 8 seeds; this run" in text_of(page)


@pytest.mark.parametrize("name", ["mystery_patient", "backpropagation"])
def test_other_pages_ask_too(name):
    page = opened(name, **QUESTION, task="Look first")
    assert not page.warning
    assert {QUESTION["question"], "Look first"} <= {text.value for text in page.text}
    page.radio(key="assignment_choice").set_value(1).run()
    page.button(key="assignment_answer").click().run()
    assert any("That is right." in message.value for message in page.success)


def test_bad_parameters_are_said_and_never_raise():
    bad = {"lock": "depth:\0,x:y,seal:zz", "task": "x" * 9999, "question": "\0", "choices": "\n", "right": "9" * 5000}
    page = opened(PAGE, **bad, goal="treated " + "9" * 5000, hide="\0,notes", part="read")
    assert len(page.warning[0].value.split("  \n")) >= 5
    assert headline(page) == HIDDEN_VERDICT
    assert page.slider(key="depth").disabled
