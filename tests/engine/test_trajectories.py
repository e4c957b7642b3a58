"""Whole runs against PyTorch, step by step from public pieces: batch_indices, dropout_masks, initialize."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from engine import Experiment, batch_indices, dropout_masks, initialize, load_dataset, train
from engine.optimizers import OPTIMIZERS
from engine.remedies import CLIPPINGS
from engine.schedules import SCHEDULES
from tests.engine import oracle
from tests.engine.oracle import torch

STEPS = 30
TOLERANCE = 1e-8
ROUNDING = 1e-12
PENALTIES = {"none": (0.0, 0.0), "l1": (0.003, 0.0), "l2": (0.0, 0.02)}
RATES = {"sgd": 0.3, "momentum": 0.1, "nesterov": 0.1, "rmsprop": 0.01, "adam": 0.03, "adagrad": 0.1, "adamw": 0.03}
THRESHOLDS = {"none": 1.0, "norm": 0.15, "value": 0.02}
RULES = {
    "sgd": torch.optim.SGD,
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "nesterov": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    "rmsprop": partial(torch.optim.RMSprop, alpha=0.99, eps=1e-8),
    "adam": partial(torch.optim.Adam, betas=(0.9, 0.999), eps=1e-8),
    "adagrad": partial(torch.optim.Adagrad, eps=1e-8),
    "adamw": partial(torch.optim.AdamW, betas=(0.9, 0.999), eps=1e-8),
}


def optimizer(name, layers, decay):
    """PyTorch's own, whose decoupled decay takes hold of the weights alone."""
    weights = [layer["weights"] for layer in layers]
    others = [t for layer in layers for name, t in layer.items() if t.requires_grad and name != "weights"]
    return RULES[name]([{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}])


def total_loss(z, layers, l1, l2, *how):
    """Data loss plus penalty, which is on the weights alone."""
    weights = [layer["weights"] for layer in layers]
    return oracle.loss(z, *how) + sum(l1 * w.abs().sum() + l2 / 2 * (w**2).sum() for w in weights)


def scheduled(schedule, step, steps):
    """The share of the learning rate, written from the design's words."""
    return {
        "constant": 1,
        "warmup": min(1, (step + 1) / np.ceil(steps / 10)),
        "cosine": np.cos(np.pi * step / steps / 2) ** 2,
        "step": 1 if step < steps / 2 else 0.1 if step < 3 * steps / 4 else 0.01,
    }[schedule]


def values(layers):
    return [{name: tensor.detach().numpy().copy() for name, tensor in layer.items()} for layer in layers]


def trajectory(experiment):
    """The layers after each of the experiment's steps, θ_0 first."""
    dataset = load_dataset(experiment)
    output, loss = experiment.output, experiment.loss
    if loss == "auto":
        loss = "cross_entropy" if dataset.task != "regression" and output in ("auto", "sigmoid") else "mse"
    if output == "auto":
        output = {"binary": "sigmoid", "classes": "softmax", "regression": "linear"}[dataset.task]
    targets = oracle.one_hot(dataset.train_targets, dataset.task, dataset.n_out)
    weights = np.ones(len(targets))
    if experiment.class_weights == "balanced":
        weights = oracle.balanced(dataset.train_targets)
    l2, decay = (0.0, experiment.l2) if experiment.optimizer == "adamw" else (experiment.l2, 0.0)
    layers = oracle.differentiable(oracle.layers_of(initialize(experiment)))
    rule = optimizer(experiment.optimizer, layers, decay)
    passed = [values(layers)]
    for step in range(experiment.steps):
        batch = batch_indices(experiment, step)
        masks = dropout_masks(experiment, step)
        z, _, _, us = oracle.forward(
            layers, dataset.train_inputs[batch], experiment.activation, experiment.normalization, experiment.residual,
            masks=None if masks is None else masks[:, : len(batch)], training=True,
        )  # fmt: skip
        rule.zero_grad()
        total_loss(z, layers, experiment.l1, l2, targets[batch], output, loss, weights[batch]).backward()
        cut = oracle.clipped(oracle.gradient_of(layers), experiment.clip, experiment.clip_threshold)
        for layer, gradient in zip(layers, cut, strict=True):
            for name, value in gradient.items():
                layer[name].grad = torch.from_numpy(value)
        for group in rule.param_groups:
            group["lr"] = experiment.learning_rate * scheduled(experiment.schedule, step, experiment.steps)
        rule.step()
        if experiment.normalization == "batch" and len(batch) > 1:
            for layer, u in zip(layers, us, strict=False):
                layer["running_mean"] = 0.9 * layer["running_mean"] + 0.1 * u.detach().mean(0)
                layer["running_variance"] = 0.9 * layer["running_variance"] + 0.1 * u.detach().var(0)
        passed.append(values(layers))
    return passed


