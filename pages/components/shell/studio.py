"""Studio: a link for a class is made by clicking, and shown as a learner will see it.

It says what is hidden and locked, where the page stands, and what is asked; assignment.py beside this and
pages/components/settings/locks.py read it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import SETTINGS
from engine.cures.outcomes import SEEDS
from pages.components.settings.control import Answer, Control
from pages.components.settings.locks import locks_text
from pages.components.shell.address import ASSIGNMENT, HIDDEN_PART, LOCK, PART, TIMELINE
from pages.components.shell.assignment import (
    FEWEST_CHOICES,
    MOST_CHARACTERS,
    MOST_CHOICES,
    MOST_OF_CHOICE,
    Assignment,
    Question,
)
from pages.components.shell.frame import absolute
from pages.components.shell.share import one_link
from pages.components.shell.stage_view import viewing
from pages.text.goals import CURED, GOAL_MEASURES, RATIO, Goal
from pages.text.labels import percent

NAMES = {"verdict": "the verdict, notes and cures", "notes": "the doctor’s notes", "cures": "the cures"}
NOTHING, THESE, BUT_THESE = LOCKED = "nothing", "these", "all but these"
PREVIEW_HEIGHT = 900  # pixels; assets/style.css draws it at half its size
NOT_SECRET = (
    "What is hidden or locked is not secret: it stands in the link, and the bare lesson shows everything. A lock that "
    "was edited by hand is noticed, and then everything is locked at the lesson’s start."
)


@dataclass(frozen=True)
class Preparable:
    """A page as it stands, from which a link is made.

    texts: parameters of what it shows; widgets, answers: its settings and what they hold, by name; hides: what can be
    hidden; parts: that can be open; steps: of its timeline, 0: it has none; goals: whether it can watch one.
    """

    page: str
    texts: Mapping[str, str]
    widgets: Mapping[str, Control] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    hides: Sequence[str] = ()
    parts: Sequence[str] = ()
    steps: int = 0
    goals: bool = False


def studio_button(place: DeltaGenerator, page: Preparable) -> None:
    """Draw the button in `place`, and the studio where it was pressed.

    Nobody else's task is edited: who has come by a link that asks something finds no button.
    """
    if viewing() or st.context.is_embedded or any(name in st.query_params for name in ASSIGNMENT):
        return
    with place:
        pressed = st.button(
            "Prepare for a class", key="studio_open", icon=":material/school:",
            help="A link that hides, locks, asks or sets a goal.",
        )  # fmt: skip
    if pressed:
        _studio(page)


@st.dialog("Prepare for a class", width="large", icon=":material/school:")
def _studio(page: Preparable) -> None:
    with st.container(key="studio"):
        made, result = st.columns((5, 6), gap="large")
        with made:
            texts = _choose(page)
        with result:
            _show(f"/{page.page}?{urlencode(texts, safe=':,')}")


def _choose(page: Preparable) -> dict[str, str]:
    """Draw what can be chosen; the link's parameters."""
    asked = _ask()
    with st.container(border=True, gap="xsmall"):
        hidden = _keep(
            st.multiselect, "Hidden at first", page.hides, f"hide_{page.page}", format_func=_name_of,
            placeholder="nothing",
            help="It opens when the question is answered; without one, when something is predicted in Try.",
        ) if page.hides else ()  # fmt: skip
        locks = _lock(page) if page.widgets else ""
    goal = _set_goal() if page.goals else None
    begin = _begin(page, hidden)
    assignment = Assignment(tuple(hidden), asked.task, asked.question, goal)
    return {**page.texts, **({LOCK: locks} if locks else {}), **begin, **assignment.texts}


def _keep(widget: Any, label: str, *args: Any, **look: Any) -> Any:
    """A widget whose value outlasts the dialog.  The last of args is its key."""
    *before, key = args
    return widget(label, *before, key=f"studio_{key}", persist_state="session", **look)


def _name_of(hidden: str) -> str:
    return NAMES.get(hidden) or f"the part {hidden.removeprefix(HIDDEN_PART).capitalize()}"


