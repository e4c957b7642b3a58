"""Studio: a link for a class is made by clicking, and shown as a learner will see it.

It says what is hidden and locked, where the page stands, and what is asked; assignment.py beside this and
pages/components/settings/locks.py read it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import SETTINGS
from engine.cures.outcomes import SEEDS
from pages.components.settings.control import Answer, Control
from pages.components.settings.locks import locks_text
from pages.components.shell.address import ASSIGNMENT, DRAW, HIDDEN_PART, LOCK, PART, TIMELINE
from pages.components.shell.assignment import (
    FEWEST_CHOICES,
    MOST_CHARACTERS,
    MOST_CHOICES,
    MOST_OF_CHOICE,
    Assignment,
    Question,
)
from pages.components.shell.frame import absolute
from pages.components.shell.share import qr_code
from pages.components.shell.stage_view import viewing
from pages.text.draw_first import DRAWINGS
from pages.text.goals import CURED, GOAL_MEASURES, RATIO, Goal
from pages.text.labels import meaning, percent

NAMES = {"verdict": "the verdict, notes and cures", "notes": "the doctor’s notes", "cures": "the cures"}
NOTHING, THESE, BUT_THESE = LOCKED = "nothing", "these", "all but these"
CODE_WIDTH = 160  # pixels; as large as the window where it is asked for
PREVIEW_HEIGHT = 900  # pixels; assets/style.css draws it at half its size
NOT_SECRET = (
    "What is hidden or locked is not secret: it stands in the link, and the bare lesson shows everything. A lock that "
    "was edited by hand is noticed, and then everything is locked at the lesson’s start."
)


@dataclass(frozen=True)
class Preparable:
    """A page as it stands, from which a link is made.

    texts: parameters of what it shows; widgets, answers: its settings and what they hold, by name; hides: what can be
    hidden; parts: that can be open; steps: of its timeline; goals: whether it can watch one.
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
    asked = _ask(page)
    hidden, locks = _hide_and_lock(page) if page.hides else ((), {})
    goal = _set_goal(page) if page.goals else None
    begin = _begin(page, hidden) if page.parts else {}
    return {**page.texts, **locks, **begin, **replace(asked, hidden=hidden, goal=goal).texts}


def _keep(page: Preparable, name: str, widget: Callable[..., Any], *args: Any, **look: Any) -> Any:
    """Draw a widget whose value outlasts the dialog; what it holds."""
    return widget(*args, key=f"studio_{name}_{page.page}", persist_state="session", **look)


def _ask(page: Preparable) -> Assignment:
    """Task and question.  What is not complete yet is said, and left out."""
    with st.container(border=True, gap="xsmall"):
        look: dict[str, Any] = {"height": 68, "max_chars": MOST_CHARACTERS}
        task = _keep(
            page, "task", st.text_area, "Task, in your words", **look,
            placeholder="Change one setting so that the first layer learns.",
        )  # fmt: skip
        text = _keep(
            page, "question", st.text_area, "Question", **look, placeholder="Which layer receives the least gradient?"
        )
        asked = Assignment(task=task.strip())
        if not text.strip():
            return asked
        lines = _keep(page, "choices", st.text_area, "Choices, one a line", height=100)
        choices = tuple(dict.fromkeys(filter(None, map(str.strip, lines.split("\n")))))
        if not FEWEST_CHOICES <= len(choices) <= MOST_CHOICES or max(map(len, choices)) > MOST_OF_CHOICE:
            st.warning(
                f"A question needs {FEWEST_CHOICES} to {MOST_CHOICES} choices of at most {MOST_OF_CHOICE} characters; "
                "it is not in the link yet.",
                icon=":material/info:",
            )
            return asked
        right = _keep(
            page, "right", st.selectbox, "Right is", [None, *range(len(choices))],
            format_func=lambda number: "I do not say" if number is None else choices[number],
        )  # fmt: skip
        return replace(asked, question=Question(text.strip(), choices, right))


