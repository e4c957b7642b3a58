"""Each detector of the data: a run that must raise it, a near miss, and its number counted another way."""

import numpy as np
import pytest

from engine import Experiment, data_digest, diagnose, train
from engine.doctor import data_detectors, signal_detectors
from engine.doctor.examination import Examination
from tests.engine.examined_runs import finding, run


def trained(inputs, targets, **settings):
    """A run on handed-in data, and these."""
    data = inputs, targets
    basis = {"n_train": 100, "depth": 2, "width": 16, "activation": "tanh", "initializer": "xavier_normal"}
    e = Experiment(dataset="custom", data_digest=data_digest(*data), **basis | settings)
    return train(e, data), data


def roots(history, data):
    return [found.code for found in diagnose(history, data) if found.role == "cause"]


def plane(size, rows=200):
    """A slope in two inputs, of so large targets."""
    inputs = np.random.default_rng(5).standard_normal((rows, 2))
    return inputs, size * (inputs[:, 0] + inputs[:, 1] ** 2)


# --- targets ---


@pytest.mark.parametrize(("size", "learning_rate"), [(1e3, 0.1), (1e5, 0.01)])
def test_targets_that_are_far_larger_than_outputs_are_to_blame(size, learning_rate):
    inputs, targets = plane(size)
    history, data = trained(inputs, targets, learning_rate=learning_rate, steps=200)
    found = diagnose(history, data)[0]
    rows = Examination(history, data).dataset.train_targets
    assert (found.code, found.severity, found.steps) == ("unscaled_targets", "severe", (0, 0))
    assert found.measured == pytest.approx(np.linalg.norm(rows) / len(rows) ** 0.5)
    assert found.remedies[0] == "target_scale"
    assert {"learning_rate_too_high", "exploding_gradients"} <= set(found.mistaken_for)


def test_targets_of_the_size_of_outputs_and_large_ones_that_are_learnt_are_not():
    history, data = trained(*plane(1.0), learning_rate=1e-6, steps=100)
    assert roots(history, data) == ["learning_rate_too_low"]
    inputs, targets = plane(1.0)
    learnt, data = trained(inputs, targets + 30, learning_rate=0.02, steps=2000)
    assert data_detectors.unscaled_targets(Examination(learnt, data)) is None


# --- classes of unequal size ---


def rare(share, rows=1000):
    draw = np.random.default_rng(3)
    inputs = draw.standard_normal((rows, 4))
    score = inputs[:, 0] + inputs[:, 1] * inputs[:, 2]
    return inputs, (score > np.quantile(score, 1 - share)).astype(int)


def test_a_rare_class_that_is_never_named_is_missed():
    settings = {"n_train": 600, "loss": "mse", "learning_rate": 0.1, "steps": 150}
    history, data = trained(*rare(0.08), **settings)
    found = data_detectors.one_answer(Examination(history, data))
    never, missed = history.confusion[-1][1]
    assert (found.code, found.measured, found.threshold) == ("one_answer", missed / (never + missed), 0.1)
    assert history.validation_accuracy[-1] > 0.9
    assert f"class “1”, {round(100 * (never + missed) / 200)}" in found.explanation
    well, data = trained(
        *rare(0.08), **settings | {"loss": "auto", "optimizer": "adam", "learning_rate": 0.02, "steps": 400}
    )
    assert data_detectors.one_answer(Examination(well, data)) is None
    assert roots(well, data) == []


def test_equal_classes_have_no_rare_one():
    assert finding(data_detectors.one_answer, run(learning_rate=1e-9)) is None


# --- labels ---


def test_labels_are_wrong_where_new_data_are_answered_better_than_them():
    settings = {"dataset": "moons", "n_train": 400, "optimizer": "adam", "learning_rate": 0.01, "steps": 200}
    noisy, clean = (run(**settings, label_noise=noise) for noise in (0.3, 0.0))
    found = finding(data_detectors.label_noise, noisy)
    best = noisy.validation_loss.argmin()
    excess = noisy.validation_accuracy[best] - noisy.train_accuracy[best]
    assert (found.code, found.measured) == ("label_noise", pytest.approx(excess))
    assert 0.15 < excess < 0.4
    assert found.measured > found.threshold > 0.05
    assert finding(data_detectors.label_noise, clean) is None


# --- batches ---


@pytest.mark.parametrize("batch", [2, 3])
def test_statistics_of_two_or_three_examples_are_noise(batch):
    settings = {"normalization": "batch", "depth": 4, "dataset": "circles", "steps": 300, "learning_rate": 0.1}
    found = diagnose(run(**settings, batch_size=batch))[0]
    assert (found.code, found.measured, found.threshold) == ("batch_too_small", batch, 4)
    assert found.remedies == ("batch_size", "normalization")
    assert diagnose(run(**settings, batch_size=50)) == ()
    assert finding(data_detectors.batch_too_small, run(batch_size=2)) is None
    assert diagnose(train(found.confirm.experiment(run(**settings, batch_size=batch).experiment))) == ()


# --- a start that is too small for R to show ---


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_one_layer_that_starts_tiny_is_not_blamed_on_its_steps(gain):
    settings = {"depth": 1, "width": 5, "activation": "sigmoid", "initializer": "small_normal", "gain": gain}
    history = run(**settings, dataset="xor", learning_rate=0.03, steps=5000)
    found = diagnose(history)[0]
    usual = [np.sqrt(2 * 2 * 5 / 7), np.sqrt(2 * 5 / 6)]
    sizes = [np.linalg.norm(weights[0]) / size for weights, size in zip(history.weights, usual, strict=True)]
    assert (found.code, found.measured) == ("small_start", pytest.approx(np.median(sizes)))
    assert finding(signal_detectors.small_start, run(**settings | {"initializer": "xavier_normal"})) is None


# --- what cannot be told ---


def test_without_its_data_a_run_that_does_not_do_well_is_not_called_healthy():
    draw = np.random.default_rng(1)
    inputs = draw.standard_normal((400, 3))
    labels = (2.5 * inputs[:, 0] + draw.standard_normal(400) > 0).astype(int)
    history, data = trained(inputs, labels, n_train=200, l2=0.01, learning_rate=0.05, steps=300)
    assert diagnose(history, data) == ()
    (found,) = diagnose(history)
    assert (found.code, found.role) == ("cannot_tell", "cause")
    assert "cannot be told without the data" in found.explanation
