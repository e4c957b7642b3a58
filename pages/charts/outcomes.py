"""What a sweep keeps of a run, and the experiments that a sweep is made of.

Workers import this file to turn a history into an outcome where it was trained: no Plotly and no pandas in here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from engine import SETTINGS, Experiment, RunHistory
from engine.cost import CALL_SECONDS, CALLS_PER_LAYER, CALLS_PER_STEP, MAX_SECONDS, n_evaluations
from engine.datasets import DATASETS

Group = Sequence[Experiment]

SEEDS = 8  # a cure that changes nothing but chance helps in all of them once in 256 sweeps
UNTREATED = "Untreated"

# The strengths that did best, of two or three, for wide ReLU networks on 30 and 60 noisy moons and on 100 digits: in
# these they helped in 8, 5, 5 (L1), 8, 5, 6 (L2), 3, 6, 7 (dropout) and 8, 6, 4 (early stopping) of 8 seeds.
L1, L2, DROPOUT, PATIENCE = 0.003, 0.01, 0.2, 10
MORE_DATA = 3  # times as many training examples
SMALLER = 8  # times fewer units a layer

WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128)
DEPTHS = (1, 2, 3, 4, 6, 8, 12)
EXAMPLES = (5, 10, 20, 40, 80, 160, 320, 640)
SWEEP_SECONDS = 10.0  # of one core, for a curve: points that cost more than this together are left out, largest first
MOST_GROUPS = 512  # kept made: each rerun of a page asks for the same ones again
LINE = 101  # points of a function of one input
UNRECORDED = 0.4  # share of the estimated time that a stack takes whose updates leave no rows; measured .3 to .8


@dataclass(frozen=True, eq=False)
class Outcome:
    """The end of one run.  Losses in the unit of the experiment's loss, accuracies as shares (NaN for regression).

    train_... and validation_...: of the last weights; test_...: of the result, which early stopping takes from the best
    step; last_test_...: of the last weights.
    """

    experiment: Experiment
    status: str
    steps: int  # updates taken
    train_loss: float
    validation_loss: float
    train_accuracy: float
    validation_accuracy: float
    test_loss: float
    test_accuracy: float
    last_test_loss: float
    last_test_accuracy: float
    line_axis: np.ndarray | None  # (G,) float32, the standardised input; None unless regression in one input
    line: np.ndarray | None  # (G,) float32, what the network puts out there in the end


def outcome_of(history: RunHistory) -> Outcome:
    """What a sweep keeps of a run: a hundred bytes, or 2 kB with the line of a regression in one input."""
    axes, predictions = history.prediction_axes, history.predictions
    has_line = axes is not None and predictions is not None and len(axes) == 1 and history.confusion is None
    return Outcome(
        experiment=history.experiment,
        status=history.status,
        steps=int(history.evaluation_step[-1]),
        train_loss=float(history.train_loss[-1]),
        validation_loss=float(history.validation_loss[-1]),
        train_accuracy=float(history.train_accuracy[-1]),
        validation_accuracy=float(history.validation_accuracy[-1]),
        test_loss=history.test_loss,
        test_accuracy=history.test_accuracy,
        last_test_loss=history.last_test_loss,
        last_test_accuracy=history.last_test_accuracy,
        line_axis=axes[0] if axes and has_line else None,
        line=predictions[-1, :, 0].copy() if predictions is not None and has_line else None,
    )


def losses_of(outcomes: Sequence[Outcome], name: str) -> np.ndarray:
    """One of the losses, (outcomes,); infinite, worse than all others, where it is not finite or the run broke off."""
    losses = np.array([getattr(outcome, name) for outcome in outcomes], float)
    broken = np.array([outcome.status == "diverged" for outcome in outcomes], bool)
    return np.where(np.isfinite(losses) & ~broken, losses, np.inf)


def unit_of(outcome: Outcome) -> str:
    """The unit of an outcome's losses."""
    experiment = outcome.experiment
    squared = experiment.loss == "mse" or (experiment.loss == "auto" and np.isnan(outcome.train_accuracy))
    return "squared error" if squared else "nats"


def clean_line(experiment: Experiment) -> tuple[np.ndarray, np.ndarray] | None:
    """The function behind a drawn regression of one input: standardised inputs and targets without noise, (LINE,) each.

    None for all other data.
    """
    source = DATASETS[experiment.dataset]
    if source.draw is None or source.task != "regression" or source.n_in != 1 or source.noisy_inputs:
        return None
    uniform = np.repeat(np.linspace(0, 1, LINE)[:, None], 3, axis=1)
    inputs, targets = source.draw(uniform, np.zeros((LINE, 2)))
    return (inputs[:, 0] - source.mean[0]) / np.sqrt(source.variance[0]), targets[:, 0]


# --- what to train ---


