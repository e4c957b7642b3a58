"""The lesson shows what it says, over seeds and not on one lucky draw; and its page in Streamlit's AppTest."""

import re
from dataclasses import replace
from functools import lru_cache
from urllib.parse import parse_qsl

import numpy as np
import pytest

from engine import train_many
from engine.outcomes import outcome_of
from engine.thresholds import UNDERFITS
from pages.charts.baseline import average_loss
from pages.charts.bias_variance import decomposition, of_draws
from pages.charts.measures import DIRECTIONS
from pages.charts.outcomes import draws_of
from pages.charts.underfitting_verdict import verdict
from pages.components.catalogue import ASSETS, lesson_of, trials_of
from pages.components.controls import address
from pages.components.runs import histories_of, shared_runs
from tests.pages.opened import charts, headline, opened

PAGE = "underfitting"
SEEDS = range(8)
LESSON = lesson_of("underfitting")
PATIENT, TREATED = LESSON.patient, LESSON.treated
TRIALS = trials_of("underfitting")
TEXT = (ASSETS / "lessons" / "underfitting.md").read_text("utf-8")
NOISE = 0.1**2  # the loss that nobody can avoid

CHARTS = 5
SWEEPS = 5


@lru_cache
def over_seeds(experiment):
    return train_many([replace(experiment, seed=seed) for seed in SEEDS], max_updates=1, max_frames=3)


def training(experiment):
    return np.array([history.train_loss[-1] for history in over_seeds(experiment)])


def validation(experiment):
    return np.array([history.validation_loss[-1] for history in over_seeds(experiment)])


def shares(experiment):
    """Training loss of each seed as a share of the average answer's."""
    return np.array([history.train_loss[-1] / average_loss(history.experiment) for history in over_seeds(experiment)])


# --- the networks ---


def test_the_patient_underfits_in_all_seeds():
    assert (shares(PATIENT) > UNDERFITS).all()
    assert (shares(PATIENT) < 1).all()
    gained = [1 - history.train_loss[-1] / history.train_loss[-21] for history in over_seeds(PATIENT)]
    assert sum(gain < 0.02 for gain in gained) >= 7, "it is done, not slow"


def test_the_treatment_brings_the_loss_to_the_noise_in_all_seeds():
    assert (training(TREATED) < 1.5 * NOISE).all()
    assert (validation(TREATED) < 2 * NOISE).all()


def test_the_seed_on_the_page_is_a_typical_draw():
    for experiment in (PATIENT, TREATED):
        (here,) = train_many([experiment], max_updates=1, max_frames=3)
        assert here.train_loss[-1] == pytest.approx(np.median(training(experiment)), rel=0.2)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.key)
def test_each_thing_to_try_goes_the_way_it_says_in_7_of_8_seeds_and_on_the_page(trial):
    mine, theirs = trial.pair(LESSON)
    measured = [trial.measure.direction(a, b) for a, b in zip(over_seeds(mine), over_seeds(theirs), strict=True)]
    assert measured.count(trial.answer) >= 7, measured
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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"depth": 3, "width": 16, "learning_rate": 1e-4}, "ends at 0.50,"),
        ({"depth": 3, "width": 16}, "ends at 0.010"),
        ({}, "ends at 0.33 at best"),
        ({"width": 64}, "ends at 0.12,"),
        ({"width": 64, "bias": 1.0}, "ends at 0.012"),
        ({"width": 8}, "ends at 0.13"),
        ({"depth": 2, "width": 16}, "end at 0.012"),
        ({"depth": 3, "width": 16, "activation": "linear"}, "end at 0.44"),
        ({"depth": 3, "width": 16, "optimizer": "sgd"}, "network to 0.12"),
        ({"depth": 3, "width": 16, "dropout": 0.5}, "at 0.42"),
        ({"steps": 3000}, "training loss at 0.33"),
    ],
)
def test_medians_in_the_text_are_measured(changes, said):
    assert said in re.sub(r"\s+", " ", TEXT)
    value = float(re.search(r"0\.\d+", said)[0])
    digits = len(re.search(r"0\.(\d+)", said)[1])
    assert abs(np.median(training(replace(PATIENT, **changes))) - value) <= 0.51 * 10**-digits