def _ask() -> Assignment:
    """Task and question.  What is not complete yet is said, and left out."""
    with st.container(border=True, gap="xsmall"):
        area = partial(_keep, st.text_area, height=68, max_chars=MOST_CHARACTERS)
        task = area("Task, in your words", "task", placeholder="Change one setting so that the first layer learns.")
        text = area("Question", "question", placeholder="Which layer receives the smallest gradient?")
        if not text.strip():
            return Assignment(task=task.strip())
        lines = _keep(st.text_area, "Choices, one a line", "choices", height=100)
        choices = tuple(dict.fromkeys(filter(None, map(str.strip, lines.split("\n")))))
        if not FEWEST_CHOICES <= len(choices) <= MOST_CHOICES or max(map(len, choices)) > MOST_OF_CHOICE:
            st.warning(
                f"A question needs {FEWEST_CHOICES} to {MOST_CHOICES} choices of at most {MOST_OF_CHOICE} characters; "
                "it is not in the link yet.",
                icon=":material/info:",
            )
            return Assignment(task=task.strip())
        right = st.selectbox(
            "Right is", [None, *range(len(choices))], key="studio_right", persist_state="session",
            format_func=lambda number: "I do not say" if number is None else choices[number],
        )  # fmt: skip
        return Assignment(task=task.strip(), question=Question(text.strip(), choices, right))


def _lock(page: Preparable) -> str:
    """The parameter of what is locked; nothing where nothing is."""
    how = _keep(st.segmented_control, "Locked", LOCKED, "locks", default=NOTHING, required=True)
    if how == NOTHING:
        return ""
    label = "Settings that are locked" if how == THESE else "Settings that can be moved"
    named = _keep(
        st.multiselect, label, list(page.widgets), f"locked_{page.page}",
        format_func=lambda name: page.widgets[name].label,
    )  # fmt: skip
    locks = {name: page.answers[name] for name in page.widgets if (name in named) == (how == THESE)}
    return locks_text(locks, page.widgets) if locks else ""


def _set_goal() -> Goal | None:
    with st.container(border=True, gap="xsmall"):
        names = {"": "none", CURED: "cured: the doctor finds nothing"}
        names |= {name: measure.name for name, measure in GOAL_MEASURES.items()}
        measure = _keep(st.selectbox, "Goal that the page watches", list(names), "goal", format_func=names.__getitem__)
        if not measure:
            return None
        with st.container(horizontal=True, vertical_alignment="bottom"):
            network = _keep(st.selectbox, "Network", ("treated", "patient"), "network")
            side, bound = "", 0.0
            if measure != CURED:
                unit = GOAL_MEASURES[measure].said is percent
                side = _keep(st.selectbox, "is", ("above", "below"), "side")
                bound = _keep(
                    st.number_input, "%" if unit else "number", f"bound_{'share' if unit else 'number'}",
                    value=90.0 if unit else 0.1, format="%g",
                )  # fmt: skip
                bound = bound / 100 if unit else bound
        with st.container(horizontal=True, vertical_alignment="bottom"):
            activations = {"": "any", **dict.fromkeys(SETTINGS["activation"].choices)}
            activation = _keep(
                st.selectbox, "with activation", list(activations), "with",
                format_func=lambda name: activations[name] or SETTINGS["activation"].in_words(name),
            )  # fmt: skip
            seeds = 0
            if measure != RATIO:
                seeds = _keep(
                    st.selectbox, f"in how many of {SEEDS} seeds", (0, *range(SEEDS, 0, -1)), "seeds",
                    format_func=lambda count: str(count) if count else "this run alone",
                )  # fmt: skip
        return Goal(network, measure, side, bound, seeds, ("activation", activation) if activation else ())


def _begin(page: Preparable, hidden: Sequence[str]) -> dict[str, str]:
    """Where the page stands at first."""
    texts: dict[str, str] = {}
    if not (page.parts or page.steps):
        return texts
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        if page.parts:
            parts = [part for part in page.parts if HIDDEN_PART + part not in hidden]
            part = _keep(st.selectbox, "Opens at", parts, "part", format_func=str.capitalize)
            texts |= {PART: part} if part != parts[0] else {}
        if page.steps:
            step = _keep(
                st.number_input, "Timeline stands at step", 0, page.steps, f"step_{page.page}", value=None,
                placeholder="it plays",
            )  # fmt: skip
            texts |= {} if step is None else {TIMELINE: str(step)}
    return texts


def _show(link: str) -> None:
    """The link, its code, and what it opens."""
    whole = absolute(link)
    one_link("studio_link", whole, "Link for the class")
    st.markdown(f":small[{NOT_SECRET}]")
    with st.container(horizontal=True):
        # A preview is a visit of its own, too much work for every letter that is typed; an old one would be untrue.
        shown = st.session_state.get("studio_previewed") == whole
        if not shown:
            st.button(
                "Show what a learner sees", key="studio_show", icon=":material/visibility:",
                on_click=st.session_state.update, args=({"studio_previewed": whole},),
            )  # fmt: skip
        st.link_button("Open it in a new tab", whole, icon=":material/open_in_new:")
    if shown:
        st.markdown("**What a learner sees**")
        with st.container(key="studio_preview"):
            st.iframe(f"{whole}&embed=true", height=PREVIEW_HEIGHT, alt="What a learner sees")
