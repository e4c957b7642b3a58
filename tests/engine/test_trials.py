"""Trials: how what was tried is ranked and judged, from outcomes with chosen numbers and from runs really trained."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, OutOfRange, diagnose, prescribe, train_many
from engine.cures.changes import UNTREATED, Maker, changes_of
from engine.cures.outcomes import SCREENED, SEEDS, outcome_of, relative_change, seeded
from engine.cures.search import Search
from engine.cures.trials import (
    CURES,
    HARMS,
    HELPS,
    NO_EFFECT,
    SET_ASIDE,
    VERDICTS,
    surely,
    trials_of,
    verdict,
)
from engine.data.custom import data_digest
from engine.limits import MAX_BYTES, MAX_SECONDS
from tests.engine.made_outcomes import made

LIMITS = {"max_seconds": MAX_SECONDS, "max_bytes": MAX_BYTES}
QUICK = Experiment(depth=2, width=4, steps=30)
SICK = ("vanishing_gradients",)


def untreated_and(name, experiment=QUICK):
    changes = changes_of(experiment)
    return changes[0], next(change for change in changes if change.name == name)


def one_dose_each():
    """The untreated network, and every remedy at the first of its doses."""
    return list({change.remedy: change for change in reversed(changes_of(QUICK))}.values())[::-1]


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
    changes = one_dose_each()
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
    untreated, *changes = one_dose_each()
    little_work = min(changes, key=lambda change: change.experiment.cost.operations)
    changes = [little_work, *(change for change in changes if change is not little_work)]
    given = [(untreated, [made(one) for one in seeded(QUICK)])]
    for change, (name, values) in zip(changes, losses.items(), strict=False):
        runs = zip(seeded(change.experiment), values, strict=True)
        given.append(
            (replace(change, name=name, remedy=name), [made(one, result_validation_loss=loss) for one, loss in runs])
        )
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
    seeds = trial.seeds
    runs, untreated = (train_many(seeded(one, seeds)) for one in (trial.experiment, QUICK))
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
    assert seeds == SCREENED, "in so few steps it does no better than nothing"


def test_all_that_can_be_made_is_tried_and_ranked(tried):
    singles = {one.remedy for one in changes_of(QUICK) if one.experiment}
    assert singles <= {trial.change.remedy for trial in tried}
    pairs = [trial.change.code for trial in tried if trial.change.remedy not in singles]
    assert pairs
    assert all("+" in code for code in pairs)
    for group in ([one for one in tried if one.seeds == 5], [one for one in tried if one.seeds == SCREENED]):
        medians = [trial.validation_loss.median for trial in group]
        assert medians == sorted(medians)
        assert group
    assert {trial.seeds for trial in tried} == {5, SCREENED}
    assert [trial.verdict for trial in tried if trial.change.code == UNTREATED] == [""]
    assert {trial.verdict for trial in tried} <= {"", *VERDICTS}
    assert all((trial.verdict == SET_ASIDE) == (trial.seeds == SCREENED) for trial in tried)


def test_the_best_of_several_doses_is_shown_with_all_of_them(tried):
    for trial in tried:
        if trial.doses:
            assert [dose.dose for dose in trial.doses] == sorted(dose.dose for dose in trial.doses)
            assert trial.change.name in {dose.name for dose in trial.doses}
    dosed = [trial for trial in tried if trial.seeds == 5 and trial.doses]
    assert dosed
    assert any(len(trial.doses) > 2 for trial in dosed), "finer ones beside the best"
    for trial in dosed:
        best = min(trial.doses, key=lambda dose: dose.validation_loss)
        assert best.name == trial.change.name


def test_work_is_in_operations(tried):
    by_name = {trial.change.remedy: trial for trial in tried}
    wide = by_name["Wider"]
    assert wide.work == wide.experiment.cost.operations / QUICK.cost.operations
    assert by_name[UNTREATED].work == 1
    assert "times the work; memory and time at every prediction" in wide.cost
    assert by_name["Dropout"].cost.startswith("as much work; ")


def several(*rows):
    """Trials of made changes: name, validation losses, test losses (or the same)."""
    untreated = changes_of(QUICK)[0]
    given = [(untreated, [made(one, findings=SICK) for one in seeded(QUICK)])]
    for i, (name, losses, *fields) in enumerate(rows):
        experiment = replace(QUICK, width=10 + i)
        change = replace(untreated_and("L2 0.01")[1], name=name, remedy=name, dose=None, experiment=experiment)
        values = fields[0] if fields else {}
        runs = zip(seeded(experiment), losses, strict=False)
        given.append((change, [made(one, **{"result_validation_loss": x, "test_loss": x} | values) for one, x in runs]))
    return {trial.change.name: trial for trial in trials_of(given)}


def test_what_chance_may_have_put_in_order_shares_a_rank():
    best = np.linspace(0.1, 0.2, 8)
    trials = several(
        ("best", best),
        ("as good in two seeds", np.r_[best[:2] - 0.01, best[2:] * 1.06]),
        ("surely worse, by little", best * 1.02),
        ("surely worse", best * 1.2),
        ("hardly worse than that", best * 1.21),
        ("few seeds", best[:3] / 2),
    )
    assert [trials[name].rank for name in trials if name != UNTREATED] == [1, 1, 1, 4, 4, 0]
    assert list(trials)[-1] == "few seeds"
    assert trials["few seeds"].verdict == SET_ASIDE
    assert trials[UNTREATED].rank == 0


@pytest.mark.parametrize(
    ("accuracy", "loss", "repaired"),
    [(0.7, 0.125, True), (0.69, 0.1, False), (0.87, 0.1, True), (0.86, 0.126, False)],
)
def test_runsleuths_rule_for_a_repair(accuracy, loss, repaired):
    """At least 20 points up, at most 3 short of the healthy network, and a loss of at most 1.25 times its loss."""
    before = {"test_accuracy": accuracy - 0.2 if accuracy < 0.8 else 0.5}
    untreated = changes_of(QUICK)[0]
    if accuracy == 0.69:
        before["test_accuracy"] = 0.5
    healthy = max(accuracy, accuracy + 0.03 if accuracy > 0.8 else accuracy)
    given = [(untreated, [made(one, findings=SICK, **before) for one in seeded(QUICK)])]
    for name, values in (
        ("healthy", {"result_validation_loss": 0.01, "test_loss": 0.1, "test_accuracy": healthy}),
        ("other", {"result_validation_loss": 0.2, "test_loss": loss, "test_accuracy": accuracy, "findings": SICK}),
    ):
        change = replace(untreated_and("L2 0.01")[1], name=name, remedy=name, dose=None)
        given.append((change, [made(one, **values) for one in seeded(replace(QUICK, l2=values["test_loss"]))]))
    found = {trial.change.name: trial for trial in trials_of(given)}
    assert found["other"].repaired is repaired
    nothing_healthy = [(one, some) for one, some in given if one.name != "healthy"]
    assert {trial.repaired for trial in trials_of(nothing_healthy)} == {None}


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


def test_trials_on_own_data_are_judged_with_them():
    """Without the data the doctor does not know how good the average answer is."""
    generator = np.random.default_rng(1)
    inputs = generator.standard_normal((300, 2))
    data = inputs, (inputs[:, 0] * inputs[:, 1] > 0).astype(int)
    still = Experiment(
        dataset="custom", data_digest=data_digest(*data), n_train=180, depth=2, width=8, learning_rate=1e-5, steps=60
    )
    history = train_many([still], data)[0]
    with_data = [finding.code for finding in diagnose(history, data) if finding.severity != "info"]
    assert with_data
    assert list(outcome_of(history, data).findings) == with_data
    (untreated,) = [trial for trial in prescribe(still, 2, data) if not trial.verdict]
    assert untreated.healed_seeds == 0


@pytest.mark.parametrize(
    ("weights", "other", "verdict"), [("balanced", "none", "harms"), ("none", "balanced", "helps")]
)
def test_class_weights_are_judged_by_a_loss_in_which_every_class_counts_alike(weights, other, verdict):
    patient = Experiment(
        imbalance=0.1, n_train=200, depth=2, width=8, activation="tanh", initializer="xavier_normal", steps=60,
        class_weights=weights,
    )  # fmt: skip
    maker = Maker(patient)
    search = Search(maker, maker.singles())
    change = maker.change("class_weights", "other weights", "", {"class_weights": other})
    plan = {one.name: (one, seeded(one.experiment)) for one in (search.changes[0], change)}
    histories = train_many([one for _, runs in plan.values() for one in runs], max_updates=1, max_frames=3)
    known = {history.experiment: outcome_of(history) for history in histories}
    (trial,) = [one for one in trials_of(search.results(plan, known)) if one.verdict]
    assert trial.verdict == verdict
    before, after = ([known[one].classes_alike.test_loss for one in runs] for _, runs in plan.values())
    assert trial.test_loss.median == pytest.approx(np.median(after))
    assert max(trial.better, trial.worse) == 8
    assert trial.effect == pytest.approx(np.median(np.array(after) / before - 1))
    assert not Search(Maker(replace(patient, imbalance=0.5, class_weights="none")), ()).classes_alike
