"""Data faults: a network without a fault of its own, whose examples are not what it takes them to be."""

from engine import RunHistory
from pages.charts.one_run import (
    activations,
    batch_losses,
    inputs_by_feature,
    learning_curves,
    predictions,
    recall_by_class,
    three_sets,
    weight_norms,
)
from pages.components.lesson.catalogue import lesson_of
from pages.components.lesson.lessons import Stage, row, show_lesson, text
from pages.text.data_faults_verdict import verdict

LESSON = lesson_of("data_faults")
LOOK = inputs_by_feature, recall_by_class, batch_losses
WHY = three_sets, learning_curves
MORE = predictions, activations, weight_norms
STAGE = Stage(verdict, "Test data: data by which nothing was chosen. Recall: on validation data.", LOOK, WHY + MORE)


def why(patient: RunHistory, treated: RunHistory) -> None:
    text(LESSON, "Why the scale matters")
    row(WHY, patient, treated)
    text(LESSON, "What else can be wrong with data")


def cure(patient: RunHistory, treated: RunHistory) -> None:
    text(LESSON, "What helps, and why")


def more(patient: RunHistory, treated: RunHistory) -> None:
    row(MORE, patient, treated)


show_lesson(LESSON, STAGE, why, cure, more)
