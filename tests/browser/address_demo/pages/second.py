"""Another lesson with the same names in its address."""

import json
from dataclasses import asdict

import streamlit as st

from engine import Experiment
from pages.components.settings.controls import Choice, controls, networks
from pages.components.settings.lesson_settings import Lesson

LESSON = Lesson("second", Experiment(), Experiment(activation="tanh"))


def show(choice: Choice) -> None:
    with st.container(key="displayed"):
        st.text(json.dumps([asdict(choice.patient), asdict(choice.treated)]))


networks(LESSON, controls(LESSON), show)
st.page_link("pages/vanishing_gradients.py", label="The first lesson")
st.page_link("pages/vanishing_gradients.py", label="As in a text", query_params={"depth": "21", "gain": "3", "x": "y"})
