"""What a network has to be better than: the same answer for every example."""

import math
from functools import lru_cache

from engine import Experiment, load_dataset
from engine.losses import uninformed_loss

AVERAGE = "always the average"  # what that answer is called, in legends and sentences


@lru_cache(maxsize=256)
def average_loss(experiment: Experiment) -> float:
    """Training loss of the best constant answer, in the unit of the experiment's loss.

    For classes the answer is their shares in the training set, for regression the targets' mean.  NaN for data that
    were handed in, which neither an experiment nor a history holds.
    """
    if experiment.dataset == "custom":
        return math.nan
    return uninformed_loss(load_dataset(experiment), experiment.loss)
