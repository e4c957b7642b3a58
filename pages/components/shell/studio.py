"""Studio: a link for a class is made by clicking, and shown as a learner will see it.

It says what is hidden and locked, where the page stands, and what is asked; assignment.py beside this and
pages/components/settings/locks.py read it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components.settings.control import AS_PATIENT, PREFIX, Answer
from pages.components.settings.locks import Lockable, locks_text
from pages.components.shell.address import ASSIGNMENT, DRAW, HIDDEN_PART, LOCK, PART, SEAL, TIMELINE, resealed
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
from pages.components.shell.studio_goals import GOAL_FORMS
from pages.text import labels
from pages.text.draw_first import DRAWINGS
from pages.text.goals import AnyGoal, Goal

NAMES = {
    "verdict": "the verdict, notes and cures", "notes": "the doctor’s notes", "cures": "the cures",
    "looks": "the charts to open", "points": "the points",
    "derivation": "the derivation, “Written out”", "network": "the drawn network, with its numbers",
    "charts": "the charts, the map and the seeds", "course": "what the updates lead to",
    "answers": "the answers to “Check yourself”",
}  # fmt: skip
# Of a task and a question, by what the page has goals of.
EXAMPLES = {
    "": ("", ""),
    "pair": ("Change one setting of the treated network so that it does better.", "What is wrong with the patient?"),
    "mystery": ("Find the cause with as few charts as you can.", "What do you suspect from the loss alone?"),
    "laboratory": ("Find a network that beats the pinned one.", "Which of these networks will be best on new data?"),
    "update": ("Work out the gradient of the first weight.", "Which weight changes most in this update?"),
}
ANSWERS = ("verdict",)  # what may answer a question, of what can be hidden
NOTHING, THESE, BUT_THESE = LOCKED = "none", "those I name", "all but those I name"
STYLE = Path(__file__).resolve().parents[3] / "assets" / "studio.css"
CODE_WIDTH = 240  # pixels; as large as the window has room for where it is asked for
CHOICES_HEIGHT = 150  # pixels; MOST_CHOICES lines
PREVIEW_HEIGHT = 900  # pixels; assets/style.css draws it at half its size
NOT_SECRET = (
    "**This is no exam.** What is hidden or locked stands in the link, as the right answer does, and anybody can open "
    "the page without it. But a link of which a part was changed or deleted by hand hides and locks everything, at the "
    "page’s start, and counts no goal: to change it, make a new one here."
)


@dataclass(frozen=True)
class Preparable:
    """A page as it stands, from which a link is made.

    texts: parameters of what it shows; widgets, answers: its settings and what they hold, by name; hides: what can be
    hidden; parts: that can be open; steps: of its timeline; goals: of GOAL_FORMS, which it can watch, or none; note:
    what is to be said of its link; draws: of DRAWINGS, what can be drawn first; reached: whether the page as it stands
    reaches a goal, None where that is not known.
    """

    page: str
    texts: Mapping[str, str]
    widgets: Mapping[str, Lockable] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    hides: Sequence[str] = ()
    parts: Sequence[str] = ()
    steps: int = 0
    goals: str = ""
    note: str = ""
    draws: Sequence[str] = ()
    reached: Callable[[AnyGoal], bool] | None = None


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
        st.html(STYLE)
        _studio(page)


@st.dialog("Prepare for a class", width="large", icon=":material/school:")
def _studio(page: Preparable) -> None:
    with st.container(key="studio"):
        made, result = st.columns((5, 6), gap="large")
        with made:
            texts = _choose(page)
        with result:
            _show(f"/{page.page}?{urlencode(texts, safe=':,')}", page.note)


def _choose(page: Preparable) -> dict[str, str]:
    """Draw what can be chosen; the link's parameters."""
    asked = _ask(page)
    hidden, locked = _hide_and_lock(page, bool(asked.question)) if page.hides else ((), [])
    goal = None
    if page.goals:
        with st.container(border=True, gap="xsmall"):
            goal = GOAL_FORMS[page.goals](partial(_keep, page))
            if isinstance(goal, Goal) and goal.beat and goal.beat not in page.texts:
                st.warning("That network is not pinned; the goal is not in the link yet.", icon=":material/info:")
                goal = None
            if goal and page.reached and page.reached(goal):
                st.warning(
                    "The page reaches this goal as it stands, before anybody has done anything. Close this, move the "
                    "settings to where the class is to begin, and come back.",
                    icon=":material/info:",
                )
    if isinstance(goal, Goal) and goal.beat:
        locked = list(dict.fromkeys([*locked, goal.beat]))  # or it could be replaced by one that is beaten more easily
    locks = {LOCK: locks_text({name: page.answers[name] for name in locked}, page.widgets)} if locked else {}
    begin = _begin(page, hidden) if page.parts or page.draws or page.steps else {}
    return resealed({**page.texts, **locks, **begin, **replace(asked, hidden=hidden, goal=goal).texts, SEAL: ""})


