"""Each detector of signals and of units: a run that must raise it, a near miss, and its number counted another way."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, diagnose, load_dataset, train, train_many
from engine.doctor import signal_detectors
from engine.formatting import number, percent
from engine.theory import gradient_flow
from tests.engine.examined_runs import SMALL, edited, examined, finding, run


def rms(values):
    return float(np.sqrt(np.mean(np.square(np.asarray(values)))))


def probe_signals(oracle, history, frame=0):
    """∂L/∂z of each layer on the probe, by PyTorch."""
    e, dataset = history.experiment, load_dataset(history.experiment)
    n = min(256, e.n_train)
    output = {"binary": "sigmoid", "classes": "softmax", "regression": "linear"}[dataset.task]
    loss = "mse" if dataset.task == "regression" else "cross_entropy"
    targets = oracle.one_hot(dataset.train_targets[:n], dataset.task, dataset.n_out)
    layers = oracle.layers_of(history, frame)
    return oracle.gradients(layers, dataset.train_inputs[:n], targets, output, loss, e.activation)[2]


# --- symmetry ---


def with_equal_units(history, count):
    """The run as if the first `count` units of layer 1 had started as one."""
    first, second = (history.weights[layer].copy() for layer in (0, 1))
    first[0, :, :count], second[0, :count] = first[0, :, :1], second[0, :1]
    return edited(history, weights=(first, second, *history.weights[2:]))


def test_symmetry_is_half_of_the_units_equal():
    found = signal_detectors.symmetry(with_equal_units(run(), 4))
    assert (found.measured, found.layers) == (0.5, (0,))
    assert signal_detectors.symmetry(with_equal_units(run(), 3)) is None


def test_symmetry_names_every_layer_of_a_constant_start_and_no_start_with_different_biases():
    found = diagnose(run(initializer="constant"))[0]
    assert (found.code, found.severity, found.measured, found.layers) == ("symmetry", "severe", 1.0, (0, 1))
    assert f"Layers 1 to 2: {percent(1)} of the units are equal at the start" in found.explanation
    assert finding(signal_detectors.symmetry, run(initializer="constant", bias=0.1)) is None
    assert "All weights are 0" in diagnose(run(initializer="zeros"))[0].explanation


@pytest.mark.parametrize("distance", [1e-9, 1e-3])
def test_equal_is_equal_up_to_rounding(distance):
    history = run(initializer="constant")
    weights = history.weights[0].copy()
    weights[0] *= 1 + distance * np.arange(weights.shape[2])
    share = signal_detectors.equal_share(edited(history, weights=(weights, *history.weights[1:])), 0)
    units = np.concatenate([weights[0], history.biases[0][0][None], history.weights[1][0].T]).T
    apart = np.linalg.norm(units[:, None] - units[None], axis=2)
    size = np.linalg.norm(units, axis=1)
    nearest = np.where(np.eye(len(units), dtype=bool), np.inf, apart / (size[:, None] + size[None])).min(axis=1)
    assert share == (nearest <= 1e-6).mean() == (1.0 if distance == 1e-9 else 0.0)


def test_symmetry_is_told_of_even_where_one_unit_would_do():
    start = {"initializer": "constant", "gain": 0.3, "depth": 1, "dataset": "breast_cancer"}
    history = run(**start, optimizer="adam", learning_rate=0.01, steps=300)
    assert examined(history).does_well
    assert [(found.code, found.severity) for found in diagnose(history)] == [("symmetry", "warning")]


def test_one_unit_has_no_symmetry():
    assert finding(signal_detectors.symmetry, run(width=1, initializer="constant")) is None


# --- gradients at the start ---


def with_ratio(history, ratio):
    """The run as if R had been `ratio` at the start."""
    delta = history.delta_rms.copy()
    delta[0, :-1] = ratio, *np.ones(history.layers - 2)
    return edited(history, delta_rms=delta)


def test_vanishing_gradients_measure_r_as_automatic_differentiation_does(oracle):
    history = run(depth=8, activation="sigmoid")
    found = diagnose(history)[0]
    signals = [rms(signal) for signal in probe_signals(oracle, history)[:-1]]
    assert found.code == "vanishing_gradients"
    assert found.measured == pytest.approx(signals[0] / signals[-1], rel=1e-9)
    assert found.layers == tuple(layer for layer in range(8) if signals[layer] / signals[-1] < 0.01)
    assert f"layer 1 receives {number(found.measured)} of the error signal of layer 8" in found.explanation
    assert found.severity == "severe"


def test_gradients_that_shrink_less_than_a_hundredfold_are_no_vanishing_gradients():
    history = run(depth=3, activation="sigmoid")
    assert 0.01 < signal_detectors.starting_ratios(examined(history))[0] < 0.05
    assert finding(signal_detectors.vanishing_gradients, history) is None


def test_what_does_not_arrive_has_vanished_even_where_the_last_layer_is_dead_too():
    history = run(depth=12, width=2, activation="relu", initializer="he_normal", seed=1)
    assert history.delta_rms[0, 0] == 0
    assert history.delta_rms[0, -2] == 0
    codes = [(found.code, found.role) for found in diagnose(history)]
    assert codes[:2] == [("dead_units", "cause"), ("vanishing_gradients", "consequence")]
    assert "layer 1 receives no error signal at all" in diagnose(history)[1].explanation


def test_seeds_on_both_sides_of_the_threshold_get_the_cause_that_theory_predicts_for_their_weights():
    start = Experiment(
        depth=4, width=8, activation="sigmoid", initializer="he_normal", gain=0.65, learning_rate=0.01, steps=60,
        dataset="circles", n_train=100, data_seed=0,
    )  # fmt: skip
    histories = train_many([replace(start, seed=seed) for seed in range(8)])
    ratios = [history.gradient_ratio[0] for history in histories]
    predicted = gradient_flow(start).gradient_ratio
    assert min(ratios) < 0.005 < predicted < 0.01 < 0.02 < max(ratios)
    for history, ratio in zip(histories, ratios, strict=True):
        cause = diagnose(history)[0]
        assert (cause.code, cause.measured) == ("vanishing_gradients", predicted)
        assert f"receives {number(ratio)} of the error signal of layer 4; theory predicts 0.0096" in cause.explanation


@pytest.mark.parametrize(("ratio", "decides"), [(0.0032, 0.0032), (0.0035, 0.0096), (0.059, 0.0096), (0.061, None)])
def test_theory_decides_near_the_threshold_alone(ratio, decides):
    history = run(depth=4, activation="sigmoid", initializer="he_normal", gain=0.65)
    found = signal_detectors.vanishing_gradients(with_ratio(history, ratio))
    assert (found and found.measured) == (decides and pytest.approx(decides, abs=1e-4))


def test_gradients_that_vanish_do_not_blow_a_run_up():
    history = run(depth=8, activation="sigmoid")
    assert finding(signal_detectors.vanishing_gradients, history) is not None
    assert signal_detectors.vanishing_gradients(edited(history, status="diverged")) is None


@pytest.mark.parametrize(("ratio", "expected"), [(0.04, True), (0.06, False)])
def test_gradients_that_fade_are_blamed_where_nothing_else_is(ratio, expected):
    unpredicted = replace(run(steps=300, seed=3).experiment, bias_mean=0.1)
    history = replace(run(activation="linear", steps=300, seed=3), experiment=unpredicted)
    codes = [found.code for found in diagnose(with_ratio(history, ratio).history)]
    assert codes == (["vanishing_gradients", "underfitting"] if expected else ["underfitting"])


def test_a_narrow_relu_network_may_have_a_small_ratio_by_chance():
    history = run(depth=20, width=8, activation="relu", initializer="he_normal", seed=3, steps=2)
    tanh = replace(history, experiment=replace(history.experiment, activation="tanh"))

    def vanishes(history, ratio):
        return signal_detectors.vanishing_gradients(with_ratio(history, ratio)) is not None

    # β = 5 · 19/8, within is |ln R²| ≤ β/2 + 3√β = 16.3, R ≥ 2.8e-4
    assert [vanishes(history, ratio) for ratio in (1e-3, 2e-4)] == [False, True]
    assert [vanishes(tanh, ratio) for ratio in (1e-3, 2e-4)] == [True, True]


def test_exploding_gradients_measure_r_as_automatic_differentiation_does(oracle):
    history = run(depth=8, width=32, activation="relu", initializer="he_normal", gain=3.0)
    found = diagnose(history)[0]
    signals = [rms(signal) for signal in probe_signals(oracle, history)[:-1]]
    assert found.code == "exploding_gradients"
    assert found.measured == pytest.approx(signals[0] / signals[-1], rel=1e-9)
    assert finding(signal_detectors.exploding_gradients, run(depth=8, width=32, activation="relu", gain=1.2)) is None


@pytest.mark.parametrize(("per_layer", "severity"), [(0.9, None), (9.0, None), (11.0, "warning"), (110.0, "severe")])
def test_scaled_branches_are_no_explosion(per_layer, severity):
    """Their 1/H is in the δ of every layer but the first: R is H where nothing grows."""
    history = run(depth=8, activation="tanh", initializer="xavier_normal", residual="scaled")
    assert history.gradient_ratio[0] == pytest.approx(8, rel=0.3)
    found = signal_detectors.exploding_gradients(with_ratio(history, 8 * per_layer))
    assert (found and found.severity) == severity
    if found:
        assert (found.threshold, found.layers) == (80, (0,))


def test_a_signal_that_grows_forward_explodes_too(oracle):
    history = run(depth=2, width=64, activation="relu", initializer="standard_normal")
    found = finding(signal_detectors.exploding_gradients, history)
    dataset = load_dataset(history.experiment)
    layers = oracle.layers_of(history)
    z, _, hs, _ = oracle.forward(layers, dataset.train_inputs, "relu")
    assert found.measured == pytest.approx(rms(hs[-1]) * np.sqrt(np.sum(layers[-1]["weights"] ** 2)), rel=1e-9)
    assert 1 / 3 < rms(z) / found.measured < 3  # it would be equal if h were uncorrelated
    assert found.layers == (0, 1, 2)
    assert signal_detectors.starting_ratios(examined(history))[0] < 10
    assert finding(signal_detectors.exploding_gradients, run(depth=2, width=64, activation="relu")) is None


def test_large_targets_and_biases_are_no_explosion():
    assert finding(signal_detectors.exploding_gradients, run(bias=10.0)) is None


@pytest.mark.parametrize(
    ("normalization", "ratio", "learning_rate", "expected"),
    [
        ("none", 50.0, 1e-3, True),
        ("layer", 50.0, 10.0, False),
        ("layer", 200.0, 1e-3, False),
        ("layer", 200.0, 10.0, True),
    ],
)
def test_a_normalised_network_takes_larger_gradients_with_short_steps(normalization, ratio, learning_rate, expected):
    history = run(normalization=normalization, learning_rate=learning_rate)
    assert (signal_detectors.exploding_gradients(with_ratio(history, ratio)) is not None) is expected


def test_r_is_that_of_the_first_update_and_of_the_probe_where_none_was_recorded():
    history, unrecorded = run(depth=4), train(replace(SMALL, depth=4), max_updates=0)
    assert signal_detectors.starting_ratios(examined(history))[0] == history.gradient_ratio[0]
    assert signal_detectors.starting_ratios(examined(unrecorded))[0] == pytest.approx(
        history.gradient_ratio[0], rel=1e-9
    )


# --- units at the start and at the end ---


def test_saturated_units_are_counted_by_their_slope(oracle):
    history = run(bias=10.0, depth=3)
    found = diagnose(history)[0]
    inputs = load_dataset(history.experiment).train_inputs
    _, zs, _, _ = oracle.forward(oracle.layers_of(history), inputs, "tanh")
    shares = [float(np.mean(np.abs(1 - np.tanh(np.asarray(z)) ** 2) < 0.05)) for z in zs]
    assert (found.code, found.steps) == ("saturated_units", (0, 0))
    assert found.measured == max(shares)
    assert found.layers == tuple(layer for layer in range(3) if shares[layer] > 0.5)
    assert percent(max(shares)) in found.explanation
    assert found.remedies[0] == "bias"
    biases = np.sqrt(np.mean(history.biases[int(np.argmax(shares))][0] ** 2))
    assert f"with biases {number(biases)} in size, " in found.explanation
    wide = run(initializer="standard_normal", gain=10.0, bias=1.0, depth=3)
    assert "biases" not in finding(signal_detectors.saturated_units, wide).explanation, "its weights do it"
    assert finding(signal_detectors.saturated_units, run(bias=1.0)) is None


@pytest.mark.parametrize(
    ("settings", "share", "expected"),
    [
        ({}, 0.51, True),
        ({}, 0.49, False),
        ({"activation": "elu"}, 0.9, False),  # one side only
        ({"normalization": "batch"}, 0.9, False),  # its running statistics know nothing yet
    ],
)
def test_more_than_half_of_a_layer_that_is_flat_on_both_sides_is_saturated(settings, share, expected):
    history = run(**settings)
    saturated = np.full_like(history.saturated_fraction, share)
    found = signal_detectors.saturated_units(edited(history, saturated_fraction=saturated))
    assert (found is not None) is expected


@pytest.mark.parametrize(("share", "expected"), [(0.31, True), (0.29, False)])
def test_a_third_of_a_layer_that_is_flat_is_blamed_where_nothing_else_is(share, expected):
    learnt_nothing = run(activation="linear", steps=300, seed=3)
    history = replace(learnt_nothing, experiment=run(steps=300, seed=3).experiment)
    saturated = np.zeros_like(history.saturated_fraction)
    saturated[0, 1] = share
    found = diagnose(replace(history, saturated_fraction=saturated))
    assert [one.code for one in found] == (["saturated_units", "underfitting"] if expected else ["underfitting"])
    if expected:
        assert (found[0].measured, found[0].threshold, found[0].layers) == (share, 0.3, (1,))


def test_a_layer_can_be_born_dead(oracle):
    history = run(depth=12, width=2, activation="relu", initializer="he_normal", seed=1)
    found = diagnose(history)[0]
    assert (found.code, found.measured, found.steps) == ("dead_units", 1.0, (0, 0))
    _, zs, _, _ = oracle.forward(oracle.layers_of(history), load_dataset(history.experiment).train_inputs, "relu")
    assert found.layers == tuple(layer for layer, z in enumerate(zs) if (np.asarray(z) <= 0).all())
    half = history.dead_fraction.copy()
    half[0, :-1] = 0.5
    assert signal_detectors.born_dead(edited(history, dead_fraction=half)) is None


def test_dead_units_are_those_that_died(oracle):
    history = run(activation="relu", initializer="he_normal", learning_rate=20.0, steps=100)
    found = finding(signal_detectors.dead_units, history)
    inputs = load_dataset(history.experiment).train_inputs
    _, zs, _, _ = oracle.forward(oracle.layers_of(history, -1), inputs, "relu")
    shares = [float((np.asarray(z) <= 0).all(axis=0).mean()) for z in zs]
    assert found.measured == max(shares)
    assert found.layers == tuple(layer for layer, share in enumerate(shares) if share >= 0.5)
    since = history.evaluation_step.tolist().index(found.steps[0])
    worst = shares.index(max(shares))
    assert history.dead_fraction[since, worst] >= 0.5 > history.dead_fraction[:since, worst].max(initial=0)


def test_half_a_layer_may_be_dead_which_is_no_cause():
    history = run(activation="relu")
    for share, cause, symptom in ((0.49, False, False), (0.5, False, True), (0.51, True, True)):
        dead = edited(history, dead_fraction=np.full_like(history.dead_fraction, share))
        assert (signal_detectors.dead_units(dead) is not None) is cause
        assert (signal_detectors.half_dead(dead) is not None) is symptom


def test_one_unit_left_of_two_is_a_cause():
    """Half of the units, in a layer of four and of two: from there all that passes is one number."""
    wide, narrow = run(activation="relu", width=4), run(activation="relu", width=2)
    for history, expected in ((wide, False), (narrow, True)):
        dead = edited(history, dead_fraction=np.full_like(history.dead_fraction, 0.5))
        assert (signal_detectors.dead_units(dead) is not None) is expected


@pytest.mark.parametrize(
    ("log_ratio", "within"),
    # β = 5 · 10/16 = 3.125: the band ends at ln R² = β/2 + 3 √β = 6.866.
    [(3.42, True), (3.45, False), (-3.42, True), (-3.45, False)],
)
def test_chance_reaches_half_of_beta_and_three_deviations(log_ratio, within):
    deep = examined(train(Experiment(activation="relu", depth=11, width=16, steps=1)))
    assert signal_detectors._within_scatter(deep, float(np.exp(log_ratio))) is within
