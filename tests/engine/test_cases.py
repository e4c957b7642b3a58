"""Cases for the mystery patient: the same for everyone, rightly diagnosed, and hurt."""

import random
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from engine import Experiment, RunHistory, diagnose, load_dataset, train
from engine.cures.outcomes import FRAMES, UPDATE_ROWS
from engine.data.baselines import average_loss as average
from engine.doctor.cases import (
    FAULTS,
    FAULTS_OF,
    HARD,
    HURTS,
    LEVELS,
    MOST_CANDIDATES,
    MysteryCase,
    candidates,
    holds,
    recovered,
)
from engine.doctor.diagnosis import CONSEQUENCES
from engine.training import train_many

ROOT = Path(__file__).parents[2]
EVERY = [(level, fault) for level in LEVELS for fault in FAULTS_OF[level]]


def quick(experiment: Experiment) -> RunHistory:
    (history,) = train_many([experiment], max_updates=UPDATE_ROWS, max_frames=FRAMES)
    return history


def seed_of(level: str, fault: str) -> int:
    """The first that draws this fault."""
    return next(seed for seed in count() if next(candidates(seed, level)).fault == fault)


def test_another_process_draws_the_same_cases():
    code = "from engine.doctor.cases import candidates; print(hash is None, list(candidates(17, 'hard')))"
    said = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert said == {f"False {list(candidates(17, 'hard'))}\n"}


def test_a_seed_has_one_fault_and_levels_and_seeds_differ():
    for level in LEVELS:
        drawn = list(candidates(5, level))
        assert len(drawn) == MOST_CANDIDATES
        assert len({case.fault for case in drawn}) == 1
        assert all(case.level == level for case in drawn)
    assert len({next(candidates(seed, level)).patient for seed in range(20) for level in LEVELS}) == 60
    assert {next(candidates(seed, HARD)).fault for seed in range(200)} == set(FAULTS)


def test_a_case_differs_from_its_healthy_twin_in_its_fault_alone():
    for level, fault in EVERY:
        case = next(candidates(seed_of(level, fault), level))
        changed = set(case.patient.differences(case.healthy))
        assert changed
        assert changed.isdisjoint({"dataset", "n_train", "noise", "steps", "seed"}), "what the page tells for free"
        assert max(case.patient.cost.seconds, case.healthy.cost.seconds) < 1.5


@pytest.mark.parametrize(("level", "fault"), EVERY)
def test_every_fault_is_found_and_hurts(level, fault):
    """The first seed that draws it."""
    for case in candidates(seed_of(level, fault), level):
        patient, healthy = quick(case.patient), quick(case.healthy)
        if holds(case, patient, healthy):
            break
    else:
        pytest.fail("nobody waits under this seed")
    findings = diagnose(patient)
    assert [finding.code for finding in findings if finding.role == "cause"] == [fault]
    assert not diagnose(healthy)
    assert not patient.test_loss < healthy.test_loss + HURTS * average(case.patient)
    assert level != HARD or fault not in CONSEQUENCES or len(findings) > 1


@pytest.mark.parametrize("dataset", ["moons", "circles", "xor", "blobs", "sine", "breast_cancer", "digits"])
@pytest.mark.parametrize(("fault", "instead"), [("overfitting", "moons"), ("underfitting", "circles")])
def test_data_that_a_straight_line_fits_are_left_for_curved_ones(dataset, fault, instead):
    """Where the fault would not show; both networks learn the same data all the same."""
    drawn = Experiment(dataset=dataset, n_train=200)
    for seed, level in ((1, 0), (2, 1), (3, 2)):
        sick, twin = FAULTS[fault](random.Random(seed), level, drawn)
        assert twin.dataset == (dataset if dataset in ("moons", "circles", "xor") else instead)
        assert twin.n_train == (100 if fault == "overfitting" else 200)
        assert not {"dataset", "n_train", "noise"} & set(sick)


@pytest.fixture(scope="module")
def slow() -> tuple[MysteryCase, RunHistory, RunHistory]:
    healthy = Experiment(depth=2, width=16, dataset="circles", optimizer="adam", learning_rate=0.01, steps=200)
    case = MysteryCase("easy", "learning_rate_too_low", replace(healthy, learning_rate=1e-5), healthy)
    return case, train(case.patient), train(case.healthy)


def test_only_a_case_that_is_as_it_says_holds(slow):
    case, patient, healthy = slow
    assert holds(case, patient, healthy)
    assert not holds(replace(case, fault="underfitting"), patient, healthy), "something else is found first"
    assert not holds(case, healthy, healthy), "nothing is found"
    assert not holds(case, patient, patient), "the twin is ill too"
    assert not holds(case, replace(patient, test_loss=healthy.test_loss), healthy), "it does not hurt"


@pytest.mark.parametrize(("share", "expected"), [(0.26, True), (0.24, False)])
def test_a_fault_hurts_where_it_costs_a_quarter_of_the_average_answers_loss(slow, share, expected):
    case, patient, healthy = slow
    worst = average(case.patient)
    # of a network without any loss, so that the harm is below what is counted at most
    hurt = replace(patient, test_loss=share * worst), replace(healthy, test_loss=0.0)
    assert holds(case, *hurt) is expected


def test_what_a_treatment_brings_back(slow):
    case, patient, healthy = slow
    targets = load_dataset(case.patient).train_targets
    share = targets.mean()
    worst = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert average(case.patient) == pytest.approx(worst)
    assert recovered(case, patient, healthy, healthy) == 1
    assert recovered(case, patient, healthy, patient) == 0
    half = replace(healthy, test_loss=(min(patient.test_loss, worst) + healthy.test_loss) / 2)
    assert recovered(case, patient, healthy, half) == pytest.approx(0.5)
    assert recovered(case, patient, healthy, replace(healthy, test_loss=0.0)) == 1, "no more than all of it"
    assert recovered(case, patient, healthy, replace(healthy, test_loss=np.nan)) == 0
    assert recovered(case, patient, healthy, replace(healthy, status="diverged")) == 0


def test_a_patient_worse_than_the_average_answer_counts_as_giving_it(slow):
    case, patient, healthy = slow
    worst = average(case.patient)
    for loss in (1e6, np.inf, np.nan):
        broken = replace(patient, test_loss=loss)
        assert recovered(case, broken, healthy, replace(healthy, test_loss=worst)) == 0
    sure = replace(case, fault="overfitting")
    there = replace(patient, test_loss=3 * worst)
    assert 0.5 < recovered(sure, there, healthy, replace(healthy, test_loss=worst)) < 1
