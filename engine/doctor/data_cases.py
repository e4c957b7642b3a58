"""How the data's faults of mystery patients are drawn, and four patients whose loss is the same flat line.

A fault is drawn into a sensible network: which settings make it ill, and the same network without the fault.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.experiment import Experiment

Settings = dict[str, Any]
CLEAN: Settings = {"noise": -1.0}
LINE: Settings = {**CLEAN, "dataset": "sine", "n_train": 150}
PLANE: tuple[Settings, ...] = tuple({**CLEAN, "dataset": name, "n_train": 300} for name in ("moons", "circles", "xor"))


def unscaled_inputs(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Inputs in their own units, or far too large or too small."""
    if draw.random() < 0.3:
        return {"inputs": "raw"}, replace(e, **CLEAN, dataset="breast_cancer", n_train=200)
    return {"input_scale": draw.choice((0.001, 0.003, 100.0, 300.0))}, e


def unscaled_targets(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Targets of a regression in a unit that makes them a hundred times what a fresh network answers, and more."""
    training: Settings = {"optimizer": "momentum", "learning_rate": 0.03}
    return {"target_scale": draw.choice((100.0, 300.0, 1000.0))}, replace(e, **LINE, **training)


def wrong_output(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """An output that cannot say what is below 0."""
    return {"output": draw.choice(("sigmoid", "relu"))}, replace(e, **LINE)


def one_answer(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """One class is so rare that never naming it is nearly always right; the classes overlap."""
    data: Settings = {"dataset": "moons", "n_train": 500, "noise": draw.choice((0.8, 0.9, 1.0)), "depth": 2}
    training: Settings = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 32, "steps": 150}
    return {"imbalance": draw.choice((0.03, 0.05))}, replace(e, **data, **training)


def unshuffled(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Digits that come sorted, in batches of one or two kinds."""
    data: Settings = {**CLEAN, "dataset": "digits", "n_train": 400, "batch_size": draw.choice((20, 25))}
    network: Settings = {"activation": "relu", "initializer": "he_normal", "depth": draw.choice((3, 4))}
    return {"shuffle": False}, replace(e, **data, **network, optimizer="sgd", learning_rate=draw.choice((0.2, 0.3)))


def batch_too_small(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Batch normalization over two examples."""
    return {"batch_size": 2}, replace(e, normalization="batch", batch_size=32)


def leakage(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Validation examples that are training examples, of data that are hard enough for the difference to show."""
    data: Settings = {"dataset": "moons", "n_train": 100, "noise": draw.choice((0.35, 0.45))}
    return {"leakage": 1.0}, replace(e, **data, optimizer="momentum", learning_rate=0.05)


def validation_shift(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Validation inputs from elsewhere."""
    return {"validation_shift": draw.choice((-2.0, -1.5, 1.5, 2.0))}, e


def label_mismatch(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Validation labels in another code."""
    return {"validation_labels": "permuted"}, e if e.dataset != "sine" else replace(e, **draw.choice(PLANE))


DATA_FAULTS: dict[str, Callable[[random.Random, int, Experiment], tuple[Settings, Experiment]]] = {
    "unscaled_inputs": unscaled_inputs,
    "unscaled_targets": unscaled_targets,
    "wrong_output": wrong_output,
    "one_answer": one_answer,
    "unshuffled": unshuffled,
    "batch_too_small": batch_too_small,
    "leakage": leakage,
    "validation_shift": validation_shift,
    "label_mismatch": label_mismatch,
}

# --- four patients, one flat curve ---


def of_flat_curves(draw: random.Random) -> Experiment:
    """A network on two classes, which each of FLAT_FAULTS keeps at the average answer."""
    return Experiment(
        **CLEAN,
        dataset=draw.choice(("circles", "circles", "moons")),
        n_train=draw.choice((200, 300)),
        depth=4,
        width=8,
        activation="relu",
        initializer="he_normal",
        learning_rate=draw.choice((0.1, 0.2)),
        steps=draw.choice((300, 400)),
        data_seed=draw.randrange(10_000),
    )


# What is done to it, drawn: units that are dead at the start, signals that fade, inputs next to nothing, and steps so
# long that the first ones kill all units, after which nothing moves.
FLAT_FAULTS: dict[str, Callable[[random.Random], Settings]] = {
    "dead_units": lambda draw: {"bias_mean": draw.choice((-3.0, -5.0, -8.0))},
    "vanishing_gradients": lambda draw: {"gain": draw.choice((0.03, 0.05, 0.1))},
    "unscaled_inputs": lambda draw: {"input_scale": draw.choice((0.001, 0.002))},
    "learning_rate_too_high": lambda draw: {"learning_rate": draw.choice((2.5, 3.0, 3.5, 4.0))},
}
