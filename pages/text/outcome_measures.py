"""The numbers of a run that a thing to try asks to predict."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine import RunHistory
from engine.data.baselines import average_loss
from pages.text.three_sets import recalls
from pages.text.verdict import starting_ratio

DIRECTIONS = ("more", "same", "less")


@dataclass(frozen=True)
class Measure:
    """What is predicted of the treated network, against the patient.

    name: in sentences; question: what the learner is asked; value: of a run; clear: factor between two values below
    which they count as about the same; least: a value below which all count as the same.
    """

    name: str
    question: str
    value: Callable[[RunHistory], float]
    clear: float
    least: float = 0.0

    def direction(self, patient: RunHistory, treated: RunHistory) -> str:
        """How the treated network's value compares with the patient's: one of DIRECTIONS."""
        before, after = (max(self.value(history), self.least) for history in (patient, treated))
        if math.isnan(before) or math.isnan(after) or before == after:
            return "same"
        if after > self.clear * before:
            return "more"
        return "less" if before > self.clear * after else "same"


def _largest_gradient(history: RunHistory) -> float:
    if history.status == "diverged" or not len(history.step):
        return math.inf
    return float(np.max(history.total_gradient_norm))


def _at_the_end(losses: np.ndarray, history: RunHistory) -> float:
    return math.inf if history.status == "diverged" else float(losses[-1])


def accuracy_gap(history: RunHistory) -> float:
    """Training accuracy less validation accuracy at the end; NaN for regression."""
    return float(history.train_accuracy[-1] - history.validation_accuracy[-1])


def _contradiction(history: RunHistory) -> float:
    """By which factor validation and test loss differ at the end, 1 and more."""
    losses = _at_the_end(history.validation_loss, history), history.last_test_loss
    return max(losses) / min(losses) if min(losses) > 0 else math.inf


def _missed(history: RunHistory) -> float:
    """Share of the validation examples of the class recognised least that are given another; NaN for regression."""
    return math.nan if history.confusion is None else float(1 - np.nanmin(recalls(history)[-1]))


# By the names that assets/lessons/*.toml use.
MEASURES = {
    "ratio": Measure(
        "R, the first layer’s gradient over the last hidden layer’s before the first step,",
        "R is the first layer’s gradient over the last hidden layer’s, before the first step. How large will it be in "
        "the treated network?",
        starting_ratio,
        2.0,
    ),
    "largest_gradient": Measure(
        "the largest gradient norm on record",
        "How large will the treated network’s gradient get, before any clipping?",
        _largest_gradient,
        2.0,
    ),
    "training_loss": Measure(
        "training loss at the end",
        "How large will the treated network’s training loss be at the end?",
        lambda history: _at_the_end(history.train_loss, history),
        1.25,
    ),
    "validation_loss": Measure(
        "validation loss at the end",
        "How large will the treated network’s loss on validation data be at the end?",
        lambda history: _at_the_end(history.validation_loss, history),
        1.25,
    ),
    "test_loss": Measure(
        "test loss of the result",
        "How large will the loss of the treated network’s result be on test data?",
        lambda history: math.inf if history.status == "diverged" else history.test_loss,
        1.25,
    ),
    "accuracy_gap": Measure(
        "training accuracy less validation accuracy",
        "How far will the treated network do better on its training data than on validation data?",
        accuracy_gap,
        1.5,
        0.01,
    ),
    "loss_share": Measure(
        "training loss, as a share of the average answer’s,",
        "How large will the treated network’s training loss be, as a share of what the average answer costs?",
        lambda history: _at_the_end(history.train_loss, history) / average_loss(history.experiment),
        1.25,
    ),
    "contradiction": Measure(
        "the factor between validation and test loss",
        "By which factor will validation and test loss of the treated network differ?",
        _contradiction,
        1.25,
    ),
    "missed": Measure(
        "the share of the worst class that is missed",
        "Of the class that it recognises least, what share will the treated network miss?",
        _missed,
        1.25,
        0.01,
    ),
}
