"""The ward on the home page: a card for each patient, with a picture of its run."""

import json

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.charts.one_run.preview import BLANK, alt, preview
from pages.components.lesson.catalogue import Case, lesson_of, ward
from pages.components.settings.controls import parameters
from pages.components.shell.byte_cache import ByteCache
from pages.components.shell.runs import histories_of

CARDS_A_ROW = 4
PICTURE_BYTES = 1e6  # about 6 kB each; the histories of the whole ward would push out those of the lessons

_pictures = ByteCache(PICTURE_BYTES)


def draw_cards() -> list[tuple[Case, DeltaGenerator]]:
    """A card for each patient, at once; the places where the pictures go."""
    places = []
    cases = ward()
    for start in range(0, len(cases), CARDS_A_ROW):
        row = cases[start : start + CARDS_A_ROW]
        for case, column in zip(row, st.columns(CARDS_A_ROW), strict=False):
            with column, st.container(border=True, height="stretch", key=f"case_{case.key}"):
                st.markdown(f"**{case.name}**")
                st.markdown(f"“{case.complaint}”")
                places.append((case, st.empty()))
                places[-1][1].image(BLANK, width="stretch", alt="")
                link = parameters(lesson_of(case.page), *case.pair)
                st.page_link(f"pages/{case.page}.py", label="Examine", icon=":material/stethoscope:", query_params=link)
    return places


def draw_previews(places: list[tuple[Case, DeltaGenerator]]) -> None:
    """Fill in the pictures, as the runs come.  They are those that the lessons show."""
    waiting = st.empty()
    for case, place in places:
        picture, text = json.loads(_picture(case, waiting))
        place.image(picture, width="stretch", alt=text)


def _picture(case: Case, waiting: DeltaGenerator) -> bytes:
    """The picture of a patient and what it shows, as JSON."""
    made = _pictures.find(case.pair)
    if made:
        return made
    runs = histories_of(case.pair, place=waiting)
    return _pictures.get(case.pair, lambda: json.dumps([preview(*runs), alt(*runs)]).encode())
