"""Losses: closed forms, extremes, and slopes against central differences of longer numbers."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
from scipy.optimize import minimize

from engine import Experiment, load_dataset, train
from engine.data.baselines import uninformed_loss
from engine.losses import LOSSES, chosen_loss, chosen_output, outputs
from engine.measures import predicted_classes
from engine.starting_signal import starting_signal
from tests.engine.contract import difference

CROSS_ENTROPY, MSE = LOSSES["cross_entropy"], LOSSES["mse"]


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_uninformed_softmax_costs_ln_c(n_classes):
    z = np.full((1, 4, n_classes), 7.3)
    targets = np.eye(n_classes)[None, [0, 1, 0, 1]]
    assert CROSS_ENTROPY.value(z, targets, "softmax")[0] == pytest.approx(log(n_classes), rel=1e-14)
    np.testing.assert_allclose(outputs(z, "softmax"), 1 / n_classes)


@pytest.mark.parametrize(("dataset", "n_classes"), [("moons", 2), ("blobs", 3), ("digits", 10)])
def test_uninformed_network_starts_at_ln_c(dataset, n_classes):
    history = train(Experiment(dataset=dataset, initializer="zeros", steps=1))
    assert history.train_loss[0] == pytest.approx(log(n_classes), rel=1e-14)
    assert history.batch_loss[0] == pytest.approx(log(n_classes), rel=1e-14)


def test_mse_of_an_uninformed_classifier():
    z = np.zeros((1, 2, 1))
    assert MSE.value(z, np.array([[[0.0], [1.0]]]), "sigmoid")[0] == 0.25
    assert MSE.value(np.zeros((1, 1, 4)), np.eye(4)[None, :1], "softmax")[0] == pytest.approx((0.75**2 + 3 / 16) / 4)


def test_two_softmax_outputs_are_one_sigmoid_of_their_difference():
    z = np.random.default_rng(0).normal(size=(3, 5, 2)) * 4
    right = np.random.default_rng(1).integers(0, 2, (3, 5))
    single, label = z[..., 1:] - z[..., :1], right[..., None].astype(float)
    np.testing.assert_allclose(
        CROSS_ENTROPY.value(z, np.eye(2)[right], "softmax"), CROSS_ENTROPY.value(single, label, "sigmoid"), rtol=1e-13
    )
    np.testing.assert_allclose(
        CROSS_ENTROPY.gradient(z, np.eye(2)[right], "softmax")[..., 1:],
        CROSS_ENTROPY.gradient(single, label, "sigmoid"),
        rtol=1e-12,
    )


def test_cross_entropy_is_exact_where_probabilities_round_to_0_and_1():
    z = np.array([[[800.0], [-800.0]]])
    wrong, right = np.array([[[0.0], [1.0]]]), np.array([[[1.0], [0.0]]])
    with np.errstate(over="ignore"):  # the logistic function's exponential
        assert CROSS_ENTROPY.value(z, wrong, "sigmoid")[0] == 800
        assert CROSS_ENTROPY.value(z, right, "sigmoid")[0] == 0
        np.testing.assert_array_equal(CROSS_ENTROPY.gradient(z, wrong, "sigmoid"), [[[0.5], [-0.5]]])
    z = np.array([[[1e5, 0.0, -1e5]]])
    assert CROSS_ENTROPY.value(z, np.eye(3)[None, 2:], "softmax")[0] == 2e5
    assert CROSS_ENTROPY.value(z, np.eye(3)[None, :1], "softmax")[0] == 0
    assert np.exp(-40) == pytest.approx(
        CROSS_ENTROPY.value(np.array([[[40.0]]]), np.ones((1, 1, 1)), "sigmoid")[0], rel=1e-12
    )


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_a_confidently_wrong_output_learns_slowly_under_mse_alone(output):
    z = np.array([[[12.0]]]) if output == "sigmoid" else np.array([[[12.0, 0.0]]])
    targets = np.zeros((1, 1, 1)) if output == "sigmoid" else np.array([[[0.0, 1.0]]])
    assert np.abs(CROSS_ENTROPY.gradient(z, targets, output)).max() > 0.99
    assert np.abs(MSE.gradient(z, targets, output)).max() < 2e-5


def test_means_are_over_batch_and_outputs_as_defined():
    z = np.random.default_rng(2).normal(size=(1, 6, 3))
    targets = np.random.default_rng(3).normal(size=(1, 6, 3))
    assert MSE.value(z, targets, "linear")[0] == pytest.approx(((z - targets) ** 2).sum() / 18)
    labels = np.eye(3)[None, [0, 1, 2, 0, 1, 2]]
    each = [CROSS_ENTROPY.value(z[:, i : i + 1], labels[:, i : i + 1], "softmax")[0] for i in range(6)]
    assert CROSS_ENTROPY.value(z, labels, "softmax")[0] == pytest.approx(np.mean(each))
    bits = CROSS_ENTROPY.value(z, labels, "sigmoid")[0]
    assert bits == pytest.approx(
        sum(CROSS_ENTROPY.value(z[..., [k]], labels[..., [k]], "sigmoid")[0] for k in range(3))
    )


def test_cross_entropy_of_a_linear_output_is_refused():
    z = np.zeros((1, 2, 1))
    with pytest.raises(ValueError, match="probabilities"):
        CROSS_ENTROPY.value(z, z, "linear")
    with pytest.raises(ValueError, match="probabilities"):
        CROSS_ENTROPY.gradient(z, z, "linear")


@pytest.mark.parametrize("loss", ["auto", *LOSSES])
@pytest.mark.parametrize("output", ["auto", "sigmoid", "linear"])
@pytest.mark.parametrize(
    "settings",
    [
        {"dataset": "moons", "n_train": 11},
        {"dataset": "blobs", "n_train": 37, "label_noise": 0.3},
        {"dataset": "digits"},
    ],
    ids=lambda settings: settings["dataset"],
)
def test_no_constant_answer_costs_less_than_the_uninformed_loss(settings, output, loss):
    if output == "linear" and loss == "cross_entropy":
        return
    dataset = load_dataset(Experiment(**settings))
    targets = dataset.target_rows("train")[None]
    name, applied = chosen_loss(loss, dataset.task, output), chosen_output(output, dataset.task)

    def of_constant(z):
        return LOSSES[name].value(np.broadcast_to(z, targets.shape), targets, applied)[0]

    uninformed = uninformed_loss(dataset, loss, output)
    if name != "mae":
        found = minimize(of_constant, np.full(dataset.n_out, 0.1), tol=1e-10).fun
        assert uninformed == pytest.approx(found, rel=1e-6)
        return
    # an absolute error is smallest in a corner: one class, or none, for certain
    corners = [*np.eye(dataset.n_out), np.zeros(dataset.n_out)][: None if applied != "softmax" else -1]
    z = [corner if applied == "linear" else 1000 * (2 * corner - 1) for corner in corners]
    with np.errstate(over="ignore"):
        assert uninformed == pytest.approx(min(of_constant(one) for one in z), rel=1e-12)


@pytest.mark.parametrize("loss", ["auto", "mse", "mae", "huber"])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_uninformed_loss_of_regression_is_that_of_the_best_constant(loss, scale):
    dataset = load_dataset(Experiment(dataset="sine", n_train=23, target_scale=scale))
    constants = np.linspace(-scale, scale, 4001)
    targets = np.broadcast_to(dataset.train_targets, (4001, 23, 1))
    z = np.broadcast_to(constants[:, None, None], targets.shape)
    costs = LOSSES[chosen_loss(loss, "regression")].value(z, targets, "linear")
    assert uninformed_loss(dataset, loss) == pytest.approx(costs.min(), rel=1e-3)
    assert uninformed_loss(dataset, loss) <= costs.min() * (1 + 1e-12)
    with pytest.raises(ValueError, match="probabilities"):
        uninformed_loss(dataset, "cross_entropy")


def test_absolute_and_huber_loss_by_hand():
    """Errors −3, −1/2, 0 and 2."""
    z, targets = np.array([[[-3.0], [0.5], [1.0], [2.0]]]), np.array([[[0.0], [1.0], [1.0], [0.0]]])
    assert LOSSES["mae"].value(z, targets, "linear")[0] == 5.5 / 4
    assert LOSSES["huber"].value(z, targets, "linear")[0] == (2.5 + 0.125 + 1.5) / 4
    np.testing.assert_array_equal(LOSSES["mae"].gradient(z, targets, "linear")[0, :, 0], [-0.25, -0.25, 0, 0.25])
    np.testing.assert_array_equal(LOSSES["huber"].gradient(z, targets, "linear")[0, :, 0], [-0.25, -0.125, 0, 0.25])


@pytest.mark.parametrize(
    ("output", "z"), [("sigmoid", [-0.1, 0.1]), ("linear", [0.4, 0.6]), ("tanh", [0.54, 0.56]), ("relu", [-9.0, 0.6])]
)
def test_two_classes_part_where_the_answer_is_one_half(output, z):
    np.testing.assert_array_equal(predicted_classes(np.array(z)[None, :, None], output), [[False, True]])


def test_of_several_classes_the_highest_answer_counts_not_what_the_output_hides():
    z = np.array([[[-2.0, -1.0, -3.0], [-2.0, 0.2, 0.4]]])
    for output in ("linear", "tanh", "sigmoid", "softmax"):
        np.testing.assert_array_equal(predicted_classes(z, output), [[1, 2]])
    np.testing.assert_array_equal(predicted_classes(z, "relu"), [[0, 2]])


@pytest.mark.parametrize("output", ["linear", "tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("dataset", ["moons", "blobs", "sine"])
def test_every_output_has_its_accuracy_where_there_are_classes(dataset, output):
    history = train(
        Experiment(dataset=dataset, output=output, activation="tanh", initializer="xavier_normal", steps=300)
    )
    if dataset == "sine":
        assert history.confusion is None
        assert np.isnan(history.validation_accuracy).all()
    else:
        counts = history.confusion[-1]
        assert np.trace(counts) / counts.sum() == pytest.approx(history.validation_accuracy[-1])
        assert history.validation_accuracy[-1] > (0.8 if output != "relu" else 0.5)  # whose units may start dead


def test_the_sigmoid_that_auto_stands_for_is_the_same_to_the_last_bit():
    runs = [train(Experiment(output=output, steps=30)) for output in ("auto", "sigmoid")]
    np.testing.assert_array_equal(*[run.weights[2] for run in runs])
    np.testing.assert_array_equal(*[run.validation_accuracy for run in runs])


def test_uninformed_loss_of_a_single_class_is_nothing():
    dataset = next(
        data
        for seed in range(50)
        if np.ptp((data := load_dataset(Experiment(n_train=5, seed=seed))).train_targets) == 0
    )
    assert uninformed_loss(dataset, "cross_entropy") == uninformed_loss(dataset, "mse") == 0


def test_class_weights_by_hand():
    """Of six examples four are of the first class, two of the third: 6/(2 · 4) and 6/(2 · 2)."""
    data = load_dataset(Experiment(dataset="blobs", n_train=6))
    data = replace(data, train_targets=np.array([0, 0, 2, 0, 2, 0]))
    np.testing.assert_array_equal(data.class_weights("balanced"), [0.75, 0, 1.5])
    assert data.class_weights("none") is None
    assert load_dataset(Experiment(dataset="sine")).class_weights("balanced") is None
    two = load_dataset(Experiment(imbalance=0.1))
    share = two.train_targets.mean()
    np.testing.assert_allclose(two.class_weights("balanced"), [0.5 / (1 - share), 0.5 / share])


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("output", ["sigmoid", "softmax", "linear"])
def test_a_class_of_weight_two_counts_like_twice_as_many_examples(name, output):
    if name == "cross_entropy" and output == "linear":
        return
    n_out = 3 if output == "softmax" else 1
    z = np.random.default_rng(1).normal(size=(1, 6, n_out))
    classes = np.array([0, 1, 1, 0, 0, 1]) * (n_out - 1 or 1)
    targets = (np.eye(3)[classes] if n_out == 3 else classes[:, None].astype(float))[None]
    weights = np.array([[1.0, 2.0]]) if n_out == 1 else np.array([[1.0, 5.0, 2.0]])
    twice = np.repeat(np.arange(6), 1 + (classes > 0))
    loss = LOSSES[name]
    more = loss.value(z[:, twice], targets[:, twice], output) * len(twice) / 6
    assert loss.weighted_value(z, targets, output, weights) == pytest.approx(more, rel=1e-13)
    of_more = loss.gradient(z[:, twice], targets[:, twice], output) * len(twice) / 6
    summed = np.add.reduceat(of_more, np.searchsorted(twice, np.arange(6)), axis=1)
    np.testing.assert_allclose(loss.weighted_gradient(z, targets, output, weights), summed, rtol=1e-12)


def test_class_weights_find_a_rare_class_and_are_not_in_the_losses_of_whole_sets():
    base = Experiment(imbalance=0.05, noise=0.4, steps=200)
    plain, balanced = train(base), train(replace(base, class_weights="balanced"))
    recalls = [np.diag(history.confusion[-1])[1] / history.confusion[-1][1].sum() for history in (plain, balanced)]
    assert recalls[1] > recalls[0] + 0.2
    assert balanced.train_loss[0] == plain.train_loss[0]
    assert balanced.batch_loss[0] != plain.batch_loss[0] == pytest.approx(plain.train_loss[0])


@pytest.mark.parametrize("batch_size", [0, 7])
def test_the_signal_before_the_first_update_has_the_class_weights(batch_size):
    experiment = Experiment(imbalance=0.2, class_weights="balanced", batch_size=batch_size, steps=1)
    np.testing.assert_array_equal(starting_signal(experiment), train(experiment).delta_rms[0])


def test_class_weights_change_nothing_where_there_are_no_classes():
    sine = Experiment(dataset="sine", steps=20)
    runs = [train(one) for one in (sine, replace(sine, class_weights="balanced"))]
    assert difference(replace(runs[1], experiment=sine), runs[0]) is None


@pytest.mark.parametrize("gap", [2, 8, 14, 20])
def test_a_softmax_that_is_sure_loses_the_digits_of_its_gradient_to_cancellation_alone(gap):
    """a (e − Σ e a) with a near 1 is a difference of nearly equal numbers: its error is that of 1 − a, ε/(1 − a)."""
    z, targets = np.array([[[float(gap), 0.3, -0.4]]]), np.eye(3)[None, :1]
    longer = np.exp(z[0].astype(np.longdouble))
    a = longer / longer.sum()
    errors = np.array([[-1, 1, 1]]) / np.longdouble(3)
    exact = (a * (errors - (errors * a).sum())).astype(float)
    found = LOSSES["mae"].gradient(z, targets, "softmax")[0]
    relative = np.linalg.norm(found - exact) / np.linalg.norm(exact)
    assert relative < 4 * np.finfo(float).eps / float(1 - a[0, 0])
