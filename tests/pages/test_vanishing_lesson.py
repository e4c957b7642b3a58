"""The lesson shows what it says: over seeds, not on one lucky draw."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import forward, initialize, load_dataset, train_many
from engine.network import backpropagate
from pages.components.lesson.catalogue import ASSETS, exercises_of, lesson_of
from pages.text.outcome_measures import DIRECTIONS
from pages.text.verdict import starting_ratio

SEEDS, MORE_SEEDS = range(8), range(24)  # more where it costs next to nothing: before the first step
LESSON = lesson_of("vanishing_gradients")
PATIENT, TREATED = LESSON.patient, LESSON.treated
TEXT = re.sub(r"\s+", " ", (ASSETS / "lessons" / "vanishing_gradients.md").read_text("utf-8"))
GUESSING, LEARNT = 0.6, 0.3  # training loss; always giving the average answer costs .69


@cache
def over_seeds(experiment, seeds=SEEDS):
    return train_many([replace(experiment, seed=seed) for seed in seeds], max_updates=1, max_frames=3)


def at_the_start(experiment):
    return over_seeds(replace(experiment, steps=1), MORE_SEEDS)


def ratios(experiment):
    return np.array([starting_ratio(history) for history in at_the_start(experiment)])


def factors(experiment, kind):
    """What an average layer below the last hidden one multiplies by, of every seed."""
    measured = [getattr(history, kind)[0, : PATIENT.depth - 1] for history in at_the_start(experiment)]
    return np.exp(np.log(measured).mean(axis=1))


def losses(experiment):
    return np.array([history.train_loss[-1] for history in over_seeds(experiment)])


def test_the_patient_s_gradient_vanishes_in_all_seeds():
    assert (ratios(PATIENT) < 1e-5).all()
    assert np.median(ratios(PATIENT)) > 1e-7


def test_the_patient_does_not_learn():
    assert (losses(PATIENT) > GUESSING).sum() >= 7


def test_the_treatment_brings_the_gradient_back():
    assert ((ratios(TREATED) > 0.1) & (ratios(TREATED) < 10)).sum() >= 22
    assert 0.3 < np.median(ratios(TREATED)) < 1.2


def test_the_treated_network_learns():
    assert (losses(TREATED) < LEARNT).sum() >= 7
    assert np.median([history.validation_accuracy[-1] for history in over_seeds(TREATED)]) > 0.9


def test_the_seed_on_the_page_is_a_typical_one():
    own = [starting_ratio(history) for history in train_many([replace(one, steps=1) for one in (PATIENT, TREATED)])]
    for ratio, network in zip(own, (PATIENT, TREATED), strict=True):
        assert 0.5 < ratio / np.median(ratios(network)) < 2


@pytest.mark.parametrize("dataset", ["breast_cancer", "digits"])
def test_it_works_on_real_data(dataset):
    sick, well = replace(PATIENT, dataset=dataset), replace(TREATED, dataset=dataset)
    assert (ratios(sick) < 1e-4).all()
    assert (ratios(well) > 0.05).sum() >= 22
    assert (losses(well) < 0.7 * losses(sick)).sum() >= 7


@pytest.mark.parametrize("trial", exercises_of("vanishing_gradients"), ids=lambda trial: trial.key)
def test_each_thing_to_try_goes_the_way_it_says_in_nearly_all_seeds_and_on_the_page(trial):
    assert trial.measure.value is starting_ratio, "one step shows what is predicted"
    pair = trial.pair(LESSON)
    measured = [trial.measure.direction(*both) for both in zip(*map(at_the_start, pair), strict=True)]
    assert measured.count(trial.answer) >= 22, measured
    assert trial.measure.direction(*train_many([replace(one, steps=1) for one in pair])) == trial.answer


def test_things_to_try_are_well_formed():
    trials = exercises_of("vanishing_gradients")
    assert len(trials) == 3
    assert len({trial.answer for trial in trials}) == 3, "the answers should not all be the same"
    for trial in trials:
        assert trial.answer in DIRECTIONS
        assert 0 <= trial.reason < len(trial.reasons)


def test_what_the_things_to_try_say_of_their_networks():
    bridges, small_start, louder = (trial.pair(LESSON) for trial in exercises_of("vanishing_gradients"))
    assert (factors(bridges[1], "slope_factor") < factors(bridges[0], "slope_factor")).all()
    assert (ratios(bridges[1]) > 1).sum() >= 22
    starts = [[history.train_loss[0] for history in at_the_start(network)] for network in bridges]
    assert np.greater(starts[1], starts[0]).sum() >= 18
    assert (factors(small_start[1], "slope_factor") > 0.99).all()
    shrunk = factors(small_start[0], "weight_factor") / factors(small_start[1], "weight_factor")
    assert np.median(shrunk) == pytest.approx(25, rel=0.2)
    assert (losses(louder[1]) > GUESSING).all()


# --- what the text claims, in the order of the text ---


def test_gradients_of_weights_look_level_since_examples_cancel_in_the_upper_layers():
    """At step 150 δ is not level at all; inputs of upper layers hardly differ, and what their examples give cancels."""
    for history in over_seeds(replace(PATIENT, steps=150)):
        inputs, signals = inputs_and_signals(history)
        weights = [np.linalg.norm(h.T @ delta) for h, delta in zip(inputs, signals, strict=True)]
        alone = [
            (np.linalg.norm(h, axis=1) * np.linalg.norm(delta, axis=1)).sum()
            for h, delta in zip(inputs, signals, strict=True)
        ]
        rms = [np.sqrt(np.mean(delta**2)) for delta in signals]
        assert rms[-2] > 1e5 * rms[0]
        assert max(weights) < 20 * min(weights)
        assert weights[0] > 0.5 * alone[0], "in the first layer hardly anything cancels"
        assert weights[-2] < 1e-5 * alone[-2], "in the last hidden layer nearly everything does"
        differences = [np.linalg.norm(h - h.mean(axis=0)) for h in inputs]
        per_layer = (differences[-1] / differences[1]) ** (1 / (PATIENT.depth - 1))
        assert 0.15 < per_layer < 0.35, "a quarter of the differences"
        assert abs(signals[-1].sum()) < 1e-3 * np.abs(signals[-1]).sum(), "the errors add up to nothing"


def inputs_and_signals(history):
    """Of every layer at the end of a run: what the examples put in, and their δ, each (examples, units)."""
    dataset, parameters = load_dataset(history.experiment), initialize(history.experiment)
    for mine, theirs in ((parameters.weights, history.weights), (parameters.biases, history.biases)):
        for values, recorded in zip(mine, theirs, strict=True):
            values[0] = recorded[-1]
    run = forward(parameters, dataset.train_inputs)
    errors = 1 / (1 + np.exp(-run.output)) - dataset.train_targets
    signals = backpropagate(parameters, run, errors / len(dataset.train_inputs)).z
    return [values[0] for values in (run.inputs, *run.h)], [values[0] for values in signals]


def test_batch_normalization_helps_by_the_division_and_layer_normalization_is_not_enough():
    assert "rise from about 1 to about 6" in TEXT
    batch, layer = (replace(PATIENT, normalization=kind) for kind in ("batch", "layer"))
    assert factors(PATIENT, "weight_factor") == pytest.approx(1, abs=0.25)
    assert factors(batch, "weight_factor") == pytest.approx(6, abs=2)
    assert (factors(batch, "slope_factor") < factors(PATIENT, "slope_factor")).all()
    assert (ratios(batch) > 1).all()
    assert (losses(batch) < GUESSING).sum() >= 6
    assert 30 < np.median(ratios(layer) / ratios(PATIENT)) < 300
    assert (losses(layer) > GUESSING).all()


def test_residual_connections_teach_the_sigmoid():
    assert (losses(replace(PATIENT, residual="plain")) < 0.5).sum() >= 7


def test_optimizers_that_measure_the_gradient_move_layers_whose_gradient_is_tiny():
    few = replace(PATIENT, steps=10)
    for optimizer in ("adam", "rmsprop"):
        scaled = replace(few, optimizer=optimizer, learning_rate=0.01)
        moved = [
            [np.linalg.norm(history.weights[0][-1] - history.weights[0][0]) for history in over_seeds(network)]
            for network in (few, scaled)
        ]
        assert (np.array(moved[1]) > 1000 * np.array(moved[0])).all()


def test_the_text_names_where_else_the_pathology_lives():
    text = (ASSETS / "lessons" / "vanishing_gradients.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == [
        "Why it vanishes", "Which gradient to judge by", "What helps, and why", "Where else it lives", "Words",
    ]  # fmt: skip
    assert "Recurrent" in text
    assert "not scaled" in text
