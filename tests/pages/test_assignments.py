"""What a lecturer's link says, in tables: what is understood, what is said of the rest, and what it never shows."""

from dataclasses import replace

import pytest

from engine import OutOfRange
from pages.components.lesson.catalogue import lesson_of
from pages.components.settings.controls import _locks, _widgets
from pages.components.settings.locks import locks_text, read_locks
from pages.components.shell.address import HIDDEN, hidden_by
from pages.components.shell.assignment import Assignment, Question, as_text, read_assignment
from pages.text.goals import Goal, read_goal

WIDGETS = _widgets(lesson_of("vanishing_gradients"))
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
        # What is not understood hides the verdict, and what is hides all the same.
        ("verdct", ["verdict"], False),
        ("", ["verdict"], False),
        ("notes,part-look", ["verdict", "notes"], False),
        ("NOTES", ["verdict"], False),
        ("part-cure,\0", ["verdict", "part-cure"], False),
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
    with pytest.raises(OutOfRange):
        read_goal(text)


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
        locks, address = _locks(later, {"v": [version], "lock": [nearly_all]})
        assert locks["depth"] == depth
        # The version leaves the address; what it said stays.
        assert _locks(later, {"lock": [address.texts["lock"]]})[0] == locks


SEALED = locks_text({"depth": 12}, WIDGETS)


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
        (SEALED.replace("12", "5"), START, 1),
        (SEALED + ",seal:000000", START, 1),
        (SEALED + ",all,-depth", START, 1),
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


def test_markdown_has_no_letter_of_its_own_in_a_text():
    text = as_text("# **a**\n\n<b> [x](http://y.zz) $1$ :red[b] :smile: www.a.bc -> a@b.cd")
    assert "\n" not in text
    assert "\\*\\*a\\*\\*" in text
    assert not {"://", ":s", "www.", "->", "a@"} & {text[i : i + n] for n in (2, 3, 4) for i in range(len(text))}
