"""The average answer's loss, against the data themselves."""

import math

import numpy as np
import pytest

from engine import Experiment, load_dataset
from engine.data.baselines import average_loss

LITTLE = {"n_train": 40, "steps": 1}


@pytest.mark.parametrize("dataset", ["sine", "moons", "digits"])
def test_no_constant_answer_costs_less(dataset):
    experiment = Experiment(dataset=dataset, **LITTLE)
    data = load_dataset(experiment)
    targets = data.train_targets
    if data.task == "regression":
        tried = [float(((targets - answer) ** 2).mean()) for answer in np.linspace(-1, 1, 2001)]
    elif data.task == "binary":
        tried = [-float(np.log(np.where(targets == 1, p, 1 - p)).mean()) for p in np.linspace(0.01, 0.99, 981)]
    else:
        shares = np.bincount(targets, minlength=10) / len(targets)
        tried = [-float(np.log(np.maximum(answer, 1e-9))[targets].mean()) for answer in (shares, np.full(10, 0.1))]
    assert average_loss(experiment) <= min(tried) + 1e-12
    assert average_loss(experiment) == pytest.approx(min(tried), rel=1e-3)


def test_data_that_were_handed_in_have_none_that_is_known():
    assert math.isnan(average_loss(Experiment(dataset="custom", data_digest="0" * 64)))
