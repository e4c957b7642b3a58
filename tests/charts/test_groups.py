"""A sweep's experiments differ in what they are said to differ in, and in nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, load_dataset
from engine.cures.outcomes import SEEDS, seconds_of, seeded
from engine.limits import MAX_SECONDS
from pages.charts.sweeps import groups
from pages.charts.sweeps.groups import (
    SWEEP_SECONDS,
    UNTREATED,
    both,
    clean_line,
    cures_of,
    depths_of,
    draws_of,
    examples_of,
    widths_of,
)

BASE = Experiment(n_train=30, width=64, depth=2, steps=300)
CURVES = {"width": widths_of, "depth": depths_of, "n_train": examples_of}


def test_cures_are_one_change_each():
    groups = cures_of(replace(BASE, label_noise=0.1))
    assert next(iter(groups)) == UNTREATED
    for label, runs in groups.items():
        assert [run.seed for run in runs] == list(range(SEEDS))
        changes = groups[UNTREATED][0].differences(runs[0])
        assert len(changes) == (0 if label == UNTREATED else 1)
    changed = {name for runs in groups.values() for name in groups[UNTREATED][0].differences(runs[0])}
    assert changed == {"l1", "l2", "dropout", "patience", "n_train", "width", "label_noise"}


def test_a_cure_that_is_taken_already_is_left_out():
    taken = replace(BASE, l1=0.1, l2=0.1, dropout=0.5, patience=3, width=1, n_train=5000)
    assert list(cures_of(taken)) == [UNTREATED]


@pytest.mark.parametrize("dataset", ["digits", "breast_cancer", "sine", "moons"])
def test_every_experiment_of_a_sweep_is_one_that_can_be_made(dataset):
    base = Experiment(dataset=dataset, n_train=100, width=32, steps=300)
    groups = [*cures_of(base).values(), widths_of(base), depths_of(base), examples_of(base), draws_of(base)]
    for run in dict.fromkeys(run for group in groups for run in group):
        assert run.cost.seconds <= MAX_SECONDS


@pytest.mark.parametrize("field", CURVES)
@pytest.mark.parametrize("own", [3, 30])
def test_a_curve_varies_one_field_and_holds_the_networks_own(field, own):
    base = replace(BASE, **{field: max(own, 5)})
    runs = CURVES[field](base)
    sizes = [getattr(run, field) for run in runs]
    assert sizes == sorted(sizes)
    assert getattr(base, field) in sizes
    assert {size: sizes.count(size) for size in sizes} == dict.fromkeys(sizes, SEEDS)
    assert {frozenset(base.differences(run)) - {"seed", field} for run in runs} == {frozenset()}


@pytest.mark.parametrize("field", CURVES)
def test_a_heavy_curve_has_fewer_points_but_its_own(field):
    heavy = Experiment(width=128, depth=6, n_train=1000, steps=200)
    runs = CURVES[field](heavy)
    sizes = {getattr(run, field) for run in runs}
    assert getattr(heavy, field) in sizes
    assert len(sizes) < len(getattr(groups, {"width": "WIDTHS", "depth": "DEPTHS", "n_train": "EXAMPLES"}[field]))
    assert seconds_of(runs) <= max(SWEEP_SECONDS, seconds_of(seeded(heavy)))


def test_draws_of_data_and_of_weights():
    base = Experiment(dataset="sine", seed=3)
    runs = draws_of(base)
    assert len(runs) == len(set(runs)) == 2 * SEEDS - 1  # the network itself is in both
    of_data = [run for run in runs if run.seed == 3]
    of_weights = [run for run in runs if run.data_seed == 3]
    assert len(of_data) == len(of_weights) == SEEDS
    same = {load_dataset(run).train_targets.tobytes() for run in of_weights}
    assert same == {load_dataset(base).train_targets.tobytes()}
    assert draws_of(Experiment()) == ()


def test_both_is_one_group_where_the_sweeps_are_the_same():
    wide = replace(BASE, width=16)
    assert list(both(widths_of, BASE, wide)) == ["Patient"]
    assert list(both(depths_of, BASE, wide)) == ["Patient", "Treated"]


def test_the_clean_line_is_the_function_behind_the_data():
    inputs, targets = clean_line(Experiment(dataset="sine"))
    dataset = load_dataset(Experiment(dataset="sine", noise=0, n_train=500))
    np.testing.assert_allclose(targets, np.sin(inputs * 2 * np.pi / np.sqrt(3)), atol=1e-12)
    found = np.interp(dataset.train_inputs[:, 0], inputs, targets)
    np.testing.assert_allclose(found, dataset.train_targets[:, 0], atol=0.01)
    assert clean_line(Experiment()) is None
    assert clean_line(Experiment(dataset="digits")) is None