def seeded(experiment: Experiment) -> list[Experiment]:
    """The experiment under SEEDS draws of data, weights, batches and masks."""
    return [replace(experiment, seed=seed, data_seed=-1) for seed in range(SEEDS)]


def cures_of(experiment: Experiment) -> dict[str, Group]:
    """The untreated network and every cure of overfitting that it does not yet take, each over SEEDS seeds."""
    smaller = max(experiment.width // SMALLER, 1)
    more = min(MORE_DATA * experiment.n_train, _most_examples(experiment))
    cures: dict[str, dict[str, Any]] = {
        f"L1 {L1:g}": {"l1": L1} if experiment.l1 == 0 else {},
        f"L2 {L2:g}": {"l2": L2} if experiment.l2 == 0 else {},
        f"Dropout {DROPOUT:g}": {"dropout": DROPOUT} if experiment.dropout == 0 else {},
        "Early stopping": {"patience": PATIENCE} if experiment.patience == 0 else {},
        f"{smaller} unit{'' if smaller == 1 else 's'} a layer": {"width": smaller},
        "No label noise": {"label_noise": 0.0},
        f"{more} examples": {"n_train": more},
    }
    treated = {label: replace(experiment, **changes) for label, changes in cures.items()}
    groups = {UNTREATED: experiment} | {
        label: other for label, other in treated.items() if other != experiment and _affordable(other)
    }
    return {label: seeded(other) for label, other in groups.items()}


def widths_of(experiment: Experiment) -> Group:
    """The network with other widths, its own among them, each over SEEDS seeds."""
    return _curve(experiment, "width", WIDTHS)


def depths_of(experiment: Experiment) -> Group:
    """The network with other numbers of hidden layers, its own among them, each over SEEDS seeds."""
    return _curve(experiment, "depth", DEPTHS)


def examples_of(experiment: Experiment) -> Group:
    """The network with other numbers of training examples, its own among them, each over SEEDS seeds."""
    most = _most_examples(experiment)
    return _curve(experiment, "n_train", tuple(sorted({min(n, most) for n in EXAMPLES})))


@lru_cache(MOST_GROUPS)
def draws_of(experiment: Experiment) -> Group:
    """The network on SEEDS draws of the data from its own draw of the weights, and the other way round.

    None where the function that the network should learn is not known, or not one of one input.
    """
    if clean_line(experiment) is None:
        return ()
    own_data = experiment.seed if experiment.data_seed == -1 else experiment.data_seed
    of_data = [replace(experiment, data_seed=seed) for seed in range(SEEDS)]
    of_weights = [replace(experiment, seed=seed, data_seed=own_data) for seed in range(SEEDS)]
    return tuple(dict.fromkeys(of_data + of_weights))


def both(of: Callable[[Experiment], Group], patient: Experiment, treated: Experiment) -> dict[str, Group]:
    """A sweep for both networks; one group alone where the two would be the same."""
    groups = {"Patient": of(patient), "Treated": of(treated)}
    if set(groups["Patient"]) == set(groups["Treated"]):
        del groups["Treated"]
    return groups


def seconds_of(experiments: Sequence[Experiment]) -> float:
    """Estimated seconds of one core for runs of which only the outcome is kept, SEEDS of them in a stack."""
    shared = sum(_call_seconds(experiment) for experiment in experiments) * (1 - 1 / SEEDS)
    return UNRECORDED * (sum(experiment.cost.seconds for experiment in experiments) - shared)


@lru_cache(MOST_GROUPS)
def _curve(experiment: Experiment, field: str, values: tuple[int, ...]) -> Group:
    """SEEDS seeds of the experiment at its own value of a field and at others, smallest first.

    Values at which a run is over budget are left out, and the largest beside the own until the rest takes
    SWEEP_SECONDS at most.
    """
    own = getattr(experiment, field)
    points = {value: seeded(replace(experiment, **{field: value})) for value in sorted({own, *values})}
    points = {value: runs for value, runs in points.items() if value == own or _affordable(runs[0])}
    while seconds_of([run for runs in points.values() for run in runs]) > SWEEP_SECONDS:
        others = [value for value in points if value != own]
        if not others:
            break
        del points[others[-1]]
    return tuple(run for runs in points.values() for run in runs)


def _call_seconds(experiment: Experiment) -> float:
    """The part of a run's cost that a stack pays once: overhead of NumPy calls, as in engine/cost.py."""
    calls = CALLS_PER_STEP + CALLS_PER_LAYER * (experiment.depth + 1)
    return (experiment.steps + n_evaluations(experiment.steps)) * calls * CALL_SECONDS


def _affordable(experiment: Experiment) -> bool:
    return experiment.cost.seconds <= MAX_SECONDS


def _most_examples(experiment: Experiment) -> int:
    """That the data set has, and the setting allows."""
    return DATASETS[experiment.dataset].n_train_max or int(SETTINGS["n_train"].high)
