"""Networks with one thing wrong, drawn by a seed: what was done to them is known, the doctor says so, and it hurts.

    for case in candidates(seed=17, level="medium"):
        patient, healthy = train_many([case.patient]) + train_many([case.healthy])
        if holds(case, patient, healthy):
            break

Whoever draws with the same seed and level gets the same case: candidates come in a fixed order, and a run is the same
wherever it is trained.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.data.baselines import average_loss
from engine.doctor.data_cases import DATA_FAULTS, FLAT_FAULTS, of_flat_curves
from engine.doctor.diagnosis import CONSEQUENCES, diagnose
from engine.doctor.findings import MISLEADING
from engine.doctor.thresholds import TWICE
from engine.experiment import Experiment
from engine.history import RunHistory

# The last two: faults of the data, and four faults that leave one flat curve.
LEVELS = EASY, MEDIUM, HARD, DATA_LEVEL, FLAT = "easy", "medium", "hard", "data", "flat"
STRENGTH = {EASY: 0, MEDIUM: 1, HARD: 2, DATA_LEVEL: 0}
MOST_CANDIDATES = 12  # of a seed and level; the first of them that holds is the case
STOPS_IN_TIME = 0.8  # of an overfitted network's harm on validation data, that it did not have at its best step
FIRST_STEPS = 0.1  # of the evaluations, after which a flat curve is FLAT
FLAT_WITHIN = 0.05  # of the average answer's loss
HURTS = 0.25  # of the average answer's loss: what a fault costs on test data at least
LEAKAGE_HURTS = 0.1  # leaked examples flatter a network by no more than its own gap, or else it is overfitted, too

# What a sensible network of this size learns in a fraction of a second.
DATA: tuple[dict[str, Any], ...] = (
    {"dataset": "moons", "n_train": 100},
    {"dataset": "moons", "n_train": 200, "noise": 0.2},
    {"dataset": "circles", "n_train": 200},
    {"dataset": "xor", "n_train": 300},
    {"dataset": "blobs", "n_train": 200},
    {"dataset": "sine", "n_train": 150},
    {"dataset": "breast_cancer", "n_train": 200},
    {"dataset": "digits", "n_train": 300},
)
CURVED = {"moons", "circles", "xor"}  # a straight line will not do
FITTING = {"relu": "he_normal", "leaky_relu": "he_normal", "elu": "he_normal", "tanh": "xavier_normal"}
RATES = {"sgd": (0.1, 0.2), "momentum": (0.03, 0.05), "adam": (0.005, 0.01)}

Settings = dict[str, Any]
Fault = Callable[[random.Random, int, Experiment], tuple[Settings, Experiment]]


@dataclass(frozen=True)
class MysteryCase:
    """A network with one fault, by the code that the doctor gives it, and the same network without the fault."""

    level: str
    fault: str
    patient: Experiment
    healthy: Experiment


def candidates(seed: int, level: str) -> Iterator[MysteryCase]:
    """At most MOST_CANDIDATES cases, always the same ones in the same order, all with the same fault."""
    draw = random.Random(f"{level} {seed}")
    if level == FLAT:
        yield from _with_flat_curve(draw, seed)
        return
    fault = draw.choice(FAULTS_OF[level])
    for _ in range(MOST_CANDIDATES):
        sick, twin = FAULTS[fault](draw, STRENGTH[level], _sensible(draw))
        yield MysteryCase(level, fault, replace(twin, **sick), twin)


def _with_flat_curve(draw: random.Random, seed: int) -> Iterator[MysteryCase]:
    """Seeds 4 n to 4 n + 3 are patients of the same data and network, each with another of FLAT_FAULTS."""
    group, member = divmod(seed, len(FLAT_FAULTS))
    shared = random.Random(f"{FLAT} group {group}")
    network = of_flat_curves(shared)
    fault = shared.sample(FAULTS_OF[FLAT], len(FLAT_FAULTS))[member]
    for _ in range(MOST_CANDIDATES):
        twin = replace(network, seed=draw.randrange(10_000))
        yield MysteryCase(FLAT, fault, replace(twin, **FLAT_FAULTS[fault](draw)), twin)


def holds(case: MysteryCase, patient: RunHistory, healthy: RunHistory) -> bool:
    """Whether the fault is what the doctor finds first, and costs something on test data, and all else is well.

    On the hardest level something must follow from it that may be taken for the cause, where anything can.  On the
    others an overfitted network must have been good in between: else stopping early, its textbook cure, does not cure.
    One with a flat curve must have kept to the average answer's loss after the first steps.
    """
    findings = diagnose(patient)
    if not findings or findings[0].code != case.fault or diagnose(healthy):
        return False
    if case.fault == "overfitting" and case.level != HARD:
        last, best, without = patient.validation_loss[-1], patient.validation_loss.min(), healthy.validation_loss[-1]
        if not last - best >= STOPS_IN_TIME * (last - without):
            return False
    if case.level == FLAT and not is_flat(patient):
        return False
    misleads = len(findings) > 1 or case.fault not in CONSEQUENCES
    least = LEAKAGE_HURTS if case.fault == "leakage" else HURTS
    return (misleads or case.level != HARD) and harm(case, patient, healthy) >= least * _worst(case)


def is_flat(history: RunHistory) -> bool:
    """Whether the training loss has kept to the average answer's but for the first steps, and was never far above."""
    average = average_loss(history.experiment)
    if not history.train_loss.max() < TWICE * average:
        return False
    later = history.train_loss[round(FIRST_STEPS * len(history.train_loss)) :]
    return bool((np.abs(later - average) <= FLAT_WITHIN * average).all())


