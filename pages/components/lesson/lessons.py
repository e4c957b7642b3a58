"""What all lessons have in common: the stage that stays, and the parts, of which one is open.

Only the open part is computed, sent and drawn.  Which one it is stands in the address.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import RunHistory, diagnose
from pages.charts.style.figure import Chart
from pages.components.lesson.cards import card
from pages.components.lesson.catalogue import Case, case_of, glossary_of, sections_of
from pages.components.lesson.draw_first import asked, comparison, drawing
from pages.components.lesson.exercises import exercises
from pages.components.lesson.explanations import explanations
from pages.components.lesson.findings import doctors_notes, pointed
from pages.components.lesson.look_inside import look_inside
from pages.components.lesson.strip import strip
from pages.components.lesson.take_home import Shown, take_home
from pages.components.settings.controls import Choice, Lesson, controls, more_settings_button, networks, settings_button
from pages.components.shell.address import HIDE, PART, PARTS, open_part
from pages.components.shell.frame import LEAST_WIDTH, absolute, footer, page
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.components.shell.stage_view import chosen_chart, stage_keys, viewing
from pages.components.shell.timeline import timeline
from pages.text.clock import timeline_steps
from pages.text.findings_text import disease
from pages.text.glossary import explained
from pages.text.labels import differences
from pages.text.verdict import average_factor, chain_product, outcome

HIDDEN_VERDICT = "What is wrong with the patient, and what does the treatment do? Say it before you look."
READ = "Where else it lives", "Words"  # sections of every lesson's text

Draw = Callable[[RunHistory, RunHistory], None]  # a part's contents, for the patient and the treated network


class Stage(NamedTuple):
    """What a lesson shows whatever part is open.

    verdict: the sentence about patient and treated network; note: small print to it; charts: those of the part Look,
    which answer the lesson's question; others: what can fill the stage beside these; read: sections of the part Read.
    """

    verdict: Callable[[RunHistory, RunHistory], str]
    note: str
    charts: Sequence[Chart]
    others: Sequence[Chart]
    read: Sequence[str] = READ


def show_lesson(lesson: Lesson, stage: Stage, why: Draw, cure: Draw, more: Draw) -> None:
    """A lesson from its title to its last line.

    why, cure, more: what these parts show; those called Look, Try and Read are the same in every lesson, and Cure
    begins with the doctor's notes.
    """
    shell = page(lesson.page)

    def show(choice: Choice) -> None:
        shell.share(choice.short_address, choice.address)
        on_stage = viewing()
        if on_stage:
            stage_keys()
        above = st.container(key="stage", gap="xsmall")
        part, place = ("stage", st.container()) if on_stage else _parts()
        if part in PARTS[1:]:  # who comes back finds it open
            this_session().addresses[lesson.page][PART] = part
        patient, treated = histories_of((choice.patient, choice.treated), place=shell.waiting)
        case = case_of(lesson.page, choice.patient, choice.treated)
        covered = asked()
        hidden = covered or HIDE in st.query_params
        verdict = HIDDEN_VERDICT if hidden else _verdict(lesson, stage, case, patient, treated)
        words = glossary_of(lesson.page)
        sentence.header(explained(verdict, words), anchor="verdict")
        named = f"**{case.name}**: “{case.complaint}” " if case else ""
        note = f"{named}{differences(choice.patient, choice.treated)} {stage.note}"
        small_print.markdown(f":small[{explained(note, words)}]")
        if covered:
            with place:
                if part == "read":
                    _draw(part, lesson, stage, {}, (patient, treated))
                else:
                    drawing(lesson.page, part, covered, choice.patient, choice.treated)
            return
        with above:
            steps = timeline_steps(patient, treated)
            timeline(steps, steps[-1], f"timeline_{lesson.page}", **pointed(patient, treated))
            strip(lesson.page, verdict, steps, patient, treated)
        if not on_stage:
            link, charts = absolute(choice.short_address), (*stage.charts, *stage.others)
            with shell.link.container(width="content"):
                take_home(Shown(lesson.page, shell.title, verdict, note, link, choice.patient, choice.treated, charts))
        with place:
            compared = comparison(lesson.page, part, patient, treated)
            if compared and on_stage:
                return
            _draw(part, lesson, stage, {"why": why, "cure": cure, "more": more}, (patient, treated))

    explanations(glossary_of(lesson.page))
    with st.container(key="lesson", gap="xsmall"):
        sentence = st.container(key="verdict")
        with st.container(horizontal=True, vertical_alignment="center", key="differences"):
            small_print = st.container(width="stretch")
            with st.popover("Words", icon=":material/dictionary:", type="tertiary"):
                st.markdown(sections_of(lesson.page)["Words"])
            button = st.container(width="content")
        messages = controls(lesson)
        with button:
            more_settings_button(lesson)
        settings_button()
        shell.tools()
        networks(lesson, messages, show)
    footer()


def _verdict(lesson: Lesson, stage: Stage, case: Case | None, patient: RunHistory, treated: RunHistory) -> str:
    """The lesson's; of a patient of the ward with another disease, what that is."""
    found = diagnose(patient)
    if case and found and found[0].code != lesson.page:
        return disease(patient, treated)
    return stage.verdict(patient, treated)


def _parts() -> tuple[str, DeltaGenerator]:
    """The tabs; name and place of the open one."""
    tabs = dict(zip(PARTS, st.tabs(PARTS, key=PART, bind="query-params"), strict=True))
    return next((name, tab) for name, tab in tabs.items() if tab.open)


def _draw(part: str, lesson: Lesson, stage: Stage, own: dict[str, Draw], pair: tuple[RunHistory, RunHistory]) -> None:
    if part == "stage":
        charts = (*stage.charts, *stage.others)
        chosen = chosen_chart(len(charts))
        row(stage.charts if chosen is None else charts[chosen : chosen + 1], *pair)
    elif part == "look":
        row(stage.charts, *pair)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_in_short(lesson), width="stretch")
            st.button("Why?", key="to_why", icon=":material/arrow_forward:", on_click=open_part, args=("why",))
        st.markdown(f"**Patient:** {outcome(pair[0])}. **Treated:** {outcome(pair[1])}.")
        look_inside(pair[0].experiment, pair[1].experiment)
    elif part == "try":
        exercises(lesson)
    elif part == "read":
        for heading in stage.read:
            text(lesson, heading)
    else:
        if part == "cure" and HIDE in st.query_params:
            st.markdown("The doctor’s notes are hidden until you have predicted something in *Try*.")
        elif part == "cure":
            doctors_notes(lesson, *pair)
        own[part](*pair)


def _in_short(lesson: Lesson) -> str:
    """How the lesson's text begins."""
    first = next(iter(sections_of(lesson.page).values()))
    return explained(first.strip().partition("\n\n")[0], glossary_of(lesson.page))


def row(charts: Sequence[Chart], patient: RunHistory, treated: RunHistory, across: int | None = None) -> None:
    """Charts side by side, or so many in a row."""
    with st.grid(across or len(charts), min_column_width=LEAST_WIDTH):
        for chart in charts:
            card(chart, patient, treated)


def text(lesson: Lesson, heading: str) -> None:
    """One section of the lesson's text, with its heading."""
    st.subheader(heading, anchor=False)
    with st.container(key=f"prose_{heading.split()[0].lower()}_{len(heading)}"):
        words = {} if heading == "Words" else glossary_of(lesson.page)
        st.markdown(explained(sections_of(lesson.page)[heading], words))


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
