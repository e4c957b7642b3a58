"""Experiment: the design's table field by field, and what makes it a key."""

import math
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from decimal import Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction

import numpy as np
import pytest

from engine import SETTINGS, Experiment, OutOfRange
from engine.limits import MAX_BYTES, MAX_SECONDS, Limits, check_budget
from engine.settings import Setting

INITIALIZERS = (
    "he_normal", "xavier_normal", "xavier_uniform", "he_uniform", "lecun", "orthogonal", "small_normal",
    "standard_normal", "constant", "zeros",
)  # fmt: skip
DATASETS = ("moons", "circles", "spirals", "xor", "blobs", "sine", "breast_cancer", "digits", "custom")

# The design's table written down a second time: field -> default, accepted, refused.
TABLE = {
    "dataset": ("moons", DATASETS, ("Moons", "", "iris")),
    "n_train": (150, (5, 5000), (4, 5001, 0, -1, 5.5)),
    "noise": (-1.0, (0, 2, -1), (-0.5, 2.001, -2)),
    "label_noise": (0.0, (0, 0.5), (-0.001, 0.501)),
    "data_digest": ("", ("", "0123456789abcdef" * 4), ("0" * 63, "0" * 65, "g" * 64, "A" * 64)),
    "inputs": ("standardised", ("standardised", "raw"), ("normalised",)),
    "input_scale": (1.0, (1e-6, 1e6), (0, -1, 1.1e6)),
    "input_shift": (0.0, (-1e6, 0, 1e6), (-1.1e6, 1.1e6)),
    "target_scale": (1.0, (1e-6, 1e6), (0, -1, 1.1e6)),
    "target_shift": (0.0, (-1e6, 0, 1e6), (-1.1e6, 1.1e6)),
    "imbalance": (0.5, (0.01, 0.5), (0, 0.009, 0.51)),
    "held_out": (0.2, (0.05, 0.45), (0, 0.04, 0.46)),
    "split": ("random", ("random", "stratified"), ("even", True)),
    "shuffle": (True, (True, False), (0, 1, "true")),
    "leakage": (0.0, (0, 1), (-0.1, 1.1)),
    "validation_shift": (0.0, (-10, 10), (-10.1, 10.1)),
    "validation_labels": ("right", ("right", "permuted"), ("wrong",)),
    "depth": (4, (1, 50), (0, 51)),
    "width": (16, (1, 256), (0, 257)),
    "activation": (
        "relu", ("relu", "sigmoid", "tanh", "leaky_relu", "elu", "selu", "gelu", "silu", "linear"), ("ReLU", "swish"),
    ),
    "initializer": ("he_normal", INITIALIZERS, ("he", "none")),
    "gain": (1.0, (0, 100, 0.01), (-0.1, 100.1)),
    "bias": (0.0, (0, 10), (-0.1, 10.1)),
    "bias_mean": (0.0, (-10, 0, 10), (-10.1, 10.1)),
    "normalization": ("none", ("none", "batch", "layer"), ("group",)),
    "residual": ("none", ("none", "plain", "scaled"), (0, 1, "true")),
    "output": ("auto", ("auto", "linear", "sigmoid", "tanh", "relu"), ("softmax",)),
    "loss": ("auto", ("auto", "cross_entropy", "mse", "mae", "huber"), ("hinge",)),
    "class_weights": ("none", ("none", "balanced"), ("auto",)),
    "optimizer": ("sgd", ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adagrad", "adamw"), ("lion",)),
    "learning_rate": (0.1, (1e-9, 1000), (0, -0.1, 1000.1)),
    "schedule": ("constant", ("constant", "warmup", "cosine", "step"), ("linear",)),
    "batch_size": (0, (0, 1, 5000), (-1, 5001, 2.5)),
    "steps": (500, (1, 20000), (0, 20001)),
    "clip": ("none", ("none", "norm", "value"), ("both",)),
    "clip_threshold": (1.0, (1e-9, 1e6), (0, -1, 1.1e6)),
    "l1": (0.0, (0, 100), (-0.1, 100.1)),
    "l2": (0.0, (0, 100), (-0.1, 100.1)),
    "dropout": (0.0, (0, 0.9), (-0.1, 0.901, 1)),
    "patience": (0, (0, 1000), (-1, 1001)),
    "seed": (0, (0, 2**31 - 1), (-1, 2**31)),
    "data_seed": (-1, (-1, 0, 2**31 - 1), (-2, 2**31)),
    "precision": ("float64", ("float64", "float32"), ("float16",)),
}  # fmt: skip
NEVER = (None, math.nan, math.inf, -math.inf, (), [], {}, b"relu", 1j, object)
ACCEPTED = [(name, value) for name, (_, accepted, _) in TABLE.items() for value in accepted]
REFUSED = [(name, value) for name, (_, _, refused) in TABLE.items() for value in refused]


def test_the_table_is_the_designs():
    assert [row.name for row in fields(Experiment)] == list(SETTINGS) == list(TABLE)
    assert {name: setting.default for name, setting in SETTINGS.items()} == {
        name: row[0] for name, row in TABLE.items()
    }
    assert Experiment() == Experiment(**{name: row[0] for name, row in TABLE.items()})
    for name, (default, accepted, _) in TABLE.items():
        if SETTINGS[name].choices:
            assert SETTINGS[name].choices == accepted
            assert accepted[0] == default


def test_every_setting_has_its_words():
    for setting in SETTINGS.values():
        assert setting.group in ("data", "data faults", "network", "loss", "training", "remedies", "other")
        assert setting.label[0].isupper()
        assert setting.help.endswith(".")


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_values_inside_are_accepted_as_plain_types(name, value):
    changes = {name: value}
    if name == "loss" and value == "cross_entropy":
        changes["dataset"] = "blobs"
    stored = getattr(Experiment(**changes), name)
    assert stored == value
    assert type(stored) is type(TABLE[name][0])


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_values_outside_name_field_value_and_range(name, value):
    with pytest.raises(OutOfRange) as error:
        Experiment(**{name: value})
    assert (error.value.field, error.value.value) == (name, value)
    assert str(error.value).startswith(f"{name} is {value!r}, but it must be ")
    setting = SETTINGS[name]
    if setting.choices:
        assert all(choice in error.value.allowed for choice in setting.choices)
    elif setting.kind in (int, float):
        assert f"{setting.high:g}" in error.value.allowed or setting.high > 1e6
        assert ("above" if setting.above else f"from {setting.low:g}") in error.value.allowed
        assert all(meaning in error.value.allowed for _, meaning in setting.special)


@pytest.mark.parametrize("name", TABLE)
def test_what_is_no_value_at_all_is_out_of_range(name):
    wrong_kind = {str: (0, True), bool: (0, "True"), int: ("5", True, 5.5), float: ("0.5", True)}[SETTINGS[name].kind]
    if SETTINGS[name].switch:
        wrong_kind = tuple(value for value in wrong_kind if not isinstance(value, bool))
    for value in (*NEVER, *wrong_kind):
        with pytest.raises(OutOfRange, match=f"^{name} is "):
            Experiment(**{name: value})


@pytest.mark.parametrize(
    ("once", "now"), [(False, "none"), (True, "plain"), (np.True_, "plain"), (np.array(False), "none")]
)
def test_residual_connections_may_still_be_switched_off_and_on(once, now):
    assert Experiment(residual=once) == Experiment(residual=now)
    assert hash(Experiment(residual=once)) == hash(Experiment(residual=now))
    assert Experiment(residual=once).residual == now
    assert Experiment().differences(Experiment(residual=once)) == ({} if now == "none" else {"residual": ("none", now)})


def test_whole_numbers_may_come_as_floats_and_the_other_way_round():
    assert Experiment(depth=5.0) == Experiment(depth=5)
    assert Experiment(gain=2) == Experiment(gain=2.0)
    assert hash(Experiment(gain=2)) == hash(Experiment(gain=np.float64(2)))


@pytest.mark.parametrize("name", ["steps", "seed", "learning_rate"])
def test_integers_beyond_every_float_are_out_of_range(name):
    with pytest.raises(OutOfRange, match=f"^{name} is "):
        Experiment(**{name: 10**400})


class Names(StrEnum):
    TANH = "tanh"


class Numbers(IntEnum):
    THREE = 3


# Kinds of number and text that are not Python's own -> the plain value that they are.
KINDS = (
    *[(kind(3), 3) for kind in (np.int8, np.uint8, np.int64, np.float16, np.float32, np.longdouble, Fraction, Decimal)],
    *[(kind(0.5), 0.5) for kind in (np.float16, np.float32, np.longdouble, Fraction, Decimal)],
    (np.float32(0.1), 0.10000000149011612), (np.longdouble("0.1"), 0.1), (Fraction(1, 3), 1 / 3),
    (np.array(3), 3), (np.array(0.5, np.float16), 0.5), (np.array(np.longdouble(3)), 3), (Numbers.THREE, 3),
    (np.float16(-0.0), 0.0), (Decimal("-0"), 0), (np.True_, True), (np.array(False), False),
    (np.str_("tanh"), "tanh"), (np.array("tanh"), "tanh"), (Names.TANH, "tanh"), (10**30, 10**30), (10**5000, 10**5000),
    (np.float16("nan"), math.nan), (np.float16("inf"), math.inf), (-np.longdouble("1e4000"), -math.inf),
    (Decimal("NaN"), math.nan), (Decimal("sNaN"), math.nan), (Decimal("1e999999999"), math.inf),
    (np.datetime64("2020"), None), (np.complex64(1), 1j), (np.bytes_(b"tanh"), b"tanh"), (np.ma.masked, None),
    (np.array([3]), None), (np.zeros(10_000), None),
)  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.filterwarnings("error")
def test_every_kind_of_number_and_text_is_its_plain_value_or_out_of_range(name):
    for pair in KINDS:
        made = []
        for value in pair:
            try:
                made.append(getattr(Experiment(**{name: value}), name))
            except OutOfRange:
                made.append(None)
        mine, plain = made
        assert (type(mine), repr(mine), hash(mine)) == (type(plain), repr(plain), hash(plain)), pair


def test_a_refused_numpy_number_is_written_as_people_write_it():
    with pytest.raises(OutOfRange, match=r"^gain is -0\.5, but it must be a number from 0 to 100\.$"):
        Experiment(gain=np.float16(-0.5))
    with pytest.raises(OutOfRange, match=r"^seed is a number of too many digits to write, but"):
        Experiment(seed=10**5000)
    with pytest.raises(OutOfRange, match=r"^width is \[0, 0, 0, .*…, but it must be a whole number") as refusal:
        Experiment(width=[0] * 1000)
    assert len(str(refusal.value)) < 200


def test_a_range_of_one_number_is_that_number():
    assert Setting("example", 1, "", "", "", low=1, high=1).allowed == "1"
    assert Setting("example", 1, "", "", "", low=1, high=1, special=((0, "all"),)).allowed == "1, or 0 for all"
    assert Setting("example", 1, "", "", "", low=1, high=2).allowed == "a whole number from 1 to 2"


def test_settings_that_do_not_go_together():
    with pytest.raises(
        OutOfRange, match=r"loss is 'cross_entropy', but it must be auto, mse, mae or huber\. sine asks for a number"
    ):
        Experiment(dataset="sine", loss="cross_entropy")
    for output in ("linear", "tanh", "relu"):
        with pytest.raises(OutOfRange, match=f"must be auto, mse, mae or huber.*probabilities, which {output} output"):
            Experiment(output=output, loss="cross_entropy")
    assert Experiment(output="sigmoid", loss="cross_entropy").output == "sigmoid"
    for name in ("blobs", "sine", "breast_cancer", "digits", "custom"):
        assert Experiment(dataset=name, imbalance=0.5).imbalance == 0.5
        with pytest.raises(OutOfRange, match=rf"imbalance is 0\.1, but it must be 0\.5\. {name} is not drawn from two"):
            Experiment(dataset=name, imbalance=0.1)
    for name, most in (("breast_cancer", 341), ("digits", 1079)):
        assert Experiment(dataset=name, n_train=most).n_train == most
        with pytest.raises(OutOfRange, match=f"n_train is {most + 1}, but it must be a whole number from 5 to {most}"):
            Experiment(dataset=name, n_train=most + 1)


def test_an_experiment_is_immutable_and_a_key():
    experiment = Experiment(depth=7, activation="tanh")
    with pytest.raises(FrozenInstanceError):
        experiment.depth = 3
    same = Experiment(activation="tanh", depth=7)
    assert experiment == same
    assert hash(experiment) == hash(same)
    assert len({experiment, same, Experiment()}) == 2
    assert experiment != replace(experiment, seed=1)
    with pytest.raises(OutOfRange):
        replace(experiment, depth=0)
    with pytest.raises(TypeError):
        Experiment(layers=3)


def test_experiments_and_their_errors_survive_pickling():
    experiment = Experiment(dataset="digits", n_train=1079)
    assert pickle.loads(pickle.dumps(experiment)) == experiment
    with pytest.raises(OutOfRange) as error:
        Experiment(depth=99)
    copy = pickle.loads(pickle.dumps(error.value))
    assert isinstance(copy, ValueError)
    assert str(copy) == str(error.value) == "depth is 99, but it must be a whole number from 1 to 50."
    assert (copy.field, copy.value, copy.allowed) == ("depth", 99, "a whole number from 1 to 50")


def test_differences_are_named_in_the_tables_order():
    patient = Experiment(activation="sigmoid", depth=10, seed=4)
    treated = replace(patient, activation="relu", learning_rate=0.5, depth=3)
    assert list(patient.differences(treated).items()) == [
        ("depth", (10, 3)),
        ("activation", ("sigmoid", "relu")),
        ("learning_rate", (0.1, 0.5)),
    ]
    assert treated.differences(patient)["depth"] == (3, 10)
    assert patient.differences(patient) == {}


def test_cost_grows_with_the_work():
    cost = Experiment().cost
    assert cost.operations > 0
    assert 0 < cost.seconds < MAX_SECONDS
    assert 0 < cost.bytes < MAX_BYTES
    for changes in ({"depth": 8}, {"width": 32}, {"n_train": 600}, {"dataset": "digits"}):
        more = Experiment(**changes).cost
        assert more.operations > cost.operations
        assert more.seconds > cost.seconds
    assert Experiment(steps=1000).cost.seconds == pytest.approx(2 * cost.seconds, rel=0.2)


def test_over_budget_is_out_of_range_before_any_work():
    heavy = Experiment(depth=50, width=256, n_train=5000, steps=20000)
    advice = r"^steps is 20000, but it must be at most \d+, and width at most \d+, with this many layers\. "
    with pytest.raises(OutOfRange, match=advice):
        check_budget(heavy, 2, 1)
    check_budget(Experiment(), 2, 1)


@pytest.mark.parametrize(("name", "limits"), [("max_seconds", Limits(1e-6)), ("max_bytes", Limits(None, 1e3))])
def test_a_limit_that_no_run_keeps_is_named_itself(name, limits):
    with pytest.raises(OutOfRange, match="must be larger") as refused:
        check_budget(Experiment(), 2, 1, limits)
    assert refused.value.field == name
