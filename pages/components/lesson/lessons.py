"""What all lessons have in common: the stage that stays, and the parts, of which one is open.

Only the open part is computed, sent and drawn.  Which one it is stands in the address.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import RunHistory, diagnose
from pages.charts.style.figure import PATIENT, TREATED, Chart
from pages.components.lesson.assignment_box import draw_assignment, draw_goal, goal_text
from pages.components.lesson.cards import card
from pages.components.lesson.catalogue import Case, case_of, glossary_of, sections_of
from pages.components.lesson.draw_first import DRAWN_FOR, asked, comparison, drawing
from pages.components.lesson.exercises import exercises
from pages.components.lesson.explanations import explanations
from pages.components.lesson.findings import cures_to_apply, doctors_notes, pointed, verdict_link
from pages.components.lesson.look_inside import look_inside
from pages.components.lesson.strip import strip
from pages.components.lesson.take_home import Shown, take_home
from pages.components.settings.controls import (
    Choice,
    controls,
    more_settings_button,
    networks,
    preparable,
    settings_button,
)
from pages.components.settings.lesson_settings import Lesson, labels_of
from pages.components.shell.address import (
    HIDDEN_PART,
    PART,
    PARTS,
    all_parameters,
    hidden_here,
    shown_parts,
)
from pages.components.shell.assignment import read_assignment, waits_for_answer
from pages.components.shell.component import component
from pages.components.shell.frame import LEAST_WIDTH, absolute, footer, lessons, page
from pages.components.shell.kept_focus import kept_focus
from pages.components.shell.runs import histories_of
from pages.components.shell.session import this_session
from pages.components.shell.stage_view import chosen_chart, stage_keys, viewing
from pages.components.shell.studio import studio_button
from pages.components.shell.timeline import timeline
from pages.text.clock import timeline_steps
from pages.text.draw_first import DRAWINGS
from pages.text.findings_text import disease
from pages.text.glossary import explained
from pages.text.goals import AnyGoal, Goal
from pages.text.labels import differences
from pages.text.verdict import average_factor, chain_product, outcome

HIDDEN_VERDICT = "Say it before you look."
NAMES_ANY_CAUSE = "data_faults"  # the lesson whose verdict begins with the root cause, whatever that is
READ = "Where else it lives", "Words"  # sections of every lesson's text

_anchors = component("anchors", styled=False)

Draw = Callable[[RunHistory, RunHistory], None]  # a part's contents, for the patient and the treated network


class Stage(NamedTuple):
    """What a lesson shows whatever part is open.

    verdict: the sentence about patient and treated network; note: small print to it, or what says it of them;
    charts: those of the part Look, which answer the lesson's question; others: what can fill the stage beside these;
    read: sections of the part Read.
    """

    verdict: Callable[[RunHistory, RunHistory], str]
    note: str | Callable[[RunHistory, RunHistory], str]
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
        covered, hidden = asked(), hidden_here()
        above = st.container(key=None if covered else "stage", gap="xsmall")  # which has the room of timeline and strip
        above.empty()  # or the browser would draw no container, and what is below would move later
        part, place = ("stage", st.container()) if on_stage else _parts()
        if part in PARTS[1:]:  # who comes back finds it open
            this_session().addresses[lesson.page][PART] = part
        patient, treated = histories_of((choice.patient, choice.treated), place=shell.waiting)
        case = case_of(lesson.page, choice.patient, choice.treated, lesson.page in this_session().from_ward)
        unsaid = bool(covered) or "verdict" in hidden
        words = glossary_of(lesson.page)
        assignment, _ = read_assignment(all_parameters())
        if unsaid:
            verdict = _instead_of_verdict(bool(assignment.question), choice.patient == choice.treated)
        else:
            verdict = _verdict(lesson, stage, case, patient, treated)
        waits = waits_for_answer(lesson.page)
        if on_stage and waits and "verdict" in hidden:
            headline.empty()  # the lecturer's question stands for it, and the charts need the room
        else:
            headline.header(explained(verdict, words), anchor="verdict")
            if not (unsaid or hidden or on_stage):
                with sentence:
                    verdict_link(patient)
        small = stage.note if isinstance(stage.note, str) else stage.note(patient, treated)
        note = f"{differences(choice.patient, choice.treated)} {small}".rstrip()
        if case:
            elsewhere = not unsaid and _of_another_lesson(lesson, patient)
            title = f"**{case.name}**{_shown_here(lesson) if elsewhere else ''}: “{case.complaint}”"
            note = f"{title} {differences(choice.patient, choice.treated) if elsewhere else note}"
        opens = hidden and (waits or HIDDEN_PART + "try" not in hidden)
        opens_when = f" What is hidden opens when you have {_until(waits)}." if opens else ""
        small_print.markdown(f":small[{explained(note, words)}{opens_when}]")
        if covered:
            if goal_place and assignment.goal:
                goal_place.markdown(goal_text(assignment.goal))  # its state is measured
            with place:
                if part == "read":
                    _draw(part, lesson, stage, {}, (patient, treated), waits)
                else:
                    drawing(lesson.page, part, covered, choice.patient, choice.treated)
            return
        if goal_place:
            draw_goal(goal_place, assignment.goal, patient, treated)
        with above:
            steps = timeline_steps(patient, treated)
            timeline(steps, steps[-1], f"timeline_{lesson.page}", **pointed(patient, treated))
            strip(lesson.page, verdict, steps, patient, treated, hidden=unsaid, refused=choice.refused)
        if not on_stage:
            link, charts = absolute(choice.short_address), (*stage.charts, *_others(stage))
            with shell.link.container(width="content"):
                pair = (PATIENT, choice.patient), (TREATED, choice.treated)
                tells = not {"verdict", "notes", "cures"}.intersection(hidden)
                take_home(Shown(lesson.page, shell.title, verdict, note, link, pair, charts, report=tells))
        with place:
            compared = comparison(lesson.page, part, patient, treated)
            if compared and on_stage:
                return
            _draw(part, lesson, stage, {"why": why, "cure": cure, "more": more}, (patient, treated), waits)

    explanations(glossary_of(lesson.page))
    with st.container(key="lesson", gap="xsmall"):
        box = st.container()  # no st.empty: a page drawn anew would clear it, and with it the place of the goal
        sentence = st.container(key="verdict", horizontal=True)
        headline = sentence.empty()
        if not viewing():
            headline.header("Training …", anchor="verdict")  # has the room of what is said when they are trained
        with st.container(horizontal=True, vertical_alignment="center", key="differences"):
            small_print = st.container(width="stretch")
            with st.popover("Words", icon=":material/dictionary:", type="tertiary"):
                st.markdown(sections_of(lesson.page)["Words"])
            button = st.container(width="content")
        messages = controls(lesson)
        with box:
            locks = this_session().locks[lesson.page]
            here, _ = read_assignment(all_parameters())
            goal_place = draw_assignment(lesson.page, here, labels_of(lesson), locks, here.goal)
        with button:
            more_settings_button(lesson)
        settings_button()
        shell.tools()
        draws = tuple(dict.fromkeys(DRAWN_FOR[name] for name in map(_name, stage.charts) if name in DRAWN_FOR))
        reaches = partial(_reached, lesson)
        studio_button(shell.prepare, replace(preparable(lesson), draws=draws or tuple(DRAWINGS), reached=reaches))
        networks(lesson, messages, show)
    footer()


def _shown_here(lesson: Lesson) -> str:
    """Said of a patient of the ward whose disease is not the one that the page is named after."""
    title = next(row.title for row in lessons() if row.name == lesson.page)
    return f" (shown in the lesson on {title.lower()})"


def _of_another_lesson(lesson: Lesson, patient: RunHistory) -> bool:
    """Whether the verdict of this lesson does not speak of the patient's disease."""
    found = diagnose(patient)
    return bool(found) and lesson.page not in (found[0].code, NAMES_ANY_CAUSE)


