"""What a refusal advises is accepted: every number and name that stands in its message, and none is refused again."""

import re
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import SETTINGS, Experiment, OutOfRange, Training, data_digest
from engine.cost import estimate
from engine.cures.changes import changes_of
from engine.data.sources import DATASETS
from engine.limits import APP_LIMITS, MAX_BYTES, MAX_SECONDS, check_budget
from tests.engine.test_properties import EXAMPLES, outside

LIMITS = {"max_seconds": MAX_SECONDS, "max_bytes": MAX_BYTES}
NUMBER = r"-?[\d,.]+(?:e[+-]?\d+)?"
SIZES = {
    "dataset": st.sampled_from([name for name in DATASETS if name != "custom"]),
    "n_train": st.integers(5, 5000),
    "depth": st.integers(1, 50),
    "width": st.integers(1, 256),
    "batch_size": st.sampled_from([0, 0, 1, 32, 5000]),
    "steps": st.one_of(st.integers(1, 300), st.integers(1, 20_000)),
    "loss": st.sampled_from(SETTINGS["loss"].choices),
    "output": st.sampled_from(SETTINGS["output"].choices),
    "normalization": st.sampled_from(["none", "batch", "layer"]),
    "precision": st.sampled_from(["float64", "float32"]),
}


def advised(field, text):
    """The settings that a refusal's text says would do, an experiment's fields -> values that it names."""
    named = {field: []}
    if match := re.match(rf"at most ({NUMBER})", text):
        named[field].append(match[1])
        if match := re.search(rf"and width at most ({NUMBER}),", text):
            named["width"] = [match[1]]
    elif match := re.search(rf"(?:from ({NUMBER}) to|and at most) ({NUMBER})", text):
        named[field] += filter(None, [*match.groups(), *re.findall(rf", or ({NUMBER}) for", text)])
    elif match := re.match(r"(?:one of )?(.+)$", text):
        named[field] += re.split(", | or ", match[1])
    return {name: [plain(SETTINGS[name].kind, value) for value in values] for name, values in named.items()}


def plain(kind, text):
    if kind in (int, float):
        return float(text.replace(",", "").rstrip("."))
    return {"true": True, "false": False}.get(text, text)


def refusal_of(**wanted):
    """The experiment, or the refusal of it, of its cost too."""
    try:
        experiment = Experiment(**wanted)
        data = DATASETS[experiment.dataset]
        check_budget(experiment, data.n_in, data.n_out)
    except OutOfRange as refusal:
        return refusal
    return experiment


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "data_digest"])
def test_every_value_that_a_range_names_is_in_it(name):
    @settings(EXAMPLES, max_examples=10)
    @given(outside(SETTINGS[name]))
    def check(value):
        refusal = refusal_of(**{name: value})
        (named,) = advised(name, refusal.allowed).values()
        assert len(named) >= 2 or SETTINGS[name].above
        for one in named:
            Experiment(**{name: one} | ({"dataset": "moons"} if name == "loss" else {}))

    check()


def follow(wanted, most=3):
    """Do what each refusal advises until there is none: of the loss, of the examples, of the run's size, once each."""
    refusals = []
    while isinstance(answer := refusal_of(**wanted), OutOfRange):
        refusals.append(answer)
        assert len(refusals) <= most, refusals
        for field, values in advised(answer.field, answer.allowed).items():
            assert field == "loss" or values[-1] < wanted[field]
            wanted = wanted | {field: values[-1]}
    assert sum("are allowed" in refusal.reason for refusal in refusals) <= 1, "size and steps are advised together"


@settings(EXAMPLES, max_examples=300)
@given(st.fixed_dictionaries(SIZES))
def test_what_a_refusal_advises_is_accepted(wanted):
    follow(wanted)


@settings(EXAMPLES, max_examples=100)
@given(st.fixed_dictionaries(SIZES | {"depth": st.integers(20, 50), "width": st.integers(100, 256)}))
def test_what_a_refusal_advises_to_large_networks_is_accepted(wanted):
    follow(wanted)


