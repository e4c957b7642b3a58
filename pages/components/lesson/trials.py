"""Things to try: a prediction first, then the networks are set and trained, then the result beside the prediction."""

from typing import NamedTuple

import streamlit as st

from engine import RunHistory
from pages.components.lesson.catalogue import Exercise, exercises_of
from pages.components.settings.controls import Lesson, address, apply
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.text.labels import number
from pages.text.verdict import outcome

HAS = {"more": "more", "same": "about as much", "less": "less"}
WORDS = {"more": "More than in the patient", "same": "About the same", "less": "Less than in the patient"}


class Measured(NamedTuple):
    """A result to keep on the card: prediction and measurement, what to learn, whether answer and reason are right."""

    text: str
    lesson: str
    right: bool


def trials(lesson: Lesson) -> None:
    """Draw the things to try of a lesson, side by side."""
    rows = exercises_of(lesson.page)
    for trial, column in zip(rows, st.columns(len(rows)), strict=True):
        with column, st.container(border=True, key=f"trial_{trial.key}"):
            _draw(trial, lesson)


@st.fragment
def _draw(trial: Exercise, lesson: Lesson) -> None:
    """One card; a prediction draws it again, and nothing else."""
    st.markdown(f"**{trial.title}**")
    st.markdown(trial.text)
    which = st.radio(
        trial.measure.question, WORDS, format_func=WORDS.__getitem__, index=None, key=f"predict_{trial.key}",
    )  # fmt: skip
    why = st.radio("Because …", trial.reasons, index=None, key=f"because_{trial.key}")
    st.button(
        "Train both and compare", key=f"try_{trial.key}", on_click=_try, args=(trial, lesson, which, why),
        disabled=which is None or why is None, type="primary", width="stretch",
        help=None if which and why else "Say first what you expect, and why.",
    )  # fmt: skip
    pair = trial.pair(lesson)
    committed = this_session().predictions.get((lesson.page, trial.key))
    if committed and this_session().last_good.get(lesson.page) == pair:
        this_session().measured[lesson.page, trial.key] = _reconciled(trial, *committed, *histories_of(pair))
    if measured := this_session().measured.get((lesson.page, trial.key)):
        st.markdown(measured.text)
        (st.success if measured.right else st.info)(measured.lesson)
    with st.popover("Address", icon=":material/link:", type="tertiary"):
        st.code(address(lesson, *pair), language=None, wrap_lines=True)


def _try(trial: Exercise, lesson: Lesson, which: str, why: str) -> None:
    this_session().predictions[lesson.page, trial.key] = which, why
    apply(lesson, *trial.pair(lesson))


def _reconciled(trial: Exercise, which: str, why: str, patient: RunHistory, treated: RunHistory) -> Measured:
    """The prediction beside what was measured; only the right answer for the right reason is right."""
    measure = trial.measure
    found = measure.direction(patient, treated)
    text = (
        f"You said: **{WORDS[which].lower()}**, because {why}.  \n"
        f"Measured: **{WORDS[found].lower()}**. {measure.name[0].upper()}{measure.name[1:]} is "
        f"{number(measure.value(patient))} in the patient and {number(measure.value(treated))} in the treated one.  \n"
        f"Patient: {outcome(patient)}.  \nTreated: {outcome(treated)}."
    )
    reason = trial.reasons[trial.reason]
    answer_right, reason_right = which == found, why == reason
    if answer_right and reason_right:
        message = "As you said, and for that reason."
    elif answer_right:
        message = f"Your prediction is right, but your reason is not: it is because {reason}."
    elif reason_right:
        message = f"Your reason is right, but your prediction is not: the treated network has {HAS[found]}."
    else:
        message = f"The treated network has {HAS[found]}, because {reason}."
    lesson = f"{message} {trial.explanation} [The charts at the top](#verdict) show both."
    return Measured(text, lesson, answer_right and reason_right)
