"""Numbers and names in sentences: two significant digits, whatever the size."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import SETTINGS, Experiment, OutOfRange, data_digest, train
from engine.formatting import TIMES_TEN
from pages.text import labels
from pages.text.labels import (
    differences,
    ending,
    input_unit,
    label,
    legends,
    loss_unit,
    meaning,
    name,
    network,
    number,
    percent,
    share,
)
from tests.charts.odd_runs import PAIRS, pair

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def read(text):
    """The number that a text says."""
    mantissa, _, exponent = text.partition(TIMES_TEN)
    return float(f"{mantissa}e{exponent.translate(SUPERSCRIPTS) or 0}")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.62, "0.62"), (3.2, "3.2"), (120, "120"), (2.71e-6, "2.7 × 10⁻⁶"), (0, "0"), (1, "1"), (9.99, "10"),
        (0.0999, "0.1"), (0.001, "0.001"), (0.000999, "0.001"), (0.00099, "9.9 × 10⁻⁴"), (12345, "12000"),
        (99999, "1 × 10⁵"), (-0.5, "−0.5"),
        (-2.71e-6, "−2.7 × 10⁻⁶"), (1e15, "1 × 10¹⁵"), (5e-324, "4.9 × 10⁻³²⁴"), (1.79e308, "1.8 × 10³⁰⁸"),
        (math.nan, "not defined"), (math.inf, "infinite"), (-math.inf, "minus infinity"),
        (np.float32(0.25), "0.25"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text.replace(" × 10", TIMES_TEN), "in one piece"


@given(st.floats(1e-300, 1e300))
def test_a_number_is_right_to_two_digits(value):
    assert read(number(value)) == pytest.approx(value, rel=0.0501)
    assert len(re.sub(r"^0\.0*|0*$|\.", "", number(value).partition(TIMES_TEN)[0])) <= 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.7e-6, "about 2.7 millionths of"), (1e-6, "about a millionth of"), (9.94e-5, "about 99 millionths of"),
        (0.62, "0.62 of"), (0.0999, "0.1 of"), (0.084, "0.084 of"), (0.00044, "0.00044 of"), (9.96e-5, "0.0001 of"),
        (4.3e-7, "4.3 × 10⁻⁷ of"), (9.94e-7, "9.9 × 10⁻⁷ of"), (9.96e-7, "about a millionth of"),
        (2e-12, "2 × 10⁻¹² of"), (3.2, "3.2 times"), (0.999, "1 times"), (2e7, "2 × 10⁷ times"),
        (0, "nothing of"), (math.nan, "an undefined share of"), (math.inf, "an undefined share of"),
    ],
)  # fmt: skip
def test_shares(value, text):
    assert share(value) == text.replace(" × 10", TIMES_TEN)


@given(st.floats(1e-12, 1e6))
def test_a_share_says_its_value(value):
    words = share(value).removeprefix("about ").split(" ")
    millionths = words[-2].startswith("millionth")
    said = 1 if words[0] == "a" else read(" ".join(words[: -2 if millionths else -1]))
    assert said * (1e-6 if millionths else 1) == pytest.approx(value, rel=0.0501)
    if millionths:
        assert 1 <= said < 100


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (1, "100"), (0.5, "50"), (0.126, "13"), (0.001, "under 1"), (0.0049, "under 1"), (0.005, "1"),
        (0.01, "1"), (0.994, "99"), (0.998, "over 99"),
    ],
)  # fmt: skip
def test_percentages(value, text):
    assert percent(value) == f"{text}\N{NO-BREAK SPACE}%"
    assert percent(math.nan) == "not defined"


@given(st.floats(0, 1))
def test_only_none_is_0_percent_and_only_all_is_100(value):
    assert (percent(value) == percent(0)) == (value == 0)
    assert (percent(value) == percent(1)) == (value == 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("he_normal", "He normal"), ("relu", "ReLU"), ("breast_cancer", "breast cancer"), (True, "on"), (False, "off"),
        (0.1, "0.1"), (16, "16"), (2**31 - 1, "2147483647"), (1e-5, "1 × 10⁻⁵"), (2.5e6, "2.5 × 10⁶"),
        (-10.0, "−10"),
    ],
)  # fmt: skip
def test_names(value, text):
    assert name(value) == text.replace(" × 10", TIMES_TEN)


def test_a_setting_in_a_sentence():
    assert labels.in_a_sentence("depth", 1) == "1 hidden layer"
    assert labels.in_a_sentence("steps", 500) == "500 training steps"
    assert labels.in_a_sentence("activation", "relu") == "ReLU"
    assert labels.in_a_sentence("activation", "linear") == "activation linear"
    assert labels.in_a_sentence("l2", 0.02) == "L2 penalty 0.02"


def test_a_list_in_a_sentence():
    assert [labels.listed("abc"[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


@pytest.mark.parametrize("setting", [setting for setting in SETTINGS.values() if setting.choices], ids=lambda s: s.name)
def test_the_label_of_a_choice_belongs_to_its_setting(setting):
    assert set(dict(setting.choice_labels)) <= set(setting.choices)
    words = [setting.in_words(choice) for choice in setting.choices]
    assert len(set(words)) == len(words)
    assert not [word for word in words if "_" in word]
    assert words == [meaning(setting.name, choice) for choice in setting.choices]


def test_a_special_value_is_said_by_its_meaning():
    assert meaning("noise", -1.0) == "the data set’s own"
    assert meaning("noise", 0.2) == "0.2"
    assert meaning("batch_size", 0) == "all"
    assert differences(Experiment(noise=0.2), Experiment()) == "Treated differs in: noise 0.2 → the data set’s own."


@pytest.mark.parametrize("field", SETTINGS)
def test_labels_stand_in_the_middle_of_a_sentence(field):
    text = label(field)
    assert text.lower() == SETTINGS[field].label.lower()
    assert text[0].islower() or text[:2].isupper()


def test_differences_name_every_setting_that_differs():
    patient = Experiment(activation="sigmoid", initializer="xavier_normal")
    assert differences(patient, patient) == "Patient and treated are the same network."
    assert (
        differences(patient, replace(patient, activation="relu", residual=True))
        == "Treated differs in: activation sigmoid → ReLU, residual connections none → plain."
    )


def test_a_network_in_a_few_words():
    assert network(pair("plain")[0]) == "4 hidden layers of 6, sigmoid, Xavier normal"
    assert network(pair("one hidden layer")[1]) == "1 hidden layer of 6, ReLU, He normal"


@pytest.mark.parametrize(
    ("changes", "mine", "theirs"),
    [
        ({"activation": "relu"}, "sigmoid, Xavier normal", "ReLU, Xavier normal"),
        ({"residual": "scaled"}, "residual connections none", "residual connections scaled"),
        ({"depth": 1, "width": 5}, "4 layers of 6", "1 layer of 5"),
        ({"depth": 2}, "hidden layers 4", "hidden layers 2"),
        ({"normalization": "layer", "residual": "plain"}, "normalization none", "normalization layer"),
        ({}, "sigmoid, Xavier normal", "sigmoid, Xavier normal"),
    ],
)
def test_legends_say_what_tells_the_networks_apart(changes, mine, theirs):
    patient, _ = pair("plain")
    treated = replace(patient, experiment=replace(patient.experiment, **changes))
    assert legends(patient, treated) == (mine, theirs)


def test_the_unit_of_the_loss():
    classes, regression = pair("plain")[0], pair("of regression")[0]
    assert loss_unit(classes) == loss_unit(pair("of digits")[0]) == "nats"
    assert loss_unit(regression) == "squared error"
    assert loss_unit(replace(classes, experiment=replace(classes.experiment, loss="mse"))) == "squared error"
    assert loss_unit(classes, regression) == "nats or squared error"
    assert loss_unit(classes, classes) == "nats"
    large = replace(regression, experiment=replace(regression.experiment, target_scale=1000.0))
    assert loss_unit(regression, large) == "squared error or squared error of targets × 1000"
    assert loss_unit(replace(classes, experiment=replace(classes.experiment, target_scale=1000.0))) == "nats"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "standardised"),
        ({"inputs": "raw"}, "raw"),
        ({"input_scale": 100.0}, "standardised × 100"),
        ({"inputs": "raw", "input_scale": 0.01, "input_shift": -3.0}, "raw × 0.01 − 3"),
    ],
)
def test_the_unit_of_the_inputs(changes, words):
    assert input_unit(Experiment(**changes)) == words


def test_the_unit_of_the_loss_of_own_data():
    inputs, targets = np.random.default_rng(0).normal(size=(2, 20, 1))
    experiment = Experiment(dataset="custom", n_train=8, steps=1, data_digest=data_digest(inputs, targets))
    assert loss_unit(train(experiment, data=(inputs, targets))) == "squared error"


@pytest.mark.parametrize("pair_name", PAIRS)
def test_the_ending_names_the_step(pair_name):
    for history in pair(pair_name):
        text = ending(history)
        assert bool(text) == (history.status != "completed")
        if history.status == "diverged":
            step, layer, tensor = history.diverged_at
            place = f", layer {layer + 1})" if layer is not None and layer < history.layers - 1 else ")"
            assert text.startswith(f"not finite at step {step} ({tensor}")
            assert text.endswith(place)
        elif history.status == "stopped_early":
            assert text == f"stopped early at step {history.step[-1] + 1}"


def test_the_output_layer_is_named_so_and_the_loss_has_no_layer():
    history, _ = pair("plain")
    output = replace(history, status="diverged", diverged_at=(7, history.layers - 1, "gradient"))
    assert ending(output) == "not finite at step 7 (gradient, output layer)"
    assert ending(replace(output, diverged_at=(7, None, "loss"))) == "not finite at step 7 (loss)"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"dataset": "breast_cancer", "n_train": 1000}, "Training examples is 1000, but it must be a whole"),
        ({"dataset": "sine", "loss": "cross_entropy"}, "Loss is cross-entropy, but it must be auto, mean squared "
         "error, mean absolute error or Huber loss. sine asks for a number"),
        ({"width": 1000}, "Units a layer is 1000, but it must be a whole number from 1 to 256."),
    ],
)  # fmt: skip
def test_a_refusal_has_the_names_that_stand_on_screen(settings, sentence):
    with pytest.raises(OutOfRange) as refused:
        Experiment(**settings)
    assert labels.refusal(refused.value).startswith(sentence)