# --- what a fault costs, and what a treatment brings back ---


def damage(case: MysteryCase, history: RunHistory) -> float:
    """What a fault is judged by: the test loss in the patient's unit, in which all but three kinds show.

    Of a class that is never named, the share of its validation examples that the network misses; of validation data
    that are not what they seem, how far their loss is from that on the test data.
    """
    if case.fault in MISLEADING:
        return abs(float(history.validation_loss[history.result_evaluation]) - history.test_loss)
    if case.fault == "one_answer":
        assert history.confusion is not None
        counts = history.confusion[history.result_frame]
        return float(1 - (np.diag(counts) / counts.sum(axis=1)).min())
    unit = case.patient.target_scale / history.experiment.target_scale
    return history.test_loss if unit == 1 else unit**2 * history.test_loss  # a mean squared error


def harm(case: MysteryCase, patient: RunHistory, healthy: RunHistory) -> float:
    """Damage of the patient above that of the network without the fault.

    A patient that does worse than the average answer counts as that, or else a treatment that makes it give this answer
    would seem to have cured nearly everything; but a network that overfits is right more often than its loss says.
    """
    return counted_loss(case, patient) - damage(case, healthy)


def recovered(case: MysteryCase, patient: RunHistory, healthy: RunHistory, treated: RunHistory) -> float:
    """Share of the harm that a treatment has taken away: 1 where it does as well as the network without the fault."""
    if not np.isfinite(treated.test_loss) or treated.status == "diverged":
        return 0.0
    brought_back = counted_loss(case, patient) - damage(case, treated)
    return float(np.clip(brought_back / harm(case, patient, healthy), 0, 1))


def counted_loss(case: MysteryCase, patient: RunHistory) -> float:
    """The damage that harm counts from: at most that of the average answer, but where that is no measure of it."""
    done = damage(case, patient)
    if case.fault in ("overfitting", *MISLEADING):
        return done
    return min(done, _worst(case)) if np.isfinite(done) else _worst(case)


def _worst(case: MysteryCase) -> float:
    """Damage of always giving the average answer, which misses a rare class altogether."""
    return 1.0 if case.fault == "one_answer" else average_loss(case.patient)


# --- how they are drawn; strength counts from 0, the easiest level ---


def _sensible(draw: random.Random) -> Experiment:
    """A network set as a textbook would."""
    activation, optimizer = draw.choice(list(FITTING)), draw.choice(list(RATES))
    return Experiment(
        **draw.choice(DATA),
        depth=draw.choice((2, 3, 4)),
        width=draw.choice((16, 24, 32)),
        activation=activation,
        initializer=FITTING[activation],
        optimizer=optimizer,
        learning_rate=draw.choice(RATES[optimizer]),
        steps=draw.choice((300, 400)),
        seed=draw.randrange(10_000),
    )


