"""The lesson shows what it says, over seeds and not on one lucky draw."""

import re
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from engine import train_many
from engine.cures.outcomes import outcome_of
from engine.data.baselines import average_loss
from engine.doctor.thresholds import UNDERFITS
from pages.charts.sweeps.bias_variance import decomposition, of_draws
from pages.charts.sweeps.groups import draws_of
from pages.components.lesson.catalogue import ASSETS, exercises_of, lesson_of
from pages.text.outcome_measures import DIRECTIONS

SEEDS = range(24)
FEW = SEEDS[:8]  # where a network takes long, and the margin is wide
LESSON = lesson_of("underfitting")
PATIENT, TREATED = LESSON.patient, LESSON.treated
WIDE = replace(PATIENT, width=64)
TRIALS = exercises_of("underfitting")
TEXT = (ASSETS / "lessons" / "underfitting.md").read_text("utf-8")
NOISE = 0.1**2  # the loss that nobody can avoid


@lru_cache
def over_seeds(experiment, seeds=SEEDS):
    return train_many([replace(experiment, seed=seed) for seed in seeds], max_updates=1, max_frames=3)


def training(experiment, seeds=SEEDS):
    return np.array([history.train_loss[-1] for history in over_seeds(experiment, seeds)])


def validation(experiment):
    return np.array([history.validation_loss[-1] for history in over_seeds(experiment)])


def shares(experiment, seeds=SEEDS):
    """Training loss of each seed as a share of the average answer's."""
    runs = over_seeds(experiment, seeds)
    return np.array([history.train_loss[-1] / average_loss(history.experiment) for history in runs])


# --- the networks ---


def in_most(conditions):
    return np.mean(conditions) > 5 / 6


def test_the_patient_underfits():
    assert in_most(shares(PATIENT) > UNDERFITS)
    assert (shares(PATIENT) < 1).all()
    gained = [1 - history.train_loss[-1] / history.train_loss[-21] for history in over_seeds(PATIENT)]
    assert in_most([gain < 0.02 for gain in gained]), "it is done, not slow"


def test_the_treatment_brings_the_loss_down_to_the_noise():
    for losses in (training(TREATED), validation(TREATED)):
        assert np.median(losses) < 2 * NOISE
        assert in_most(losses < 5 * NOISE)


def test_the_seed_on_the_page_is_a_typical_one():
    for experiment in (PATIENT, TREATED):
        (here,) = train_one(experiment)
        assert here.train_loss[-1] == pytest.approx(np.median(training(experiment)), rel=0.25)
    assert np.abs(np.diff(train_one(PATIENT)[0].train_loss[-20:])).max() < 0.02, "it does not jump at the end"


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.key)
def test_each_thing_to_try_goes_the_way_it_says_in_22_of_24_seeds_and_on_the_page(trial):
    mine, theirs = trial.pair(LESSON)
    measured = [trial.measure.direction(a, b) for a, b in zip(over_seeds(mine), over_seeds(theirs), strict=True)]
    assert measured.count(trial.answer) >= 22, measured
    assert trial.measure.direction(*train_one(mine), *train_one(theirs)) == trial.answer


def train_one(experiment):
    return train_many([experiment], max_updates=1, max_frames=3)


def test_things_to_try_are_well_formed():
    assert len(TRIALS) == 3
    assert {trial.answer for trial in TRIALS} == set(DIRECTIONS), "the answers should not all be the same"
    for trial in TRIALS:
        assert 0 <= trial.reason < len(trial.reasons)
        assert len(trial.reasons) == 3


# --- what the text claims, in the order of the text ---


def test_no_learning_rate_cures_the_patient_and_one_that_is_too_low_ruins_the_treated_network():
    best = np.min([shares(replace(PATIENT, learning_rate=rate)) for rate in (0.01, 0.03, 0.1, 0.3)], axis=0)
    assert in_most(best > UNDERFITS)
    slow = replace(TREATED, learning_rate=1e-4)
    assert np.median(shares(slow)) == pytest.approx(1, abs=0.25), "close to the average answer's loss"
    assert in_most(shares(slow) > 0.65)


def test_bends_that_start_at_one_place_are_spread_by_biases():
    together = training(WIDE, FEW)
    assert 7 * NOISE < np.median(together) < 20 * NOISE, "about ten times the noise"
    assert np.median(together / training(replace(WIDE, bias=1.0), FEW)) > 3, "several times lower"


def test_what_the_text_says_of_width_and_depth():
    eight = training(replace(PATIENT, width=8))
    assert in_most(eight < 0.6 * training(PATIENT))
    assert np.median(eight) < 0.5 * np.median(training(PATIENT))
    assert np.median(training(WIDE, FEW)) == pytest.approx(np.median(eight), rel=0.4)
    assert np.median(training(replace(TREATED, depth=2))) < 2 * NOISE
    narrow = replace(PATIENT, depth=6)
    assert (shares(narrow) > 0.999).all()
    for history in over_seeds(narrow):
        assert np.nanmax(history.dead_fraction[-1]) == 1, "a layer is dead"


def test_what_the_text_says_of_activation_optimizer_and_remedies():
    assert in_most(shares(replace(TREATED, activation="linear"), FEW) > 2 / 3)
    sgd = training(replace(TREATED, optimizer="sgd"), FEW)
    assert np.median(sgd) > 5 * np.median(training(TREATED)), "several times"
    assert (shares(replace(TREATED, l2=0.3), FEW) > 0.999).all()
    assert np.median(shares(replace(TREATED, dropout=0.5), FEW)) > 0.75, "close to the average answer"


def test_what_the_text_says_does_not_help():
    more = validation(replace(PATIENT, n_train=1000)) / validation(PATIENT)
    assert in_most((more > 0.8) & (more < 1.25))
    assert np.median(more) == pytest.approx(1, abs=0.1)
    longer = training(replace(PATIENT, steps=3000)) / training(PATIENT)
    assert in_most((longer > 0.8) & (longer < 1.25))
    assert np.median(longer) == pytest.approx(1, abs=0.1)


def test_the_patient_has_mostly_bias():
    draws = [outcome_of(history) for history in train_many(draws_of(PATIENT), max_updates=1, max_frames=3)]
    over_data = decomposition(of_draws(draws, PATIENT)["data"])
    assert over_data.squared_bias > 10 * over_data.variance


def test_a_rate_that_is_too_low_leaves_a_large_gradient_and_takes_short_steps():
    slow, well = (train_many([trial], max_frames=3)[0] for trial in TRIALS[0].pair(LESSON))
    assert slow.total_gradient_norm[-1] > 0.2 * slow.total_gradient_norm[0], "its gradient is still large at the end"
    assert slow.total_update_norm.max() < 0.1 * well.total_update_norm.mean(), "and its steps are short"


def test_the_text_names_where_else_the_pathology_lives():
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert headings == [
        "Why it underfits", "Too small, or badly trained?", "How much capacity, how much data", "Bias and variance",
        "What helps, and why", "Where else it lives", "Words",
    ]  # fmt: skip