def assert_same_trajectory(experiment, tolerance=TOLERANCE):
    """Every tensor at every step: up to 59 steps have a frame each."""
    history = train(experiment)
    assert history.status == "completed"
    np.testing.assert_array_equal(history.frame_step, np.arange(experiment.steps + 1))
    for step, expected in enumerate(trajectory(experiment)):
        for layer, (found, wanted) in enumerate(zip(oracle.layers_of(history, step), expected, strict=True)):
            assert found.keys() == wanted.keys()
            for name, tensor in wanted.items():
                if np.linalg.norm(tensor) > ROUNDING:
                    assert oracle.error(found[name], tensor) < tolerance, f"{experiment} {step} {name} {layer}"
                else:
                    assert np.linalg.norm(found[name]) <= ROUNDING, f"{experiment} {step} {name} {layer}"
    return history


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("clip", CLIPPINGS)
def test_every_optimizer_clipping_penalty_and_dropout(name, clip):
    """With every penalty; dropout with every two of the three."""
    number = list(OPTIMIZERS).index(name) + list(CLIPPINGS).index(clip)
    for at, (l1, l2) in enumerate(PENALTIES.values()):
        experiment = Experiment(
            dataset="blobs", n_train=40, depth=3, width=6, activation="tanh", initializer="xavier_normal", bias=0.1,
            optimizer=name, learning_rate=RATES[name], batch_size=16, steps=STEPS, clip=clip,
            clip_threshold=THRESHOLDS[clip], l1=l1, l2=l2, dropout=0.2 * ((number + at) % 2), seed=3,
        )  # fmt: skip
        history = assert_same_trajectory(experiment)
        if clip != "none":  # the test would say nothing if nothing were clipped, or everything
            shortened = history.clipped_norm < history.total_gradient_norm * (1 - 1e-12)
            assert shortened.mean() > 0.2


