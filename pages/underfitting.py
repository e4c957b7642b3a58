"""Underfitting: a network too small for its task is hardly better than always giving the average answer."""

from typing import Any

import streamlit as st

from engine import RunHistory
from pages.charts.one_run import activations, gradient_and_steps, learning_curves, predictions, weight_norms
from pages.charts.sweeps import bias_variance, capacity_curve, examples_curve, learning_rate_curve
from pages.charts.sweeps.groups import both, depths_of, draws_of, examples_of, widths_of
from pages.charts.sweeps.learning_rate_curve import rates_of
from pages.components.lesson.catalogue import lesson_of
from pages.components.lesson.lessons import Stage, row, show_lesson, text
from pages.components.lesson.sweeps import sweep
from pages.text.underfitting_verdict import verdict

LESSON = lesson_of("underfitting")
LOOK = learning_curves, predictions, gradient_and_steps
MORE = weight_norms, activations
STAGE = Stage(verdict, "Losses are those at the end of the run.", LOOK, MORE)


def why(patient: RunHistory, treated: RunHistory) -> None:
    networks = _networks(patient, treated)
    text(LESSON, "Why it underfits")
    words, chart = st.columns(2)
    with words:
        text(LESSON, "Too small, or badly trained?")
    with chart:
        sweep(learning_rate_curve, both(rates_of, **networks), **networks)
    words, chart = st.columns(2)
    with words:
        text(LESSON, "Bias and variance")
    with chart:
        sweep(bias_variance, both(draws_of, **networks), **networks)


def cure(patient: RunHistory, treated: RunHistory) -> None:
    text(LESSON, "What helps, and why")


def more(patient: RunHistory, treated: RunHistory) -> None:
    networks = _networks(patient, treated)
    text(LESSON, "How much capacity, how much data")
    widths, depths, examples = st.columns(3)
    for column, field, of in zip((widths, depths), ("width", "depth"), (widths_of, depths_of), strict=True):
        with column:
            sweep(capacity_curve, both(of, **networks), **networks, field=field)
    with examples:
        sweep(examples_curve, both(examples_of, **networks), **networks)
    row(MORE, patient, treated)


def _networks(patient: RunHistory, treated: RunHistory) -> dict[str, Any]:
    return {"patient": patient.experiment, "treated": treated.experiment}


show_lesson(LESSON, STAGE, why, cure, more)
