"""Overfitting: a wide network learns a hundred points by heart, their wrong labels included."""

import streamlit as st

from engine import RunHistory
from pages.charts.one_run import (
    best_and_last,
    data_loss_and_penalty,
    generalization_gap,
    mask_loss,
    predictions,
    weight_norms,
    weight_sizes,
)
from pages.charts.sweeps import cures
from pages.charts.sweeps.groups import cures_of
from pages.components.lesson.catalogue import lesson_of
from pages.components.lesson.lessons import Stage, row, show_lesson, text
from pages.components.lesson.sweeps import sweep
from pages.text.overfitting_verdict import note, verdict

LESSON = lesson_of("overfitting")
LOOK = generalization_gap, predictions, weight_sizes
WHY = (best_and_last,)
MORE = data_loss_and_penalty, mask_loss, weight_norms
STAGE = Stage(verdict, note, LOOK, WHY + MORE)


def why(patient: RunHistory, treated: RunHistory) -> None:
    words, charts = st.columns(2)
    with words:
        text(LESSON, "Why it overfits")
    with charts:
        row(WHY, patient, treated)


def cure(patient: RunHistory, treated: RunHistory) -> None:
    sweep(cures, cures_of(patient.experiment))
    text(LESSON, "What helps, and why")


def more(patient: RunHistory, treated: RunHistory) -> None:
    row(MORE, patient, treated)


show_lesson(LESSON, STAGE, why, cure, more)
