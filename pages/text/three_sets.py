"""How well a run does on training, validation and test data, and in which class: for sentences and charts alike."""

import math
from typing import NamedTuple

import numpy as np

from engine import RunHistory
from engine.losses import chosen_loss
from pages.text.clock import latest
from pages.text.data_summary import amount
from pages.text.labels import number
from pages.text.own_data import average_loss, dataset_of

Array = np.ndarray
SETS = "training", "validation", "test"
TYPICAL = "Typical error"
DISTORTED = {"validation_shift", "label_mismatch"}  # findings by which validation data say nothing of the network


class Score(NamedTuple):
    """What a run achieved on one set of examples.

    value: share of right answers; for numbers the loss, as a share of the average answer's (of data that are not
    at hand, the loss itself).
    error: standard error of a share, √(p (1 − p) / n); NaN for losses, and where n is not known.
    """

    value: float
    error: float


def scores(history: RunHistory) -> list[Score]:
    """On each of SETS, with the weights that the run results in."""
    row = result_row(history)
    if history.confusion is None:
        average = average_loss(history.experiment)
        losses = history.train_loss[row], history.validation_loss[row], history.test_loss
        return [Score(float(loss) / average if average > 0 else float(loss), math.nan) for loss in losses]
    shares = history.train_accuracy[row], history.validation_accuracy[row], history.test_accuracy
    sizes = history.experiment.n_train, int(history.confusion[0].sum()), _test_examples(history)
    return [Score(float(p), math.sqrt(p * (1 - p) / n) if n else math.nan) for p, n in zip(shares, sizes, strict=True)]


def result_row(history: RunHistory) -> int:
    """The evaluation of the weights that the run results in: the best step's where it may stop early, else the last."""
    last = len(history.evaluation_step) - 1
    return latest(history.evaluation_step, history.best_step) if history.experiment.patience > 0 else last


def typical_error(history: RunHistory, loss: float) -> str:
    """A regression's loss in words and in the unit that its targets came in: "Typical error 26,300".

    It is the root of a mean squared error and a mean absolute error itself; the Huber loss has no unit, and stays.
    """
    e = history.experiment
    kind = chosen_loss(e.loss, "regression", e.output)
    if kind == "huber" or not math.isfinite(loss):
        return f"Loss {number(loss)}"
    return f"{TYPICAL} {amount((math.sqrt(loss) if kind == 'mse' else loss) / e.target_scale, 3)}"


def recalls(history: RunHistory) -> Array:
    """Share of each class's validation examples that are given that class, (frames, classes); NaN of a class without.

    Of a network that answers with numbers: no classes, (frames, 0).
    """
    if history.confusion is None:
        return np.zeros((len(history.frame_step), 0))
    with np.errstate(invalid="ignore"):
        return np.diagonal(history.confusion, axis1=1, axis2=2) / history.confusion.sum(axis=2)


def result_recalls(history: RunHistory) -> Array:
    """The same of the weights that the run results in, (classes,)."""
    return recalls(history)[latest(history.frame_step, int(history.evaluation_step[result_row(history)]))]


def class_names(history: RunHistory) -> tuple[str, ...]:
    """Of targets 0, 1, 2, ...; empty for regression."""
    if history.confusion is None:
        return ()
    dataset = dataset_of(history.experiment)
    if dataset is None:
        return tuple(f"class {k + 1}" for k in range(history.confusion.shape[-1]))
    return dataset.class_names


def _test_examples(history: RunHistory) -> int:
    """0 where they are not known, of data that are not at hand."""
    dataset = dataset_of(history.experiment)
    return 0 if dataset is None else len(dataset.test_inputs)
