"""Things to try: a prediction first, then the networks are set and trained, then the result beside the prediction."""

import math
import tomllib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from engine import RunHistory
from pages.charts.verdict import outcome, starting_ratio
from pages.charts.wording import number
from pages.components.controls import Lesson, address, apply
from pages.components.frame import memory

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "lessons"
DIRECTIONS = {"more": "More than in the patient", "same": "About the same", "less": "Less than in the patient"}
CLEAR = 2.0  # factor between two R below which they count as about the same


@dataclass(frozen=True)
class Trial:
    """One thing to try: how it changes the lesson's networks, and what is to be predicted."""

    key: str
    title: str
    text: str
    patient: dict[str, Any]
    treated: dict[str, Any]
    answer: str
    reasons: tuple[str, ...]
    reason: int
    explanation: str

    def pair(self, lesson: Lesson) -> tuple[Any, Any]:
        """The two experiments."""
        patient = replace(lesson.patient, **self.patient)
        return patient, replace(patient, **self.treated)


@lru_cache
def trials_of(page: str) -> tuple[Trial, ...]:
    """The things to try of a lesson, from assets/lessons."""
    rows = tomllib.loads((ASSETS / f"{page}.toml").read_text("utf-8"))["trial"]
    return tuple(Trial(**row | {"reasons": tuple(row["reasons"])}) for row in rows)


class Measured(NamedTuple):
    """A result to keep on the card: prediction and measurement, what to learn, and whether the prediction was right."""

    text: str
    lesson: str
    right: bool


def direction(patient: RunHistory, treated: RunHistory) -> str:
    """How the treated network's R compares with the patient's: a key of DIRECTIONS."""
    before, after = starting_ratio(patient), starting_ratio(treated)
    if math.isnan(before) or math.isnan(after) or before == after:
        return "same"
    change = after / before if before else math.inf
    return "more" if change > CLEAR else "less" if change < 1 / CLEAR else "same"


def trials(lesson: Lesson, patient: RunHistory, treated: RunHistory) -> None:
    """Draw the things to try of a lesson, side by side."""
    for trial, column in zip(trials_of(lesson.page), st.columns(3), strict=True):
        with column, st.container(border=True, key=f"trial_{trial.key}"):
            _draw(trial, lesson, patient, treated)


def _draw(trial: Trial, lesson: Lesson, patient: RunHistory, treated: RunHistory) -> None:
    st.markdown(f"**{trial.title}**")
    st.markdown(trial.text)
    which = st.radio(
        "How much of the gradient will reach the first layer of the treated network?", DIRECTIONS,
        format_func=DIRECTIONS.__getitem__, index=None, key=f"predict_{trial.key}",
    )  # fmt: skip
    why = st.radio("Because …", trial.reasons, index=None, key=f"because_{trial.key}")
    st.button(
        "Train both and compare", key=f"try_{trial.key}", on_click=_try, args=(trial, lesson, which, why),
        disabled=which is None or why is None, type="primary", width="stretch",
        help=None if which and why else "Say first what you expect, and why.",
    )  # fmt: skip
    pair = trial.pair(lesson)
    committed = memory().predictions.get((lesson.page, trial.key))
    if committed and (patient.experiment, treated.experiment) == pair:
        memory().measured[lesson.page, trial.key] = _reconciled(trial, *committed, patient, treated)
    if measured := memory().measured.get((lesson.page, trial.key)):
        st.markdown(measured.text)
        (st.success if measured.right else st.info)(measured.lesson)
    with st.popover("Address", icon=":material/link:", type="tertiary"):
        st.code(address(lesson, *pair), language=None, wrap_lines=True)


def _try(trial: Trial, lesson: Lesson, which: str, why: str) -> None:
    memory().predictions[lesson.page, trial.key] = which, why
    apply(lesson, *trial.pair(lesson))


def _reconciled(trial: Trial, which: str, why: str, patient: RunHistory, treated: RunHistory) -> Measured:
    """The prediction beside what was measured."""
    found = direction(patient, treated)
    text = (
        f"You said: **{DIRECTIONS[which].lower()}**, because {why}.  \n"
        f"Measured: **{DIRECTIONS[found].lower()}**. R, the first layer’s share, is {number(starting_ratio(patient))} "
        f"in the patient and {number(starting_ratio(treated))} in the treated network.  \n"
        f"Patient: {outcome(patient)}.  \nTreated: {outcome(treated)}."
    )
    reason = trial.reasons[trial.reason]
    if which == found:
        said = "As you said, and for that reason." if why == reason else f"As you said, but because {reason}."
    elif why == reason:
        said = f"Your reason is right, but it makes it {DIRECTIONS[found].lower()}."
    else:
        said = f"It is {DIRECTIONS[found].lower()}, because {reason}."
    return Measured(text, f"{said} {trial.explanation} The charts above showed these two networks.", which == found)