def _name(chart: Chart) -> str:
    return chart.__name__.rpartition(".")[2]


def _reached(lesson: Lesson, goal: AnyGoal) -> bool:
    """Whether the run of the networks as they stand reaches a goal."""
    if not isinstance(goal, Goal):
        return False
    patient, treated = this_session().last_good.get(lesson.page, (lesson.patient, lesson.treated))
    (history,) = histories_of((patient if goal.network == "patient" else treated,))
    return goal.reached(history)


def _instead_of_verdict(asked: bool, same: bool) -> str:
    """What stands for a hidden verdict.  asked: whether the link asks something itself; same: networks."""
    if asked:
        return HIDDEN_VERDICT
    return f"What is wrong with the patient{'' if same else ', and what does the treatment do'}? {HIDDEN_VERDICT}"


def _verdict(lesson: Lesson, stage: Stage, case: Case | None, patient: RunHistory, treated: RunHistory) -> str:
    """The lesson's; of a patient of the ward with another disease, what that is."""
    if case and _of_another_lesson(lesson, patient):
        return disease(patient, treated, case.complains_of)
    return stage.verdict(patient, treated)


def _parts() -> tuple[str, DeltaGenerator]:
    """The tabs; name and place of the open one."""
    shown = shown_parts()
    if st.session_state.get(PART, PARTS[0]) not in shown:
        st.session_state[PART] = PARTS[0]
    with st.container(key="unseen_anchors", height=1, border=False):
        _anchors(key="anchors")
        kept_focus("[role=tabpanel]")
    tabs = dict(zip(shown, st.tabs(shown, key=PART, bind="query-params"), strict=True))
    return next((name, tab) for name, tab in tabs.items() if tab.open)


