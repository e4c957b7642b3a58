"""Whatever is within the table's range trains and gives a well-formed history; whatever is not is refused."""

import math
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import SETTINGS, Experiment, OutOfRange, RunHistory, load_dataset, train
from engine.limits import MAX_BYTES, MAX_SECONDS
from tests.engine.contract import assert_well_formed

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=200)

# what keeps most examples cheap; the settings' own extremes are drawn as well
SMALL = {"n_train": 40, "depth": 4, "width": 8, "steps": 30, "seed": 2**31 - 1, "data_seed": 3}
EXTREMES = {
    "gain": 100.0, "learning_rate": 1000.0, "depth": 50, "width": 1, "n_train": 5, "batch_size": 1, "noise": 2.0,
    "bias": 10.0, "bias_mean": -10.0, "precision": "float32", "dropout": 0.9, "label_noise": 0.5, "l1": 100.0,
    "l2": 100.0, "clip_threshold": 1e6, "patience": 1, "normalization": "batch", "residual": "scaled",
    "initializer": "standard_normal", "dataset": "sine", "optimizer": "adam", "activation": "linear", "clip": "value",
    "schedule": "warmup", "output": "relu", "class_weights": "balanced",
    "inputs": "raw", "input_scale": 1e6, "input_shift": -1e6, "target_scale": 1e6, "target_shift": -1e6,
    "imbalance": 0.01, "shuffle": False,
    "held_out": 0.45, "split": "stratified", "leakage": 1.0, "validation_shift": -10.0, "validation_labels": "permuted",
}  # fmt: skip


def values(setting):
    """Legal values of one setting, its ends and special ones among them."""
    if setting.name == "data_digest":
        return st.just("")
    if setting.choices:
        return st.sampled_from([choice for choice in setting.choices if choice != "custom"])
    if setting.kind is bool:
        return st.booleans()
    special = [value for value, _ in setting.special]
    low, high = setting.low, min(setting.high, SMALL.get(setting.name, math.inf))
    if setting.kind is int:
        return st.one_of(st.integers(int(low), int(high)), st.sampled_from([int(low), int(high), *special]))
    ends = [setting.high, *special] + ([] if setting.above else [low])
    # factors rather than steps: small numbers, down to the smallest, matter as much as large ones
    logarithmic = st.floats(-12, math.log10(setting.high)).map(
        lambda exponent: min(max(10**exponent, low), setting.high)
    )
    return st.one_of(
        logarithmic, st.floats(low, setting.high, exclude_min=setting.above), st.sampled_from([setting.default, *ends])
    )


def outside(setting):
    """Values that one setting must refuse."""
    wrong = [None, (), b"1", 1j, object()]
    if setting.choices:
        others = [*wrong, 1] if setting.switch else [*wrong, 1, True]  # an older address's switch is read
        return st.one_of(st.text().filter(lambda text: text not in setting.choices), st.sampled_from(others))
    if setting.kind is bool:
        return st.sampled_from([*wrong, 0, 1, "true", 1.0])
    if setting.kind is str:
        return st.one_of(st.text(min_size=1, max_size=63), st.sampled_from([*wrong, "g" * 64, 1]))
    special = [value for value, _ in setting.special]
    numbers = st.one_of(
        st.floats(max_value=setting.low, exclude_max=not setting.above, allow_infinity=True),
        st.floats(min_value=setting.high, exclude_min=True, allow_infinity=True),
        st.integers(max_value=math.ceil(setting.low) - 1),
        st.integers(min_value=int(setting.high) + 1),
        st.just(math.nan),
    ).filter(lambda number: number not in special)
    if setting.kind is int:
        numbers = st.one_of(numbers, st.floats(setting.low, setting.high).filter(lambda number: number % 1 != 0))
    return st.one_of(numbers, st.sampled_from([*wrong, "1", True, False]))


def trained(legal):
    """The history of legal settings, or None where two do not go together or the app's limits do not allow them."""
    refusal = None
    try:
        experiment = Experiment(**legal)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            history = train(experiment, max_seconds=MAX_SECONDS, max_bytes=MAX_BYTES)
    except OutOfRange as error:
        refusal = error
    if refusal:
        assert refusal.field in ("loss", "n_train", "steps", "width", "imbalance")
        assert refusal.field in str(refusal)
        assert refusal.value == legal.get(refusal.field, SETTINGS[refusal.field].default)
        return None
    assert isinstance(history, RunHistory)
    assert history.experiment == experiment
    dataset = load_dataset(experiment)
    assert_well_formed(history, dataset.n_in, dataset.n_out)
    assert history.nbytes <= 16e6
    return history


@EXAMPLES
@given(st.fixed_dictionaries({name: values(setting) for name, setting in SETTINGS.items()}))
def test_any_experiment_within_range_trains(legal):
    if legal["dataset"] not in ("moons", "circles", "spirals", "xor"):
        legal["imbalance"] = 0.5
    trained(legal)


@settings(EXAMPLES, max_examples=60)
@given(st.sets(st.sampled_from(sorted(EXTREMES)), min_size=1, max_size=8))
def test_extremes_together(names):
    trained({"steps": 20, "n_train": 30, "loss": "mse"} | {name: EXTREMES[name] for name in names})


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_one_by_one(name):
    assert trained({"steps": 20, "n_train": 30, name: EXTREMES[name]}) is not None


@settings(EXAMPLES, max_examples=25)
@given(
    depth=st.integers(1, 50),
    width=st.integers(1, 256),
    steps=st.integers(1, 20_000),
    n_train=st.integers(5, 5000),
    dataset=st.sampled_from(["moons", "blobs", "sine"]),
)
def test_what_costs_too_much_is_refused_and_the_estimate_says_so(**sizes):
    experiment = Experiment(**sizes)
    if experiment.cost.seconds < 0.2 and experiment.cost.bytes < 16e6:
        assert trained(sizes) is not None
    elif experiment.cost.seconds > 5 or experiment.cost.bytes > 16e6:
        assert trained(sizes) is None


@pytest.mark.parametrize("name", SETTINGS)
def test_any_value_outside_is_refused(name):
    @settings(EXAMPLES, max_examples=40)
    @given(outside(SETTINGS[name]))
    def check(value):
        with pytest.raises(OutOfRange) as refusal:
            Experiment(**{name: value})
        assert refusal.value.field == name
        assert name in str(refusal.value)
        assert SETTINGS[name].allowed in str(refusal.value)

    check()
