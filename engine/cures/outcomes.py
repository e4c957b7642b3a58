"""What many trainings leave behind where only their end counts, and what they cost.

Workers make outcomes of histories where they were trained, so that a sweep costs next to no memory elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from engine.cost import CALL_SECONDS, CALLS_PER_LAYER, CALLS_PER_STEP, counted_evaluations, estimate
from engine.data.custom import CustomData
from engine.doctor.diagnosis import diagnose
from engine.doctor.examination import Examination
from engine.experiment import Experiment
from engine.history import RunHistory
from engine.losses import LOSSES, chosen_loss

SEEDS = 8  # a cure that changes nothing but chance helps in all of them once in 256 sweeps
SCREENED = 3  # of the seeds, over which every dose is tried first
UPDATE_ROWS, FRAMES = 100, 3  # that a run is recorded with: as many as diagnosing it takes
Sizes = tuple[int, int] | None  # inputs and outputs of a network, where the data were handed in
UNRECORDED = 0.4  # share of the estimated time that a stack takes whose updates leave few rows; measured .3 to .8


class NewData(NamedTuple):
    """What a result does on new data."""

    result_validation_loss: float
    result_validation_accuracy: float
    test_loss: float
    test_accuracy: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """The end of one run.  Losses in the unit of the experiment's loss, accuracies as shares (NaN for regression).

    train_..., validation_... and last_test_...: of the last weights; result_validation_... and test_...: of the result,
    which early stopping takes from the best step.  findings: codes of what the doctor found that is a warning or worse.
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
    result_validation_loss: float
    result_validation_accuracy: float
    findings: tuple[str, ...]
    line_axis: np.ndarray | None  # (G,) float32, the standardised input; None unless regression in one input
    line: np.ndarray | None  # (G,) float32, the network's output there in the end
    remedies: tuple[str, ...] = ()  # of the root cause, as the doctor names them
    gradient_ratio: float = np.nan  # R at step 0
    classes_alike: NewData | None = None  # where every class counts alike; None for regression and unknown data
    by_class: bool = False  # whether what it does on new data is that


def outcome_of(history: RunHistory, data: CustomData | None = None) -> Outcome:
    """What a sweep keeps of a run: a hundred bytes, or 2 kB with the line of a regression in one input.

    data: what it was trained on where that is a custom data set; without them the doctor knows less of what was
    possible, and calls a network healthy that learnt nothing.
    """
    findings = diagnose(history, data)
    axes, predictions, result = history.prediction_axes, history.predictions, history.result_evaluation
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
        result_validation_loss=float(history.validation_loss[result]),
        result_validation_accuracy=float(history.validation_accuracy[result]),
        findings=tuple(finding.code for finding in findings if finding.severity != "info"),
        line_axis=axes[0] if axes and has_line else None,
        line=predictions[-1, :, 0].copy() if predictions is not None and has_line else None,
        remedies=findings[0].remedies if findings else (),
        gradient_ratio=float(history.gradient_ratio[0]) if len(history.step) else np.nan,
        classes_alike=_classes_alike(history, data),
    )


def _classes_alike(history: RunHistory, data: CustomData | None) -> NewData | None:
    run = Examination(history, data)
    if run.dataset is None or not run.is_classification:
        return None
    with np.errstate(all="ignore"):
        return NewData(*run.classes_alike("validation"), *run.classes_alike("test"))


def judged_by_class(outcome: Outcome) -> Outcome:
    """The outcome with what it does on new data where every class counts alike."""
    alike = outcome.classes_alike
    return replace(outcome, **alike._asdict(), by_class=True) if alike else outcome


_LOSSES = (
    "train_loss", "validation_loss", "test_loss", "last_test_loss", "result_validation_loss",
)  # fmt: skip


def in_unit_of(experiment: Experiment, outcome: Outcome) -> Outcome:
    """The outcome with its losses in the unit of another experiment, whose targets are scaled differently.

    A mean squared error grows with the square of the targets' scale, a mean absolute one as the scale does.
    """
    factor = experiment.target_scale / outcome.experiment.target_scale
    if factor == 1:
        return outcome
    power = 1 if outcome.experiment.loss == "mae" else 2
    return replace(outcome, **{name: getattr(outcome, name) * factor**power for name in _LOSSES})


def losses_of(outcomes: Sequence[Outcome], name: str) -> np.ndarray:
    """One of the losses, (outcomes,); infinite, worse than all others, where it is not finite or the run diverged."""
    losses = np.array([getattr(outcome, name) for outcome in outcomes], float)
    broken = np.array([outcome.status == "diverged" for outcome in outcomes], bool)
    return np.where(np.isfinite(losses) & ~broken, losses, np.inf)


def relative_change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """after/before − 1, pair by pair: −1 where only what was before diverged, infinite where only what came after did,
    0 where both or neither."""
    with np.errstate(all="ignore"):
        change = after / before - 1
    return np.where(after == before, 0.0, np.where(np.isinf(before), -1.0, change))


def unit_of(outcome: Outcome) -> str:
    """The unit of an outcome's losses."""
    task = "regression" if np.isnan(outcome.train_accuracy) else "classes"
    return LOSSES[chosen_loss(outcome.experiment.loss, task, outcome.experiment.output)].unit


def seeded(experiment: Experiment, seeds: int = SEEDS) -> list[Experiment]:
    """The experiment under so many draws of data, weights, batches and masks."""
    return [replace(experiment, seed=seed, data_seed=-1) for seed in range(seeds)]


def seconds_of(experiments: Sequence[Experiment], sizes: Sizes = None) -> float:
    """Estimated seconds of one core for runs of which only the outcome is kept, SEEDS of them in a stack.

    sizes: inputs and outputs, where the data were handed in; without them such data count as the smallest.
    """
    shared = sum(_call_seconds(experiment) for experiment in experiments) * (1 - 1 / SEEDS)
    costs = (estimate(experiment, *sizes) if sizes else experiment.cost for experiment in experiments)
    return UNRECORDED * (sum(cost.seconds for cost in costs) - shared)


def _call_seconds(experiment: Experiment) -> float:
    """The part of a run's cost that a stack pays once: overhead of NumPy calls, as in engine/cost.py."""
    calls = CALLS_PER_STEP + CALLS_PER_LAYER * (experiment.depth + 1)
    return (experiment.steps + counted_evaluations(experiment.steps)) * calls * CALL_SECONDS
