"""Each detector: a run that must raise it, a near miss that must not, and its number by another way of counting."""

from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pytest

from engine import (
    Experiment,
    batch_indices,
    diagnose,
    fit_detectors,
    load_dataset,
    signal_detectors,
    step_detectors,
    train,
)
from engine.examination import Examination
from engine.words import number, percent
from tests.engine import oracle

SMALL = Experiment(dataset="circles", depth=2, width=8, activation="tanh", initializer="xavier_normal", steps=60)


@cache
def run(**settings):
    return train(replace(SMALL, **settings))


def examined(history):
    return Examination(history)


def edited(history, **fields):
    """The same run as if some of what it left behind were different."""
    return examined(replace(history, **fields))


def finding(detect, history):
    with np.errstate(all="ignore"):
        return detect(examined(history))


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def probe_signals(history, frame=0):
    """∂L/∂z of each layer on the probe, by JAX."""
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
    assert "Layers 1 to 2: 100 % of the units are equal at the start" in found.explanation
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


def test_vanishing_gradients_measure_r_as_jax_does():
    history = run(depth=8, activation="sigmoid")
    found = diagnose(history)[0]
    signals = [rms(signal) for signal in probe_signals(history)[:-1]]
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


def test_gradients_that_vanish_do_not_blow_a_run_up():
    history = run(depth=8, activation="sigmoid")
    assert finding(signal_detectors.vanishing_gradients, history) is not None
    assert signal_detectors.vanishing_gradients(edited(history, status="diverged")) is None


@pytest.mark.parametrize(("ratio", "expected"), [(0.04, True), (0.06, False)])
def test_gradients_that_fade_are_blamed_where_nothing_else_is(ratio, expected):
    history = replace(run(activation="linear", steps=300, seed=3), experiment=run(steps=300, seed=3).experiment)
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


def test_exploding_gradients_measure_r_as_jax_does():
    history = run(depth=8, width=32, activation="relu", initializer="he_normal", gain=3.0)
    found = diagnose(history)[0]
    signals = [rms(signal) for signal in probe_signals(history)[:-1]]
    assert found.code == "exploding_gradients"
    assert found.measured == pytest.approx(signals[0] / signals[-1], rel=1e-9)
    assert finding(signal_detectors.exploding_gradients, run(depth=8, width=32, activation="relu", gain=1.2)) is None


def test_a_signal_that_grows_forward_explodes_too():
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


def test_saturated_units_are_counted_by_their_slope():
    history = run(bias=10.0, depth=3)
    found = diagnose(history)[0]
    inputs = load_dataset(history.experiment).train_inputs
    _, zs, _, _ = oracle.forward(oracle.layers_of(history), inputs, "tanh")
    shares = [float(np.mean(np.abs(1 - np.tanh(z) ** 2) < 0.05)) for z in zs]
    assert (found.code, found.steps) == ("saturated_units", (0, 0))
    assert found.measured == max(shares)
    assert found.layers == tuple(layer for layer in range(3) if shares[layer] > 0.5)
    assert percent(max(shares)) in found.explanation
    assert found.remedies[0] == "bias"
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


def test_a_layer_can_be_born_dead():
    history = run(depth=12, width=2, activation="relu", initializer="he_normal", seed=1)
    found = diagnose(history)[0]
    assert (found.code, found.measured, found.steps) == ("dead_units", 1.0, (0, 0))
    _, zs, _, _ = oracle.forward(oracle.layers_of(history), load_dataset(history.experiment).train_inputs, "relu")
    assert found.layers == tuple(layer for layer, z in enumerate(zs) if (np.asarray(z) <= 0).all())
    half = history.dead_fraction.copy()
    half[0, :-1] = 0.5
    assert signal_detectors.born_dead(edited(history, dead_fraction=half)) is None


def test_dead_units_are_those_that_died():
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


# --- steps ---


@pytest.mark.parametrize(("steps", "expected"), [(19, True), (20, False)])
def test_a_run_of_few_steps_has_hardly_begun(steps, expected):
    history = run(steps=steps, learning_rate=3.0)
    found = finding(step_detectors.cut_short, history)
    assert (found is not None) is expected
    if expected:
        assert (found.code, found.measured, found.remedies) == ("underfitting", steps, ("steps",))
        assert found.explanation.startswith(f"It was trained for {steps} steps only")
        assert diagnose(history)[0] == found
        assert step_detectors.cut_short(edited(history, status="diverged")) is None


