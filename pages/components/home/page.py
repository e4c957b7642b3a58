"""The home page: the stage, the ward with its patients, the lessons."""

import streamlit as st

from pages.components.home.lesson_cards import draw_lessons, draw_pictures
from pages.components.home.stage import stage
from pages.components.home.ward import draw_cards, draw_previews
from pages.components.shell import frame


def home() -> None:
    header = frame.page("", folded=True)  # the stage has the first screen to itself
    header.tools()
    with st.container(key="home"):
        stage()
    st.header("The ward", anchor=False)
    st.markdown(
        "Each patient has one thing wrong with it. Loss (log) step by step, on new data (faint: on training data), "
        "of the :orange[● **patient**] and of the :blue[◆ **treated** network, dashed]."
    )
    patients = draw_cards()
    st.header("The lessons", anchor=False)
    lessons = draw_lessons()
    st.markdown(
        "**Teaching?** Set up two networks, press *Share*, and everyone who opens the link starts from them; "
        "the link of a *Mystery patient* gives a whole class the same case."
    )
    frame.footer()
    draw_previews(patients)
    draw_pictures(lessons)
