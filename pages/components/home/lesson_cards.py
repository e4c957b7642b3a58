"""The lessons on the home page: a picture of what each starts with, and a line about it."""

from collections.abc import Callable
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import RunHistory
from engine.doctor.cases import EASY, candidates, holds
from pages.charts.one_run import preview
from pages.charts.one_run.preview import Picture
from pages.components.home.drawing import draw, leave_room
from pages.components.laboratory.samples import sample
from pages.components.laboratory.selection import examples_of, guessed
from pages.components.lecture.catalogue import lecture_names, lecture_of
from pages.components.lesson.catalogue import lesson_of
from pages.components.mystery.patient import FIRST
from pages.components.shell.frame import Page, lessons, link
from pages.components.shell.runs import histories_of
from pages.walkthrough.presets import PRESETS

ACROSS, CARD_WIDTH = 3, 240  # pixels; cards that would be narrower stand below each other
# Lesson -> how its two default networks are drawn.
OF_TWO: dict[str, Callable[[RunHistory, RunHistory], Picture]] = {
    "vanishing_gradients": preview.error_signal,
    "exploding_gradients": preview.weight_size,
    "overfitting": preview.losses,
    "underfitting": preview.fit,
    "data_faults": preview.losses,
}

# Page -> what its picture shows, of what.
SHOWN = {
    "backpropagation": "the weights of a small network",
    "vanishing_gradients": "error signal (log), layer by layer",
    "exploding_gradients": "size of the weights (log), step by step",
    "overfitting": "loss (log), step by step",
    "underfitting": "output, from input to input",
    "data_faults": "loss (log), step by step",
    "laboratory": "length and width of petals",
    "mystery_patient": "training loss (log), step by step",
    "lecture": "loss (log), step by step",
}

Places = list[tuple[Page, DeltaGenerator]]


def draw_lessons() -> Places:
    """A card for each lesson; where the pictures go."""
    places = []
    with st.container(key="lessons"), st.grid(ACROSS, min_column_width=CARD_WIDTH):
        for row in lessons():
            with st.container(border=True, height="stretch", key=f"lesson_{row.name}"):
                places.append((row, leave_room()))
                st.markdown(f":small[{SHOWN[row.name]}]")
                link(row, row.title)
                st.markdown(row.card)
    return places


def draw_pictures(places: Places) -> None:
    """Fill in the pictures, as the runs come."""
    waiting = st.empty()
    for row, room in places:
        draw(room, row.name, row.name, partial(_picture, row.name, waiting))


def _picture(page: str, waiting: DeltaGenerator) -> Picture:
    if page == "backpropagation":
        problem = next(iter(PRESETS.values())).problem
        return preview.weights([matrix[0] for matrix in problem.parameters.weights])
    if page == "lecture":
        scene = lecture_of(lecture_names()[0]).scenes[0]
        return preview.losses(*histories_of(scene.pair, place=waiting))
    if page == "laboratory":
        table = sample("iris")
        flowers = examples_of(table, guessed(table))
        return preview.points(flowers.inputs[:, 2:], flowers.targets, "Flowers by the size of their petals")
    if page == "mystery_patient":
        for case in candidates(FIRST, EASY):
            patient, healthy = histories_of((case.patient, case.healthy), place=waiting)
            if holds(case, patient, healthy):
                return preview.riddle(patient)
        raise ValueError("the patient of the bare address is one")
    lesson = lesson_of(page)
    return OF_TWO[page](*histories_of((lesson.patient, lesson.treated), place=waiting))