def test_a_run_that_stopped_by_itself_was_not_cut_short():
    assert finding(step_detectors.cut_short, run(**PARROT | {"patience": 2})) is None


def test_a_network_that_was_not_moved_has_its_steps_to_blame_unless_its_gradients_exploded_by_far():
    loud = {"depth": 6, "width": 32, "activation": "relu", "initializer": "he_normal"}
    clipped = {"clip": "norm", "clip_threshold": 1e-6}
    causes = {gain: diagnose(run(**loud, **clipped, gain=gain))[0] for gain in (2.0, 4.0)}
    assert 10 < signal_detectors.starting_ratios(examined(run(**loud, gain=2.0)))[0] < 100
    assert [found.code for found in causes.values()] == ["learning_rate_too_low", "exploding_gradients"]
    assert diagnose(run(**loud, gain=2.0))[0].code == "exploding_gradients"


def test_a_learning_rate_is_too_high_where_a_step_throws_the_weights_about():
    history = run(learning_rate=10.0, steps=100)
    found = diagnose(history)[0]
    early = history.evaluation_step[:10].max()  # a tenth of 101 evaluations
    moved = [
        [update / weight for update, weight in zip(updates, weights, strict=True) if update > 0]
        for updates, weights in zip(history.update_norm[: early + 1].T, history.weight_norm[: early + 1].T, strict=True)
    ]
    assert found.code == "learning_rate_too_high"
    assert found.measured == pytest.approx(max(np.percentile(ratios, 90) for ratios in moved), rel=1e-12)
    assert finding(step_detectors.learning_rate_too_high, run(learning_rate=0.1)) is None


def test_a_loss_that_jumps_tells_of_a_learning_rate_even_without_recorded_updates():
    history = train(replace(SMALL, learning_rate=100.0), max_updates=0)
    found = finding(step_detectors.learning_rate_too_high, history)
    assert found.metric == "highest training loss over the first"
    uninformed = np.log(2)
    assert found.measured == pytest.approx(history.train_loss.max() / max(history.train_loss[0], uninformed), rel=0.01)


@pytest.mark.parametrize(("times", "expected"), [(5.1, True), (4.9, False)])
def test_a_jump_is_to_five_times_the_loss_at_the_start(times, expected):
    losses = np.linspace(1.0, 0.1, len(run().train_loss))
    losses[3] = times
    assert (step_detectors.learning_rate_too_high(edited(run(), train_loss=losses)) is not None) is expected


@pytest.mark.parametrize(("rises", "expected"), [(0.2, True), (0.05, False)])
def test_long_steps_are_too_long_where_the_loss_goes_up_and_down(rises, expected):
    history = run()
    losses = np.linspace(1.0, 0.0, len(history.train_loss))
    losses[20] = losses[19] + rises
    found = step_detectors.learning_rate_too_high(
        edited(history, train_loss=losses, update_norm=0.2 * history.weight_norm)
    )
    assert (found is not None) is expected
    if expected:
        assert found.measured == pytest.approx(0.2)


def test_a_first_loss_beyond_all_measure_does_not_hide_that_it_goes_up_and_down():
    history = run()
    losses = np.tile([0.3, 0.5], 40)[: len(history.train_loss)]
    losses[0] = 1e4
    # each of the rises by .2 counts against the span from five times ln 2 to .3
    rises = (len(losses) - 1) // 2 * 0.2
    uninformed = examined(history).uninformed
    assert edited(history, train_loss=losses).unrest == pytest.approx(rises / (5 * uninformed - 0.3), abs=0.07)


def test_weights_that_were_thrown_far_away_for_nothing_tell_of_a_learning_rate():
    history = run()
    weights = tuple(np.stack([frames[0], 7 * frames[0]]) for frames in history.weights)
    lost = {"weights": weights, "train_loss": np.full_like(history.train_loss, 0.7)}
    assert step_detectors.learning_rate_too_high(edited(history, **lost)).measured == pytest.approx(6.0)
    assert (
        step_detectors.learning_rate_too_high(edited(history, weights=weights, train_loss=history.train_loss * 0.5))
        is None
    )


