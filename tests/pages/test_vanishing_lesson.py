"""The lesson shows what it says: over seeds, not on one lucky draw."""

import re
from dataclasses import replace

import numpy as np
import pytest

from engine import train_many
from pages.charts.measures import DIRECTIONS
from pages.charts.verdict import starting_ratio
from pages.components.catalogue import ASSETS, lesson_of, trials_of

SEEDS = range(8)
LESSON = lesson_of("vanishing_gradients")
PATIENT, TREATED = LESSON.patient, LESSON.treated


def over_seeds(experiment):
    return train_many([replace(experiment, seed=seed) for seed in SEEDS], max_updates=1, max_frames=3)


def ratios(histories):
    return np.array([starting_ratio(history) for history in histories])


@pytest.fixture(scope="module")
def patients():
    return over_seeds(PATIENT)


@pytest.fixture(scope="module")
def treated():
    return over_seeds(TREATED)


def test_the_patient_s_gradient_vanishes_in_all_seeds(patients):
    assert (ratios(patients) < 1e-5).all()
    assert 1e-7 < np.median(ratios(patients)) < 1e-5


def test_the_patient_does_not_learn(patients):
    assert sum(history.train_loss[-1] > 0.9 * np.log(2) for history in patients) >= 7


def test_the_treatment_brings_the_gradient_back(treated):
    assert sum(0.1 < ratio < 10 for ratio in ratios(treated)) >= 7
    assert 0.3 < np.median(ratios(treated)) < 1.2


def test_the_treated_network_learns(treated):
    assert sum(history.train_loss[-1] < 0.3 for history in treated) >= 7
    assert np.median([history.validation_accuracy[-1] for history in treated]) > 0.9


@pytest.mark.parametrize("dataset", ["breast_cancer", "digits"])
def test_it_works_on_real_data(dataset):
    sick, well = over_seeds(replace(PATIENT, dataset=dataset)), over_seeds(replace(TREATED, dataset=dataset))
    assert (ratios(sick) < 1e-4).all()
    assert sum(ratio > 0.05 for ratio in ratios(well)) >= 7
    better = [b.train_loss[-1] < 0.7 * a.train_loss[-1] for a, b in zip(sick, well, strict=True)]
    assert sum(better) >= 7


@pytest.mark.parametrize("trial", trials_of("vanishing_gradients"), ids=lambda trial: trial.key)
def test_each_thing_to_try_goes_the_way_it_says_in_7_of_8_seeds(trial):
    mine, theirs = trial.pair(LESSON)
    measured = [trial.measure.direction(a, b) for a, b in zip(over_seeds(mine), over_seeds(theirs), strict=True)]
    assert measured.count(trial.answer) >= 7, measured


def test_things_to_try_are_well_formed():
    trials = trials_of("vanishing_gradients")
    assert len(trials) == 3
    assert len({trial.answer for trial in trials}) == 3, "the answers should not all be the same"
    for trial in trials:
        assert trial.answer in DIRECTIONS
        assert 0 <= trial.reason < len(trial.reasons)


def test_what_the_texts_claim_in_numbers_is_measured():
    """ "about twenty times too small" weights; the average slope near a quarter; a bridge that teaches the sigmoid."""
    small, usual = PATIENT.width**-0.5, 0.01
    assert 20 < small / usual < 30
    bridged = over_seeds(replace(PATIENT, residual=True))
    assert sum(history.train_loss[-1] < 0.5 for history in bridged) >= 7
    overshooting = over_seeds(replace(PATIENT, normalization="batch"))
    assert sum(ratio > 10 for ratio in ratios(overshooting)) >= 7
    adam = over_seeds(replace(PATIENT, optimizer="adam", learning_rate=0.01))
    assert sum(history.train_loss[-1] < 0.6 for history in adam) >= 7
    louder = over_seeds(replace(PATIENT, learning_rate=10.0))
    assert sum(history.train_loss[-1] > 0.6 for history in louder) >= 7


def test_the_text_names_where_else_the_pathology_lives():
    text = (ASSETS / "lessons" / "vanishing_gradients.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Why it vanishes", "What helps, and why", "Where else it lives", "Words"]
    assert "Recurrent" in text
    assert "not scaled" in text
