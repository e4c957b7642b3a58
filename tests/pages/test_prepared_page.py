"""A lesson opened by a lecturer's link: its locks hold on the server, an answer opens what is hidden."""

import re
import time
from string import ascii_uppercase
from urllib.parse import urlencode

from streamlit.testing.v1 import AppTest

from pages.components.backpropagation.base_network import FIRST, preset_base
from pages.components.backpropagation.base_network import HIDES as UPDATE_HIDES
from pages.components.backpropagation.network_address import lockables
from pages.components.laboratory.assigned import NO_FILE
from pages.components.laboratory.comparison import HIDDEN_VERDICT as HIDDEN_LABORATORY
from pages.components.laboratory.link import LOCKABLES as LABORATORY
from pages.components.laboratory.link import SOURCE
from pages.components.lesson.draw_first import KEY, Drawn
from pages.components.lesson.lessons import HIDDEN_VERDICT
from pages.components.settings.locks import altered, locks_text
from pages.components.shell.address import SEAL, resealed, seal
from pages.components.shell.assignment import JOINER
from pages.components.shell.studio import THESE
from tests.pages.opened import charts, headline, in_part, opened, shared_link

PAGE = "vanishing_gradients"
LOCK = "depth:12,treated_activation:tanh"
QUESTION = {"question": "**Which** <b>layer</b>?", "choices": "# the first\nhttps://the.last", "right": "2"}


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
    next(button for button in page.button if button.label == "Back to this lesson’s start").click().run()
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
    page = opened(PAGE, part="read", lock=sealed.replace("12", "3"), depth="3", goal="treated ratio above 0.01")
    assert "The link was altered" in page.warning[0].value
    assert page.slider(key="depth").value == 10
    assert page.slider(key="depth").disabled
    assert all(group.disabled for group in page.button_group)
    for _ in range(2):  # and so when it is opened again, by the address that it has then
        assert "This link was altered" in text_of(page)
        assert "Not counted" in text_of(page)
        assert "Reached" not in text_of(page)
        page.run()
    assert altered([page.query_params["lock"]])


def test_a_lock_or_a_hide_that_was_deleted_is_noticed():
    link = resealed({"hide": "notes", "lock": LOCK, "goal": "treated ratio above 0.01", SEAL: ""})
    for name in ("lock", "hide"):
        page = opened(PAGE, **{one: text for one, text in link.items() if one != name}, depth="3")
        assert "depth=3" in page.warning[0].value
        assert "hide=" not in page.warning[0].value  # which nobody wrote
        assert page.slider(key="depth").value == 10
        assert page.slider(key="depth").disabled
        assert tabs(page) == ["look"]
        assert headline(page).endswith(HIDDEN_VERDICT)
        assert "Not counted" in text_of(page)


def fits(page: AppTest) -> bool:
    """Whether the address has a seal, and it is that of the rest."""
    return page.query_params[SEAL] == seal(page.query_params)


def test_an_answer_opens_what_is_hidden_and_is_kept():
    asks = QUESTION | {"hide": "verdict,part-why,part-more", "task": "_Look_ $1$ first"}
    page = opened(PAGE, **resealed(asks | {SEAL: ""}), part="why")
    assert headline(page).endswith(HIDDEN_VERDICT)
    assert "part=why" in page.warning[0].value
    assert not {"why", "more"} & set(tabs(page))
    assert {QUESTION["question"], "_Look_ $1$ first"} <= {text.value for text in page.text}
    assert all("\\" in option for option in page.radio(key="assignment_choice").options)
    assert "#why" not in text_of(page)

    assert "opens when you have answered the question" in text_of(page)
    in_part(page, "try")
    assert "hide_verdict" not in [toggle.key for toggle in page.toggle]
    in_part(page, "cure")
    assert "notes and the cures are hidden until you have answered the question" in text_of(page)
    assert not page.subheader, "nor what helps, and why"
    assert not charts(page)
    assert page.button(key="assignment_answer").disabled

    page.radio(key="assignment_choice").set_value(0).run()
    page.button(key="assignment_answer").click().run()
    assert not headline(page).endswith(HIDDEN_VERDICT)
    assert "hide" not in page.query_params
    assert fits(page)
    assert {"why", "more"} < set(tabs(page))
    right = next(one.value for one in page.error if "Right is" in one.value).replace(JOINER, "").replace("\\", "")
    assert right == "You said: **A** # the first  \nThat is not right. Right is: **B** https://the.last"
    assert any(QUESTION["question"] in key for _, key in page.session_state["session"].predictions)

    for name, text in resealed(asks | {SEAL: ""}).items():  # as Back does
        page.query_params[name] = text
    page.run()
    assert headline(page).endswith(HIDDEN_VERDICT)
    page.button(key="assignment_show").click().run()
    assert not headline(page).endswith(HIDDEN_VERDICT)


