"""Vanishing gradients: the first layers of a deep sigmoid network receive next to no gradient."""

from streamlit.delta_generator import DeltaGenerator

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
from pages.components.lesson.lessons import chain_rule, close_lesson, compare, open_lesson, text
from pages.text.verdict import verdict

LESSON = lesson_of("vanishing_gradients")
FIRST = gradient_per_layer, learning_curves, predictions
THEN = (
    (gradient_through_training, chain_rule_factors),
    (weight_distributions, weight_norms),
    (activations,),
)


def contents(sentence: DeltaGenerator, patient: RunHistory, treated: RunHistory) -> None:
    compare(LESSON, sentence, FIRST, THEN, patient, treated, verdict, "Shares are those of step 0, before training.")
    text(LESSON, "Why it vanishes")
    chain_rule(patient, treated)
    text(LESSON, "What helps, and why")


open_lesson(LESSON, contents)
close_lesson(LESSON)
