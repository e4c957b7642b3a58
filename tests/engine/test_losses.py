"""Losses: closed forms, extremes, and slopes against central differences of longer numbers."""

from math import log

import numpy as np
import pytest
from scipy.optimize import minimize

from engine import Experiment, load_dataset, train
from engine.data.baselines import uninformed_loss
from engine.losses import LOSSES, chosen_loss, outputs

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


@pytest.mark.parametrize("loss", ["auto", "cross_entropy", "mse"])
@pytest.mark.parametrize(
    "settings",
    [
        {"dataset": "moons", "n_train": 11},
        {"dataset": "blobs", "n_train": 37, "label_noise": 0.3},
        {"dataset": "digits"},
    ],
    ids=lambda settings: settings["dataset"],
)
def test_no_constant_answer_costs_less_than_the_uninformed_loss(settings, loss):
    dataset = load_dataset(Experiment(**settings))
    targets = dataset.target_rows("train")[None]
    output = "sigmoid" if dataset.task == "binary" else "softmax"

    def of_constant(z):
        return LOSSES[chosen_loss(loss, dataset.task)].value(np.broadcast_to(z, targets.shape), targets, output)[0]

    found = minimize(of_constant, np.zeros(dataset.n_out), tol=1e-10).fun
    assert uninformed_loss(dataset, loss) == pytest.approx(found, rel=1e-7)


def test_uninformed_loss_of_regression_is_the_variance_of_the_targets():
    dataset = load_dataset(Experiment(dataset="sine", n_train=23))
    costs = [((dataset.train_targets - constant) ** 2).mean() for constant in np.linspace(-1, 1, 2001)]
    for loss in ("auto", "mse"):
        assert uninformed_loss(dataset, loss) == pytest.approx(min(costs), rel=1e-5)
        assert uninformed_loss(dataset, loss) <= min(costs)
    with pytest.raises(ValueError, match="probabilities"):
        uninformed_loss(dataset, "cross_entropy")


def test_uninformed_loss_of_a_single_class_is_nothing():
    dataset = next(
        data
        for seed in range(50)
        if np.ptp((data := load_dataset(Experiment(n_train=5, seed=seed))).train_targets) == 0
    )
    assert uninformed_loss(dataset, "cross_entropy") == uninformed_loss(dataset, "mse") == 0
