"""The lesson shows what it says, over seeds and not on one lucky draw."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from engine import load_dataset, train_many
from engine.data.baselines import average_loss
from pages.components.lesson.catalogue import exercises_of, lesson_of
from pages.text.outcome_measures import DIRECTIONS
from pages.text.three_sets import recalls

SEEDS = range(24)
LESSON = lesson_of("data_faults")
PATIENT, TREATED = LESSON.patient, LESSON.treated
TRIALS = exercises_of("data_faults")


@lru_cache
def over_seeds(experiment):
    return train_many([replace(experiment, seed=seed) for seed in SEEDS], max_updates=1, max_frames=3)


def training(experiment):
    return np.array([history.train_loss[-1] for history in over_seeds(experiment)])


def worst(experiment):
    """Recall of the class that is recognised least."""
    return np.array([recalls(history)[-1].min() for history in over_seeds(experiment)])


def in_most(conditions):
    return np.mean(conditions) > 5 / 6


# --- the networks ---


def test_the_patient_calls_everything_benign():
    assert in_most([recalls(history)[-1][0] == 0 for history in over_seeds(PATIENT)])
    assert in_most([recalls(history)[-1][1] == 1 for history in over_seeds(PATIENT)])
    shares = [h.train_loss[-1] / average_loss(h.experiment) for h in over_seeds(PATIENT)]
    assert in_most(np.abs(np.array(shares) - 1) < 0.05), "no better than the average answer"
    assert in_most([np.nanmax(history.dead_fraction[-1]) == 1 for history in over_seeds(PATIENT)])


def test_the_treated_network_recognises_both_classes():
    assert in_most(worst(TREATED) > 0.85)
    assert in_most([history.test_accuracy > 0.93 for history in over_seeds(TREATED)])


def test_the_seed_on_the_page_is_a_typical_one():
    for experiment in (PATIENT, TREATED):
        (here,) = train_many([experiment], max_updates=1, max_frames=3)
        several = [history.test_accuracy for history in over_seeds(experiment)]
        assert here.test_accuracy == pytest.approx(np.median(several), abs=0.05)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.key)
def test_each_thing_to_try_goes_the_way_it_says_in_22_of_24_seeds_and_on_the_page(trial):
    mine, theirs = trial.pair(LESSON)
    measured = [trial.measure.direction(a, b) for a, b in zip(over_seeds(mine), over_seeds(theirs), strict=True)]
    assert measured.count(trial.answer) >= 22, measured
    here = (train_many([one], max_updates=1, max_frames=3)[0] for one in (mine, theirs))
    assert trial.measure.direction(*here) == trial.answer


def test_things_to_try_are_well_formed():
    assert len(TRIALS) == 3
    assert {trial.answer for trial in TRIALS} == set(DIRECTIONS), "the answers should not all be the same"
    for trial in TRIALS:
        assert 0 <= trial.reason < len(trial.reasons) == 3


# --- what the text claims, in the order of the text ---


def test_the_inputs_are_as_large_as_the_text_says():
    data = load_dataset(PATIENT)
    size = dict(zip(data.input_names, np.sqrt((data.train_inputs**2).mean(axis=0)), strict=True))
    assert min(size, key=size.get) == "fractal dimension error"
    assert max(size, key=size.get) == "worst area"
    assert size["fractal dimension error"] == pytest.approx(0.005, rel=0.2)
    assert size["worst area"] == pytest.approx(1000, rel=0.1)
    (patient,), (treated,) = (train_many([replace(one, steps=1)]) for one in (PATIENT, TREATED))
    assert patient.train_loss[0] == pytest.approx(180, rel=0.03)
    assert treated.train_loss[0] == pytest.approx(0.85, rel=0.03)
    assert data.train_targets.mean() == pytest.approx(2 / 3, abs=0.05), "benign is right for nearly two thirds"


def test_what_the_text_says_of_cures_that_are_none():
    well = np.median(training(TREATED))
    for change, times in (
        ({"learning_rate": 0.001}, 10),
        ({"optimizer": "adam", "learning_rate": 0.01}, 10),
        ({"normalization": "batch"}, 6),
    ):
        assert np.median(training(replace(PATIENT, **change))) == pytest.approx(times * well, rel=0.35), change
    for change in ({"steps": 2000}, {"clip": "norm"}, {"activation": "tanh", "initializer": "xavier_normal"}):
        treated = replace(PATIENT, **change)
        assert in_most(training(treated) > 10 * well), change
