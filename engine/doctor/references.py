"""What the best answer and what methods without layers would make of a run's data: what the run is measured against."""

import threading
from dataclasses import dataclass

import numpy as np

from engine.blas import one_blas_thread
from engine.data.baselines import MOST_QUERIES, kernel_ridge, nearest_neighbours, reference_errors
from engine.data.loading import Dataset, DataSettings, data_settings
from engine.experiment import Experiment

Array = np.ndarray

MOST_KNOWN = 256  # data sets whose references are remembered


def label_noise_loss(p: float, n_classes: int, loss: str, output: str) -> float:
    """Loss of whoever knows the right answers to C classes, where a share p of the labels is wrong.

    cross_entropy: −p ln(p/(C − 1)) − (1 − p) ln(1 − p); several sigmoid outputs answer each for itself and pay
    for what each class is not, too, −p ln p − (C − 1 − p) ln(1 − p/(C − 1)) more.  mse: the variance p (1 − p) of
    two classes with their one output; (p (1 − p) + p (1 − p/(C − 1)))/C of more; huber, half of that.
    mae: p, or 2 p/C, since the label that most examples have is its best answer.
    """
    if p == 0:
        return 0.0
    if loss == "cross_entropy":
        entropy = float(-p * np.log(p / (n_classes - 1)) - (1 - p) * np.log(1 - p))
        if n_classes == 2 or output == "softmax":
            return entropy
        return entropy - float(p * np.log(p) + (n_classes - 1 - p) * np.log1p(-p / (n_classes - 1)))
    if loss == "mae":
        return p if n_classes == 2 else 2 * p / n_classes
    if n_classes == 2:
        variance = p * (1 - p)
    else:
        variance = (p * (1 - p) + p * (1 - p / (n_classes - 1))) / n_classes
    return variance / 2 if loss == "huber" else variance


@dataclass(frozen=True, eq=False)
class References:
    """Errors of the first MOST_QUERIES validation examples, (n,), as an Examination's validation_errors."""

    neighbours: Array
    ridge: Array

    @property
    def best(self) -> Array:
        return min(self.neighbours, self.ridge, key=np.mean)


_known: dict[tuple[DataSettings, str, str, bool], References] = {}
_lock = threading.Lock()  # sessions of a server ask at once


def references_of(experiment: Experiment, dataset: Dataset, loss: str, balanced: bool) -> References:
    """Worked out once for all networks that are trained on the same examples for the same loss."""
    key = data_settings(experiment), experiment.data_digest, loss, balanced
    if found := _known.get(key):
        return found
    answers = dataset.target_rows("validation")[:MOST_QUERIES]
    with one_blas_thread():
        ridge = reference_errors(dataset, kernel_ridge(dataset)[:MOST_QUERIES], answers, loss, balanced)
        found = References(nearest_neighbours(dataset, loss, balanced), ridge)
    with _lock:
        while len(_known) >= MOST_KNOWN:
            del _known[next(iter(_known))]
        _known[key] = found
    return found
