"""Vanishing gradients: the first layers of a deep sigmoid network receive next to no gradient."""

from engine import RunHistory
from pages.charts.one_run import (
    activations,
    chain_rule_factors,
    gradient_per_layer,
    gradient_through_training,
    learning_curves,
    predictions,
    weight_distributions,
    weight_norms,
)
from pages.components.lesson.catalogue import lesson_of
from pages.components.lesson.lessons import Stage, chain_rule, row, show_lesson, text
from pages.text.verdict import verdict

LESSON = lesson_of("vanishing_gradients")
LOOK = gradient_per_layer, learning_curves, predictions
WHY = chain_rule_factors, gradient_through_training
MORE = weight_distributions, weight_norms, activations
STAGE = Stage(verdict, "", LOOK, WHY + MORE)


def why(patient: RunHistory, treated: RunHistory) -> None:
    text(LESSON, "Why it vanishes")
    chain_rule(patient, treated)
    row(WHY, patient, treated)


def cure(patient: RunHistory, treated: RunHistory) -> None:
    text(LESSON, "What helps, and why")


def more(patient: RunHistory, treated: RunHistory) -> None:
    row(MORE, patient, treated)
    text(LESSON, "Which gradient to judge by")


show_lesson(LESSON, STAGE, why, cure, more)
