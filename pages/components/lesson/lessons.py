"""What all lessons have in common: the verdict, the charts in their order, and the text."""

from collections.abc import Callable, Iterable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import RunHistory
from pages.charts.style.figure import Chart
from pages.components.lesson.cards import card
from pages.components.lesson.catalogue import sections_of
from pages.components.lesson.findings import doctors_notes, pointed
from pages.components.lesson.look_inside import look_inside
from pages.components.lesson.trials import trials
from pages.components.settings.controls import Choice, Lesson, controls, networks
from pages.components.shell.frame import LEAST_WIDTH, footer, page, projecting
from pages.components.shell.runs import histories_of
from pages.components.shell.timeline import timeline
from pages.text.clock import timeline_steps
from pages.text.labels import differences
from pages.text.verdict import average_factor, chain_product, outcome

LARGE_A_ROW = 2  # charts on a projector


def open_lesson(lesson: Lesson, contents: Callable[[DeltaGenerator, RunHistory, RunHistory], None]) -> None:
    """A lesson from its title to all that speaks of the two networks.

    contents: draws that, for the patient and the treated network that the controls ask for, and again for others; it
    gets the verdict's place above the controls.
    """
    shell = page(lesson.page)
    sentence = st.container(key="verdict")
    messages = controls(lesson)
    shell.tools()

    def show(choice: Choice) -> None:
        shell.share(choice.address)
        contents(sentence, *histories_of((choice.patient, choice.treated), place=shell.waiting))

    networks(lesson, messages, show)


def close_lesson(lesson: Lesson) -> None:
    """Things to try, and what else there is to say."""
    st.subheader("Try this")
    trials(lesson)
    text(lesson, "Where else it lives")
    text(lesson, "Words")
    footer()


def compare(
    lesson: Lesson,
    sentence: DeltaGenerator,
    first: Sequence[Chart],
    then: Iterable[Sequence[Chart]],
    patient: RunHistory,
    treated: RunHistory,
    verdict: Callable[[RunHistory, RunHistory], str],
    note: str = "",
) -> None:
    """Verdict, difference and timeline, the first charts side by side, the doctor's notes, the other charts row by row.

    note: small print to the verdict.
    """
    sentence.subheader(verdict(patient, treated), anchor="verdict")  # things to try link back to it
    message = differences(patient.experiment, treated.experiment)
    sentence.markdown(f":small[{message} {note}]")
    steps = timeline_steps(patient, treated)
    timeline(steps, steps[-1], **pointed(patient, treated))
    row(first, patient, treated)
    st.markdown(f"**Patient:** {outcome(patient)}. **Treated:** {outcome(treated)}.")
    look_inside(patient.experiment, treated.experiment)
    doctors_notes(lesson, patient, treated)
    for charts in then:
        row(charts, patient, treated)


def row(charts: Sequence[Chart], patient: RunHistory, treated: RunHistory) -> None:
    """Charts side by side; in large type at most two."""
    across = min(len(charts), LARGE_A_ROW) if projecting() else len(charts)
    with st.grid(across, min_column_width=LEAST_WIDTH):
        for chart in charts:
            card(chart, patient, treated)


def text(lesson: Lesson, heading: str) -> None:
    """One section of the lesson's text, with its heading."""
    st.subheader(heading, anchor=False)
    st.markdown(sections_of(lesson.page)[heading])


def chain_rule(patient: RunHistory, treated: RunHistory) -> None:
    """The product of the chain rule with the numbers of both networks, at step 0."""
    with st.grid(2, min_column_width=LEAST_WIDTH):
        for who, history in (("Patient", patient), ("Treated", treated)):
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{who}, step 0**")
                if product := chain_product(history):
                    st.latex(product)
                    st.markdown(average_factor(history))
                else:
                    st.markdown("There is no product to write down: there is one hidden layer only, or no gradient.")
