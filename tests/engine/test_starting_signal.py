"""What is measured before training is the first row of what training records."""

import os
import threading
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from engine import Experiment, data_digest, train
from engine.blas import one_blas_thread
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


@pytest.mark.skipif(os.cpu_count() == 1, reason="BLAS has one thread anyway")
def test_it_is_so_where_blas_has_several_threads():
    experiment = replace(SMALL, width=256, n_train=150, steps=1)
    with threadpool_limits(2):
        np.testing.assert_array_equal(starting_signal(experiment), train(experiment).delta_rms[0])


def test_blas_has_its_threads_back_when_the_last_leaves_and_not_before():
    library, entered, leave = ThreadpoolController().select(user_api="blas"), threading.Event(), threading.Event()
    one_thread = one_blas_thread.__wrapped__()  # another than that which a backend in this process never leaves

    def first() -> None:
        with one_thread:
            entered.set()
            leave.wait()

    with threadpool_limits(2):
        thread = threading.Thread(target=first)
        thread.start()
        entered.wait()
        with one_thread:
            leave.set()
            thread.join()
            assert {one["num_threads"] for one in library.info()} == {1}
        assert {one["num_threads"] for one in library.info()} == {2}


def test_targets_beyond_float32_have_no_finite_loss():
    inputs, targets = np.random.default_rng(0).standard_normal((2, 50, 1)) * np.array([[[1.0]], [[1e60]]])
    settings = {"dataset": "custom", "data_digest": data_digest(inputs, targets), "n_train": 20}
    experiment = replace(SMALL, **settings, precision="float32")
    assert train(experiment, (inputs, targets)).status == "diverged"
    assert np.isnan(starting_signal(experiment, (inputs, targets))).all()


def test_a_loss_that_is_not_finite_has_no_signal():
    experiment = replace(SMALL, depth=50, activation="linear", gain=100.0, dataset="sine", precision="float32")
    assert not len(train(experiment).step)
    assert np.isnan(starting_signal(experiment)).all()