def _vanishing(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Sigmoid units, or weights that start too small, in many layers."""
    twin = replace(e, depth=draw.choice(((8, 10), (6, 8), (6, 7))[level]))
    if draw.random() < 0.5:
        return {"activation": "sigmoid", "initializer": "xavier_normal"}, twin
    return {"gain": draw.choice(((0.1, 0.2), (0.2, 0.25), (0.25, 0.3))[level])}, twin


def _exploding(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Weights that start too large, in units that are not bounded."""
    activation = draw.choice(("relu", "leaky_relu", "elu"))
    twin = replace(e, depth=draw.choice((6, 8)), activation=activation, initializer="he_normal")
    if level < 2 and draw.random() < 0.4:
        return {"initializer": "standard_normal"}, twin
    return {"gain": draw.choice(((3.0,), (2.5, 3.0), (2.0, 2.5))[level])}, twin


def _too_fast(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Steps that are far too long."""
    factor = draw.choice(((50, 100), (30, 50), (20, 30))[level])
    return {"learning_rate": factor * e.learning_rate}, e


def _too_slow(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Steps that are far too short."""
    factor = draw.choice(((1e-3, 2e-3), (2e-3, 3e-3), (3e-3, 5e-3))[level])
    return {"learning_rate": float(f"{factor * e.learning_rate:.2g}")}, e


def _dead(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Deep and narrow ReLU networks, a layer of which is born dead (Lu et al. 2019)."""
    depth, width = draw.choice(((12, 2), (10, 2), (12, 3)))
    twin = replace(e, activation="relu", initializer="he_normal")
    return {"depth": depth, "width": width}, twin


def _saturated(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Biases that push tanh units to where they are flat."""
    twin = replace(e, activation="tanh", initializer="xavier_normal")
    return {"bias": draw.choice(((10.0,), (8.0, 10.0), (6.0, 8.0))[level])}, twin


def _symmetric(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Units that start equal."""
    return {"initializer": draw.choice(("zeros", "constant"))}, e


def _over_regularized(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """A penalty that pulls harder than the data."""
    if draw.random() < 0.5:
        return {"l2": draw.choice(((0.5, 1.0), (0.2, 0.3), (0.1, 0.15))[level])}, e
    return {"l1": draw.choice(((0.1, 0.2), (0.05, 0.1), (0.02, 0.03))[level])}, e


def _overfitting(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """A wide network that trains until it has learnt its wrong labels too."""
    data: Settings = {"dataset": "moons", "n_train": 100, "noise": 0.1} if e.dataset not in CURVED else {"n_train": 100}
    twin = replace(e, **data, width=48, optimizer="adam", learning_rate=0.01)
    return {"label_noise": draw.choice(((0.3, 0.4), (0.2, 0.3), (0.15, 0.2))[level])}, twin


def _underfitting(draw: random.Random, level: int, e: Experiment) -> tuple[Settings, Experiment]:
    """Units that are straight lines, or one or two of them alone."""
    data: Settings = {"dataset": "circles", "n_train": 200, "noise": -1.0} if e.dataset not in CURVED else {}
    twin = replace(e, **data)
    if draw.random() < 0.5:
        return {"activation": "linear", "initializer": "xavier_normal"}, twin
    return {"depth": 1, "width": draw.choice(((1,), (1, 2), (2,))[level])}, twin


OF_THE_NETWORK: dict[str, Fault] = {
    "symmetry": _symmetric,
    "vanishing_gradients": _vanishing,
    "exploding_gradients": _exploding,
    "learning_rate_too_high": _too_fast,
    "learning_rate_too_low": _too_slow,
    "dead_units": _dead,
    "saturated_units": _saturated,
    "over_regularized": _over_regularized,
    "overfitting": _overfitting,
    "underfitting": _underfitting,
}
FAULTS: dict[str, Fault] = OF_THE_NETWORK | DATA_FAULTS
FAULTS_OF = {
    EASY: ("vanishing_gradients", "learning_rate_too_high", "learning_rate_too_low", "overfitting", "underfitting"),
    MEDIUM: tuple(fault for fault in OF_THE_NETWORK if fault not in ("saturated_units", "dead_units")),
    HARD: tuple(OF_THE_NETWORK),
    DATA_LEVEL: (*DATA_FAULTS, "learning_rate_too_high", "learning_rate_too_low", "underfitting"),
    FLAT: tuple(FLAT_FAULTS),
}
