"""What a lecturer's link asks, hides and locks in the laboratory; and the page as it stands, to make such a link of.

Data are locked as one thing: what the address says of them.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import RunHistory
from pages.charts.style.figure import Look
from pages.components.laboratory.link import (
    CONTROLS,
    DATA,
    DIGEST,
    HIDES,
    LOCKABLES,
    PAGE,
    PINS,
    SOURCE,
    asked_here,
)
from pages.components.lesson.assignment_box import draw_assignment, goal_text
from pages.components.settings.control import Answer
from pages.components.shell.address import BROWSERS_OWN, DRAW, HIDE, LOCK, parameters_here
from pages.components.shell.assignment import PARAMETERS as ASKED
from pages.components.shell.assignment import as_text
from pages.components.shell.session import this_session
from pages.components.shell.studio import Preparable
from pages.text.draw_first import DRAWINGS
from pages.text.goals import Goal

NO_FILE = (
    "Your table does not travel: the link has the file’s name, and the digest of its numbers. Give the file to "
    "them too; who opens the link is asked for it."
)


def draw_asked() -> DeltaGenerator | None:
    """Draw what the link asks; the place of its goal, nothing where it has none."""
    labels, asked = {name: one.label for name, one in LOCKABLES.items()}, asked_here()
    return draw_assignment(PAGE, asked, labels, this_session().locks[PAGE], asked.goal)


def hides(name: str) -> bool:
    """Whether the link hides this; where something else is hidden with it, see HIDES of link.py."""
    return name in asked_here().hidden


def draw_goal(
    place: DeltaGenerator | None, looks: Sequence[Look], histories: Sequence[RunHistory], pins: Mapping[str, Look]
) -> None:
    """Draw the link's goal, if it has one, and whether the present network reaches it.

    place: that `draw_asked` gave; pins: how the pinned networks are drawn, by their names in the address.
    """
    goal, present = asked_here().goal, histories[0]
    if not isinstance(goal, Goal) or place is None:
        return
    runs = dict(zip((look.key for look in looks), histories, strict=True))
    found = f"this run: {goal.said(goal.measured(present))}"
    reached = not goal.beat
    if goal.beat:
        rival = runs.get(pins[goal.beat].key) if goal.beat in pins else None
        if rival is None:
            found += ", but that network is not there"
        else:
            aim, how = goal.against(rival, present)
            found += f"; {as_text(pins[goal.beat].name)}: {aim.said(aim.bound)}{how}" if aim else f"; {how}"
            goal, reached = aim or goal, aim is not None
    missing = goal.missing(present)
    found += f", but {missing}" if missing else ""
    place.markdown(goal_text(goal, reached and goal.reached(present), found))


def preparable() -> Preparable:
    """The page as it stands, for a link that is made of it."""
    here = {name: texts[-1] for name, texts in parameters_here().items()}
    texts = {name: text for name, text in here.items() if name not in (*BROWSERS_OWN, DRAW, HIDE, LOCK, *ASKED)}
    held: dict[str, Answer] = {name: st.session_state[name] for name in CONTROLS}
    held |= {name: texts.get(name, "") for name in PINS}
    held[DATA] = urlencode({name: texts[name] for name in SOURCE if name in texts})
    note = NO_FILE if DIGEST in texts else ""
    steps = int(st.session_state["steps"] or 0)  # none where the field is empty
    return Preparable(
        PAGE, texts, LOCKABLES, held, HIDES, steps=steps, goals="laboratory", note=note, draws=tuple(DRAWINGS)
    )
