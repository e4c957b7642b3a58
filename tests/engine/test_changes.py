"""Changes: which are tried for an experiment, what they say, and which are refused."""

import math
from dataclasses import replace

import pytest

from engine import Experiment
from engine.cures.changes import UNTREATED, changes_of, within
from engine.cures.outcomes import seconds_of, seeded
from engine.limits import MAX_BYTES, MAX_SECONDS

LIMITS = {"max_seconds": MAX_SECONDS, "max_bytes": MAX_BYTES}
QUICK = Experiment(depth=2, width=4, steps=30)
ODD = (
    Experiment(depth=50, width=256, steps=20000),  # beyond the limits itself
    Experiment(dataset="digits", n_train=1000, width=1, depth=1, steps=1, learning_rate=1e-300),
    Experiment(dataset="sine", loss="mse", activation="linear", gain=0, clip="value", clip_threshold=1e-9, l1=100),
    Experiment(activation="sigmoid", initializer="zeros", optimizer="adam", n_train=5, batch_size=1, patience=1000),
)


def test_changes_are_what_they_say():
    experiment = replace(QUICK, label_noise=0.1, gain=2.0)
    untreated, *others = changes_of(experiment)
    assert (untreated.code, untreated.experiment) == (UNTREATED, experiment)
    assert len({change.name for change in others}) == len(others)
    for change in others:
        assert change.settings == experiment.differences(change.experiment)
        assert change.settings, change.name


def test_every_kind_of_remedy_is_tried():
    codes = {
        change.code for change in changes_of(replace(QUICK, initializer="small_normal", gain=2.0, label_noise=0.1))
    }
    remedies = {
        "activation", "initializer", "gain", "clip", "learning_rate_up", "learning_rate_down", "optimizer", "steps",
        "normalization", "residual", "l1", "l2", "dropout", "patience", "n_train", "wider", "deeper", "shallower",
    }  # fmt: skip
    assert remedies <= codes


def test_what_is_taken_already_is_not_tried_and_too_much_can_be_taken_away():
    taken = replace(QUICK, l1=0.1, l2=0.1, dropout=0.5, patience=3, clip="value", normalization="batch", residual=True)
    names = {change.name for change in changes_of(taken)}
    assert {"No L1", "No L2", "No dropout", "No early stopping", "No clipping", "No residual connections"} <= names
    assert not names & {"L1 0.003", "L2 0.01", "Dropout 0.2", "Early stopping", "Batch normalization"}


def test_what_cannot_be_made_is_refused_with_the_reason():
    most = Experiment(learning_rate=1000, width=256, depth=6, steps=20000, n_train=5000)
    refused = {change.name: change for change in changes_of(most, **LIMITS) if change.refused}
    assert "steps is 40000, but it must be" in refused["40000 steps"].refused
    assert "learning_rate is 10000" in refused["Learning rate 10000"].refused
    assert "width is 512" in refused["512 units a layer"].refused
    assert "n_train is 15000" in refused["15000 examples"].refused
    assert all(change.experiment is None for change in refused.values())
    assert "would take about" in refused["Batch normalization"].refused


@pytest.mark.parametrize("experiment", ODD)
def test_no_experiment_is_too_odd(experiment):
    changes = changes_of(experiment, **LIMITS)
    assert changes[0].code == UNTREATED
    assert all((change.experiment is None) == bool(change.refused) for change in changes)


def test_the_most_expensive_are_left_out_first():
    changes = changes_of(QUICK)
    seconds = {change.name: seconds_of(seeded(change.experiment)) for change in changes}
    few = within(0.5 * sum(seconds.values()), changes)
    kept = [change.name for change in few if change.experiment]
    left = [change.name for change in few if not change.experiment]
    assert kept[0] == UNTREATED
    assert left
    assert max(seconds[name] for name in kept[1:]) <= min(seconds[name] for name in left)
    assert all(change.refused for change in few if change.name in left)
    assert [change.name for change in within(0, changes) if change.experiment] == [UNTREATED]
    assert within(math.inf, changes) == changes