@pytest.mark.parametrize("steps", [1, 8, 33, 500])
def test_schedules_are_pytorchs(steps):
    tenth = -(-steps // 10)
    schedulers = torch.optim.lr_scheduler
    warmup = partial(schedulers.LinearLR, start_factor=1 / tenth, total_iters=tenth - 1)
    constant = partial(schedulers.ConstantLR, factor=1)
    schedules = {
        "constant": constant,
        "warmup": warmup if tenth > 1 else constant,
        "cosine": partial(schedulers.CosineAnnealingLR, T_max=steps),
        "step": partial(schedulers.MultiStepLR, milestones=[-(-steps // 2), -(-3 * steps // 4)], gamma=0.1),
    }
    assert schedules.keys() == SCHEDULES.keys()
    for name, schedule in schedules.items():
        rule = torch.optim.SGD([torch.zeros(1)], lr=0.3)
        scheduler = schedule(rule)
        for step in range(steps):
            assert 0.3 * SCHEDULES[name](step, steps) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
            rule.step()
            scheduler.step()


@pytest.mark.parametrize("steps", [1, 7, 33, 50])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_whatever_divides_the_steps(schedule, steps):
    base = Experiment(n_train=20, depth=1, width=3, batch_size=9, steps=steps, l2=0.1, schedule=schedule)
    assert_same_trajectory(base)
    assert_same_trajectory(replace(base, optimizer="adamw"))


@pytest.mark.parametrize(
    "settings",
    [
        # 33 examples in batches of 16: the last batch is a single example, which uses the running statistics
        {"normalization": "batch", "activation": "relu", "n_train": 33, "batch_size": 16},
        {"normalization": "batch", "residual": "plain", "optimizer": "adam", "learning_rate": 0.01, "clip": "norm"},
        {"normalization": "layer", "residual": "plain", "activation": "gelu", "optimizer": "nesterov", "dropout": 0.3},
        {"normalization": "batch", "residual": "scaled", "activation": "tanh", "dropout": 0.3, "depth": 5},
        {"dataset": "sine", "activation": "elu", "optimizer": "momentum", "learning_rate": 0.02, "batch_size": 7},
        {"loss": "mse", "activation": "sigmoid", "depth": 1, "width": 1, "batch_size": 1, "learning_rate": 1.0},
        {"dataset": "digits", "loss": "mse", "activation": "selu", "initializer": "lecun", "n_train": 60},
        {"output": "linear", "activation": "tanh"},
        {"output": "tanh", "loss": "huber", "dataset": "blobs", "optimizer": "adagrad"},
        {"output": "sigmoid", "dataset": "blobs", "optimizer": "adamw", "l2": 0.1, "learning_rate": 0.01},
        {"output": "relu", "loss": "mae", "dataset": "sine", "bias_mean": 0.5},
        {"dataset": "sine", "output": "sigmoid", "loss": "huber", "schedule": "cosine"},
        {"dataset": "breast_cancer", "activation": "leaky_relu", "initializer": "orthogonal", "depth": 5},
        {"dataset": "breast_cancer", "activation": "sigmoid", "inputs": "raw", "shuffle": False},
        {"dataset": "sine", "activation": "tanh", "inputs": "raw", "target_scale": 1e3, "learning_rate": 1e-4},
        {"class_weights": "balanced", "imbalance": 0.2, "batch_size": 7, "dropout": 0.2},
        {"class_weights": "balanced", "dataset": "blobs", "n_train": 37, "label_noise": 0.3, "l2": 0.01},
        {"class_weights": "balanced", "dataset": "blobs", "output": "sigmoid", "n_train": 37, "clip": "norm"},
        {"class_weights": "balanced", "dataset": "digits", "loss": "mae", "n_train": 60, "normalization": "batch"},
        {"class_weights": "balanced", "output": "tanh", "loss": "huber", "imbalance": 0.2, "activation": "tanh"},
        {"imbalance": 0.05, "input_scale": 20.0, "input_shift": -3.0, "activation": "tanh", "learning_rate": 0.01},
    ],
    ids=lambda settings: ", ".join(f"{name} {value}" for name, value in settings.items()),
)
def test_other_networks(settings):
    defaults = {"depth": 3, "width": 6, "n_train": 32, "batch_size": 16, "steps": 20, "seed": 1, "bias": 0.1}
    assert_same_trajectory(Experiment(**defaults | settings))


def test_running_statistics_are_used_where_the_design_says():
    experiment = Experiment(normalization="batch", depth=2, width=4, n_train=33, batch_size=32, steps=20)
    history = assert_same_trajectory(experiment)
    changed = np.diff(history.running_means[0], axis=0).any(axis=1)
    np.testing.assert_array_equal(changed, [True, False] * 10)  # every second batch is one example


def test_float32_runs_in_float32_and_close_to_float64():
    wide = Experiment(
        depth=3, width=8, activation="tanh", batch_size=16, steps=STEPS, optimizer="momentum", dropout=0.1
    )
    narrow = train(replace(wide, precision="float32"))
    assert narrow.weights[0].dtype == np.float32
    for found, expected in zip(narrow.weights, train(wide).weights, strict=True):
        assert oracle.error(found, expected) < 1e-4


def test_batches_are_a_permutation_an_epoch():
    experiment = Experiment(n_train=23, batch_size=5)
    epochs = [np.concatenate([batch_indices(experiment, 5 * epoch + i) for i in range(5)]) for epoch in range(3)]
    for order in epochs:
        np.testing.assert_array_equal(np.sort(order), np.arange(23))
    assert (epochs[0] != epochs[1]).any()
    assert [len(batch_indices(experiment, step)) for step in range(5)] == [5, 5, 5, 5, 3]
    for whole in (0, 23, 5000):
        np.testing.assert_array_equal(batch_indices(replace(experiment, batch_size=whole), 7), np.arange(23))
