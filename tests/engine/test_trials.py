"""Trials: how what was tried is ranked and judged, from outcomes with chosen numbers and from runs really trained."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, OutOfRange, diagnose, prescribe, train_many
from engine.cures.changes import UNTREATED, changes_of
from engine.cures.outcomes import SEEDS, seeded
from engine.cures.trials import CURES, HARMS, HELPS, NO_EFFECT, VERDICTS, relative_change, surely, trials_of, verdict
from engine.data.custom import data_digest
from engine.limits import MAX_BYTES, MAX_SECONDS
from tests.engine.made_outcomes import made

LIMITS = {"max_seconds": MAX_SECONDS, "max_bytes": MAX_BYTES}
QUICK = Experiment(depth=2, width=4, steps=30)
SICK = ("vanishing_gradients",)


def untreated_and(name, experiment=QUICK):
    changes = changes_of(experiment)
    return changes[0], next(change for change in changes if change.name == name)


def results(before, after, **fields):
    """The untreated network and one change, whose outcomes differ in test loss, seed by seed."""
    changes = untreated_and("L2 0.01")
    return [
        (change, [made(replace(change.experiment, seed=s), test_loss=loss, **fields) for s, loss in enumerate(losses)])
        for change, losses in zip(changes, (before, after), strict=True)
    ]


def trial_of(before, after, **fields):
    return next(trial for trial in trials_of(results(before, after, **fields)) if trial.verdict)


# --- how they are judged ---


@pytest.mark.parametrize(("seeds", "enough"), [(8, 7), (5, 5), (4, 5), (1, 2), (16, 12), (20, 15)])
def test_chance_is_ruled_out_by_a_sign_test(seeds, enough):
    """Binomial tails: P(X >= 7 of 8) = 9/256, P(X >= 6 of 8) = 37/256; 2517/65536 for 12 of 16; .0207 for 15 of 20."""
    assert surely(seeds) == enough


@pytest.mark.parametrize(
    ("after", "findings", "expected"),
    [
        ([0.4] * 7 + [0.6], (), CURES),
        ([0.4] * 7 + [0.6], SICK, HELPS),
        ([0.4] * 6 + [0.6] * 2, (), NO_EFFECT),
        ([0.49] * 8, (), NO_EFFECT),  # surely, but by 2 %
        ([0.5] * 8, (), NO_EFFECT),
        ([0.6] * 7 + [0.4], (), HARMS),
        ([0.6] * 6 + [0.4] * 2, (), NO_EFFECT),
        ([0.51] * 8, (), NO_EFFECT),
        ([math.nan] * 8, (), HARMS),
        ([0.4] * 7 + [math.inf], (), CURES),
    ],
)
def test_the_verdict(after, findings, expected):
    (untreated, before), (change, cured) = results([0.5] * 8, after)
    before = [replace(outcome, findings=SICK) for outcome in before]
    cured = [replace(outcome, findings=findings) for outcome in cured]
    assert (
        next(trial for trial in trials_of([(untreated, before), (change, cured)]) if trial.verdict).verdict == expected
    )


def test_a_healthy_network_is_helped_and_not_cured():
    assert trial_of([0.5] * 8, [0.4] * 8).verdict == HELPS
    assert verdict(8, 8, 0, -0.5, healed=8, healthy=6) == CURES
    assert verdict(8, 8, 0, -0.5, healed=6, healthy=0) == HELPS


def test_what_diverges_is_worst():
    before = [math.inf] * 6 + [0.5, 0.5]
    assert trial_of(before, [0.6] * 8).verdict == NO_EFFECT  # better in 6, worse in 2
    assert trial_of(before, [0.6] * 6 + [0.4, 0.6]).verdict == HELPS
    harmed = trial_of([0.5] * 8, [0.1] * 8)
    assert harmed.verdict == HELPS
    (untreated, some), (change, others) = results([0.5] * 8, [0.1] * 8)
    others = [replace(outcome, status="diverged") for outcome in others]
    broken = next(trial for trial in trials_of([(untreated, some), (change, others)]) if trial.verdict)
    assert (broken.verdict, broken.worse, broken.effect) == (HARMS, 8, math.inf)
    assert math.isinf(broken.validation_loss.median)


def test_low_and_high_are_of_the_seeds():
    untreated, change = untreated_and("L2 0.01")
    fields = "result_validation_loss", "test_loss", "result_validation_accuracy", "test_accuracy"
    given = {name: np.array([3.0, 1.0, 2.0, 7.0, 5.0]) + i for i, name in enumerate(fields)}
    runs = seeded(change.experiment, 5)
    outcomes = [made(one, **{name: values[i] for name, values in given.items()}) for i, one in enumerate(runs)]
    trials = trials_of([(untreated, [made(one) for one in seeded(QUICK, 5)]), (change, outcomes)])
    trial = next(trial for trial in trials if trial.verdict)
    for i, name in enumerate(fields):
        spread = getattr(trial, name.removeprefix("result_"))
        assert (spread.low, spread.median, spread.high) == (1 + i, 3 + i, 7 + i), name


def test_relative_changes_of_pairs():
    before, after = np.array([1, 2, np.inf, 1, np.inf, 0, 0]), np.array([0.5, 3, 1, np.inf, np.inf, 0, 1])
    np.testing.assert_array_equal(relative_change(before, after), [-0.5, 0.5, -1, np.inf, 0, 0, np.inf])


def test_the_ranks_never_use_test_loss():
    """Whatever the test losses are, the order stays; the order of the validation losses is theirs."""
    changes = changes_of(QUICK)
    draw = np.random.default_rng(0).uniform
    validation = {change.name: draw(0.1, 1, SEEDS) for change in changes}

    def outcomes(change):
        pairs = zip(seeded(change.experiment), validation[change.name], strict=True)
        return [made(one, result_validation_loss=loss, test_loss=draw(), last_test_loss=draw()) for one, loss in pairs]

    orders = set()
    for _ in range(3):
        orders.add(tuple(trial.change.name for trial in trials_of([(one, outcomes(one)) for one in changes])))
    assert orders == {tuple(sorted(validation, key=lambda name: np.median(validation[name])))}


def test_what_diverges_in_every_seed_is_last_and_equal_medians_go_by_seeds_that_survive_and_then_the_lowest():
    losses = {
        "all diverged, little work": [math.inf] * 8,
        "three survive": [0.1] * 3 + [math.inf] * 5,
        "one survives": [0.01] + [math.inf] * 7,
        "half survive, lower": [0.2] * 4 + [math.inf] * 4,
        "half survive": [0.3] * 4 + [math.inf] * 4,
        "all well": [0.5] * 8,
        "lower once, higher once": [0.4] + [0.5] * 6 + [0.9],
    }
    untreated, *changes = (change for change in changes_of(QUICK) if change.experiment)
    little_work = min(changes, key=lambda change: change.experiment.cost.operations)
    changes = [little_work, *(change for change in changes if change is not little_work)]
    given = [(untreated, [made(one) for one in seeded(QUICK)])]
    for change, (name, values) in zip(changes, losses.items(), strict=False):
        runs = zip(seeded(change.experiment), values, strict=True)
        given.append((replace(change, name=name), [made(one, result_validation_loss=loss) for one, loss in runs]))
    ranked = [trial.change.name for trial in trials_of(given) if trial.change.name in losses]
    assert ranked == [
        "lower once, higher once", "all well", "half survive, lower", "half survive", "three survive", "one survives",
        "all diverged, little work",
    ]  # fmt: skip


# --- really trained ---


@pytest.fixture(scope="module")
def tried():
    return prescribe(QUICK, seeds=5)


def test_the_numbers_are_those_of_the_runs(tried):
    trial = next(trial for trial in tried if trial.change.name == "Early stopping")
    runs, untreated = (train_many(seeded(one, 5)) for one in (trial.experiment, QUICK))
    validation = []
    for run in runs:
        (best,) = np.flatnonzero(run.evaluation_step == run.best_step)
        validation.append(run.validation_loss[best])
    test, before = [np.array([run.test_loss for run in some]) for some in (runs, untreated)]
    assert trial.validation_loss == (np.median(validation), min(validation), max(validation))
    assert trial.test_loss == (np.median(test), test.min(), test.max())
    assert trial.test_accuracy.median == np.median([run.test_accuracy for run in runs])
    assert (trial.better, trial.worse) == ((test < before).sum(), (test > before).sum())
    assert trial.effect == pytest.approx(np.median(test / before - 1))
    sick = [any(finding.severity != "info" for finding in diagnose(run)) for run in runs]
    assert trial.healed_seeds == sick.count(False)
    assert trial.seeds == 5


def test_all_that_can_be_made_is_tried_and_ranked(tried):
    assert {trial.change.name for trial in tried} == {one.name for one in changes_of(QUICK) if one.experiment}
    medians = [trial.validation_loss.median for trial in tried]
    assert medians == sorted(medians)
    assert [trial.verdict for trial in tried if trial.change.code == UNTREATED] == [""]
    assert {trial.verdict for trial in tried} <= {"", *VERDICTS}


def test_work_is_in_operations(tried):
    by_name = {trial.change.name: trial for trial in tried}
    wide = by_name["16 units a layer"]
    assert wide.work == wide.experiment.cost.operations / QUICK.cost.operations
    assert by_name[UNTREATED].work == 1
    assert "times the work; memory and time at every prediction" in wide.cost
    assert by_name["Dropout 0.2"].cost.startswith("as much work; ")


@pytest.mark.parametrize(("taken", "share"), [(30, 1), (15, 0.5), (6, 0.2)])
def test_who_stops_early_has_done_less_work(taken, share):
    (untreated, some), (change, _) = results([0.5] * 5, [0.4] * 5)
    wider = replace(QUICK, width=24)
    stopped = [made(one, steps=taken) for one in seeded(wider, 5)]
    trial = next(one for one in trials_of([(untreated, some), (change, stopped)]) if one.verdict)
    assert trial.work == pytest.approx(share * wider.cost.operations / QUICK.cost.operations, rel=1e-12)


@pytest.mark.parametrize("limit", [{"max_seconds": 1e-9}, {"max_bytes": 1.0}])
def test_what_is_beyond_either_limit_is_not_trained(limit):
    with pytest.raises(OutOfRange):
        prescribe(QUICK, 1, **limit)


def test_runs_that_diverge_are_results():
    wild = Experiment(dataset="sine", depth=3, width=4, learning_rate=1000, steps=20)
    trials = prescribe(wild, seeds=2)
    assert any(math.isinf(trial.validation_loss.median) for trial in trials)
    assert {trial.verdict for trial in trials if trial.change.code != UNTREATED} == {NO_EFFECT}, (
        "two seeds tell nothing"
    )


def test_own_data_and_what_cannot_be_trained():
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((60, 3))
    data = inputs, (inputs[:, 0] > 0).astype(int)
    own = Experiment(dataset="custom", data_digest=data_digest(*data), n_train=36, depth=1, width=2, steps=3)
    names = {trial.change.name: trial for trial in prescribe(own, 1, data)}
    assert UNTREATED in names
    assert "108 examples" not in names  # there are not so many
    with pytest.raises(OutOfRange):
        prescribe(own, 1)
    with pytest.raises(OutOfRange):
        prescribe(Experiment(width=256, depth=50, steps=20000), **LIMITS)
