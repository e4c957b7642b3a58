"""Vanishing gradients: the first layers of a deep sigmoid network receive next to no gradient."""

import streamlit as st

from engine import Experiment
from pages.charts import (
    activations,
    chain_rule_factors,
    gradient_per_layer,
    gradient_through_training,
    learning_curves,
    predictions,
    weight_distributions,
    weight_norms,
)
from pages.charts.verdict import verdict
from pages.components.controls import Lesson, controls
from pages.components.frame import footer, page
from pages.components.lessons import chain_rule, compare, text
from pages.components.runs import histories_of
from pages.components.trials import trials

# Seed 9 is a typical draw: R about 1e-6 in the patient, .73 in the treated network (median of 24 seeds: .63).
PATIENT = Experiment(depth=10, width=16, activation="sigmoid", initializer="xavier_normal", steps=300, seed=9)
TREATED = Experiment(depth=10, width=16, activation="relu", initializer="he_normal", steps=300, seed=9)
LESSON = Lesson("vanishing_gradients", PATIENT, TREATED)
FIRST = gradient_per_layer, learning_curves, predictions
THEN = (
    (gradient_through_training, chain_rule_factors),
    (weight_distributions, weight_norms),
    (activations,),
)

frame = page("vanishing_gradients")
sentence = st.container(key="verdict")
choice = controls(LESSON)
frame.tools(choice.address)
patient, treated = histories_of((choice.patient, choice.treated))
compare(sentence, FIRST, THEN, patient, treated, verdict, "Shares are those of step 0, before training.")
text(LESSON, "Why it vanishes")
chain_rule(patient, treated)
text(LESSON, "What helps, and why")
st.subheader("Try this")
trials(LESSON, patient, treated)
text(LESSON, "Where else it lives")
text(LESSON, "Words")
footer()
