"""Overfitting: a wide network learns a hundred points by heart, their wrong labels included."""

import streamlit as st

from pages.charts import (
    best_and_last,
    cures,
    data_loss_and_penalty,
    generalization_gap,
    mask_loss,
    predictions,
    weight_norms,
    weight_sizes,
)
from pages.charts.outcomes import cures_of
from pages.charts.overfitting_verdict import verdict
from pages.components.catalogue import lesson_of
from pages.components.controls import controls
from pages.components.frame import footer, page
from pages.components.lessons import compare, text
from pages.components.runs import histories_of
from pages.components.sweeps import sweep
from pages.components.trials import trials

LESSON = lesson_of("overfitting")
FIRST = generalization_gap, predictions, weight_sizes
THEN = (
    (best_and_last, data_loss_and_penalty),
    (mask_loss, weight_norms),
)
NOTE = "First number: training data, wrong labels included; second: new data (test), by which nothing was chosen."

frame = page("overfitting")
sentence = st.container(key="verdict")
choice = controls(LESSON)
frame.tools(choice.address)
patient, treated = histories_of((choice.patient, choice.treated))
compare(LESSON, sentence, FIRST, THEN, patient, treated, verdict, NOTE)
sweep(cures, cures_of(choice.patient))
text(LESSON, "Why it overfits")
text(LESSON, "What helps, and why")
st.subheader("Try this")
trials(LESSON, patient, treated)
text(LESSON, "Where else it lives")
text(LESSON, "Words")
footer()
