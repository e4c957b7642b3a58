"""The lesson shows what it says, over seeds and not on one lucky draw; and its page in Streamlit's AppTest."""

import re
from dataclasses import replace
from functools import lru_cache
from urllib.parse import parse_qsl

import numpy as np
import pytest

from engine import train_many
from engine.thresholds import EXPLODES
from pages.charts.exploding_verdict import largest_gradient, verdict
from pages.charts.measures import DIRECTIONS
from pages.charts.verdict import starting_ratio
from pages.components.catalogue import ASSETS, lesson_of, trials_of
from pages.components.controls import address
from pages.components.runs import histories_of, shared_runs
from tests.pages.opened import charts, headline, opened

PAGE = "exploding_gradients"
SEEDS, MORE_SEEDS = range(8), range(24)
LESSON = lesson_of("exploding_gradients")
PATIENT, TREATED = LESSON.patient, LESSON.treated
TRIALS = trials_of("exploding_gradients")
TEXT = re.sub(r"\s+", " ", (ASSETS / "lessons" / "exploding_gradients.md").read_text("utf-8"))
GUESSING, LEARNT = 0.6, 0.3  # training loss; always giving the average answer costs .69

CHARTS = 9


@lru_cache
def over_seeds(experiment, seeds=SEEDS):
    return train_many([replace(experiment, seed=seed) for seed in seeds], max_frames=3)


def losses(experiment, seeds=SEEDS):
    """Training loss at the end of each seed; infinite where the run broke off."""
    return np.array([np.inf if h.status == "diverged" else h.train_loss[-1] for h in over_seeds(experiment, seeds)])


def learnt(experiment, seeds=SEEDS):
    return int((losses(experiment, seeds) < LEARNT).sum())


def ratios(experiment):
    return np.array([starting_ratio(history) for history in over_seeds(experiment)])


# --- the networks ---


def test_the_patient_s_gradient_explodes():
    assert (ratios(PATIENT) > EXPLODES).sum() >= 7
    assert all(largest_gradient(history) > 1000 * TREATED.clip_threshold for history in over_seeds(PATIENT))


def test_the_patient_does_not_learn_in_any_seed():
    assert (losses(PATIENT) > GUESSING).all()


def test_the_treated_network_learns_in_all_seeds():
    assert learnt(TREATED) == 8
    assert np.median([history.validation_accuracy[-1] for history in over_seeds(TREATED)]) > 0.9


def test_the_seed_on_the_page_is_a_typical_draw():
    patient, treated = train_many([PATIENT, TREATED])
    assert starting_ratio(patient) == pytest.approx(np.median(ratios(PATIENT)), rel=0.2)
    assert patient.train_loss[-1] > GUESSING
    assert treated.train_loss[-1] < LEARNT


def test_it_works_on_real_data():
    sick, well = (losses(replace(network, dataset="breast_cancer")) for network in (PATIENT, TREATED))
    assert (sick > GUESSING).sum() >= 7
    assert (well < LEARNT).sum() >= 7


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.key)
def test_each_thing_to_try_goes_the_way_it_says_in_7_of_8_seeds_and_on_the_page(trial):
    mine, theirs = trial.pair(LESSON)
    measured = [trial.measure.direction(a, b) for a, b in zip(over_seeds(mine), over_seeds(theirs), strict=True)]
    assert measured.count(trial.answer) >= 7, measured
    assert trial.measure.direction(*train_many([mine]), *train_many([theirs])) == trial.answer


def test_things_to_try_are_well_formed():
    assert len(TRIALS) == 4
    assert {trial.answer for trial in TRIALS} == set(DIRECTIONS), "the answers should not all be the same"
    for trial in TRIALS:
        assert 0 <= trial.reason < len(trial.reasons)
        assert len(trial.reasons) == 3