def test_a_comparison_does_not_say_the_diagnosis_that_is_hidden():
    page = opened(PAGE, part="look", hide="notes", steps="20", **QUESTION)
    session = page.session_state["session"]
    pair = session.last_good[PAGE]
    curve = [0.0] * 11  # of ten tenths of the run
    drawn = Drawn(pair, {"patient": curve, "treated": curve})
    session.measured[PAGE, KEY] = "learning_curves", drawn
    page.run()
    assert "you expected a loss of" in text_of(page)
    assert "The doctor’s diagnosis" not in text_of(page)
    del page.query_params["hide"]  # as an answer does
    page.run()
    assert "The doctor’s diagnosis" in text_of(page)


def test_the_studio_locks_what_is_followed_says_that_a_goal_is_reached_and_hides_what_may_answer():
    page = opened("overfitting", part="read")
    page.session_state["studio_goal_overfitting"] = "validation_accuracy"
    page.session_state["studio_lock_overfitting"] = THESE
    page.session_state["studio_locked_overfitting"] = ["treated_dropout", "treated_l2"]
    page.button(key="studio_open").click().run()
    assert not page.exception
    assert any("reaches this goal as it stands" in warning.value for warning in page.warning)
    assert "Locked too: Patient: dropout." in text_of(page)
    assert "lock=dropout:0.0,treated_l2:0.015,treated_dropout:as+patient,seal:" in page.code[0].value
    drawings = page.selectbox(key="studio_draw_overfitting").options
    assert drawings == ["nothing", "the learning curves"]
    assert "hide=" not in page.code[0].value
    for name, text in {"question": "Which one?", "choices": "A\nB"}.items():
        page.session_state[f"studio_{name}_overfitting"] = text
    page.button(key="studio_open").click().run()
    assert "hide=verdict&" in page.code[0].value
    page.session_state["studio_hide_asking_overfitting"] = ["part-why"]
    page.button(key="studio_open").click().run()
    assert "hide=part-why&" in page.code[0].value


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


def test_a_page_that_is_no_lesson_asks_too():
    page = opened("backpropagation", **QUESTION, task="Look first")
    assert not page.warning
    assert {QUESTION["question"], "Look first"} <= {text.value for text in page.text}
    page.radio(key="assignment_choice").set_value(1).run()
    page.button(key="assignment_answer").click().run()
    assert any("That is right." in message.value for message in page.success)


def buttons(page: AppTest) -> dict:
    return {button.key: button for button in page.button}


def test_a_mystery_patient_hides_locks_and_watches_a_goal():
    link = {"lock": "level:medium,seed:17", "hide": "looks,points,cures", "goal": "cause within 1 looks"}
    page = opened("mystery_patient", **resealed(QUESTION | link | {SEAL: ""}), seed="5")
    assert text_of(page).index("**Goal:**") < text_of(page).index(":material/lock:"), "in the same box"
    assert "`seed=5` in the address was ignored: it must be 17" in page.warning[0].value
    page.number_input(key="patient_number").proto.disabled = False  # for who writes to the server himself
    page.number_input(key="patient_number").set_value(3).run()
    assert page.number_input(key="patient_number").value == 17
    assert page.button_group(key="level").disabled
    assert not [key for key in buttons(page) if key and key.startswith("look_")]
    assert "The other charts are hidden until you have answered" in text_of(page)
    page.radio(key="assignment_choice").set_value(1).run()
    page.button(key="assignment_answer").click().run()
    assert "look_units" in buttons(page)
    assert fits(page)

    page.query_params["hide"] = "points,cures"
    page.query_params[SEAL] = seal(page.query_params)
    page.run()
    page.button(key="look_units").click().run()
    page.radio(key="diagnosis_medium_17").set_value("overfitting").run()
    page.selectbox(key="prescription_medium_17").set_value("activation").run()
    assert "Not yet" in text_of(page)
    page.button(key="commit").click().run()
    shown = text_of(page)
    assert "with 1 chart opened" in shown
    assert page.header[0].value.startswith("The root cause: ")
    assert not {"next", "try_cures"} & set(buttons(page))
    assert not re.search(r"(?<!How |age )points", shown + page.header[0].value), "percentage points are of another kind"
    assert not page.exception


def test_a_mystery_patient_s_gradient_is_drawn_before_it_is_looked_at():
    page = opened("mystery_patient", seed="17", level="medium", draw="gradient_per_layer")
    assert "look_gradients" not in buttons(page)
    session = page.session_state["session"]
    visit = session.mystery["medium", 17]
    drawn = {"patient": [-1.0 * layer for layer in reversed(range(visit.case.patient.depth))]}
    session.measured["mystery_patient medium 17", KEY] = "gradient_per_layer", Drawn((visit.case.patient,) * 2, drawn)
    visit.looks.append("gradients")  # as Compare does
    del page.query_params["draw"]
    page.run()
    assert "In layer 1 you expected" in text_of(page)
    assert "overlooked" not in text_of(page), "it would name the fault"
    assert "look_gradients" in buttons(page)
    assert not page.exception


