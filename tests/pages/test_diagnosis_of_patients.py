"""The doctor finds in each patient of lessons and ward what it is about, over 8 seeds, and nothing in the cured."""

from dataclasses import replace

import pytest

from engine import diagnose, train_many
from pages.components.catalogue import lesson_of, ward

SEEDS = range(8)
MOST = 7  # of the seeds: some draws are ill of something else, or not ill

LESSONS = {
    "vanishing_gradients": "vanishing_gradients",
    "exploding_gradients": "exploding_gradients",
    "overfitting": "overfitting",
    "underfitting": "underfitting",
}
WARD = {
    "sleeper": "vanishing_gradients",
    "whisperer": "vanishing_gradients",
    "blank_slate": "symmetry",
    "choir": "symmetry",
    "shouter": "saturated_units",
    "silent_relus": "learning_rate_too_high",
    "avalanche": "exploding_gradients",
    "jumper": "learning_rate_too_high",
    "wrong_dose": "over_regularized",
    "echo": "exploding_gradients",
    "ruler": "underfitting",
    "snail": "learning_rate_too_low",
    "two_unit_brain": "underfitting",
    "kept_too_short": "over_regularized",
    "parrot": "overfitting",
    "crammer": "overfitting",
    "could_not_stop": "overfitting",
}


def findings(experiment):
    seeds = [replace(experiment, seed=seed) for seed in SEEDS]
    return [diagnose(history) for history in train_many(seeds, max_updates=100, max_frames=3)]


def firsts(experiment):
    return [found[0].code if found else "" for found in findings(experiment)]


def test_each_patient_of_the_ward_has_a_diagnosis_here():
    assert set(WARD) == {case.key for case in ward()}


@pytest.mark.parametrize("page", LESSONS)
def test_the_patient_of_a_lesson_is_ill_of_what_the_lesson_is_about(page):
    assert firsts(lesson_of(page).patient).count(LESSONS[page]) == len(SEEDS)


@pytest.mark.parametrize("page", LESSONS)
def test_nothing_is_found_in_its_treated_network(page):
    assert findings(lesson_of(page).treated).count(()) >= MOST


@pytest.mark.parametrize("case", ward(), ids=lambda case: case.key)
def test_a_patient_of_the_ward_is_ill_as_it_complains_and_cured_by_its_treatment(case):
    patient, treated = case.pair
    assert firsts(patient).count(WARD[case.key]) >= MOST
    assert findings(treated).count(()) >= MOST
