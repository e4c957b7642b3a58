"""What a network has to be better than: the same answer for every example."""

import math
from functools import lru_cache

import numpy as np

from engine.data.loading import Dataset, load_dataset
from engine.experiment import Experiment
from engine.losses import chosen_loss

AVERAGE = "always the average"  # what that answer is called, in legends and sentences


def uninformed_loss(dataset: Dataset, loss: str) -> float:
    """Loss on the training set of the best constant answer, which a network that learned anything gets below.

    cross_entropy: the entropy of the class shares, −Σ s ln s, in nats.  mse: the variance of the targets, mean over the
    outputs; for classes of their indicators, Σ s (1 − s)/C, or s (1 − s) of two classes with their one output.
    loss as in an Experiment, "auto" included.  Raises ValueError for the cross-entropy of regression.
    """
    targets = dataset.target_rows("train")
    if chosen_loss(loss, dataset.task) == "mse":
        return float(targets.var(axis=0).mean())
    if dataset.task == "regression":
        raise ValueError("Cross-entropy is of probabilities: the task must be one of classes.")
    shares = targets.mean(axis=0)
    if dataset.task == "binary":
        shares = np.append(shares, 1 - shares)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


@lru_cache(maxsize=256)
def average_loss(experiment: Experiment) -> float:
    """Training loss of the best constant answer, in the unit of the experiment's loss.

    For classes the answer is their shares in the training set, for regression the targets' mean.  NaN for data that
    were handed in, which neither an experiment nor a history holds.
    """
    if experiment.dataset == "custom":
        return math.nan
    return uninformed_loss(load_dataset(experiment), experiment.loss)