def test_other_claims_of_the_text_are_measured():
    average = np.median([average_loss(history.experiment) for history in over_seeds(PATIENT)])
    assert np.median(training(replace(TREATED, learning_rate=1e-4))) > 0.9 * average
    assert (shares(replace(PATIENT, depth=6)) > 0.999).all()
    for history in over_seeds(replace(PATIENT, depth=6)):
        assert np.nanmax(history.dead_fraction[-1]) == 1, "a layer is dead"
    assert (shares(replace(TREATED, l2=0.3)) > 0.999).all()
    assert np.median(validation(PATIENT)) == pytest.approx(0.38, abs=0.0051)
    assert np.median(validation(replace(PATIENT, n_train=1000))) == pytest.approx(0.38, abs=0.0051)
    best = min(np.median(training(replace(PATIENT, learning_rate=rate))) for rate in (0.01, 0.1, 0.3, 1.0))
    assert best > 0.325
    spare = [np.median(training(replace(PATIENT, width=64, learning_rate=rate))) for rate in (0.01, 0.1, 0.3)]
    assert min(spare) == pytest.approx(0.05, abs=0.0051)
    draws = [outcome_of(history) for history in train_many(draws_of(PATIENT), max_updates=1, max_frames=3)]
    over_data = decomposition(of_draws(draws, PATIENT)["data"])
    assert over_data.squared_bias > 20 * over_data.variance
    slow, well = (train_many([trial], max_frames=3)[0] for trial in TRIALS[0].pair(LESSON))
    assert slow.total_gradient_norm[-1] > 0.2 * slow.total_gradient_norm[0], "its gradient is still large at the end"
    assert slow.total_update_norm.max() < 0.1 * well.total_update_norm.mean(), "and its steps are short"


def test_the_text_names_where_else_the_pathology_lives():
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert headings == [
        "Why it underfits", "Too small, or badly trained?", "How much capacity, how much data", "Bias and variance",
        "What helps, and why", "Where else it lives", "Words",
    ]  # fmt: skip


# --- the page ---


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    shared_runs().close()


def test_the_default_view_shows_patient_and_treated():
    page = opened(PAGE)
    assert headline(page) == verdict(*histories_of((PATIENT, TREATED)))
    assert len(charts(page)) == CHARTS
    assert all(chart["alt"] for chart in charts(page)), "every chart has a text alternative"
    assert sum(str(button.key).startswith("start_") for button in page.button) == SWEEPS
    assert not page.warning


def test_more_data_and_more_steps_are_treatments():
    page = opened(PAGE, treated_n_train="300", treated_steps="100")
    treated = replace(TREATED, n_train=300, steps=100)
    assert headline(page) == verdict(*histories_of((PATIENT, treated)))
    assert len(charts(page)) == CHARTS


@pytest.mark.parametrize("dataset", ["spirals", "digits"])
def test_other_data(dataset):
    page = opened(PAGE, dataset=dataset, steps="30", treated_steps="30")
    assert headline(page).startswith("The patient’s training loss ends at")
    assert len(charts(page)) == CHARTS


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.key)
def test_each_thing_to_try_opens_from_its_address(trial):
    pair = trial.pair(LESSON)
    page = opened(PAGE, **dict(parse_qsl(address(LESSON, *pair).partition("?")[2])))
    assert headline(page) == verdict(*histories_of(pair))
    assert not page.warning


def test_a_run_that_breaks_off_draws_every_chart_and_is_said_so():
    page = opened(PAGE, learning_rate="1000", optimizer="sgd", gain="4", steps="60")
    assert len(charts(page)) == CHARTS
    assert "broke off" in headline(page)


def test_garbage_in_the_address_is_ignored_with_a_line():
    page = opened(PAGE, width="wide", optimizer="adamm", colour="red")
    assert headline(page) == headline(opened(PAGE))
    (warning,) = page.warning
    for word in ("wide", "adamm", "colour"):
        assert word in warning.value


def test_a_prediction_comes_first_then_the_result_beside_it():
    page = opened(PAGE)
    assert page.button(key="try_slow").disabled
    page.radio(key="predict_slow").set_value("less")
    page.radio(key="because_slow").set_value(TRIALS[0].reasons[TRIALS[0].reason])
    page.run()
    page.button(key="try_slow").click().run()
    assert not page.exception
    assert headline(page) == verdict(*histories_of(TRIALS[0].pair(LESSON)))
    assert any("As you said, and for that reason" in success.value for success in page.success)
