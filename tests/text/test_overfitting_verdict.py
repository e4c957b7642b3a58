"""The verdict's numbers are those of the resulting weights, and it judges only what is there."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import Experiment, train
from pages.text.labels import number, percent
from pages.text.overfitting_verdict import note, overfitted, result, verdict
from tests.charts.odd_runs import PAIRS, pair

OVERFITS = Experiment(
    dataset="moons", n_train=40, noise=0.2, label_noise=0.2, depth=2, width=32, optimizer="adam", learning_rate=0.02,
    steps=300, seed=1,
)  # fmt: skip


@cache
def run(**changes):
    return train(replace(OVERFITS, **changes))


def test_the_patient_is_said_to_have_learnt_the_noise_and_the_treated_network_follows():
    patient, treated = run(), run(l2=0.02)
    assert overfitted(patient)
    assert not overfitted(treated)
    assert verdict(patient, treated) == (
        f"The patient gets {percent(patient.train_accuracy[-1])} of its training data right, and "
        f"{percent(patient.test_accuracy)} of test data: it has learnt the noise by heart. With L2 penalty 0.02: "
        f"{percent(treated.train_accuracy[-1])} and {percent(treated.test_accuracy)}."
    )


def test_without_label_noise_it_is_the_examples():
    history = run(label_noise=0.0, noise=0.5, n_train=20)
    assert overfitted(history)
    assert ": it has learnt its examples by heart." in verdict(history, run())


def test_early_stopping_is_judged_by_the_weights_that_it_keeps():
    patient, treated = run(), run(patience=5)
    row = int(np.flatnonzero(treated.evaluation_step == treated.best_step)[0])
    assert result(treated) == (treated.train_accuracy[row], treated.test_accuracy)
    assert treated.test_accuracy != treated.last_test_accuracy
    assert f"With patience 5 it keeps step {treated.best_step}: " in verdict(patient, treated)


def test_a_treatment_that_makes_it_worse_or_does_nothing_is_said_to():
    assert verdict(run(), run(l2=50.0, optimizer="sgd", learning_rate=0.01)).endswith("worse on test data.")
    assert verdict(run(), run(l2=1e-12)).endswith("no better on test data.")
    assert not verdict(run(l2=1e-12), run(l2=0.02)).endswith("test data.")


def test_equal_networks_are_said_to_be_equal():
    assert "the same network" in verdict(run(), run())


def test_regression_speaks_of_losses():
    patient, treated = pair("of regression")
    text = verdict(patient, treated)
    assert f"the patient’s loss is {number(patient.train_loss[-1])} (squared error)" in text
    assert f"{number(treated.train_loss[-1])} and {number(treated.test_loss)}" in text
    assert "%" not in text


def test_a_loss_that_grew_on_both_sets_is_no_overfitting():
    history = train(Experiment(dataset="sine", learning_rate=10.0, depth=2, width=8, steps=40, optimizer="adam"))
    grown = replace(history, train_loss=np.linspace(1, 1e6, len(history.train_loss)))
    assert not overfitted(grown)


@pytest.mark.parametrize("name", PAIRS)
def test_every_odd_run_has_a_sentence(name):
    text = verdict(*pair(name))
    assert text.endswith(".")
    assert "nan" not in text
    for history in pair(name):
        if history.status == "diverged":
            assert f"diverged at step {history.diverged_at[0]}" in text


def test_numbers_of_unlike_kinds_name_what_they_are():
    (_, classes), (_, numbers) = pair("plain"), pair("of regression")
    assert "loss (squared error) on training and on test data is" in verdict(classes, numbers)
    assert "accuracy on training and on test data is" in verdict(numbers, classes)


@pytest.mark.parametrize("fault", [{"validation_shift": 5.0}, {"validation_labels": "permuted"}], ids=str)
def test_validation_data_that_are_none_prove_no_overfitting(fault):
    history = train(Experiment(**fault))
    assert history.test_accuracy > 0.95
    assert not overfitted(history)
    assert "by heart" not in verdict(history, history)


def test_wrong_labels_are_spoken_of_where_there_are_some():
    assert "wrong labels included" in note(run(), run(l2=0.02))
    assert "wrong" not in note(*pair("of regression"))
