"""The average answer's loss, against the data themselves; what methods without layers make of odd data."""

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine import Experiment, data_digest, load_dataset
from engine.data.baselines import average_loss, kernel_ridge
from engine.doctor import references

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


def test_rows_that_are_nearly_all_equal_have_a_kernel():
    """Between equal rows rounding leaves a distance, which was taken for the typical one."""
    rows = np.random.default_rng(3).standard_normal((2, 30))
    kind = (np.arange(400) % 60 == 0).astype(int)
    experiment = Experiment(dataset="custom", data_digest=data_digest(rows[kind], kind), n_train=240)
    data = load_dataset(experiment, (rows[kind], kind))
    common = data.validation_targets == 0
    np.testing.assert_allclose(kernel_ridge(data)[common], 0, atol=0.1)


def test_references_may_be_asked_for_at_once(monkeypatch):
    monkeypatch.setattr(references, "_known", {})  # what is made up here is not kept for others
    monkeypatch.setattr(references, "MOST_KNOWN", 1)
    monkeypatch.setattr(references, "kernel_ridge", lambda data: data.validation_targets)
    monkeypatch.setattr(references, "nearest_neighbours", lambda data, *_: data.validation_targets)
    monkeypatch.setattr(references, "reference_errors", lambda data, given, *_: given)
    data = [(experiment, load_dataset(experiment)) for experiment in (Experiment(seed=seed) for seed in range(4))]

    def ask(first: int) -> None:
        for i in range(first, first + 500):
            references.references_of(*data[i % 4], "cross_entropy", False)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))
    finally:
        sys.setswitchinterval(interval)
