"""Changes: which are tried for an experiment, what they say, and which are refused."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, data_digest, load_dataset
from engine.cures.changes import UNTREATED, Maker, changes_of, within
from engine.cures.outcomes import SCREENED, SEEDS, seconds_of, seeded
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


HINDERED = {"l1": 0.1, "l2": 0.1, "dropout": 0.5, "patience": 3, "clip": "value", "normalization": "batch"}
TRIED = [  # a network, and what is tried for it in this order: code, name, what it sets
    (
        {},
        [
            ("activation", "Leaky ReLU with He", {"activation": "leaky_relu"}),
            ("activation", "Leaky ReLU with He, learning rate 0.01",
             {"activation": "leaky_relu", "learning_rate": 0.01}),
            ("activation", "Tanh with Xavier", {"activation": "tanh", "initializer": "xavier_normal"}),
            ("activation", "Tanh with Xavier, learning rate 0.01",
             {"activation": "tanh", "initializer": "xavier_normal", "learning_rate": 0.01}),
            ("clip", "Clip at norm 1", {"clip": "norm"}),
            ("clip", "Clip at norm 0.1", {"clip_threshold": 0.1, "clip": "norm"}),
            ("learning_rate_down", "Learning rate 0.01", {"learning_rate": 0.01}),
            ("learning_rate_down", "Learning rate 0.001", {"learning_rate": 0.001}),
            ("learning_rate_up", "Learning rate 1", {"learning_rate": 1.0}),
            ("learning_rate_up", "Learning rate 10", {"learning_rate": 10.0}),
            ("optimizer", "Momentum", {"optimizer": "momentum"}),
            ("optimizer", "Adam, learning rate 0.01", {"optimizer": "adam", "learning_rate": 0.01}),
            ("optimizer", "Adam, learning rate 0.001", {"optimizer": "adam", "learning_rate": 0.001}),
            ("steps", "60 steps", {"steps": 60}),
            ("normalization", "Batch normalization", {"normalization": "batch"}),
            ("normalization", "Layer normalization", {"normalization": "layer"}),
            ("residual", "Residual connections", {"residual": "plain"}),
            ("shallower", "1 layer", {"depth": 1}),
            ("wider", "16 units a layer", {"width": 16}),
            ("deeper", "4 layers", {"depth": 4}),
            ("wider", "4 layers of 16 units", {"depth": 4, "width": 16}),
            ("narrower", "1 unit a layer", {"width": 1}),
            ("narrower", "2 units a layer", {"width": 2}),
            ("l1", "L1 0.0003", {"l1": 0.0003}),
            ("l1", "L1 0.003", {"l1": 0.003}),
            ("l1", "L1 0.03", {"l1": 0.03}),
            ("l2", "L2 0.001", {"l2": 0.001}),
            ("l2", "L2 0.01", {"l2": 0.01}),
            ("l2", "L2 0.1", {"l2": 0.1}),
            ("dropout", "Dropout 0.1", {"dropout": 0.1}),
            ("dropout", "Dropout 0.2", {"dropout": 0.2}),
            ("dropout", "Dropout 0.4", {"dropout": 0.4}),
            ("patience", "Early stopping", {"patience": 10}),
            ("n_train", "450 examples", {"n_train": 450}),
        ],
    ),
    (
        {
            "depth": 1, "width": 16, "activation": "sigmoid", "initializer": "xavier_normal", "optimizer": "adam",
            "learning_rate": 0.001,
        },
        [
            ("activation", "ReLU with He", {"activation": "relu", "initializer": "he_normal"}),
            ("activation", "ReLU with He, learning rate 0.0001",
             {"activation": "relu", "initializer": "he_normal", "learning_rate": 0.0001}),
            ("activation", "Tanh with Xavier", {"activation": "tanh"}),
            ("activation", "Tanh with Xavier, learning rate 0.0001", {"activation": "tanh", "learning_rate": 0.0001}),
            ("gain", "Gain 2", {"gain": 2.0}),
            ("gain", "Gain 4", {"gain": 4.0}),
            ("clip", "Clip at norm 1", {"clip": "norm"}),
            ("clip", "Clip at norm 0.1", {"clip_threshold": 0.1, "clip": "norm"}),
            ("learning_rate_down", "Learning rate 0.0001", {"learning_rate": 0.0001}),
            ("learning_rate_down", "Learning rate 1e-05", {"learning_rate": 1e-05}),
            ("learning_rate_up", "Learning rate 0.01", {"learning_rate": 0.01}),
            ("learning_rate_up", "Learning rate 0.1", {"learning_rate": 0.1}),
            ("learning_rate_up", "Learning rate 0.5", {"learning_rate": 0.5}),
            ("optimizer", "Gradient descent, learning rate 0.1", {"optimizer": "sgd", "learning_rate": 0.1}),
            ("optimizer", "Gradient descent, learning rate 0.01", {"optimizer": "sgd", "learning_rate": 0.01}),
            ("schedule", "Warmup", {"schedule": "warmup"}),
            ("steps", "60 steps", {"steps": 60}),
            ("normalization", "Batch normalization", {"normalization": "batch"}),
            ("normalization", "Layer normalization", {"normalization": "layer"}),
            ("wider", "32 units a layer", {"width": 32}),
            ("deeper", "3 layers", {"depth": 3}),
            ("narrower", "2 units a layer", {"width": 2}),
            ("narrower", "8 units a layer", {"width": 8}),
            ("l1", "L1 0.0003", {"l1": 0.0003}),
            ("l1", "L1 0.003", {"l1": 0.003}),
            ("l1", "L1 0.03", {"l1": 0.03}),
            ("l2", "L2 0.001", {"l2": 0.001}),
            ("l2", "L2 0.01", {"l2": 0.01}),
            ("l2", "L2 0.1", {"l2": 0.1}),
            ("dropout", "Dropout 0.1", {"dropout": 0.1}),
            ("dropout", "Dropout 0.2", {"dropout": 0.2}),
            ("dropout", "Dropout 0.4", {"dropout": 0.4}),
            ("patience", "Early stopping", {"patience": 10}),
            ("n_train", "450 examples", {"n_train": 450}),
        ],
    ),
    (
        {
            "dataset": "breast_cancer", "n_train": 300, "label_noise": 0.1, "depth": 9, "width": 1, "residual": "plain",
            "activation": "selu", "gain": 2.0, "bias": 0.5, "optimizer": "momentum", "learning_rate": 0.002, **HINDERED,
        },
        [
            ("activation", "ReLU with He, gain 1", {"activation": "relu", "gain": 1.0}),
            ("activation", "ReLU with He, gain 1, learning rate 0.0002",
             {"activation": "relu", "gain": 1.0, "learning_rate": 0.0002}),
            ("activation", "Tanh with Xavier, gain 1",
             {"activation": "tanh", "initializer": "xavier_normal", "gain": 1.0}),
            ("activation", "Tanh with Xavier, gain 1, learning rate 0.0002",
             {"activation": "tanh", "initializer": "xavier_normal", "gain": 1.0, "learning_rate": 0.0002}),
            ("initializer", "LeCun initializer, gain 1", {"initializer": "lecun", "gain": 1.0}),
            ("initializer", "LeCun initializer, gain 1, learning rate 0.0002",
             {"initializer": "lecun", "gain": 1.0, "learning_rate": 0.0002}),
            ("gain", "Gain 1", {"gain": 1.0}),
            ("bias", "Biases start at 0", {"bias": 0.0}),
            ("clip", "No clipping", {"clip": "none"}),
            ("learning_rate_down", "Learning rate 0.0002", {"learning_rate": 0.0002}),
            ("learning_rate_down", "Learning rate 2e-05", {"learning_rate": 2e-05}),
            ("learning_rate_up", "Learning rate 0.02", {"learning_rate": 0.02}),
            ("learning_rate_up", "Learning rate 0.2", {"learning_rate": 0.2}),
            ("optimizer", "Adam, learning rate 0.002", {"optimizer": "adam"}),
            ("optimizer", "Adam, learning rate 0.0002", {"optimizer": "adam", "learning_rate": 0.0002}),
            ("steps", "60 steps", {"steps": 60}),
            ("normalization", "Layer normalization", {"normalization": "layer"}),
            ("normalization", "No normalization", {"normalization": "none"}),
            ("residual", "No residual connections", {"residual": "none"}),
            ("shallower", "3 layers", {"depth": 3}),
            ("wider", "16 units a layer", {"width": 16}),
            ("deeper", "11 layers", {"depth": 11}),
            ("l1", "Less L1: 0.01", {"l1": 0.01}),
            ("l1", "No L1", {"l1": 0.0}),
            ("l2", "Less L2: 0.01", {"l2": 0.01}),
            ("l2", "No L2", {"l2": 0.0}),
            ("dropout", "Less dropout: 0.25", {"dropout": 0.25}),
            ("dropout", "No dropout", {"dropout": 0.0}),
            ("patience", "No early stopping", {"patience": 0}),
            ("n_train", "341 examples", {"n_train": 341}),
            ("label_noise", "No label noise", {"label_noise": 0.0}),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "tried"), TRIED, ids=["plain", "sigmoid", "hindered"])
def test_what_is_tried(settings, tried):
    _, *changes = changes_of(replace(QUICK, **settings))
    made = [(one.code, one.name, {field: new for field, (_, new) in one.settings.items()}) for one in changes]
    assert made == tried


@pytest.mark.parametrize(("activation", "start"), [("linear", "Xavier"), ("tanh", "Xavier"), ("gelu", "He")])
def test_the_initializer_that_suits_an_activation(activation, start):
    names = [change.name for change in changes_of(replace(QUICK, activation=activation, initializer="zeros"))]
    assert f"{start} initializer" in names


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
    taken = replace(
        QUICK, l1=0.1, l2=0.1, dropout=0.5, patience=3, clip="value", normalization="batch", residual="plain"
    )
    names = {change.name for change in changes_of(taken)}
    assert {"No L1", "No L2", "No dropout", "No early stopping", "No clipping", "No residual connections"} <= names
    assert {"Less L1: 0.01", "Less L2: 0.01", "Less dropout: 0.25"} <= names
    assert not names & {"L1 0.003", "L2 0.01", "Dropout 0.2", "Early stopping", "Batch normalization"}


COUNTED = np.arange(60.0)[:, None], 1000 * np.arange(60.0)
UNSCALED = {"dataset": "custom", "n_train": 36, "data_digest": data_digest(*COUNTED)}


@pytest.mark.parametrize(
    ("settings", "code", "changed"),
    [
        ({"inputs": "raw"}, "inputs", {"inputs": "standardised"}),
        ({"input_scale": 100.0, "input_shift": 3.0}, "inputs", {"input_scale": 1.0, "input_shift": 0.0}),
        ({"dataset": "sine", "output": "relu"}, "output", {"output": "auto"}),
        ({"output": "tanh"}, "output", {"output": "auto", "loss": "mse"}),
        ({"output": "sigmoid"}, "output", None),
        ({"shuffle": False}, "shuffle", {"shuffle": True}),
        ({"batch_size": 2}, "batch_size", {"batch_size": 32}),
        ({"batch_size": 32}, "batch_size", None),
        ({"optimizer": "rmsprop"}, "schedule", {"schedule": "warmup"}),
        ({"optimizer": "rmsprop", "schedule": "cosine"}, "schedule", None),
        ({"dataset": "sine"}, "target_scale", None),
        ({"dataset": "sine", "target_scale": 50.0, "loss": "huber"}, "target_scale", None),
        ({"bias_mean": -5.0}, "bias", {"bias_mean": 0.0}),
        ({"imbalance": 0.1}, "class_weights", {"class_weights": "balanced"}),
        ({"imbalance": 0.1, "class_weights": "balanced"}, "class_weights", None),
        ({"dataset": "blobs"}, "class_weights", None),
        ({"dataset": "sine"}, "class_weights", None),
    ],
)
def test_scales_output_and_order_are_put_right_only_where_they_are_not(settings, code, changed):
    made = [one.settings for one in changes_of(replace(QUICK, **settings)) if one.code == code]
    assert [{field: new for field, (_, new) in one.items()} for one in made] == ([] if changed is None else [changed])


@pytest.mark.parametrize(("settings", "data"), [({"dataset": "sine", "target_scale": 50.0}, None), (UNSCALED, COUNTED)])
def test_targets_are_brought_to_size_one(settings, data):
    (change,) = [one for one in changes_of(replace(QUICK, **settings), data) if one.code == "target_scale"]
    targets = load_dataset(change.experiment, data).train_targets
    assert np.sqrt(np.mean(targets**2)) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("units", [{}, {"target_scale": 2.0, "target_shift": -3000.0}])
def test_targets_far_from_0_are_standardised(units):
    years = COUNTED[0], 1900 + COUNTED[1] / 1000
    experiment = replace(QUICK, **UNSCALED | {"data_digest": data_digest(*years)} | units)
    (change,) = [one for one in changes_of(experiment, years) if one.code == "target_scale"]
    targets = load_dataset(change.experiment, years).train_targets
    assert targets.mean() == pytest.approx(0, abs=0.01)
    assert targets.std() == pytest.approx(1, rel=0.05)


def test_a_new_start_takes_along_what_it_needs_and_says_so():
    """A gain made for another activation, and a rate made for signals that fade, are not what a fair try has."""
    far = replace(QUICK, activation="sigmoid", initializer="standard_normal", gain=4.0, learning_rate=0.5)
    changes = {change.name: change.experiment for change in changes_of(far)}
    for name in ("ReLU with He", "Tanh with Xavier", "Xavier initializer"):
        for made, rate in ((f"{name}, gain 1", 0.5), (f"{name}, gain 1, learning rate 0.05", 0.05)):
            assert (changes[made].gain, changes[made].learning_rate) == (1, rate)


def test_finer_doses_lie_half_a_step_from_the_best():
    maker = Maker(QUICK)
    changes = {change.name: change for change in maker.singles()}
    for name, near in (
        ("L2 0.01", {"L2 0.0032", "L2 0.032"}),
        ("Dropout 0.2", {"Dropout 0.14", "Dropout 0.28"}),
        ("60 steps", {"120 steps"}),
        ("Leaky ReLU with He", {"Leaky ReLU with He, learning rate 0.032", "Leaky ReLU with He, learning rate 0.32"}),
    ):
        finer = maker.finer(changes[name])
        assert {one.name for one in finer} == near
        assert {one.remedy for one in finer} == {changes[name].remedy}


def test_a_pair_is_both_at_once_and_only_where_they_can_be():
    maker = Maker(QUICK)
    changes = {change.name: change for change in maker.singles()}
    pair = maker.pair(changes["L2 0.01"], changes["Dropout 0.2"])
    assert pair.name == "L2 0.01 + Dropout 0.2"
    assert pair.experiment == replace(QUICK, l2=0.01, dropout=0.2)
    assert pair.settings == QUICK.differences(pair.experiment)
    assert not maker.pair(changes["Learning rate 0.01"], changes["Adam, learning rate 0.01"]), "both set the rate"
    too_wide = maker.change("wider", "Too wide", "", {"width": 512})
    assert not maker.pair(pair, replace(too_wide, settings={"width": (4, 512)})), "out of range"


def test_what_cannot_be_made_is_refused_with_the_reason():
    most = Experiment(learning_rate=1000, width=256, depth=6, steps=20000, n_train=5000)
    refused = {change.name: change for change in changes_of(most, **LIMITS) if change.refused}
    assert "steps is 40000, but it must be" in refused["40000 steps"].refused
    assert "learning_rate is 10000" in refused["Learning rate 10000"].refused
    assert "width is 512" in refused["512 units a layer"].refused
    assert "n_train is 15000" in refused["15000 examples"].refused
    assert all(change.experiment is None for change in refused.values())
    assert "would take about" in refused["Batch normalization"].refused
    assert all(str(change.problem) == change.refused for change in refused.values())
    assert all(change.problem.__traceback__ is None for change in refused.values())  # which would keep who asked
    assert refused["Learning rate 10000"].problem.field == "learning_rate"


@pytest.mark.parametrize("experiment", ODD)
def test_no_experiment_is_too_odd(experiment):
    changes = changes_of(experiment, **LIMITS)
    assert changes[0].code == UNTREATED
    assert all((change.experiment is None) == bool(change.refused) for change in changes)


@pytest.mark.parametrize(
    ("depth", "residual", "tried"),
    [
        (9, "none", {"plain"}), (10, "none", {"plain", "scaled"}), (10, "plain", {"none", "scaled"}),
        (10, "scaled", {"none", "plain"}), (1, "scaled", {"none"}), (1, "none", set()),
    ],
)  # fmt: skip
def test_scaled_residual_connections_are_tried_in_very_deep_networks(depth, residual, tried):
    changes = changes_of(replace(QUICK, depth=depth, residual=residual))
    made = [change for change in changes if change.code == "residual"]
    assert {change.experiment.residual for change in made} == tried
    names = {change.name: change.experiment.residual for change in made}
    assert names.get("Scaled residual connections", "scaled") == "scaled"
    assert names.get("Residual connections", "plain") == "plain"


def test_the_most_expensive_are_left_out_first():
    changes = changes_of(QUICK)
    seconds = {change.name: seconds_of(seeded(change.experiment)) for change in changes}
    few = within(0.5 * SCREENED / SEEDS * sum(seconds.values()), changes)
    kept = [change.name for change in few if change.experiment]
    left = [change.name for change in few if not change.experiment]
    assert kept[0] == UNTREATED
    assert left
    assert max(seconds[name] for name in kept[1:]) <= min(seconds[name] for name in left)
    assert all(change.refused for change in few if change.name in left)
    assert [change.name for change in within(0, changes) if change.experiment] == [UNTREATED]
    assert within(math.inf, changes) == changes


def test_the_untreated_network_is_paid_for_too():
    untreated, *others = (change for change in changes_of(QUICK) if change.experiment)
    paid = SCREENED * seconds_of([untreated.experiment])
    costs = sorted(SCREENED * seconds_of([change.experiment]) for change in others)
    as_cheap = 1 + sum(cost == costs[0] for cost in costs)
    for seconds, count in ((paid + 0.99 * costs[0], 1), (paid + 1.01 * (as_cheap - 1) * costs[0], as_cheap)):
        assert sum(change.experiment is not None for change in within(seconds, (untreated, *others))) == count