def test_a_learning_rate_is_too_low_where_the_network_gets_nowhere():
    history = run(learning_rate=1e-4)
    found = diagnose(history)[0]
    start, end = (np.concatenate([frames[i].ravel() for frames in history.weights]) for i in (0, -1))
    assert (found.code, found.layers, found.steps) == ("learning_rate_too_low", (0, 1, 2), (0, 60))
    assert found.measured == pytest.approx(np.linalg.norm(end - start) / np.linalg.norm(start), rel=1e-12)
    assert "learning_rate_up" in found.remedies
    assert finding(step_detectors.learning_rate_too_low, run(learning_rate=0.3)) is None


@pytest.mark.parametrize(("wrong", "expected"), [(0.11, True), (0.09, False)])
def test_a_network_that_fits_its_training_data_does_not_need_longer_steps(wrong, expected):
    history = run(learning_rate=1e-4)
    targets = load_dataset(history.experiment).validation_targets
    right = np.full_like(history.train_accuracy, 1 - wrong * min(targets.mean(), 1 - targets.mean()))
    assert (step_detectors.learning_rate_too_low(edited(history, train_accuracy=right)) is not None) is expected


def test_clipping_can_make_steps_too_short_and_is_then_the_first_remedy():
    found = diagnose(run(clip="norm", clip_threshold=1e-4))[0]
    assert (found.code, found.remedies[0]) == ("learning_rate_too_low", "clip")


def test_a_network_that_has_arrived_does_not_need_longer_steps():
    history = run(activation="linear", steps=300, seed=3)
    found = diagnose(history)
    assert [one.code for one in found] == ["underfitting"]


def test_not_finite_names_the_first_tensor():
    history = run(learning_rate=1000.0, activation="relu", loss="mse", dataset="sine", steps=200)
    found = finding(step_detectors.not_finite, history)
    step, layer, tensor = history.diverged_at
    assert found.steps == (step, step)
    assert found.layers == (() if layer is None else (layer,))
    assert f"At step {step} the {tensor}" in found.explanation
    assert diagnose(history)[0].code == "learning_rate_too_high"
    assert found.code in [one.code for one in diagnose(history) if one.role == "consequence"]


@pytest.mark.parametrize(("times", "expected"), [(1100, True), (900, False)])
def test_a_loss_that_grew_a_thousandfold_counts_as_not_finite(times, expected):
    history = run()
    losses = history.train_loss.copy()
    losses[7] = times * max(losses[0], Examination(history).uninformed)
    assert (step_detectors.not_finite(edited(history, train_loss=losses)) is not None) is expected


# --- regularisation ---


def test_a_penalty_that_overshoots_is_found_by_eta_lambda():
    found = diagnose(run(learning_rate=0.3, l2=7.0, steps=100))[0]
    assert (found.code, found.measured) == ("over_regularized", pytest.approx(2.1))
    assert "1 − ηλ = −1.1" in found.explanation
    assert fit_detectors._overshooting_penalty(examined(run(learning_rate=0.3, l2=6.6, steps=2))) is None


def test_a_penalty_rules_where_it_pulls_as_hard_as_the_data_and_shrinks_the_weights():
    history = run(l2=0.5, steps=200)
    found = diagnose(history)[0]

    def gradients(frame, step):
        layers = oracle.layers_of(history, frame)
        e, dataset = history.experiment, load_dataset(history.experiment)
        batch = batch_indices(e, step)
        _, data, _, _ = oracle.gradients(
            layers, dataset.train_inputs[batch], dataset.train_targets[batch], "sigmoid", "cross_entropy", "tanh"
        )
        norm = np.sqrt(sum(float(np.square(leaf).sum()) for leaf in jax.tree.leaves(data)))
        return e.l2 * np.sqrt(sum(float(np.square(layer["weights"]).sum()) for layer in layers)) / norm

    steps = history.frame_step[history.frame_step < 20]  # the first tenth
    ratios = [gradients(frame, int(step)) for frame, step in enumerate(steps)]
    assert found.code == "over_regularized"
    assert min(ratios) <= found.measured <= max(ratios)
    assert found.remedies == ("l2",)
    assert finding(fit_detectors.over_regularized, run(l2=1e-3)) is None