@pytest.mark.parametrize("steps", [20_000, 2000, 511, 510, 436, 370, 300, 296, 290, 220, 200])
@pytest.mark.parametrize("n_train", [150, 500, 1079])
def test_the_digits_are_told_one_number_of_steps_whatever_they_ask_for(steps, n_train):
    digits = {"dataset": "digits", "depth": 8, "width": 128, "n_train": n_train}
    most = advised("steps", refusal_of(**digits, steps=20_000).allowed)["steps"][0]
    answer = refusal_of(**digits, steps=steps)
    if steps <= most:
        assert isinstance(answer, Experiment)
    elif isinstance(answer, OutOfRange):
        assert advised("steps", answer.allowed) == {"steps": [most]}
    else:
        assert steps < 1.1 * most, "the advice is rounded down"
    assert isinstance(refusal_of(**digits, steps=most), Experiment)


@settings(EXAMPLES, max_examples=100)
@given(st.fixed_dictionaries(SIZES | {"n_train": st.integers(5, 300), "loss": st.just("auto")}))
def test_more_steps_never_cost_less(wanted):
    del wanted["steps"]
    steps = [*range(95, 310), 1999, 2000, 2001, 2100, 20_000]
    costs = [Experiment(**wanted, steps=n).cost for n in steps]
    for name in ("seconds", "operations"):
        assert (np.diff([getattr(cost, name) for cost in costs]) > 0).all()


def test_the_advice_is_close_to_the_most_that_is_accepted():
    wide = Experiment(depth=50, width=256, n_train=5, steps=1)
    (width,) = advised("width", refusal_of(**asdict(wide)).allowed)["width"]
    assert estimate(replace(wide, width=width), 2, 1).bytes <= MAX_BYTES
    assert estimate(replace(wide, width=width + 10), 2, 1).bytes > MAX_BYTES
    long = Experiment(depth=10, width=64, n_train=1000, steps=20_000)
    (steps,) = advised("steps", refusal_of(**asdict(long)).allowed)["steps"]
    assert estimate(replace(long, steps=steps), 2, 1).seconds <= MAX_SECONDS
    assert estimate(replace(long, steps=1.1 * steps), 2, 1).seconds > MAX_SECONDS


@pytest.mark.parametrize(
    "experiment",
    [
        Experiment(depth=50, width=256, n_train=5, steps=1),
        Experiment(depth=50, width=256, n_train=5000, steps=20_000),
        Experiment(dataset="digits", depth=8, width=128, n_train=1079, steps=510),
    ],
)
def test_training_takes_what_it_advises(experiment):
    with pytest.raises(OutOfRange) as refusal:
        Training(experiment, limits=APP_LIMITS)
    advice = advised(refusal.value.field, refusal.value.allowed)
    Training(replace(experiment, **{field: value for field, (value,) in advice.items()}), limits=APP_LIMITS)


def test_changes_to_try_that_are_refused_take_what_they_advise():
    most = Experiment(dataset="digits", learning_rate=500, width=200, depth=6, steps=90, n_train=360)
    refused = [change for change in changes_of(most, **LIMITS) if change.refused]
    assert {change.code for change in refused} >= {"wider", "steps", "n_train", "learning_rate_up"}
    for change in refused:
        field, text = re.match(r"(\w+) is .*?, but it must be (.+?)\. ?(?:The|$)", change.refused).groups()
        advice = {name: values[-1] for name, values in advised(field, text).items()}
        follow(asdict(most) | {name: new for name, (_, new) in change.settings.items()} | advice, most=1)


def test_own_data_take_what_their_refusals_advise():
    inputs = np.random.default_rng(0).standard_normal((60, 3))
    data = inputs, inputs[:, 0]
    own = {"dataset": "custom", "n_train": 500, "loss": "cross_entropy", "width": 2, "depth": 1, "steps": 3}
    fields = []
    for _ in range(3):
        with pytest.raises(OutOfRange) as caught:
            Training(Experiment(**own), data)
        refusal = caught.value
        fields.append(refusal.field)
        if refusal.field == "data_digest":
            own["data_digest"] = re.search("Theirs is ([0-9a-f]{64})", refusal.reason)[1]
            assert own["data_digest"] == data_digest(*data)
        else:
            own[refusal.field] = advised(refusal.field, refusal.allowed)[refusal.field][-1]
    assert fields == ["data_digest", "loss", "n_train"]
    Training(Experiment(**own), data)
