"""What is said of a drawn curve follows from the run beside it, and what is drawn on knows nothing of the run."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, diagnose, train
from pages.text.draw_first import GRADIENT, LOSS, canvas, measured, off, read_drawing, words
from pages.text.findings_text import HEADINGS
from pages.text.labels import number, share

SIGMOID = Experiment(depth=10, activation="sigmoid", initializer="xavier_normal", steps=3, n_train=40, seed=9)
RELU = replace(SIGMOID, activation="relu", initializer="he_normal")
AT_ONCE = Experiment(
    depth=50, activation="linear", initializer="standard_normal", gain=100, steps=3, precision="float32"
)
LEARNS = Experiment(depth=2, width=16, dataset="moons", optimizer="adam", learning_rate=0.02, steps=200, n_train=100)
SLOW = replace(LEARNS, optimizer="sgd", learning_rate=0.005)
OVERFITS = replace(LEARNS, label_noise=0.3, width=64, depth=3, n_train=60, steps=400)
DIVERGES = Experiment(dataset="sine", depth=8, gain=3.0, learning_rate=1000.0, steps=30, width=6, n_train=30)


@pytest.mark.parametrize(
    ("drawn", "found", "said"),
    [
        (-1, -1.3, ""),
        (0, math.log10(3.2), "by a factor of 3.2"),
        (-1, -2.2, "by one power of ten"),
        (-1, -6, "by five powers of ten"),
        (0, -20, "by 20 powers of ten"),
    ],
)
def test_how_far_off_is_said_in_powers_of_ten(drawn, found, said):
    assert off(drawn, found) == off(found, drawn) == said


def gradient(experiment, first, last=0.0):
    """What is said of the patient of a drawing that is straight on the log axis, and the run."""
    on, history = canvas(GRADIENT, experiment, experiment), train(experiment)
    drawn = np.linspace(first, last, experiment.depth).tolist()
    return words(on, "patient", drawn, history), history


@pytest.mark.parametrize(
    ("experiment", "drawn", "overlooked", "field"),
    [
        (SIGMOID, 0, "the slope shrinks the signal", "slope_factor"),
        (replace(SIGMOID, gain=0.1), 0, "the weights shrink the signal", "weight_factor"),
        (RELU, -5, "the weights make the signal grow", "weight_factor"),
        (replace(RELU, residual="plain", gain=3.0), -3, "the weights and the skip connections", "weight_factor"),
    ],
    ids=["sigmoid", "small weights", "He", "skip connections"],
)
def test_the_overlooked_factor_is_named_with_what_is_left_without_it(experiment, drawn, overlooked, field):
    said, history = gradient(experiment, drawn)
    ratio = history.delta_rms[0, 0] / history.delta_rms[0, -2]
    other = {"slope_factor": "weight_factor", "weight_factor": "slope_factor"}[field]
    left = np.prod(getattr(history, other)[0, : experiment.depth - 1])
    mean = np.prod(getattr(history, field)[0, : experiment.depth - 1]) ** (1 / (experiment.depth - 1))
    expected = f"{share(10**drawn) if drawn else 'all of'} the last hidden layer’s signal"
    assert f"expected {expected}; it is {share(ratio)} it: off by" in said.said
    assert f"What was overlooked: {overlooked}" in said.explained
    assert f". Without that, {share(left)} the signal" in said.explained
    assert f"{number(mean)} from the {overlooked.split()[1]}" in said.explained
    assert f"You drew {number(10 ** (drawn / 9))} a layer." in said.explained
    assert not said.right


def test_who_draws_what_one_layer_does_is_told_how_often():
    _, history = gradient(SIGMOID, 0)
    said, _ = gradient(SIGMOID, math.log10(history.gradient_ratio[0]) / 9)
    assert said.explained.startswith("You drew what one layer does; it does so 9 times over.")


@pytest.mark.parametrize(
    ("experiment", "said", "explained"),
    [
        (replace(RELU, activation="tanh", initializer="zeros"), "no signal at all reaches any hidden layer", "weights"),
        (AT_ONCE, "there is none", "not finite at step 0"),
        (replace(AT_ONCE, precision="float64", gain=1.0), "it is", "overlooked: the weights make"),
    ],
    ids=["of zeros", "diverging at once", "exploding"],
)
def test_a_signal_that_is_nothing_or_overflows_is_said(experiment, said, explained):
    found, _ = gradient(experiment, -1.0)
    assert said in found.said
    assert explained in found.explained


@pytest.mark.parametrize("name", [GRADIENT, LOSS])
@pytest.mark.parametrize("experiment", [SIGMOID, RELU, LEARNS], ids=["sigmoid", "relu", "learns"])
def test_the_measured_curve_itself_is_right(name, experiment):
    on, history = canvas(name, experiment, experiment), train(experiment)
    at, values = measured(on, history)
    drawn = [math.log10(values[int(np.searchsorted(at, point, side="right")) - 1]) for point in on.points["patient"]]
    found = words(on, "patient", drawn, history)
    assert found.right
    assert "as you drew it" in found.said
    drawn[len(drawn) // 2] -= 2
    found = words(on, "patient", drawn, history)
    assert not found.right
    assert "Farthest off is" in found.said
    assert "by two powers of ten" in found.said


@pytest.mark.parametrize(
    ("experiment", "explained"),
    [
        (OVERFITS, "You drew no turn: on validation data it is lowest at step {best}"),
        (
            replace(LEARNS, initializer="zeros"),
            "It never gets far below the loss of always giving the average answer, 0.69",
        ),
        (SLOW, "It is slower than you drew, and not at its end"),
        (DIVERGES, "The training loss goes from"),
        (LEARNS, "Half of its way down, in powers of ten, is done by step"),
    ],
    ids=["turns", "learns nothing", "slow", "diverges", "learns"],
)
def test_a_learning_curve_is_explained_by_the_run(experiment, explained):
    on, history = canvas(LOSS, experiment, experiment), train(experiment)
    drawn = np.linspace(on.level, on.low, len(on.points["patient"])).tolist()
    found = words(on, "patient", drawn, history)
    assert explained.format(best=history.best_step) in found.explained
    diagnosis = diagnose(history)
    named = HEADINGS[diagnosis[0].code] if diagnosis else "The doctor finds nothing wrong"
    assert named[1:] in found.explained
    assert ("not finite" in found.said) == (history.status == "diverged")
    assert not found.right


def test_there_is_a_point_for_each_hidden_layer_or_tenth_of_the_run():
    on = canvas(GRADIENT, SIGMOID, replace(SIGMOID, depth=1))
    assert on.points == {"patient": list(range(1, 11))}
    assert canvas(GRADIENT, replace(SIGMOID, depth=1), replace(RELU, depth=1)) is None
    steps = canvas(LOSS, LEARNS, SLOW).points
    assert steps["patient"] == steps["treated"] == list(range(0, 201, 20))
    assert canvas(LOSS, replace(LEARNS, steps=3), SLOW).points["patient"] == [0, 1, 2, 3]
    assert canvas(LOSS, LEARNS, SLOW).up == "loss on validation data (nats, log)"
    assert "nats or squared error, log" in canvas(LOSS, LEARNS, replace(LEARNS, loss="mse")).up


@pytest.mark.parametrize(
    "given",
    [None, [], {}, "patient", {"nobody": [0.0]}, {"patient": [0.0]}, {"patient": [math.nan] * 10},
     {"patient": ["0"] * 10}, {"patient": [math.inf] * 10}],
    ids=str,
)  # fmt: skip
def test_what_is_no_drawing_is_not_taken_for_one(given):
    assert read_drawing(canvas(GRADIENT, SIGMOID, RELU), given) is None


def test_a_drawing_is_brought_onto_the_axis():
    on = canvas(GRADIENT, SIGMOID, RELU)
    drawn = read_drawing(on, {"patient": [-1e9, 1e9, *[-1] * 8]})
    assert drawn == {"patient": [on.low, on.high, *[-1.0] * 7, 0.0]}