def _keep(page: Preparable, name: str, widget: Callable[..., Any], *args: Any, **look: Any) -> Any:
    """Draw a widget whose value outlasts the dialog; what it holds."""
    return widget(*args, key=f"studio_{name}_{page.page}", persist_state="session", **look)


def _ask(page: Preparable) -> Assignment:
    """Task and question.  What is not complete yet is said, and left out."""
    with st.container(border=True, gap="xsmall"):
        look: dict[str, Any] = {"height": 68, "max_chars": MOST_CHARACTERS}
        example, other = EXAMPLES[page.goals]
        task = _keep(page, "task", st.text_area, "Task, in your words", **look, placeholder=example)
        text = _keep(page, "question", st.text_area, "Question", **look, placeholder=other).strip()
        lines = _keep(
            page, "choices", st.text_area, "Its choices, one a line", height=CHOICES_HEIGHT,
            placeholder=f"{FEWEST_CHOICES} to {MOST_CHOICES} lines",
        )  # fmt: skip
        asked = Assignment(task=task.strip())
        choices = tuple(dict.fromkeys(filter(None, map(str.strip, lines.split("\n")))))
        if not (text or choices):
            return asked
        fit = FEWEST_CHOICES <= len(choices) <= MOST_CHOICES and max(map(len, choices)) <= MOST_OF_CHOICE
        if not (text and fit):
            missing = (
                f"A question needs {FEWEST_CHOICES} to {MOST_CHOICES} choices of at most {MOST_OF_CHOICE} characters"
                if text
                else "These choices have no question yet"
            )
            st.warning(f"{missing}; they are not in the link yet.", icon=":material/info:")
            return asked
        right = _keep(
            page, "right", st.selectbox, "Right answer", [None, *range(len(choices))],
            format_func=lambda number: "the link does not say" if number is None else choices[number],
        )  # fmt: skip
        return replace(asked, question=Question(text, choices, right))


def _hide_and_lock(page: Preparable, asks: bool) -> tuple[tuple[str, ...], list[str]]:
    """What is hidden, and what is locked, by name.

    asks: whether there is a question: then the verdict is hidden, which may answer it, unless that is chosen otherwise.
    """
    with st.container(border=True, gap="xsmall"):
        kept = st.session_state.get(f"studio_hide_{page.page}", [])
        answers = [name for name in page.hides if asks and (name in ANSWERS or name in kept)]
        hidden = _keep(
            page, "hide_asking" if asks else "hide", st.multiselect, "Hidden at first", page.hides, default=answers,
            placeholder="nothing",
            format_func=lambda name: NAMES.get(name) or f"the part {name.removeprefix(HIDDEN_PART).capitalize()}",
            help="It opens when the question is answered; without one, "
            + ("when something is predicted in Try." if page.parts else "it stays hidden."),
        )  # fmt: skip
        how = _keep(page, "lock", st.segmented_control, "Locked settings", LOCKED, default=NOTHING, required=True)
        named: Sequence[str] = ()
        if how != NOTHING:
            label = "Settings that are locked" if how == THESE else "Settings that can be moved"
            named = _keep(
                page, "locked", st.multiselect, label, list(page.widgets), format_func=partial(_setting, page),
                placeholder="Choose settings",
            )  # fmt: skip
        locked = [name for name in page.widgets if how != NOTHING and (name in named) == (how == THESE)]
        if how == THESE:  # or it would be moved by moving the patient's
            followed = [name.removeprefix(PREFIX) for name in locked if _follows(page, name)]
            if more := [name for name in followed if name not in locked]:
                st.markdown(
                    f":small[Locked too: {', '.join(_setting(page, name) for name in more)}. The treated network’s own "
                    "stands at “as patient”, and would follow it.]"
                )
            locked = [name for name in page.widgets if name in {*locked, *more}]
    return tuple(hidden), locked


