"""What counts as healthy, and what as hurt: decided by what a run does on test data, never by the doctor's detectors.

The error of a run is its share of wrong answers on the test set, or its mean squared error for regression, as a share
of what the best constant answer would cost: 0 is perfect, 1 is to have learnt nothing.  The best error known on some
data is that of all the zoo's runs on them and of a reference network, so that a few runs which all do badly on the same
data do not make each other healthy.
"""

import numpy as np

from engine import Experiment, RunHistory, load_dataset
from engine.data.custom import CustomData

AS_GOOD = 0.1  # a sensible run is healthy within so much of the best error known on its data
HURT = 0.15  # an injected fault counts if it costs at least so much more than the same run without it


def error(history: RunHistory, data: CustomData | None = None) -> float:
    """Test error of a run's result between 0 and 1, the best constant answer's; 1 and more where it broke off.

    data: what it was trained on where that is a custom data set.
    """
    if history.status == "diverged" or not np.isfinite(history.test_loss):
        return np.inf
    dataset = load_dataset(history.experiment, data)
    if dataset.task == "regression":
        return history.test_loss / float(dataset.test_targets.var())
    shares = dataset.target_rows("test").mean(axis=0)
    if len(shares) == 1:
        shares = np.append(shares, 1 - shares)
    return (1 - history.test_accuracy) / (1 - float(shares.max()))


def data_of(experiment: Experiment) -> tuple:
    """What two runs share that are judged by the same test examples."""
    e = experiment
    return e.dataset, e.noise, e.seed if e.data_seed == -1 else e.data_seed


def reference(experiment: Experiment) -> Experiment:
    """A network of a usual kind on the same data, their labels right, stopped where it is best on validation data."""
    e = experiment
    data = {"dataset": e.dataset, "n_train": e.n_train, "noise": e.noise, "seed": e.seed, "data_seed": e.data_seed}
    shape = {"depth": 2, "width": 32, "activation": "tanh", "initializer": "xavier_normal"}
    way = {"optimizer": "adam", "learning_rate": 0.02, "batch_size": 0, "steps": 400, "patience": 30}
    return Experiment(**data, **shape, **way)
