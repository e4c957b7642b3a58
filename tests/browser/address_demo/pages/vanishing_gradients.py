"""The frame and the controls of a lesson, and what they say."""

import json
from dataclasses import asdict, replace

import streamlit as st

from engine import Experiment
from pages.components.settings.controls import Choice, apply, controls, more_settings_button, networks
from pages.components.settings.lesson_settings import Lesson
from pages.components.shell import frame

PATIENT = Experiment(depth=10, activation="sigmoid", initializer="xavier_normal")
TREATED = replace(PATIENT, activation="relu", initializer="he_normal", clip_threshold=2.0)
LESSON = Lesson("vanishing_gradients", PATIENT, TREATED)

header = frame.page("vanishing_gradients")
place = controls(LESSON)
more_settings_button(LESSON)
header.tools()
other = replace(PATIENT, depth=3, dataset="circles", gain=2.0, residual="plain", learning_rate=0.003)
st.button("Try this", on_click=apply, args=(LESSON, other, replace(other, activation="tanh", bias=0.5)))


def show(choice: Choice) -> None:
    header.share(choice.short_address, choice.address)
    with st.container(key="displayed"):
        st.text(json.dumps([asdict(choice.patient), asdict(choice.treated)]))


networks(LESSON, place, show)
frame.footer()