def _hide_and_lock(page: Preparable) -> tuple[tuple[str, ...], dict[str, str]]:
    """What is hidden, and the parameter of what is locked, if anything is."""
    with st.container(border=True, gap="xsmall"):
        hidden = _keep(
            page, "hide", st.multiselect, "Hidden at first", page.hides, placeholder="nothing",
            format_func=lambda name: NAMES.get(name) or f"the part {name.removeprefix(HIDDEN_PART).capitalize()}",
            help="It opens when the question is answered; without one, when something is predicted in Try.",
        )  # fmt: skip
        how = _keep(page, "lock", st.segmented_control, "Locked", LOCKED, default=NOTHING, required=True)
        named: Sequence[str] = ()
        if how != NOTHING:
            label = "Settings that are locked" if how == THESE else "Settings that can be moved"
            labels = {name: control.label for name, control in page.widgets.items()}
            named = _keep(page, "locked", st.multiselect, label, list(labels), format_func=labels.__getitem__)
    locked = [name for name in page.widgets if how != NOTHING and (name in named) == (how == THESE)]
    locks = locks_text({name: page.answers[name] for name in locked}, page.widgets) if locked else ""
    return tuple(hidden), {LOCK: locks} if locks else {}


def _set_goal(page: Preparable) -> Goal | None:
    """What the page watches, if anything."""
    names = {"": "none", CURED: "cured: the doctor finds nothing"}
    names |= {name: measure.name for name, measure in GOAL_MEASURES.items()}
    with st.container(border=True, gap="xsmall"):
        measure = _keep(
            page, "goal", st.selectbox, "Goal that the page watches", list(names), format_func=names.__getitem__
        )
        if not measure:
            return None
        side, bound, seeds = "", 0.0, 0
        with st.container(horizontal=True, vertical_alignment="bottom"):
            network = _keep(page, "network", st.selectbox, "Network", ("treated", "patient"))
            if measure != CURED:
                side = _keep(page, "side", st.selectbox, "is", ("above", "below"))
                unit, usual, one = ("%", 90.0, 100) if GOAL_MEASURES[measure].said is percent else ("number", 0.1, 1)
                bound = _keep(page, f"bound_{one}", st.number_input, unit, value=usual, format="%g") / one
        with st.container(horizontal=True, vertical_alignment="bottom"):
            activations = {"": "any"} | {name: meaning("activation", name) for name in SETTINGS["activation"].choices}
            activation = _keep(
                page, "with", st.selectbox, "with activation", list(activations), format_func=activations.__getitem__
            )
            if measure != RATIO:
                seeds = _keep(
                    page, "seeds", st.selectbox, f"in how many of {SEEDS} seeds", (0, *range(SEEDS, 0, -1)),
                    format_func=lambda count: str(count) if count else "this run alone",
                )  # fmt: skip
    return Goal(network, measure, side, bound, seeds, ("activation", activation) if activation else ())


def _begin(page: Preparable, hidden: Sequence[str]) -> dict[str, str]:
    """Where the page stands at first."""
    parts = [part for part in page.parts if HIDDEN_PART + part not in hidden]
    with st.container(border=True, horizontal=True, vertical_alignment="bottom"):
        part = _keep(page, "part", st.selectbox, "Opens at", parts, format_func=str.capitalize)
        step = _keep(
            page, "step", st.number_input, "Timeline stands at step", 0, page.steps, value=None, placeholder="it plays"
        )
        draws = {"": "nothing", **DRAWINGS}
        drawn = _keep(page, "draw", st.selectbox, "The learner first draws", list(draws), format_func=draws.__getitem__)
    begin = ({PART: part} if part != parts[0] else {}) | ({DRAW: drawn} if drawn else {})
    return begin if step is None else begin | {TIMELINE: str(step)}


def _show(link: str) -> None:
    """The link, its code, and what it opens."""
    whole = absolute(link)
    # Streamlit's own elements: in a dialog the keyboard does not come to what is within a component.
    st.markdown("**Link for the class**")
    st.code(whole, language=None, wrap_lines=True)
    if picture := qr_code(whole):
        st.image(picture, width=CODE_WIDTH, alt="QR code of the link")
    else:
        st.markdown("It is too long for a QR code that a camera can read from afar.")
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
