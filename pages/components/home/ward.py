"""The ward on the home page: a card for each patient, with a picture of its run."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.charts.one_run.preview import Picture, losses
from pages.components.home.drawing import draw, leave_room
from pages.components.lesson.catalogue import Case, lesson_of, ward
from pages.components.settings.lesson_address import parameters
from pages.components.shell.address import WARD
from pages.components.shell.runs import histories_of

# In front: one of each kind.  The stage shows the sleeper.
FRONT = "choir", "silent_relus", "avalanche", "ruler", "could_not_stop"
CARD_WIDTH = 172  # five side by side at 1024 pixels; cards that would be narrower stand below each other

Places = list[tuple[Case, DeltaGenerator]]


def draw_cards() -> Places:
    """A card for each patient in front, and for all others where they are asked for; where the pictures go."""
    cases = {case.key: case for case in ward()}
    places = _cards([cases[key] for key in FRONT], len(FRONT))
    others = st.expander("All patients", icon=":material/groups:", on_change="rerun", key="all_patients")
    if others.open:
        with others:
            places += _cards([case for case in ward() if case.key not in FRONT], len(FRONT) - 1)
    return places


def link_to(case: Case) -> dict[str, str]:
    """The parameters of the lesson's page that show the patient by its name."""
    return {**parameters(lesson_of(case.page), *case.pair), WARD: "true"}


def draw_previews(places: Places) -> None:
    """Fill in the pictures, as the runs come.  They are those that the lessons show."""
    waiting = st.empty()

    def picture(case: Case) -> Picture:
        return losses(*histories_of(case.pair, place=waiting))

    for case, room in places:
        draw(room, case.key, case.pair, partial(picture, case))


def _cards(cases: Sequence[Case], across: int) -> Places:
    places = []
    with st.grid(across, min_column_width=CARD_WIDTH):
        for case in cases:
            with st.container(border=True, height="stretch", key=f"case_{case.key}"):
                places.append((case, leave_room()))
                st.markdown(f"**{case.name}**  \n“{case.complaint}”")
                to = f"pages/{case.page}.py"
                st.page_link(to, label="Examine", icon=":material/stethoscope:", query_params=link_to(case))
    return places
