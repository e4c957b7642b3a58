"""Things to try: a prediction first, then the networks are set and trained, then the result beside the prediction."""

from typing import NamedTuple

import streamlit as st

from engine import Experiment, RunHistory
from pages.charts.one_run import prediction
from pages.components.lesson.catalogue import Exercise, exercises_of, glossary_of
from pages.components.settings.controls import apply, locked_against
from pages.components.settings.lesson_address import address
from pages.components.settings.lesson_settings import Lesson
from pages.components.shell.address import HIDDEN, HIDE, open_part, write_address
from pages.components.shell.plot import encoded, plot
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.text.glossary import explained
from pages.text.labels import number
from pages.text.verdict import outcome

HAS = {"more": "more", "same": "about as much", "less": "less"}
LEAST_WIDTH, READABLE = 250, 380  # pixels of a card, and of what opens above it
WORDS = {"more": "More than in the patient", "same": "About the same", "less": "Less than in the patient"}


class Measured(NamedTuple):
    """A result to keep on the card: prediction and measurement in a picture and in few words; the rest on request.

    lesson: what to learn; text: the numbers; right: whether answer and reason are.
    """

    picture: bytes
    message: str
    lesson: str
    text: str
    right: bool


def exercises(lesson: Lesson, opens: bool) -> None:
    """Draw the things to try of a lesson, side by side.

    opens: whether a prediction opens what is hidden; it does not where a question has to be answered first.
    """
    if opens:
        st.session_state["hide_verdict"] = HIDE in st.query_params  # Back changes that, too
        st.toggle("Hide the verdict and the doctor’s notes until I have predicted", key="hide_verdict", on_change=_hide)
    rows = exercises_of(lesson.page)
    with st.grid(len(rows), min_column_width=LEAST_WIDTH, key="trials"):
        for exercise in rows:
            with st.container(border=True, height="stretch", key=f"trial_{exercise.key}"):
                _draw(exercise, lesson, opens)


@st.fragment
def _draw(exercise: Exercise, lesson: Lesson, opens: bool) -> None:
    """One card; a prediction draws it again, and nothing else.  Its result takes the place of its questions."""
    st.subheader(exercise.title, anchor=False)
    st.markdown(explained(exercise.text, glossary_of(lesson.page)))
    pair, key = exercise.pair(lesson), (lesson.page, exercise.key)
    committed = this_session().predictions.get(key)
    if committed and this_session().last_good.get(lesson.page) == pair:
        this_session().measured[key] = _reconciled(exercise, *committed, *histories_of(pair))
    measured = this_session().measured.get(key)
    if measured:
        plot(measured.picture, key=f"chart_predicted_{exercise.key}")
        (st.success if measured.right else st.info)(measured.message)
    else:
        _ask(exercise, lesson, opens)
    with st.container(horizontal=True, gap="xsmall", key=f"ways_on_{exercise.key}"):
        if measured:
            _ways_on(exercise, lesson, measured)
        with st.popover("Link to this", icon=":material/link:", type="tertiary"):
            st.code(address(lesson, *pair), language=None, wrap_lines=True)


def _ask(exercise: Exercise, lesson: Lesson, opens: bool) -> None:
    """What is to be predicted and why, and the button that has both networks trained."""
    which = st.radio(
        exercise.measure.question, WORDS, format_func=WORDS.__getitem__, index=None, key=f"predict_{exercise.key}",
    )  # fmt: skip
    why = st.radio("Because …", exercise.reasons, index=None, key=f"because_{exercise.key}")
    missing = "" if which and why else "Say first what you expect, and why."
    missing = locked_against(lesson, *exercise.pair(lesson)) or missing
    st.button(
        "Train both and compare", key=f"try_{exercise.key}", on_click=_try, args=(exercise, lesson, which, why, opens),
        disabled=bool(missing), type="primary", width="stretch", help=missing or None,
    )  # fmt: skip


def _ways_on(exercise: Exercise, lesson: Lesson, measured: Measured) -> None:
    """From a result: to its reason and its numbers, to the charts, and back to the question."""
    with st.popover("Why, and the numbers", icon=":material/lightbulb:"), st.container(width=READABLE):
        st.markdown(explained(measured.lesson, glossary_of(lesson.page)))
        st.markdown(f":small[{measured.text}]")
    st.button(
        "See both in the charts", icon=":material/monitoring:", key=f"see_{exercise.key}", type="tertiary",
        on_click=_see, args=(lesson, exercise.pair(lesson)),
    )  # fmt: skip
    st.button(
        "Predict again", icon=":material/replay:", key=f"again_{exercise.key}", type="tertiary",
        on_click=_again, args=(lesson, exercise),
    )  # fmt: skip


def _again(lesson: Lesson, exercise: Exercise) -> None:
    this_session().predictions.pop((lesson.page, exercise.key), None)
    this_session().measured.pop((lesson.page, exercise.key), None)


def _hide() -> None:
    write_address({HIDE: HIDDEN[0] if st.session_state["hide_verdict"] else None})


def _see(lesson: Lesson, pair: tuple[Experiment, Experiment]) -> None:
    open_part("look")
    apply(lesson, *pair)


def _try(exercise: Exercise, lesson: Lesson, which: str, why: str, opens: bool) -> None:
    this_session().predictions[lesson.page, exercise.key] = which, why
    if opens:
        write_address({HIDE: None})
    apply(lesson, *exercise.pair(lesson))


def _reconciled(exercise: Exercise, which: str, why: str, patient: RunHistory, treated: RunHistory) -> Measured:
    """The prediction beside what was measured; only the right answer for the right reason is right."""
    measure = exercise.measure
    found = measure.direction(patient, treated)
    text = (
        f"You said: **{WORDS[which].lower()}**, because {why}.  \n"
        f"Measured: **{WORDS[found].lower()}**. {measure.name[0].upper()}{measure.name[1:]} is "
        f"{number(measure.value(patient))} in the patient and {number(measure.value(treated))} in the treated one.  \n"
        f"Patient: {outcome(patient)}.  \nTreated: {outcome(treated)}."
    )
    reason = exercise.reasons[exercise.reason]
    answer_right, reason_right = which == found, why == reason
    if answer_right:
        message = "As you said, and for that reason." if reason_right else "As you said, but for another reason."
    else:
        message = f"Your reason is right, but it has {HAS[found]}." if reason_right else f"No, it has {HAS[found]}."
    values = measure, which, measure.value(patient), measure.value(treated)
    picture = encoded(prediction.figure(*values), prediction.alt(*values))
    lesson = f"The treated network has {HAS[found]}, because {reason}. {exercise.explanation}"
    return Measured(picture, message, lesson, text, answer_right and reason_right)