@pytest.mark.parametrize(("pull", "kept", "expected"), [(0.16, 0.79, True), (0.14, 0.5, False), (1.5, 0.81, False)])
def test_a_penalty_rules_where_it_pulls_as_training_starts_and_the_weights_shrink(pull, kept, expected):
    history = run(l2=1e-3)
    norms = history.weight_norm.copy()
    norms[-1] = kept * norms[0]
    pulled = {"penalty_gradient_norm": pull * history.data_gradient_norm, "weight_norm": norms}
    found = fit_detectors.over_regularized(edited(history, **pulled))
    assert (found is not None) is expected
    if found:
        assert (found.measured, found.threshold) == pytest.approx((pull, 0.15))


def test_dropping_most_units_is_over_regularized_where_it_does_not_learn():
    found = diagnose(run(dropout=0.9))[0]
    assert (found.code, found.measured, found.remedies) == ("over_regularized", 0.9, ("dropout", "wider"))
    assert finding(fit_detectors.masked_out, run(dropout=0.5)) is None


# --- how well it does ---

PARROT = {"label_noise": 0.3, "n_train": 60, "width": 64, "optimizer": "adam", "learning_rate": 0.02, "steps": 300}


def test_overfitting_measures_the_gap_that_label_noise_does_not_explain():
    history = run(**PARROT)
    found = diagnose(history)[0]
    right = history.validation_accuracy[-10:]
    expected = right * 0.7 + (1 - right) * 0.3
    assert found.code == "overfitting"
    assert found.measured == pytest.approx(np.median(history.train_accuracy[-10:] - expected))
    best = int(history.validation_loss.argmin())
    rise = 100 * (history.validation_loss[-1] / history.validation_loss[best] - 1)
    assert found.steps == (history.evaluation_step[best], 300)
    assert f"{number(rise)} % above its lowest, which was at step {history.evaluation_step[best]}" in found.explanation


def test_early_stopping_overfits_less_than_it_would():
    assert finding(fit_detectors.overfitting, run(**PARROT | {"patience": 5})) is None


@pytest.mark.parametrize(("lowest", "share"), [(0.2, 0.1), (0.4, 0.2)])
def test_a_gap_counts_where_chance_does_not_explain_it(lowest, share):
    """A tenth of the constant answer's error where the loss on new data has grown, else a fifth, and three standard
    errors of 300 examples."""
    history = run(steps=100)
    targets = load_dataset(history.experiment).validation_targets
    validation, n = np.full(101, 0.84), 101
    threshold = share * min(targets.mean(), 1 - targets.mean()) + 3 * np.sqrt(0.84 * 0.16 / 300)
    losses = {"train_loss": np.full(n, 0.01), "validation_loss": np.r_[lowest, np.full(n - 1, 0.4)]}
    for more, expected in ((0.001, True), (-0.001, False)):
        train = validation + threshold + more
        found = fit_detectors.overfitting(
            edited(history, train_accuracy=train, validation_accuracy=validation, **losses)
        )
        assert (found is not None) is expected
        if found:
            assert (found.measured, found.threshold) == pytest.approx((threshold + more, threshold))


def test_a_network_that_is_sure_of_itself_and_right_is_not_overfitted():
    """Its loss on new data has doubled since its lowest, at 97 % right answers."""
    history = run(steps=100)
    sure = np.full(101, 0.97)
    found = diagnose(
        replace(
            history, train_accuracy=np.ones(101), validation_accuracy=sure, train_loss=np.full(101, 1e-4),
            validation_loss=np.r_[0.1, np.full(100, 0.25)],
        )
    )  # fmt: skip
    assert found == ()


def test_underfitting_compares_with_the_best_constant_answer():
    history = run(activation="linear", steps=300, seed=3)
    found = finding(fit_detectors.underfitting, history)
    share = float(load_dataset(history.experiment).train_targets.mean())
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert found.measured == pytest.approx(history.train_loss[-1] / entropy, rel=1e-12)
    assert found.threshold == 0.5
    wide = run(width=32, optimizer="adam", learning_rate=0.01, steps=300)
    assert finding(fit_detectors.underfitting, wide) is None
    assert diagnose(wide) == ()


def test_a_network_that_is_right_but_unsure_does_not_underfit():
    """Its loss is .6 of the constant answer's, at 98 % right answers; at 60 % it underfits."""
    history = run(steps=100)
    loss = np.full(101, 0.6 * np.log(2))
    for right, expected in ((0.98, False), (0.6, True)):
        answers = {"train_accuracy": np.full(101, right), "validation_accuracy": np.full(101, right)}
        assert (fit_detectors.underfitting(edited(history, train_loss=loss, **answers)) is not None) is expected


