"""What a lecturer's link asks, as a learner sees it: the task, the question, what is locked; and whether a goal is met.

An answer is kept with the session's other predictions; it opens what was hidden.
"""

from collections.abc import Collection, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import Experiment, RunHistory
from engine.cures.outcomes import SEEDS, seeded
from pages.components.lesson.sweep_jobs import shared_sweeps
from pages.components.lesson.sweeps import POLL_SECONDS, visitor
from pages.components.settings.locks import altered
from pages.components.shell.address import HIDE, LOCK, write_address
from pages.components.shell.assignment import Assignment, Question, answer_key, as_text
from pages.components.shell.session import this_session
from pages.text.goals import AnyGoal, Goal

LETTERS = "ABCDE"
PLACE = "goal"  # of its sweep
NO_SETTINGS: Mapping[str, str] = {}
WIDTHS = 2, 3  # of task and question, side by side
MOST_NAMED = 5  # locked settings


def draw_assignment(
    page: str,
    assignment: Assignment,
    labels: Mapping[str, str] = NO_SETTINGS,
    locked: Collection[str] = (),
    goal: AnyGoal | None = None,
) -> DeltaGenerator | None:
    """Draw what is asked on a page, nothing where nothing is; the place of the goal, for its state.

    labels: of the page's settings, by name; locked: those that are; goal: one that stands here.
    """
    if not (assignment.task or assignment.question or locked or goal):
        return None
    place = None
    with st.container(border=True, key="assignment", gap="xsmall"):
        asked = [part for part in (assignment.task, assignment.question) if part]
        for part, column in zip(asked, st.columns(WIDTHS[-len(asked) :]) if asked else (), strict=True):
            with column, st.container(gap="xsmall"):
                if isinstance(part, Question):
                    _draw_question(page, part)
                else:
                    _say_as_text("Task", part)
        if goal:
            with st.container(key="goal"):
                # Text, which what comes later replaces: of two containers in one place Streamlit loses the contents.
                place = st.empty()
            place.markdown(goal_text(goal))
        if locked:
            with st.container(key="locked"):
                st.markdown(f":small[:material/lock: {_locked(labels, locked)}]")
    return place


def _say_as_text(heading: str, text: str) -> None:
    with st.container(horizontal=True, key=f"asked_{heading.lower()}"):
        st.markdown(f"**{heading}**", width="content")
        st.text(text, width="stretch")


def _draw_question(page: str, question: Question) -> None:
    """The choices; for who has answered, what was right."""
    key = answer_key(page, question)
    _say_as_text("Question", question.text)
    st.markdown(":small[It is about this page as the link opens it.]")
    answered = this_session().predictions.get(key)
    named = [f"**{letter}** {as_text(choice)}" for letter, choice in zip(LETTERS, question.choices, strict=False)]
    if answered is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            choice = st.radio(
                "Your answer", range(len(named)), format_func=named.__getitem__, index=None, key="assignment_choice",
                label_visibility="collapsed", horizontal=True,
            )  # fmt: skip
            st.button(
                "Answer", key="assignment_answer", type="primary", disabled=choice is None, on_click=_answer,
                args=(key, question, choice), help="Shows what is hidden. You can answer once.",
            )  # fmt: skip
        return
    chosen = question.choices.index(answered[0])
    if question.right is None:
        st.markdown(f"You said: {named[chosen]}")
    elif chosen == question.right:
        st.success(f"You said: {named[chosen]}  \nThat is right.", icon=":material/check_circle:")
    else:
        st.error(
            f"You said: {named[chosen]}  \nThat is not right. Right is: {named[question.right]}",
            icon=":material/cancel:",
        )
    if HIDE in st.query_params:  # who went back
        st.button("Show what is hidden", key="assignment_show", on_click=write_address, args=({HIDE: None},))


def _answer(key: tuple[str, str], question: Question, choice: int) -> None:
    this_session().predictions[key] = question.choices[choice], ""
    write_address({HIDE: None})


def _locked(labels: Mapping[str, str], locked: Collection[str]) -> str:
    """Which settings whoever made the link has locked, or which he has not, whichever are fewer."""
    if _altered():
        return "This link was altered after it was made: all settings are locked at the page’s start, no goal counts."
    free = [labels[name] for name in labels if name not in locked]
    if not free:
        return "All settings are locked by this link."
    if len(free) <= len(locked):
        return f"All settings are locked by this link, except: {_few(free)}."
    return f"Locked by this link: {_few([labels[name] for name in labels if name in locked])}."


def _few(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return "; ".join(names[:MOST_NAMED]) + (f"; {more} more" if more > 0 else "")


def _altered() -> bool:
    return altered(st.query_params.get_all(LOCK))


def draw_goal(place: DeltaGenerator, goal: AnyGoal | None, patient: RunHistory, treated: RunHistory) -> None:
    """Draw whether this run has reached a lesson's goal; over seeds, for who asks, in how many it does."""
    if not isinstance(goal, Goal):
        return
    if _altered():
        place.markdown(goal_text(goal))
        return
    history = patient if goal.network == "patient" else treated
    found, missing = goal.said(goal.measured(history)), goal.missing(history)
    here = f"this run: {found}" + (f", but {missing}" if missing else "")
    here += ", and it diverged" if history.status == "diverged" else ""
    if goal.seeds:
        with place.container():
            _draw_seeds(goal, history.experiment, here, bool(missing))
    else:
        place.markdown(goal_text(goal, goal.reached(history), here))


@st.fragment
def _draw_seeds(goal: Goal, experiment: Experiment, here: str, missing: bool) -> None:
    """The goal over seeds: measured, on its way, or the button that has it measured."""
    wanted = tuple(seeded(experiment))
    outcomes = shared_sweeps().known(wanted)
    if len(outcomes) == len(wanted):
        count = goal.seeds_reached(list(outcomes.values()))
        st.markdown(goal_text(goal, count >= goal.seeds and not missing, f"{count} of {SEEDS} seeds; {here}"))
        return
    with st.container(horizontal=True, vertical_alignment="center", key="goal_seeds"):
        with st.container(width="stretch"):
            st.markdown(goal_text(goal, False, f"{here}; the seeds are not measured yet"))
        if visitor().wanted.get(PLACE) == wanted:
            _watch(wanted)
            return
        visitor().stop(PLACE)  # what was asked for other settings
        st.button(
            f"Measure over {SEEDS} seeds", icon=":material/play_arrow:", key="measure_goal",
            on_click=visitor().start, args=(PLACE, wanted),
        )  # fmt: skip


@st.fragment(run_every=POLL_SECONDS)
def _watch(wanted: tuple[Experiment, ...]) -> None:
    """Keep the runs alive that somebody looks at, until all have come."""
    if len(shared_sweeps().known(wanted)) == len(wanted):
        st.rerun()
    job = shared_sweeps().look(visitor(), wanted)
    if job.error:
        st.error("These runs cannot be made.")
    else:
        st.progress(job.progress, text=f"Training {len(wanted)} networks: {job.progress:.0%}")


def goal_text(goal: AnyGoal, reached: bool = False, found: str = "") -> str:
    """A goal and, where something was found, what, and whether it is reached; never of a link that was altered."""
    state = ""
    if _altered():
        state = ":red-badge[:material/block: Not counted] The link was altered after it was made."
    elif found:
        sign = ":green-badge[:material/check: Reached]" if reached else ":gray-badge[:material/flag: Not yet]"
        state = f"{sign} {found[0].upper()}{found[1:]}."
    return f"**Goal:** {goal.sentence} {state}"
