"""Overfitting: a wide network learns a hundred points by heart, their wrong labels included."""

from streamlit.delta_generator import DeltaGenerator

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
from pages.components.lesson.lessons import close_lesson, compare, open_lesson, text
from pages.components.lesson.sweeps import sweep
from pages.text.overfitting_verdict import verdict

LESSON = lesson_of("overfitting")
FIRST = generalization_gap, predictions, weight_sizes
THEN = (
    (best_and_last, data_loss_and_penalty),
    (mask_loss, weight_norms),
)
NOTE = "First number: training data, wrong labels included; second: new data (test), by which nothing was chosen."


def contents(sentence: DeltaGenerator, patient: RunHistory, treated: RunHistory) -> None:
    compare(LESSON, sentence, FIRST, THEN, patient, treated, verdict, NOTE)
    sweep(cures, cures_of(patient.experiment))
    text(LESSON, "Why it overfits")
    text(LESSON, "What helps, and why")


open_lesson(LESSON, contents)
close_lesson(LESSON)
