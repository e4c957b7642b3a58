"""A run that goes on from a step as another experiment: two futures from the same weights."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, OutOfRange, RunHistory, Training, backward, forward, load_dataset, train
from engine.batches import batch_indices
from engine.losses import LOSSES
from engine.network import Architecture, Parameters
from engine.optimizers import OPTIMIZERS
from tests.engine.contract import assert_well_formed, bits

PARENT = Experiment(depth=3, width=5, n_train=40, batch_size=16, steps=60, learning_rate=0.3)
AT = 37


def branched(experiment: Experiment, parent: Experiment = PARENT, at: int = AT) -> RunHistory:
    return Training(parent).advance(at).branch(experiment).advance(experiment.steps).history()


@pytest.mark.parametrize("at", [0, AT, PARENT.steps - 1])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_with_the_same_experiment_the_future_is_the_same_to_the_last_bit(optimizer: str, at: int) -> None:
    parent = replace(PARENT, optimizer=optimizer, dropout=0.2, normalization="batch", patience=90, schedule="cosine")
    history = branched(parent, parent, at)
    assert history.branches == ((at, parent),)
    assert bits(replace(history, branches=())) == bits(train(parent))


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0.01}, {"activation": "tanh"}, {"residual": "scaled"}, {"optimizer": "adam"}, {"l2": 0.1},
        {"batch_size": 7}, {"clip": "norm", "clip_threshold": 0.05}, {"dropout": 0.4}, {"steps": 90}, {"patience": 2},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_up_to_the_step_it_is_the_parent_and_from_there_its_own(change: dict) -> None:
    experiment, parent = replace(PARENT, **change), train(PARENT)
    history = branched(experiment)
    assert_well_formed(history)
    assert history.experiment == experiment
    before = history.step < AT
    for row in ("batch_loss", "gradient_norm", "delta_rms"):
        np.testing.assert_array_equal(getattr(history, row)[before], getattr(parent, row)[parent.step < AT])
    later = [loss for step, loss in zip(history.step, history.batch_loss, strict=True) if step > AT]
    theirs = [loss for step, loss in zip(parent.step, parent.batch_loss, strict=True) if step > AT]
    assert later != theirs or set(change) <= {"steps", "patience"}
    if history.status == "completed":
        assert history.step[-1] == experiment.steps - 1


@pytest.mark.parametrize("change", [{"learning_rate": 0.02}, {"activation": "tanh"}, {"l2": 0.3}], ids=str)
def test_the_future_is_what_the_equations_give(change: dict) -> None:
    """Updates by hand from the parent's weights, with the plain rule θ ← θ − η (∂L/∂θ + λ W)."""
    experiment = replace(PARENT, **change)
    dataset, parent, history = load_dataset(PARENT), train(PARENT), branched(experiment)
    frame = int(np.flatnonzero(parent.frame_step == AT)[0])
    sizes = (2, *[PARENT.width] * PARENT.depth, 1)
    architecture = Architecture(sizes, experiment.activation, "sigmoid")
    parts = [part[frame].ravel() for part in (*parent.weights, *parent.biases)]
    parameters = Parameters(architecture, np.concatenate(parts)[None])
    losses = []
    for step in range(AT, AT + 10):
        rows = batch_indices(experiment, step)
        inputs, targets = dataset.train_inputs[rows], dataset.target_rows("train")[rows]
        passed = forward(parameters, inputs)
        losses.append(LOSSES["cross_entropy"].value(passed.z[-1], targets, "sigmoid")[0])
        gradient, _ = backward(parameters, passed, LOSSES["cross_entropy"].gradient(passed.z[-1], targets, "sigmoid"))
        weights = slice(0, parameters.n_weights)
        gradient.flat[:, weights] += experiment.l2 * parameters.flat[:, weights]
        parameters = Parameters(architecture, parameters.flat - experiment.learning_rate * gradient.flat)
    np.testing.assert_allclose(history.batch_loss[AT : AT + 10], losses, rtol=1e-12)


def test_another_optimizer_starts_anew() -> None:
    """Adam's first change is the learning rate in every parameter, whenever it begins: it counts from there."""
    smooth = replace(PARENT, activation="tanh")  # every parameter has a gradient
    history = branched(replace(smooth, optimizer="adam", learning_rate=0.001), smooth)
    n = sum(part[0].size for part in (*history.weights, *history.biases))
    np.testing.assert_allclose(history.total_update_norm[AT], 0.001 * n**0.5, rtol=0.02)


def test_patience_is_counted_from_where_it_was_turned_off() -> None:
    """As long as it was on, every evaluation was worse than the one at step 0."""
    worse = replace(PARENT, validation_labels="permuted", patience=50)
    training = Training(worse).advance(20).branch(replace(worse, patience=0)).advance(2)
    history = training.branch(replace(worse, patience=5)).advance(PARENT.steps).history()
    assert (history.best_step, history.status, history.evaluation_step[-1]) == (0, "stopped_early", 20 + 5)


def test_a_branch_leaves_its_parent_alone_and_can_be_branched_again() -> None:
    training = Training(PARENT).advance(AT)
    slow, slower = replace(PARENT, learning_rate=0.01), replace(PARENT, learning_rate=0.001)
    first = training.branch(slow).advance(10)
    second = first.branch(slower).advance(PARENT.steps).history()
    assert second.branches == ((AT, PARENT), (AT + 10, slow))
    assert bits(training.advance(PARENT.steps).history()) == bits(train(PARENT))


@pytest.mark.parametrize("slices", [(90,), (AT, 1, 89), (AT - 1, 3, 90)], ids=str)
def test_branches_that_are_known_beforehand_are_taken_at_their_steps(slices: tuple[int, ...]) -> None:
    """As by hand, in whatever slices the run advances."""
    faster, other = replace(PARENT, learning_rate=0.05), replace(PARENT, optimizer="adam", learning_rate=0.01)
    training = Training(PARENT, branches=((AT, faster), (AT + 2, other)))
    assert Training(PARENT, branches=training._branches).advance(AT).experiments == (faster,), "at the step itself"
    for steps in slices:
        training.advance(steps)
    by_hand = Training(PARENT).advance(AT).branch(faster).advance(2).branch(other).advance(PARENT.steps)
    assert training.history().branches == ((AT, PARENT), (AT + 2, faster))
    assert bits(training.history()) == bits(by_hand.history())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 4}, "depth is 4, but it must be 3, as it was up to step 37."),
        ({"seed": 1}, "seed is 1, but it must be 0"),
        ({"dataset": "circles"}, "dataset is .circles., but it must be moons"),
        ({"initializer": "lecun"}, "initializer is .lecun., but it must be he_normal"),
        ({"steps": AT}, "steps is 37, but it must be more than 37, the step of the branch."),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_changed_any_more_is_said(change: dict, message: str) -> None:
    with pytest.raises(OutOfRange, match=message):
        Training(PARENT).advance(AT).branch(replace(PARENT, **change))


def test_branches_are_taken_in_their_order_or_not_at_all() -> None:
    with pytest.raises(ValueError, match="ascending"):
        Training(PARENT, branches=((AT, PARENT), (AT - 1, PARENT)))


def test_only_one_run_that_goes_on_is_branched() -> None:
    for training in (Training(PARENT).advance(PARENT.steps), Training([PARENT, replace(PARENT, seed=1)])):
        with pytest.raises(ValueError, match="One run that has not ended"):
            training.branch(PARENT)