def test_what_the_things_to_try_say_of_their_networks():
    (rescue, cause, penalty, bridges) = (trial.pair(LESSON) for trial in TRIALS)
    assert sum(history.status == "diverged" for history in over_seeds(rescue[0])) >= 7
    (on_the_page,) = train_many([rescue[0]])
    assert on_the_page.status == "diverged"
    assert learnt(rescue[1]) >= 7
    assert (ratios(rescue[0]) == ratios(rescue[1])).all()
    assert [learnt(network) for network in cause] == [8, 8], "both learn"
    assert [learnt(network) for network in penalty] == [8, 0]
    assert 1 - penalty[1].learning_rate * penalty[1].l2 == -1.5
    per_layer = [np.median(ratios(network) ** (2 / (PATIENT.depth - 1))) for network in bridges]
    assert per_layer == [pytest.approx(1, abs=0.2), pytest.approx(2, rel=0.2)]


# --- what the text claims, in the order of the text ---


def test_why_it_explodes():
    assert r"$1.5^9 \approx 38$" in TEXT
    grown = np.median(ratios(PATIENT) / ratios(replace(PATIENT, gain=1.0)))
    assert grown == pytest.approx(1.5**9, rel=0.2)
    (here,) = train_many([PATIENT])
    assert "120, 89 thousand and 670 million" in TEXT
    assert here.total_gradient_norm[:3] == pytest.approx([120, 89e3, 670e6], rel=0.02)


def test_how_it_ends():
    """Of 24 draws 18 break off within eight steps and six die; the one on the page dies."""
    draws = over_seeds(PATIENT, MORE_SEEDS)
    broken = [history for history in draws if history.status == "diverged"]
    dead = [history for history in draws if history.status != "diverged" and has_a_dead_layer(history)]
    assert (len(broken), len(dead)) == (18, 6)
    assert max(history.diverged_at[0] for history in broken) < 8
    (here,) = train_many([PATIENT])
    assert has_a_dead_layer(here)
    assert here.train_loss[-1] == pytest.approx(0.69, abs=0.005)


def has_a_dead_layer(history):
    return bool(np.nanmax(history.dead_fraction[-1]) == 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clip": "norm"}, "median training loss of 0.013"),
        ({"gain": 1.0}, "median training loss of 0.019"),
        ({"depth": 3}, "median training loss of 0.028"),
        ({"learning_rate": 0.01}, "median loss ends at 0.13"),
        ({"normalization": "batch"}, "ends lowest in training, at 0.0028"),
        ({"clip": "norm", "clip_threshold": 0.01}, "median loss ends at 0.21"),
    ],
)
def test_medians_in_the_text_are_measured(changes, said):
    assert said in TEXT
    digits = re.search(r"0\.(\d+)", said)[1]
    assert abs(np.median(losses(replace(PATIENT, **changes))) - float(f"0.{digits}")) <= 0.51 * 10 ** -len(digits)


def test_what_helps():
    assert learnt(TREATED) == learnt(replace(PATIENT, gain=1.0)) == learnt(replace(PATIENT, depth=3)) == 8
    by_value = over_seeds(replace(PATIENT, clip="value", clip_threshold=0.01))
    assert all(history.train_loss[-1] < LEARNT for history in by_value)
    angles = [np.degrees(np.arccos(np.nanmedian(history.clip_cosine))) for history in by_value]
    assert np.median(angles) == pytest.approx(54, abs=0.5)
    assert all(np.nanmin(history.clip_cosine) > 1 - 1e-12 for history in over_seeds(TREATED))
    at_the_start = [
        mine.total_gradient_norm[0] / theirs.total_gradient_norm[0]
        for mine, theirs in zip(over_seeds(PATIENT), over_seeds(replace(PATIENT, gain=1.0)), strict=True)
    ]
    assert np.median(at_the_start) == pytest.approx(80, rel=0.05)
    assert np.isfinite(losses(replace(PATIENT, learning_rate=0.01))).all()
    assert learnt(replace(PATIENT, optimizer="adam", learning_rate=0.01)) == 8
    assert np.median(ratios(replace(PATIENT, normalization="batch"))) == pytest.approx(12, abs=0.5)
    healthy = replace(PATIENT, activation="tanh", initializer="xavier_normal", gain=1.0)
    assert np.median(ratios(healthy)) == pytest.approx(0.6, abs=0.05)
    assert np.median(ratios(replace(healthy, normalization="batch"))) == pytest.approx(25, abs=0.5)


