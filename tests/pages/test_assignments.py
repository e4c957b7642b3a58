"""What a lecturer's link says, in tables: what is understood, what is said of the rest, and what it never shows."""

from dataclasses import replace

import pytest

from engine import Experiment, OutOfRange, train
from pages.components.lesson.catalogue import lesson_of
from pages.components.settings.lesson_address import locks_in
from pages.components.settings.lesson_settings import controls_of
from pages.components.settings.locks import locks_text, read_locks
from pages.components.shell.address import ALTERED, HIDDEN, SEAL, SEALED, hidden_by, resealed, unaltered
from pages.components.shell.assignment import Assignment, Question, as_text, read_assignment
from pages.text.goals import (
    Goal,
    MysteryGoal,
    UpdateGoal,
    read_goal,
    read_laboratory_goal,
    read_mystery_goal,
    read_update_goal,
)

WIDGETS = controls_of(lesson_of("vanishing_gradients"))
START = {name: control.default for name, control in WIDGETS.items()}
ASKED = Assignment(
    ("verdict", "part-cure"),
    "Cure it & write\ndown <b>how</b>",
    Question("Which layer?", ("the first", "the last"), 1),
    Goal("treated", "validation_accuracy", "above", 0.9, 7, ("activation", "sigmoid")),
)


def texts(**parameters):
    return {name: [text] for name, text in parameters.items()}


def test_what_is_asked_is_read_as_it_was_written():
    found, address = read_assignment({name: [text] for name, text in ASKED.texts.items()})
    assert found == ASKED
    assert address.texts == ASKED.texts
    assert not address.sentences


@pytest.mark.parametrize(
    ("text", "hides", "understood"),
    [
        ("verdict", ["verdict"], True),
        ("part-why,notes", ["notes", "part-why"], True),
        (" cures , part-more ", ["cures", "part-more"], True),
        # What is not understood hides all that can be: it may have been any of it.
        ("verdct", HIDDEN, False),
        ("", HIDDEN, False),
        ("notes,part-look", HIDDEN, False),
        ("NOTES", HIDDEN, False),
        ("part-cure,\0", HIDDEN, False),
    ],
)
def test_a_damaged_hide_hides_no_less(text, hides, understood):
    assert hidden_by([text]) == (tuple(hides), understood)
    found, address = read_assignment(texts(hide=text))
    assert found.hidden == tuple(hides)
    assert len(address.sentences) == (not understood)
    assert read_assignment(texts(**address.texts))[1].texts == address.texts


def test_hide_named_twice_hides_both():
    assert hidden_by(["notes", "part-why"])[0] == ("notes", "part-why")
    assert set(hidden_by([",".join(HIDDEN)])[0]) == set(HIDDEN)


@pytest.mark.parametrize(
    ("parameters", "left"),
    [
        ({"task": "x" * 281}, {}),
        ({"task": "x" * 280}, {"task": "x" * 280}),
        ({"question": "Which?"}, {}),
        ({"question": "Which?", "choices": "one"}, {}),
        ({"question": "Which?", "choices": "one\n one"}, {}),
        ({"question": "Which?", "choices": "\n".join("abcdef")}, {}),
        ({"question": "Which?", "choices": "one\n" + 121 * "x"}, {}),
        ({"question": "Which?", "choices": "a\nb", "right": "3"}, {"question": "Which?", "choices": "a\nb"}),
        ({"question": "Which?", "choices": "a\nb", "right": "0"}, {"question": "Which?", "choices": "a\nb"}),
        ({"question": "Which?", "choices": "a\nb", "right": "٢"}, {"question": "Which?", "choices": "a\nb"}),
        ({"goal": "treated cured in 9"}, {}),
    ],
)
def test_what_makes_no_question_is_left_out_and_said(parameters, left):
    found, address = read_assignment(texts(**parameters))
    assert found.texts == left
    assert bool(address.sentences) == (left != parameters)