def _draw(
    part: str,
    lesson: Lesson,
    stage: Stage,
    own: dict[str, Draw],
    pair: tuple[RunHistory, RunHistory],
    waits: bool,
) -> None:
    """waits: whether a question has to be answered before what is hidden shows."""
    hidden = hidden_here()
    if part == "stage":
        charts = (*stage.charts, *_others(stage))
        chosen = chosen_chart(len(charts))
        row(stage.charts if chosen is None else charts[chosen : chosen + 1], *pair)
    elif part == "look":
        with st.container(key="first_charts"):
            if HIDDEN_PART + "why" not in hidden:
                _in_short(lesson)
            row(stage.charts, *pair)
        st.markdown(f"**Patient:** {outcome(pair[0])}. **Treated:** {outcome(pair[1])}.")
        look_inside(pair[0].experiment, pair[1].experiment)
    elif part == "try":
        exercises(lesson, opens=not waits)
    elif part == "read":
        for heading in stage.read:
            text(lesson, heading)
    elif part == "cure":
        _draw_cure(lesson, own[part], pair, waits)
    else:
        own[part](*pair)


def _others(stage: Stage) -> Sequence[Chart]:
    """The charts beside the stage's own; none where a part that may have them is hidden."""
    return () if {HIDDEN_PART + "why", HIDDEN_PART + "more"}.intersection(hidden_here()) else stage.others


def _until(waits: bool) -> str:
    """What opens what is hidden.  waits: whether a question has to be answered."""
    return "answered the question" if waits else "predicted something in *Try*"


def _draw_cure(lesson: Lesson, own: Draw, pair: tuple[RunHistory, RunHistory], waits: bool) -> None:
    """The doctor's notes and the cures, or what of both is hidden: the verdict would be read from either."""
    hidden = hidden_here()
    notes, tried = (not {"verdict", name}.intersection(hidden) for name in ("notes", "cures"))
    if not notes or not tried:
        what = "cures are" if notes else "doctor’s notes are" if tried else "doctor’s notes and the cures are"
        st.markdown(f"The {what} hidden until you have {_until(waits)}.")
    if notes:
        doctors_notes(lesson, *pair)
    if tried:
        cures_to_apply(lesson, pair[0])
        own(*pair)


def _in_short(lesson: Lesson) -> None:
    """The first sentence of the lesson's text, and the way to the rest of it."""
    text = " ".join(next(iter(sections_of(lesson.page).values())).split())
    sentence = explained(re.split(r"(?<=[.!?]) ", text, maxsplit=1)[0], glossary_of(lesson.page))
    with st.container(key="in_short"):
        st.markdown(f"{sentence} [Why?](#why)")


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
    products = chain_product(patient), chain_product(treated)
    across = bool(products[0]) and products[0] == products[1]  # they differ in what comes later, such as clipping
    names = ("Both networks",) if across else ("Patient", "Treated")
    with st.grid(len(names), min_column_width=LEAST_WIDTH):
        for who, history, product in zip(names, (patient, treated), products, strict=False):
            with st.container(
                border=True, height="stretch", horizontal=across, vertical_alignment="center" if across else "top"
            ):
                st.markdown(f"**{who}, step 0**", width="content" if across else "stretch")
                if product:
                    st.latex(product)
                    st.markdown(average_factor(history))
                else:
                    st.markdown("There is no product to write down: there is one hidden layer only, or no gradient.")