def test_on_new_data_clipping_does_better_than_batch_normalization():
    assert "on new data at 0.083, where clipping comes to 0.060" in TEXT
    ends = [
        np.median([history.validation_loss[-1] for history in over_seeds(network)])
        for network in (replace(PATIENT, normalization="batch"), TREATED)
    ]
    assert ends == pytest.approx([0.083, 0.060], abs=0.0006)


def test_training_itself_comes_to_steep_places():
    """With gain 1 one of 24 draws does not learn: its gradient jumps, long after the start.  Clipped, all learn."""
    well_started = replace(PATIENT, gain=1.0)
    assert learnt(well_started, MORE_SEEDS) == 23
    norm = over_seeds(well_started, MORE_SEEDS)[np.argmax(losses(well_started, MORE_SEEDS))].total_gradient_norm
    peak = int(np.argmax(norm))
    assert peak > 50
    assert "jumps from 0.14 to 45 within five updates" in TEXT
    assert norm[[peak - 5, peak]] == pytest.approx([0.14, 45], rel=0.05)
    assert learnt(replace(well_started, clip="norm"), MORE_SEEDS) == 24


def test_what_does_not_help():
    assert (losses(replace(PATIENT, l2=0.01)) > GUESSING).all()
    clipped = losses(replace(PATIENT, gain=1.0, l2=12.5, clip="norm"))
    assert np.isfinite(clipped).all()
    assert (clipped > GUESSING).all()


def test_the_threshold_matters():
    assert learnt(replace(TREATED, clip_threshold=100.0)) == 1
    barely = losses(replace(TREATED, clip_threshold=0.01))
    assert np.isfinite(barely).all()
    assert np.median(barely) > 10 * np.median(losses(TREATED))


def test_the_text_names_where_clipping_comes_from_and_where_else_the_pathology_lives():
    headings = re.findall(r"^## (.+)$", (ASSETS / "lessons" / "exploding_gradients.md").read_text("utf-8"), re.M)
    assert headings == ["Why it explodes", "How it ends", "What helps, and why", "Where else it lives", "Words"]
    assert "Recurrent networks** are where clipping comes from (Pascanu, Mikolov and Bengio 2013)" in TEXT


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
    assert not page.warning


@pytest.mark.parametrize("dataset", ["sine", "digits"])
def test_other_data(dataset):
    page = opened(PAGE, dataset=dataset, steps="30")
    assert headline(page).startswith("The patient’s gradient norm reaches")
    assert len(charts(page)) == CHARTS


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.key)
def test_each_thing_to_try_opens_from_its_address(trial):
    pair = trial.pair(LESSON)
    page = opened(PAGE, **dict(parse_qsl(address(LESSON, *pair).partition("?")[2])))
    assert headline(page) == verdict(*histories_of(pair))
    assert not page.warning


def test_a_run_that_breaks_off_draws_every_chart_and_names_the_place():
    page = opened(PAGE, dataset="sine", gain="4", steps="60")
    assert len(charts(page)) == CHARTS
    assert "before the run breaks off: not finite at step" in headline(page)


def test_clipping_by_value_for_both():
    page = opened(PAGE, clip="value", clip_threshold="0.01", treated_clip="as patient", treated_clip_threshold="0.1")
    assert "of the updates has its entries cut off at 0.01," in headline(page)
    assert "of the updates has its entries cut off at 0.1," in headline(page)


def test_garbage_in_the_address_is_ignored_with_a_line():
    page = opened(PAGE, clip="both", gain="loud", colour="red")
    assert headline(page) == headline(opened(PAGE))
    (warning,) = page.warning
    for word in ("both", "loud", "colour"):
        assert word in warning.value


def test_a_prediction_comes_first_then_the_result_beside_it():
    page = opened(PAGE)
    assert page.button(key="try_rescue").disabled
    page.radio(key="predict_rescue").set_value("same")
    page.radio(key="because_rescue").set_value(TRIALS[0].reasons[TRIALS[0].reason])
    page.run()
    page.button(key="try_rescue").click().run()
    assert not page.exception
    assert headline(page) == verdict(*histories_of(TRIALS[0].pair(LESSON)))
    assert any("As you said, and for that reason" in success.value for success in page.success)