GOALS = [
    ("treated cured", "the doctor finds nothing wrong with the treated network."),
    ("treated cured in 7", "the doctor finds nothing wrong with the treated network, in 7 of 8 seeds."),
    (
        "patient validation_accuracy above 0.9 with activation sigmoid",
        "the patient’s accuracy on validation data is above 90\u00a0%, with activation sigmoid.",
    ),
    (
        "treated training_loss below 0.05 in 8",
        "the treated network’s loss on training data is below 0.05, in 8 of 8 seeds.",
    ),
]
NO_GOALS = [
    "", "cured", "treated", "treated cured above 1", "treated beauty above 1", "treated training_loss above",
    "treated training_loss over 1", "treated training_loss above 1e999", "treated training_loss above nan",
    "treated cured in 0", "treated cured in 9", "treated cured with activation", "treated cured with depth 12",
    "treated cured with activation banana", "treated cured with banana relu", "treated ratio above 0.1 in 7",
    "treated cured " * 99, "treated cured\0", "treated training_loss above ١",
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), GOALS)
def test_a_goal_is_read_written_and_said(text, sentence):
    assert read_goal(text).text == text
    assert read_goal(text).sentence == sentence


@pytest.mark.parametrize("text", NO_GOALS)
def test_what_is_no_goal_is_refused(text):
    for read in (read_goal, read_update_goal, *[read_mystery_goal] * (text != "cured")):
        with pytest.raises(OutOfRange):
            read(text)


def test_the_goals_of_the_laboratory():
    for text in ("present cured", "present validation_accuracy above pin2", "present training_loss below 0.1"):
        assert read_laboratory_goal(text).text == text
        with pytest.raises(OutOfRange):
            read_goal(text)
    for text in ("treated cured", "present cured in 7", "present validation_loss below pin4"):
        with pytest.raises(OutOfRange):
            read_laboratory_goal(text)


def test_a_pinned_network_is_beaten_in_the_unit_of_the_present_one():
    """A loss of targets ten times as large counts for what it is; losses of two kinds are not compared."""
    start = Experiment(dataset="sine", n_train=20, depth=1, width=4, steps=20, learning_rate=1e-3)
    goal = read_laboratory_goal("present validation_loss below pin1")
    for loss, power in (("mse", 2), ("mae", 1)):
        run = train(replace(start, loss=loss))
        scaled = train(replace(start, loss=loss, target_scale=10.0))
        beaten, how = goal.against(scaled, run)
        assert beaten.bound == pytest.approx(scaled.validation_loss[-1] / 10.0**power)
        assert "the present network’s unit" in how
        assert beaten.reached(run) == (run.validation_loss[-1] < beaten.bound)
        assert goal.against(run, run) == (replace(goal, bound=run.validation_loss[-1]), "")
    classes = [train(Experiment(n_train=20, depth=1, width=4, steps=5, loss=loss)) for loss in ("auto", "mse")]
    huber = [train(replace(start, loss="huber", target_scale=scale)) for scale in (1.0, 2.0)]
    for rival, present, why in ((*classes, "same loss"), (huber[0], run, "same loss"), (*huber, "same target scale")):
        beaten, how = goal.against(rival, present)
        assert beaten is None
        assert why in how
    accuracy = read_laboratory_goal("present validation_accuracy above pin1")
    assert accuracy.against(*classes)[0].bound == classes[0].validation_accuracy[-1]


def test_the_goals_of_a_mystery_patient():
    for text in ("cause", "cured", "cause within 3 looks", "cured within 0 looks"):
        assert read_mystery_goal(text).text == text
    assert MysteryGoal("cause", 1).sentence == "name the root cause, with at most 1 chart opened."
    assert MysteryGoal("cause", 3).reached(cause=True, cured=False, looks=3)
    assert not MysteryGoal("cause", 3).reached(cause=True, cured=True, looks=4)
    assert not MysteryGoal("cured").reached(cause=True, cured=False, looks=0)


def test_the_goals_of_an_update():
    for text in ("answers 4", "loss below 0.25 within 10 updates", "loss above 1e+20 within 0 updates"):
        assert read_update_goal(read_update_goal(text).text) == read_update_goal(text)
    goal = UpdateGoal(0, "below", 0.25, 10)
    assert goal.sentence == "the loss is below 0.25 after at most 10 updates."
    assert goal.reached(0, 0.2, 10)
    assert not goal.reached(4, 0.2, 11)
    assert not goal.reached(4, float("nan"), 1)
    assert UpdateGoal(3).reached(3, 1.0, 0)
    assert not UpdateGoal(3).reached(2, 0.0, 0)