def test_an_update_hides_locks_and_watches_a_goal():
    network = "preset=trained&trained_depth=2&trained_steps=20"
    widgets = lockables(preset_base(FIRST))
    locks = {"preset": network, "changed": "w1.1.1 = 0.5, b1.1 = 1", "updates": 3}
    link = {"lock": locks_text(locks, widgets), "goal": "answers 1", "hide": ",".join(UPDATE_HIDES)}
    link = resealed(link | {SEAL: ""})
    page = opened("backpropagation", **link, preset="xor", changed="w1.1.1 = 9", updates="7")
    assert text_of(page).index("**Goal:**") < text_of(page).index(":material/lock:"), "in the same box"
    for name, value in {"preset": "xor", "changed": "w1.1.1 = 9", "updates": "7"}.items():
        assert f"`{name}={value}` in the address was ignored" in page.warning[0].value
    assert "hidden layers 2;" in text_of(page)
    assert buttons(page)["open_xor"].disabled
    assert buttons(page)["take_1"].disabled
    assert not page.exception
    page.number_input(key="updates").proto.disabled = False  # for who writes to the server himself
    page.number_input(key="updates").set_value(5).run()
    assert page.number_input(key="updates").value == 3
    page.query_params["preset"] = "chain"
    page.run()
    assert "hidden layers 2;" in text_of(page)
    assert {"Written out", "The loss, update by update"}.isdisjoint(one.value for one in page.header)
    assert text_of(page).count("hidden by this link") == 3

    page.text_input[-1].set_value("1e9").run()
    assert not page.info[-1].value.rstrip().endswith(("weight.", "unit.", "once more."))
    assert "Not yet" in text_of(page)
    assert fits(page)
    edited = opened("backpropagation", **(link | {"goal": "answers 2"}), preset="xor")
    assert "This link was altered" in text_of(edited)
    assert buttons(edited)["open_mazur"].icon == ":material/check:"
    assert edited.number_input(key="updates").disabled


def test_the_laboratory_hides_locks_and_watches_a_goal():
    pin = "Wide~width~32~steps~30"
    points = "".join(f"{i % 2}{letter}{letter.swapcase()}" for i, letter in enumerate(ascii_uppercase))
    locks = {"data": f"sample=draw&points={points}", "pin1": pin, "depth": 2}
    link = {"lock": locks_text(locks, LABORATORY), "hide": "verdict,charts", "goal": "present training_loss below pin1"}
    moved = {"sample": "iris", "pin1": "Other~width~2", "depth": "5"}
    page = opened("laboratory", **resealed(link | QUESTION | {SEAL: ""}), **moved, steps="20")
    assert text_of(page).index("**Goal:**") < text_of(page).index(":material/lock:"), "in the same box"
    for name, value in moved.items():
        assert f"`{name}={value}` in the address was ignored" in page.warning[0].value
    assert page.selectbox(key="sample").value == "draw"
    assert page.selectbox(key="sample").disabled
    assert page.number_input(key="steps").value == 20
    page.slider(key="depth").proto.disabled = False  # for who writes to the server himself
    page.slider(key="depth").set_value(9).run()
    assert page.slider(key="depth").value == 2
    assert buttons(page)["remove_pin1"].disabled
    assert headline(page) == HIDDEN_LABORATORY
    assert not charts(page)
    assert "is below that of pinned network 1." in text_of(page)
    assert "; Wide: " in text_of(page)
    page.radio(key="assignment_choice").set_value(1).run()
    page.button(key="assignment_answer").click().run()
    assert charts(page)
    assert fits(page)
    assert headline(page) != HIDDEN_LABORATORY
    assert not page.exception


def test_bad_parameters_are_said_and_never_raise():
    bad = {"lock": "depth:\0,x:y,seal:zz", "task": "x" * 9999, "question": "\0", "choices": "\n", "right": "9" * 5000}
    page = opened(PAGE, **bad, goal="treated " + "9" * 5000, hide="\0,notes", part="read")
    assert len(page.warning[0].value.split("  \n")) >= 5
    assert headline(page).endswith(HIDDEN_VERDICT)
    assert page.slider(key="depth").disabled


def test_a_locked_file_is_the_one_that_the_link_is_about():
    lines = [f"{i},{i % 7},{'ab'[i % 2]}" for i in range(30)]
    brought = opened("laboratory", steps="20")
    brought.button(key="own").click().run()
    brought.text_area(key="pasted").set_value("\n".join(["x,y,kind", *lines])).run()
    brought.button(key="read_pasted").click().run()
    data = urlencode({name: brought.query_params[name] for name in SOURCE if name in brought.query_params})
    assert "data_digest=" in data
    brought.button(key="studio_open").click().run()
    assert NO_FILE in [warning.value for warning in brought.warning]

    page = opened("laboratory", steps="20", lock=locks_text({"data": data}, LABORATORY))
    for said, table in (("other numbers", lines[:-1]), ("rows**", lines)):
        assert "which no link carries" in page.info[0].value
        page.text_area(key="pasted").set_value("\n".join(["x,y,kind", *table])).run()
        page.button(key="read_pasted").click().run()
        assert not page.exception
        assert said in "\n".join([text_of(page), *(error.value for error in page.error)])
    assert not page.error
    assert headline(page)
