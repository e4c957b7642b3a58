"""The ward: what ails a patient is what it complains of, its treatment helps, and its link opens it."""

from dataclasses import replace

import numpy as np
import pytest

from engine import train_many
from pages.charts.wording import differences
from pages.components.catalogue import lesson_of, ward
from pages.components.controls import parameters
from pages.components.runs import shared_runs
from tests.pages.opened import opened

SEEDS = range(8)
COMPLAINTS = {
    "sleeper": lambda history: history.gradient_ratio[0] < 1e-3,
    "blank_slate": lambda history: not history.gradient_norm.any(),
    "choir": lambda history: all(np.ptp(weights[-1], axis=1).max() < 1e-9 for weights in history.weights[:-1]),
    "shouter": lambda history: np.nanmean(history.saturated_fraction[-1]) > 0.5,
    "silent_relus": lambda history: np.nanmax(history.dead_fraction[-1]) == 1,
    "avalanche": lambda history: history.gradient_ratio[0] > 10,
    "wrong_dose": lambda history: (np.diff(history.weight_norm.sum(axis=1)) > 0).all(),
    "echo": lambda history: history.activation_std[0, -2] > 100 * history.activation_std[0, 0],
    "snail": lambda history: history.train_loss[-1] > 0.8 * history.train_loss[0],
    "kept_too_short": lambda history: history.weight_norm[-1].max() < 0.1,
    "parrot": lambda history: 0.9 < history.train_accuracy[-1] < 1,
    "crammer": lambda history: history.train_accuracy[-1] == 1,
    "could_not_stop": lambda history: history.best_step < history.experiment.steps / 2,
}


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    shared_runs().close()


def test_there_are_at_least_twelve_patients():
    assert len(ward()) >= 12
    assert len({case.key for case in ward()}) == len({case.name for case in ward()}) == len(ward())


@pytest.mark.parametrize("case", ward(), ids=lambda case: case.key)
def test_complaint_and_treatment_hold_in_7_of_8_seeds(case):
    patient, treated = (
        train_many([replace(experiment, seed=seed) for seed in SEEDS], max_updates=50, max_frames=3)
        for experiment in case.pair
    )
    found = [case.measure.direction(a, b) for a, b in zip(patient, treated, strict=True)]
    assert found.count("less") >= 7, found
    if case.key in COMPLAINTS:
        assert sum(map(bool, map(COMPLAINTS[case.key], patient))) >= 7


def test_the_home_page_draws_a_picture_for_each_patient():
    home = opened()
    alts = [image.alt for element in home.get("image") for image in element.proto.imgs]
    assert len(alts) == len(ward())
    assert all("Patient: validation loss" in alt for alt in alts)


@pytest.mark.parametrize("case", ward(), ids=lambda case: case.key)
def test_its_link_opens_it(case):
    page = opened(case.page, **parameters(lesson_of(case.page), *case.pair))
    assert not page.warning
    said = differences(*case.pair)
    assert any(said in paragraph.value for paragraph in page.markdown)
