"""Outcomes: what is kept of a run is the end of its history, or its result; and what a sweep costs."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, diagnose, train
from engine.cost import CALL_SECONDS, CALLS_PER_LAYER, CALLS_PER_STEP, counted_evaluations
from engine.cures.outcomes import SEEDS, UNRECORDED, in_unit_of, losses_of, outcome_of, seconds_of, seeded, unit_of
from tests.engine.examined_runs import SMALL, examined
from tests.engine.made_outcomes import made

QUICK = Experiment(depth=2, width=4, steps=40)
RUNS = {
    "classes": QUICK,
    "stopped early": replace(QUICK, label_noise=0.3, n_train=40, width=64, steps=400, optimizer="adam", patience=5),
    "of one input": replace(QUICK, dataset="sine"),
    "of many inputs": replace(QUICK, dataset="digits"),
    "diverged": replace(QUICK, dataset="sine", learning_rate=1000.0),
    "with two findings": replace(QUICK, depth=8, initializer="small_normal"),
    "with context": replace(SMALL, activation="linear", steps=15),
}


@pytest.fixture(scope="module", params=RUNS)
def history(request):
    return train(RUNS[request.param])


def test_an_outcome_is_the_end_of_its_history(history):
    outcome = pickle.loads(pickle.dumps(outcome_of(history)))  # as a worker sends it
    assert (outcome.experiment, outcome.status) == (history.experiment, history.status)
    assert outcome.steps == history.evaluation_step.max()
    for name in ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy"):
        np.testing.assert_array_equal(getattr(outcome, name), getattr(history, name)[-1], name)
    for name in ("test_loss", "test_accuracy", "last_test_loss", "last_test_accuracy"):
        np.testing.assert_array_equal(getattr(outcome, name), getattr(history, name), name)


def test_the_result_is_the_best_step_where_a_run_may_stop_early(history):
    outcome, patience = outcome_of(history), history.experiment.patience
    (row,) = np.flatnonzero(history.evaluation_step == (history.best_step if patience else outcome.steps))
    assert not patience or row < len(history.evaluation_step) - 1
    np.testing.assert_array_equal(outcome.result_validation_loss, history.validation_loss[row])
    np.testing.assert_array_equal(outcome.result_validation_accuracy, history.validation_accuracy[row])


@pytest.mark.parametrize("settings", [{"imbalance": 0.1, "steps": 200}, {"dataset": "digits"}])
def test_every_class_counts_alike_where_the_mean_is_over_the_means_of_the_classes(settings):
    history = train(replace(QUICK, **settings))
    alike = outcome_of(history).classes_alike
    run, frame = examined(history), history.confusion[-1]
    recalls = np.diag(frame) / frame.sum(axis=1)
    assert alike.result_validation_accuracy == pytest.approx(recalls.mean())
    labels = run.dataset.test_targets.ravel().astype(int)
    given = run.answers(run.dataset.test_inputs)
    given = np.hstack([1 - given, given]) if given.shape[1] == 1 else given
    losses = -np.log(given[np.arange(len(labels)), labels])
    right = given.argmax(axis=1) == labels
    of_class = [labels == label for label in np.unique(labels)]
    assert alike.test_loss == pytest.approx(np.mean([losses[which].mean() for which in of_class]), rel=1e-5)
    assert alike.test_accuracy == pytest.approx(np.mean([right[which].mean() for which in of_class]))
    assert alike.test_loss != pytest.approx(history.test_loss, rel=1e-3)
    assert outcome_of(train(replace(QUICK, dataset="sine"))).classes_alike is None


def test_findings_are_those_that_are_more_than_context(history):
    kept = [found.code for found in diagnose(history) if found.severity in ("warning", "severe")]
    assert list(outcome_of(history).findings) == kept


def test_context_is_left_out():
    found = diagnose(train(RUNS["with context"]))
    assert "context" in [one.role for one in found], "or the test above says less than it seems to"


def test_a_regression_in_one_input_keeps_its_line(history):
    outcome = outcome_of(history)
    if history.experiment.dataset != "sine":
        assert outcome.line is outcome.line_axis is None
        return
    np.testing.assert_array_equal(outcome.line_axis, history.prediction_axes[0])
    np.testing.assert_array_equal(outcome.line, history.predictions[-1, :, 0])
    assert outcome.line.dtype == outcome.line_axis.dtype == np.float32
    assert outcome.line.base is None, "a view would keep all frames"


def test_a_loss_that_is_not_finite_counts_as_infinite_and_so_does_a_run_that_diverged():
    losses = [0.5, math.nan, -math.inf, math.inf, 0.25]
    outcomes = [made(QUICK, test_loss=loss) for loss in losses] + [made(QUICK, test_loss=0.1, status="diverged")]
    np.testing.assert_array_equal(losses_of(outcomes, "test_loss"), [0.5, math.inf, math.inf, math.inf, 0.25, math.inf])
    assert losses_of([], "test_loss").shape == (0,)


@pytest.mark.parametrize(
    ("settings", "accuracy", "unit"),
    [
        ({}, 0.9, "nats"),
        ({"loss": "cross_entropy"}, 0.9, "nats"),
        ({"loss": "mse"}, 0.9, "squared error"),
        ({"dataset": "sine"}, math.nan, "squared error"),
        ({"dataset": "sine", "loss": "mse"}, math.nan, "squared error"),
    ],
)
def test_the_unit_of_a_loss(settings, accuracy, unit):
    assert unit_of(made(replace(QUICK, **settings), train_accuracy=accuracy)) == unit


def test_seeds_are_draws_of_everything():
    drawn = seeded(replace(QUICK, seed=7, data_seed=3))
    assert drawn == [replace(QUICK, seed=seed, data_seed=-1) for seed in range(8)]
    assert [one.seed for one in seeded(QUICK, 3)] == [0, 1, 2]


def test_a_stack_pays_the_calls_of_numpy_once():
    """8 runs of 3 layers in a stack: their arithmetic 8 times, the calls of their updates and evaluations once."""
    assert SEEDS == 8
    calls = (40 + counted_evaluations(40)) * (CALLS_PER_STEP + 3 * CALLS_PER_LAYER) * CALL_SECONDS
    expected = UNRECORDED * (8 * QUICK.cost.seconds - 7 * calls)
    assert seconds_of(seeded(QUICK)) == pytest.approx(expected, rel=1e-12)
    assert seconds_of([QUICK]) == pytest.approx(expected / 8, rel=1e-12)


@pytest.mark.parametrize(("loss", "power"), [("mse", 2), ("auto", 2), ("mae", 1)])
def test_losses_of_other_targets_are_given_in_the_same_unit(loss, power):
    """A linear network without biases or steps errs in proportion to its targets where its answers are 0."""
    small = Experiment(dataset="sine", depth=1, width=2, steps=1, gain=0, learning_rate=1e-300, loss=loss)
    large = replace(small, target_scale=20.0)
    here, there = (outcome_of(train(one)) for one in (small, large))
    assert there.test_loss == pytest.approx(20**power * here.test_loss)
    same = in_unit_of(small, there)
    for name in ("train_loss", "validation_loss", "test_loss", "last_test_loss", "result_validation_loss"):
        assert getattr(same, name) == pytest.approx(getattr(here, name))
    assert in_unit_of(small, here) is here
