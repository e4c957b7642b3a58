"""What is measured before training is the first row of what training records."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, train
from engine.starting_signal import starting_signal

SMALL = Experiment(depth=6, width=8, activation="sigmoid", initializer="xavier_normal", steps=2, n_train=40)


@pytest.mark.parametrize(
    "change",
    [
        {}, {"depth": 1}, {"depth": 30}, {"batch_size": 7}, {"dropout": 0.4}, {"dropout": 0.4, "batch_size": 16},
        {"normalization": "batch"}, {"normalization": "layer", "residual": "plain"}, {"dataset": "sine"},
        {"dataset": "blobs", "loss": "mse"}, {"dataset": "digits"}, {"precision": "float32"},
        {"bias": 1.0, "gain": 3.0},
        {"initializer": "zeros"}, {"l2": 0.1, "clip": "norm"}, {"activation": "relu", "seed": 3},
    ],
    ids=str,
)  # fmt: skip
def test_it_is_the_first_row_of_the_history(change):
    experiment = replace(SMALL, **change)
    np.testing.assert_array_equal(starting_signal(experiment), train(experiment).delta_rms[0])


def test_a_loss_that_is_not_finite_has_no_signal():
    experiment = replace(SMALL, depth=50, activation="linear", gain=100.0, dataset="sine", precision="float32")
    assert not len(train(experiment).step)
    assert np.isnan(starting_signal(experiment)).all()
