"""The sentences say the run's own numbers."""

import math
from dataclasses import replace

import pytest

from engine import Experiment, diagnose, train
from pages.text.labels import number, percent, share
from pages.text.verdict import average_factor, chain_product, outcome, starting_ratio, verdict

SIGMOID = Experiment(depth=6, width=8, activation="sigmoid", initializer="xavier_normal", steps=20, n_train=40)
RELU = replace(SIGMOID, activation="relu", initializer="he_normal")


@pytest.fixture(scope="module")
def sick():
    return train(SIGMOID)


@pytest.fixture(scope="module")
def well():
    return train(RELU)


def test_the_ratio_is_that_of_the_error_signals_at_step_0(sick):
    assert starting_ratio(sick) == sick.delta_rms[0, 0] / sick.delta_rms[0, 5]


def test_the_verdict_speaks_of_both_networks_first_of_r(sick, well):
    text = verdict(sick, well)
    receives = f"the first layer receives {share(starting_ratio(sick))} the last hidden layer’s gradient"
    assert text.startswith(f"Before training, {receives}")
    assert "the last hidden layer’s gradient: it vanishes. With ReLU and He normal it receives" in text
    assert number(starting_ratio(well)) in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"residual": "plain"}, "With plain residual connections it receives"),
        ({"residual": "scaled"}, "With scaled residual connections it receives"),
        ({"normalization": "batch"}, "With batch normalization it receives"),
        ({"clip": "norm"}, "With norm gradient clipping it receives"),
        ({"schedule": "cosine"}, "With cosine learning rate schedule it receives"),
        ({"output": "sigmoid"}, "With sigmoid output it receives"),
        ({"inputs": "raw"}, "With raw inputs it receives"),
        ({"activation": "tanh", "residual": "scaled"}, "With tanh and scaled residual connections it receives"),
    ],
)
def test_a_treatment_whose_name_is_an_adjective_has_its_noun(sick, changes, words):
    assert words in verdict(sick, train(replace(SIGMOID, **changes)))


@pytest.mark.parametrize(
    ("residual", "words"),
    [
        ("none", ("from the weights times", "from the slope. Over")),
        ("plain", ("from the weights and the skip connections times", "from the slope. Over")),
        (
            "scaled",
            ("from the weights and the skip connections times", "from the slope and the scale of the branches."),
        ),
    ],
)
def test_the_average_factor_says_what_is_in_it(residual, words):
    text = average_factor(train(replace(SIGMOID, residual=residual)))
    assert all(part in text for part in words)


def test_equal_networks_are_said_to_be_equal(sick):
    assert "the same network" in verdict(sick, sick)


def test_one_hidden_layer_has_nothing_to_fade_through(well):
    assert "nothing for the gradient to fade through" in verdict(train(replace(RELU, depth=1)), well)


def test_zeros_pass_no_gradient(well):
    assert "no gradient" in verdict(train(replace(RELU, initializer="zeros")), well)


@pytest.mark.parametrize(("rate", "word"), [(1e3, "diverged at step"), (0.01, "training loss")])
def test_the_outcome_says_how_it_ended(rate, word):
    history = train(replace(RELU, learning_rate=rate, gain=3.0, loss="mse", dataset="sine"))
    assert word in outcome(history)


def test_an_accuracy_of_answers_that_are_all_alike_is_explained():
    """Small weights: most answers lie on the right side of 50 %, all by a hair.  Zeros: all on the same side."""
    deep = Experiment(depth=10, activation="tanh", steps=300, seed=9)
    small, zeros = (train(replace(deep, initializer=one)) for one in ("small_normal", "zeros"))
    answers = small.predictions[-1]
    assert answers.max() - answers.min() < 0.001
    assert small.validation_accuracy[-1] > 0.6
    alike = ", though all its answers lie within 0.1\u00a0% of each other"
    assert outcome(small).endswith(f"validation accuracy {percent(float(small.validation_accuracy[-1]))}{alike}")
    assert alike not in outcome(zeros)
    assert alike not in outcome(train(RELU))


def test_a_diverged_run_names_step_layer_and_tensor():
    history = train(replace(RELU, learning_rate=1000.0, gain=10.0, dataset="sine", steps=200))
    assert history.status == "diverged"
    step, layer, tensor = history.diverged_at
    assert f"step {step}" in outcome(history)
    assert tensor in outcome(history)
    assert layer is None or f"layer {layer + 1}" in outcome(history) or "output layer" in outcome(history)


def test_the_written_product_is_the_measured_one(sick):
    weights, slopes = sick.weight_factor[0, :5], sick.slope_factor[0, :5]
    assert math.isclose((weights * slopes).prod(), starting_ratio(sick), rel_tol=1e-12)
    text = chain_product(sick)
    for value in (weights[0], slopes[0], weights[-1], slopes[-1]):
        assert number(value) in text
    assert number(starting_ratio(sick) ** (1 / 5)) in average_factor(sick)


def test_no_product_where_there_is_none():
    assert chain_product(train(replace(RELU, depth=1))) == ""
    assert chain_product(train(replace(RELU, initializer="zeros"))) == ""


@pytest.mark.parametrize(
    ("tensor", "words"), [("weights", "weights of layer 2 were"), ("gradient", "gradient of layer 2 was")]
)
def test_a_tensor_and_its_verb_agree_in_number(well, tensor, words):
    broken = replace(well, status="diverged", diverged_at=(20, 1, tensor))
    assert f"diverged at step 20, where the {words} no longer finite" in outcome(broken)
    verb = "are" if words.endswith("were") else "is"
    assert f"the {tensor} of layer 2 {verb} no longer finite, and training ends." in str(diagnose(broken))


def test_early_stopping_names_one_result():
    stopped = train(replace(RELU, patience=1, steps=400))
    assert f"stopped early, and its result is the weights of step {stopped.best_step}" in outcome(stopped)


def test_the_first_layer_is_named_where_the_patient_has_nothing_to_say_of_it():
    deep = train(Experiment(depth=3, steps=2))
    for patient in (Experiment(depth=1, steps=2), Experiment(depth=3, initializer="zeros", steps=2)):
        assert "the first layer receives" in verdict(train(patient), deep)


def test_a_list_of_changes_reads_as_one():
    patient, treated = (
        train(Experiment(depth=2, steps=2, dataset="sine", **changes))
        for changes in ({}, {"activation": "tanh", "initializer": "lecun", "loss": "huber"})
    )
    assert "With tanh, LeCun and Huber loss it receives" in verdict(patient, treated)


def test_a_run_that_broke_off_in_its_first_step_took_none():
    history = train(Experiment(initializer="standard_normal", depth=30, width=64, gain=20.0, steps=5))
    assert history.diverged_at[0] == 1
    assert outcome(history).endswith(f"training loss {number(history.train_loss[0])} at step 0")
