"""Exploding gradients: what grows on its way back makes steps too long to survive, and clipping shortens them."""

from engine import RunHistory
from pages.charts.one_run import (
    chain_rule_factors,
    clipping,
    clipping_angle,
    gradient_per_layer,
    gradient_through_training,
    learning_curves,
    overflow,
    step_size,
    weight_norms,
)
from pages.components.lesson.catalogue import lesson_of
from pages.components.lesson.lessons import READ, Stage, chain_rule, row, show_lesson, text
from pages.text.exploding_verdict import verdict

LESSON = lesson_of("exploding_gradients")
LOOK = clipping, learning_curves, gradient_per_layer
WHY = chain_rule_factors, gradient_through_training
MORE = weight_norms, overflow, step_size, clipping_angle
NOTE = "Gradient norm: the length of the whole gradient, before clipping shortens it."
STAGE = Stage(verdict, NOTE, LOOK, WHY + MORE, ("How it ends", "What does not help, and the threshold", *READ))


def why(patient: RunHistory, treated: RunHistory) -> None:
    text(LESSON, "Why it explodes")
    chain_rule(patient, treated)
    row(WHY, patient, treated)


def cure(patient: RunHistory, treated: RunHistory) -> None:
    text(LESSON, "What helps, and why")


def more(patient: RunHistory, treated: RunHistory) -> None:
    row(MORE, patient, treated, across=2)


show_lesson(LESSON, STAGE, why, cure, more)