def test_what_is_locked_is_read_as_it_was_written():
    few = {"depth": 12, "treated_activation": "as patient", "noise": None}
    nearly_all = {name: START[name] for name in WIDGETS if name != "treated_activation"} | {"depth": 12}
    for locks in (few, nearly_all, START | few):
        text = locks_text(locks, WIDGETS)
        found, address = read_locks([text], WIDGETS, START)
        assert found == locks
        assert address.texts == {"lock": text}
        assert not address.sentences
    assert len(locks_text(nearly_all, WIDGETS)) < 60


def test_a_lock_of_an_earlier_version_keeps_what_the_lesson_started_from():
    lesson = lesson_of("vanishing_gradients")
    earlier = replace(lesson.patient, depth=7)
    later = replace(lesson, earlier=((earlier, replace(lesson.treated, depth=7)),))
    nearly_all = locks_text({name: START[name] for name in WIDGETS if name != "seed"}, WIDGETS)
    for version, depth in (("1", 7), ("2", START["depth"])):
        locks, address = locks_in(later, {"v": [version], "lock": [nearly_all]})
        assert locks["depth"] == depth
        # The version leaves the address; what it said stays.
        assert locks_in(later, {"lock": [address.texts["lock"]]})[0] == locks


SEALED_LOCK = locks_text({"depth": 12}, WIDGETS)


@pytest.mark.parametrize(
    ("text", "locks", "sentences"),
    [
        ("depth", {"depth": START["depth"]}, 0),
        ("depth:12", {"depth": 12}, 0),
        ("all,-depth", {name: START[name] for name in WIDGETS if name != "depth"}, 0),
        ("all,-dept", START, 1),
        ("depth:12,banana:1", {"depth": 12}, 1),
        ("depth:banana", {"depth": START["depth"]}, 1),  # locked all the same
        ("depth:12:13", {"depth": START["depth"]}, 1),
        ("", {}, 1),
        # A seal that does not fit: nothing can be moved.
        (SEALED_LOCK.replace("12", "5"), START, 1),
        (SEALED_LOCK + ",seal:000000", START, 1),
        (SEALED_LOCK + ",all,-depth", START, 1),
        ("seal:000000", START, 1),
    ],
)
def test_a_lock_that_was_edited_locks_no_less(text, locks, sentences):
    found, address = read_locks([text], WIDGETS, START)
    assert found == locks
    assert len(address.sentences) == sentences
    again, address = read_locks([address.texts["lock"]] if found else [], WIDGETS, START)
    assert again == found
    assert not address.sentences


def test_a_link_of_which_a_part_was_changed_or_deleted_locks_and_hides_everything():
    link = texts(**resealed({**ASKED.texts, "lock": SEALED_LOCK, "depth": "12", SEAL: ""}))
    assert link.keys() - {"depth"} == {*SEALED, SEAL}
    for same in (link, link | texts(depth="3"), texts(task="Cure it"), {}):
        assert unaltered(same) == same
    for name in (*SEALED, SEAL):
        edited = [link | {name: [link[name][0] + " "]}, link | {name: link[name] * 2}]
        for other in [*edited, *[{one: link[one] for one in link if one != name}] * (name != SEAL)]:
            found = unaltered(other)
            assert found["lock"] == [ALTERED], other
            assert hidden_by(found["hide"]) == (HIDDEN, False)
            assert SEAL not in found
    assert resealed({"depth": "3", SEAL: link[SEAL][0]}) == {"depth": "3"}


def test_markdown_has_no_letter_of_its_own_in_a_text():
    text = as_text("# **a**\n\n<b> [x](http://y.zz) $1$ :red[b] :smile: www.a.bc -> a@b.cd")
    assert "\n" not in text
    assert "\\*\\*a\\*\\*" in text
    assert not {"://", ":s", "www.", "->", "a@"} & {text[i : i + n] for n in (2, 3, 4) for i in range(len(text))}
