"""What a network has to be better than: the same answer for every example."""

import math
from functools import lru_cache

import numpy as np

from engine.data.loading import Dataset, load_dataset
from engine.experiment import Experiment
from engine.losses import HUBER_DELTA, LOSSES, chosen_loss, chosen_output

HALVINGS = 60  # of the range of the targets: more than a float's digits
AVERAGE = "always the average"  # what that answer is called, in legends and sentences


def uninformed_loss(dataset: Dataset, loss: str, output: str = "auto") -> float:
    """Loss on the training set of the best constant answer, which a network that learned anything gets below.

    cross_entropy: the entropy of the class shares, −Σ s ln s, in nats.  mse: the variance of the targets, mean over the
    outputs; for classes of their indicators, Σ s (1 − s)/C, or s (1 − s) of two classes with their one output.
    mae: of the medians; where softmax's answers must add up to 1, 2 (1 − max s)/C, of the most frequent class.
    Several sigmoid outputs answer each for itself.  An answer counts that the output cannot reach, too.
    loss and output as in an Experiment, "auto" included.  Raises ValueError for the cross-entropy of regression.
    """
    targets = dataset.target_rows("train")
    name = chosen_loss(loss, dataset.task, output)
    softmax = chosen_output(output, dataset.task) == "softmax"
    if name != "cross_entropy":
        return constant_loss(targets, name, softmax)
    if dataset.task == "regression":
        raise ValueError("Cross-entropy is of probabilities: the task must be one of classes.")
    shares = targets.mean(axis=0)
    if not softmax:
        shares = np.append(shares, 1 - shares)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def constant_loss(targets: np.ndarray, loss: str, softmax: bool = False) -> float:
    """Loss of the best constant answer to targets in rows, (n, n_out): "mse", "mae" or "huber"."""
    if loss == "mse":
        return float(targets.var(axis=0).mean())
    if loss == "mae":
        shares = targets.mean(axis=0)
        best = np.eye(len(shares))[shares.argmax()] if softmax else np.median(targets, axis=0)
    else:
        low, high = targets.min(axis=0), targets.max(axis=0)
        for _ in range(HALVINGS):
            best = (low + high) / 2
            above = np.clip(best - targets, -HUBER_DELTA, HUBER_DELTA).sum(axis=0) > 0
            low, high = np.where(above, low, best), np.where(above, best, high)
    return float(LOSSES[loss].value(np.broadcast_to(best, targets.shape)[None], targets[None], "linear")[0])


@lru_cache(maxsize=256)
def average_loss(experiment: Experiment) -> float:
    """Training loss of the best constant answer, in the unit of the experiment's loss.

    For classes the answer is their shares in the training set, for regression the targets' mean.  NaN for data that
    were handed in, which neither an experiment nor a history holds.
    """
    if experiment.dataset == "custom":
        return math.nan
    return uninformed_loss(load_dataset(experiment), experiment.loss, experiment.output)