def _setting(page: Preparable, name: str) -> str:
    """What a setting is called where the treated network has its own of that name."""
    return f"Patient: {labels.label(name)}" if PREFIX + name in page.widgets else page.widgets[name].label


def _follows(page: Preparable, name: str) -> bool:
    """Whether it is a treated network's own, and stands at what the patient has."""
    return name.startswith(PREFIX) and page.answers[name] in (None, AS_PATIENT)


def _begin(page: Preparable, hidden: Sequence[str]) -> dict[str, str]:
    """Where the page stands at first, and what is drawn before it is shown."""
    parts = [part for part in page.parts if HIDDEN_PART + part not in hidden]
    draws = {"": "nothing", **{name: DRAWINGS[name] for name in page.draws}}
    begin: dict[str, str] = {}
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if parts:
                part = _keep(page, "part", st.selectbox, "Opens at", parts, format_func=str.capitalize)
                begin |= {PART: part} if part != parts[0] else {}
            if page.steps:
                step = _keep(
                    page, "step", st.number_input, "Timeline starts at step", 0, page.steps, value=None,
                    placeholder="plays by itself",
                )  # fmt: skip
                begin |= {} if step is None else {TIMELINE: str(step)}
        if page.draws:
            drawn = _keep(
                page, "draw", st.selectbox, "The learner first draws", list(draws), format_func=draws.__getitem__
            )
            begin |= {DRAW: drawn} if drawn else {}
    return begin


def _show(link: str, note: str) -> None:
    """The link, its code, and what it opens."""
    whole = absolute(link)
    picture = qr_code(whole)
    # Streamlit's own elements: in a dialog the keyboard does not come to what is within a component.
    with st.container(horizontal=True):
        st.markdown(
            "**Link for the class**  \n:small[It opens this page with its settings as they stand behind this window.]",
            width="stretch",
        )
        large = picture and st.toggle("Large QR code", key="studio_large")
    first, second = st.container(), st.container()
    link_place, code_place = (second, first) if large else (first, second)  # a large one is the first, to be in view
    with link_place, st.container(key="studio_link"):
        st.code(whole, language=None, wrap_lines=True)
        if note:
            st.warning(note, icon=":material/info:")
    with code_place, st.container(key="studio_code"):
        if picture:
            st.image(picture, width="stretch" if large else CODE_WIDTH, alt="QR code of the link")
        else:
            st.markdown("It is too long for a QR code that a camera can read from afar.")
    st.markdown(f":small[{NOT_SECRET}]")
    with st.container(horizontal=True):
        # A preview is a visit of its own, too much work for every letter that is typed: it stays until it is renewed.
        shown = st.session_state.get("studio_previewed", "")
        shown = shown if shown.partition("?")[0] == whole.partition("?")[0] else ""
        if shown != whole:
            st.button(
                "Renew the preview" if shown else "Show what a learner sees", key="studio_show",
                icon=":material/visibility:", on_click=_preview, args=(whole,),
            )  # fmt: skip
        if shown:
            st.button(
                "Close the preview",
                key="studio_unshow",
                icon=":material/visibility_off:",
                on_click=_preview,
                args=("",),
            )
        st.link_button("Open it in a new tab", whole, icon=":material/open_in_new:")
    if shown:
        st.markdown("**What a learner sees**" + ("" if shown == whole else ", before your last change"))
        with st.container(key="studio_preview"):
            st.iframe(f"{shown}&embed=true", height=PREVIEW_HEIGHT, alt="What a learner sees")


def _preview(link: str) -> None:
    st.session_state["studio_previewed"] = link
