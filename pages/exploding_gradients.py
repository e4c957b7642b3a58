"""Exploding gradients: what grows on its way back makes steps too long to survive, and clipping shortens them."""

from streamlit.delta_generator import DeltaGenerator

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
from pages.components.lesson.lessons import chain_rule, close_lesson, compare, open_lesson, text
from pages.text.exploding_verdict import verdict

LESSON = lesson_of("exploding_gradients")
FIRST = clipping, learning_curves, gradient_per_layer
THEN = (
    (gradient_through_training, chain_rule_factors),
    (weight_norms, overflow),
    (step_size, clipping_angle),
)
NOTE = "Gradient norm: the length of the whole gradient, before clipping shortens it."


def contents(sentence: DeltaGenerator, patient: RunHistory, treated: RunHistory) -> None:
    compare(LESSON, sentence, FIRST, THEN, patient, treated, verdict, NOTE)
    text(LESSON, "Why it explodes")
    chain_rule(patient, treated)
    text(LESSON, "How it ends")
    text(LESSON, "What helps, and why")


open_lesson(LESSON, contents)
close_lesson(LESSON)