def test_linear_layers_are_one_straight_line():
    history = run(activation="linear", dataset="circles", steps=300)
    found = diagnose(history)[0]
    data = load_dataset(history.experiment)
    linear_model = pytest.importorskip("sklearn.linear_model")
    line = linear_model.LinearRegression().fit(data.train_inputs, data.train_targets)
    wrong = ((line.predict(data.validation_inputs) > 0.5) != data.validation_targets).mean()
    share = wrong / min(data.validation_targets.mean(), 1 - data.validation_targets.mean())
    assert (found.code, found.remedies) == ("underfitting", ("activation",))
    assert found.measured == pytest.approx(share - examined(history).neighbours_share)
    assert finding(fit_detectors.straight, run(activation="tanh", dataset="circles")) is None
    assert finding(fit_detectors.straight, run(activation="linear", dataset="blobs")) is None  # where a line will do


@pytest.mark.parametrize(
    ("width", "dataset", "expected"), [(2, "circles", True), (3, "circles", False), (2, "blobs", False)]
)
def test_two_units_enclose_nothing(width, dataset, expected):
    found = finding(fit_detectors.too_few_units, run(depth=1, width=width, dataset=dataset))
    assert (found is not None) is expected
    if expected:
        assert (found.code, found.measured, found.remedies) == ("underfitting", 2, ("wider", "deeper"))


@pytest.mark.parametrize("width", [1, 3, 64])
def test_the_best_line_of_so_few_numbers_is_reduced_rank_regression(width):
    """The directions in which the line's answers spread most are what scikit-learn's PCA of them finds."""
    decomposition = pytest.importorskip("sklearn.decomposition")
    linear_model = pytest.importorskip("sklearn.linear_model")
    history = run(dataset="digits", width=width, steps=1)
    data = load_dataset(history.experiment)
    line = linear_model.LinearRegression().fit(data.train_inputs, data.target_rows("train"))
    spread = decomposition.PCA(min(width, 9)).fit(line.predict(data.train_inputs))
    given = spread.inverse_transform(spread.transform(line.predict(data.validation_inputs)))
    wrong = (given.argmax(axis=1) != data.target_rows("validation").argmax(axis=1)).mean()
    most = data.target_rows("validation").mean(axis=0).max()
    assert examined(history).line_share == pytest.approx(wrong / (1 - most), abs=0.02)


def test_label_noise_is_not_held_against_a_network():
    """Of what it costs, −Σ p ln p with p = .2, nobody gets rid who knows the right answers."""
    history = run(label_noise=0.2)
    unavoidable = -0.2 * np.log(0.2) - 0.8 * np.log(0.8)
    assert Examination(history).unavoidable == pytest.approx(unavoidable)
    blobs = run(label_noise=0.2, dataset="blobs")
    assert Examination(blobs).unavoidable == pytest.approx(-0.2 * np.log(0.1) - 0.8 * np.log(0.8))
    assert Examination(run(label_noise=0.2, loss="mse")).unavoidable == pytest.approx(0.16)


def test_to_learn_nothing_is_not_well_even_where_the_neighbours_do_no_better():
    history = run(dataset="sine", n_train=20, noise=2.0, learning_rate=1e-9)
    assert examined(history).neighbours_share > 0.95
    assert not examined(history).does_well


@pytest.mark.parametrize("dataset", ["circles", "blobs", "sine", "digits"])
def test_the_nearest_neighbours_vote_is_scikit_learns(dataset):
    neighbors = pytest.importorskip("sklearn.neighbors")
    history = run(dataset=dataset, steps=1)
    data = load_dataset(history.experiment)
    regression = data.task == "regression"
    kind = neighbors.KNeighborsRegressor if regression else neighbors.KNeighborsClassifier
    errors = []
    for k in (1, 5, 15):
        answers = kind(k).fit(data.train_inputs, data.train_targets.ravel()).predict(data.validation_inputs[:300])
        truth = data.validation_targets.ravel()[:300]
        errors.append(np.mean((answers - truth) ** 2) if regression else np.mean(answers != truth))
    assert Examination(history).neighbours == pytest.approx(min(errors), abs=1e-12 if regression else 0.01)
