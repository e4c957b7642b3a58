"""A run's clocks and ends: early stopping, divergence, thinning, budgets, custom data, and the shapes of it all."""

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, OutOfRange, Training, data_digest, initialize, load_dataset, train, train_many
from engine.limits import MAX_BYTES, MAX_SECONDS, Limits
from engine.plan import evaluation_steps
from tests.engine.contract import assert_well_formed


@pytest.fixture(autouse=True)
def _no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# --- residual connections ---


def test_scaled_residual_connections_train_where_plain_ones_blow_up():
    """At depth 30 the outputs of plain ones add up: first losses of 8e3 to 3e6, and all diverge at once.  Scaled: 0.5
    to 2.7 at first, 0.14 to 0.23 in the end, where guessing costs 0.69."""
    deep = Experiment(depth=30, activation="relu", initializer="he_normal")
    plain, scaled = (
        train_many([replace(deep, residual=residual, seed=seed) for seed in range(8)], max_updates=1, max_frames=2)
        for residual in ("plain", "scaled")
    )
    for history in plain:
        assert history.status == "diverged"
        assert history.train_loss[0] > 1000
    for history in scaled:
        assert history.status == "completed"
        assert history.train_loss[0] < 10
        assert history.train_loss[-1] < 0.35


# --- clocks ---


@pytest.mark.parametrize("steps", [1, 7, 99, 100, 150, 199, 200, 250, 1234, 20_000])
def test_evaluations_are_at_zero_every_e_and_the_last(steps):
    every = max(1, steps // 100)
    expected = sorted({*range(0, steps, every), steps})
    np.testing.assert_array_equal(evaluation_steps(steps), expected)


@pytest.mark.parametrize(("steps", "stride"), [(5, 1), (2000, 1), (2001, 2), (5001, 3)])
def test_updates_beyond_two_thousand_are_thinned_evenly(steps, stride):
    history = train(Experiment(depth=1, width=2, n_train=5, steps=steps))
    np.testing.assert_array_equal(history.step, np.arange(0, steps, stride))
    assert len(history.step) <= 2000
    np.testing.assert_array_equal(history.evaluation_step, evaluation_steps(steps))
    assert_well_formed(history)


@pytest.mark.parametrize("steps", [1, 30, 57, 58, 59, 60, 400])
def test_frames_are_at_most_sixty_and_every_evaluation_where_they_fit(steps):
    history = train(Experiment(depth=1, width=2, n_train=5, steps=steps))
    if steps <= 57:
        np.testing.assert_array_equal(history.frame_step, np.arange(steps + 1))
    assert 50 < len(history.frame_step) <= 60 or steps < 57
    assert_well_formed(history)


@pytest.mark.parametrize(
    ("settings", "n_in", "n_out"),
    [
        ({}, 2, 1),
        ({"normalization": "batch", "residual": "plain", "dataset": "blobs"}, 2, 3),
        ({"normalization": "layer", "dataset": "sine", "precision": "float32"}, 1, 1),
        ({"dataset": "digits", "depth": 1, "width": 1}, 64, 10),
        ({"dataset": "breast_cancer", "dropout": 0.5, "batch_size": 32}, 30, 1),
    ],
)
def test_shapes(settings, n_in, n_out):
    history = train(Experiment(steps=30, **settings))
    assert history.status == "completed"
    assert history.diverged_at is None
    assert_well_formed(history, n_in, n_out)
    assert all(weights.dtype == history.experiment.precision for weights in history.weights)
    assert history.nbytes < 2e6
    again = pickle.loads(pickle.dumps(history))
    assert not again.weights[0].flags.writeable
    assert not again.step.flags.writeable


def test_a_history_can_be_had_on_the_way():
    training = Training(Experiment(steps=1000, depth=1, width=4))
    assert training.history().status == "running"
    history = training.advance(333).history()
    assert history.status == "running"
    assert training.step == 333
    assert not training.done
    np.testing.assert_array_equal(history.step, np.arange(333))
    np.testing.assert_array_equal(history.evaluation_step, [*range(0, 331, 10), 333])
    assert_well_formed(history)
    training.advance(10**6)
    assert training.done
    assert training.step == 1000
    assert training.history().status == "completed"
    assert training.advance(10).history() is training.history()


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_what_a_step_is_multiplied_by_has_the_precision_of_the_weights(precision):
    training = Training(Experiment(precision=precision, steps=1, depth=1, width=2))
    factors = (training._rate, training._threshold, training._l1, training._l2, training._decay)
    assert {values.dtype.name for values in factors} == {precision}


def test_what_can_be_rebuilt_does_not_travel():
    """All that a run's opening makes, and nothing else, is left out of its pickle."""
    made = []

    class Watched(Training):
        def __setattr__(self, name, value):
            made.append(name)
            super().__setattr__(name, value)

    training = Watched(Experiment(l2=0.1, class_weights="balanced", imbalance=0.2, steps=20, depth=1, width=2))
    made.clear()
    training._open()
    assert set(made) == vars(training).keys() - training.__getstate__().keys()


# --- early stopping ---


def noisy(**settings):
    """A run that overfits: its validation loss turns within some tens of evaluations."""
    return Experiment(
        noise=0.5, n_train=20, depth=2, activation="tanh", optimizer="momentum", learning_rate=0.5, **settings
    )


def stop_of(losses, patience):
    """(index of the best, index of the last) by the definition."""
    best = waited = 0
    for i, loss in enumerate(losses):
        if i and not loss < losses[best]:
            waited += 1
        else:
            best, waited = i, 0
        if waited == patience:
            return best, i
    return best, len(losses) - 1


@pytest.mark.parametrize("steps", [100, 600])
@pytest.mark.parametrize("patience", [1, 2, 5, 20, 1000])
@pytest.mark.parametrize("seed", [0, 1])
def test_early_stopping_ends_the_same_run_sooner(steps, patience, seed):
    whole = train(noisy(steps=steps, seed=seed))
    history = train(noisy(steps=steps, seed=seed, patience=patience))
    best, last = stop_of(whole.validation_loss, patience)
    assert history.best_step == whole.evaluation_step[best]
    np.testing.assert_array_equal(history.validation_loss, whole.validation_loss[: last + 1])
    np.testing.assert_array_equal(history.evaluation_step, whole.evaluation_step[: last + 1])
    assert history.status == ("stopped_early" if last < len(whole.evaluation_step) - 1 else "completed")
    np.testing.assert_array_equal(history.step, np.arange(history.evaluation_step[-1]))
    assert_well_formed(history)
    # the result is the network of the best step; the last one is told apart
    if history.best_step != history.evaluation_step[-1]:
        assert history.test_loss != history.last_test_loss
    shorter = train(noisy(steps=steps, seed=seed), max_frames=3)
    assert shorter.test_loss == whole.test_loss == whole.last_test_loss


def test_a_tie_is_no_improvement():
    history = train(Experiment(learning_rate=1e-300, patience=4, steps=100))
    assert np.ptp(history.validation_loss) == 0
    assert history.status == "stopped_early"
    assert history.best_step == 0
    assert history.evaluation_step[-1] == 4


def test_the_frame_of_the_best_step_is_kept_whenever_it_was():
    for seed in range(4):
        history = train(noisy(steps=150, seed=seed))
        assert history.best_step == history.evaluation_step[history.validation_loss.argmin()]
        assert history.best_step in history.frame_step


# --- divergence ---

DIVERGENCES = {
    "forward, weights too large": (
        Experiment(dataset="sine", activation="linear", learning_rate=100.0, steps=200), {"pre-activation", "loss"},
    ),
    "forward, float32": (
        Experiment(dataset="sine", activation="relu", learning_rate=1000.0, precision="float32", noise=0),
        {"pre-activation", "loss"},
    ),
    "update, the penalty alone": (
        Experiment(depth=1, activation="tanh", learning_rate=32.0, l2=1.0, n_train=12, batch_size=5, steps=300),
        {"weights"},
    ),
    "statistics": (
        Experiment(normalization="batch", l2=100, learning_rate=1000.0, steps=60, depth=2, width=4, loss="mse"),
        {"running variance"},
    ),
    "backward": (
        Experiment(
            loss="mse", depth=2, width=1, activation="gelu", initializer="xavier_uniform", gain=3, learning_rate=100.0,
            optimizer="nesterov", residual="plain", n_train=31, l1=100, l2=100, precision="float32", bias=10, seed=6,
        ),
        {"error signal"},
    ),
    "gradient": (
        Experiment(
            loss="mse", depth=3, width=1, activation="leaky_relu", initializer="xavier_uniform", gain=10,
            learning_rate=1000.0, optimizer="momentum", residual="plain", batch_size=30, n_train=5, l1=100, l2=1,
            steps=40,
        ),
        {"gradient"},
    ),
    "a batch overflows, masked, where the whole sets do not": (
        Experiment(
            dataset="sine", depth=5, width=4, activation="elu", gain=10, learning_rate=100.0, optimizer="rmsprop",
            residual="plain", batch_size=7, n_train=100, dropout=0.5, l2=100, precision="float32", steps=40, patience=5,
            seed=8,
        ),
        {"loss"},
    ),
    "whole sets overflow before a batch does": (
        Experiment(
            dataset="sine", depth=6, width=4, dropout=0.9, learning_rate=1000.0, steps=50, seed=1, precision="float32",
            gain=3,
        ),
        {"pre-activation", "loss"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIVERGENCES)
def test_a_diverged_run_ends_with_its_last_finite_step(name):
    experiment, tensors = DIVERGENCES[name]
    history = train(experiment)
    assert history.status == "diverged"
    assert history.diverged_at
    step, _, tensor = history.diverged_at
    assert 0 < step < experiment.steps
    assert tensor in tensors
    assert_well_formed(history, n_in=1 if experiment.dataset == "sine" else 2)
    # the whole sets' loss can overflow some steps before a batch's does: then the evaluation before them is the last
    every = max(1, experiment.steps // 100)
    assert step - 1 - every <= history.evaluation_step[-1] <= step
    if name.startswith("a batch overflows"):
        assert history.evaluation_step[-1] == step > history.step[-1]
    assert np.isfinite(history.test_loss)
    assert history.gradient_ratio.shape == history.step.shape
    until = train(replace(experiment, steps=int(history.evaluation_step[-1]), patience=0))
    for kept, theirs in zip(history.weights, until.weights, strict=True):
        np.testing.assert_array_equal(kept[-1], theirs[-1], "the weights are those of the step that is said")


def test_divergence_names_where_it_began():
    """Weights of each layer grow by a factor of about 10⁵ a step; the layer whose product overflows first is named."""
    history = train(Experiment(depth=30, activation="relu", gain=100, dataset="sine", precision="float32", steps=5))
    assert history.diverged_at
    step, layer, tensor = history.diverged_at
    assert step == 0
    assert tensor == "pre-activation"
    inputs = load_dataset(history.experiment).train_inputs.astype(np.float32)
    with np.errstate(all="ignore"):
        for first in range(31):
            inputs = inputs @ history.weights[first][0] + history.biases[first][0]
            if not np.isfinite(inputs).all():
                break
            inputs = np.maximum(inputs, 0)
    assert layer == first
    assert_well_formed(history, n_in=1)
    assert len(history.step) == 0
    assert history.best_step == 0
    np.testing.assert_array_equal(history.evaluation_step, [0])
    np.testing.assert_array_equal(history.frame_step, [0])
    assert len(history.gradient_ratio) == 0


def test_backward_overflow_at_step_zero():
    """A loss of 10³² is a float32; its gradient with respect to a hidden unit is not."""
    training = Training(Experiment(dataset="sine", depth=1, width=2, activation="linear", precision="float32", steps=5))
    training._parameters.weights[0][:] = 1e-20
    training._parameters.weights[1][:] = 1e36
    history = training.advance(5).history()
    assert history.status == "diverged"
    assert history.diverged_at == (0, 0, "error signal")
    np.testing.assert_array_equal(history.step, [0])
    assert np.isfinite(history.batch_loss).all()
    assert not np.isfinite(history.gradient_norm).all()
    np.testing.assert_array_equal(history.evaluation_step, [0])


def test_gradients_of_the_last_row_may_overflow_but_not_its_loss():
    """The row of the update that could not be made is there: it shows the explosion."""
    experiment, _ = DIVERGENCES["update, the penalty alone"]
    history = train(experiment)
    assert history.diverged_at
    assert history.step[-1] == history.diverged_at[0]
    assert not np.isfinite(history.update_norm[-1]).all() or history.update_norm[-1].max() > 1e300


def test_one_diverging_network_leaves_the_others_of_its_stack_alone():
    experiments = [Experiment(dataset="sine", learning_rate=rate, steps=60) for rate in (0.01, 900.0, 0.02)]
    statuses = [history.status for history in train_many(experiments)]
    assert statuses == ["completed", "diverged", "completed"]


# --- budgets ---


@pytest.mark.parametrize(
    ("experiment", "field"),
    [
        (Experiment(depth=50, width=256, steps=20_000, n_train=5000), "steps"),
        (Experiment(depth=50, width=16, steps=20_000), "steps"),
        (Experiment(dataset="digits", depth=20, width=256, n_train=1000, steps=5000), "steps"),
        (Experiment(depth=50, width=256, steps=1, n_train=5), "width"),
    ],
)
def test_a_run_beyond_limits_is_refused_before_any_work(experiment, field, monkeypatch):
    monkeypatch.setattr("engine.training.initial_parameters", lambda *_: pytest.fail("work was done"))
    for start in (
        train,
        lambda experiment, **limits: Training(experiment, limits=Limits(**limits)),
        lambda experiment, **limits: train_many([experiment], **limits),
    ):
        with pytest.raises(OutOfRange, match=field) as refusal:
            start(experiment, max_seconds=MAX_SECONDS, max_bytes=MAX_BYTES)
        assert refusal.value.field == field
        assert refusal.value.value == getattr(experiment, field)


def test_without_limits_training_does_what_it_is_asked():
    large, long = Experiment(depth=50, width=256, steps=1, n_train=5), Experiment(steps=20_000, n_train=5000)
    history = train(large)
    assert history.status == "completed"
    assert history.nbytes > MAX_BYTES
    with pytest.raises(OutOfRange, match="The record of the run would take"):
        Training(large, limits=Limits(max_bytes=MAX_BYTES))
    Training(large, limits=Limits(max_seconds=MAX_SECONDS))
    assert Training(long).advance(1).step == 1
    with pytest.raises(OutOfRange, match=r"The run would take about \d+ seconds; 0.5 are allowed"):
        Training(long, limits=Limits(max_seconds=0.5))
    Training(long, limits=Limits(max_bytes=MAX_BYTES))


def test_a_large_network_keeps_fewer_frames_and_then_narrower_ones():
    small, large, largest = (
        train(Experiment(depth=depth, width=width, n_train=5, steps=15, loss="mse"))
        for depth, width in ((2, 16), (4, 250), (14, 240))
    )
    assert len(small.frame_step) == 16
    assert 3 <= len(large.frame_step) < 16
    assert large.weights[0].dtype == np.float64
    assert largest.weights[0].dtype == np.float32
    for history in (small, large, largest):
        assert history.nbytes <= 16e6
        assert_well_formed(history)


# --- custom data ---


def own(kind, n=40, n_in=3):
    """Arrays of a user's own, and the experiment that names them."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(3, 5, (n, n_in))
    targets = {
        "binary": np.where(inputs[:, 0] > 3, "yes", "no"),
        "classes": generator.integers(5, 9, n),
        "regression": inputs @ generator.normal(size=(n_in, 2)),
    }[kind]
    return Experiment(
        dataset="custom", n_train=20, steps=30, learning_rate=0.001, data_digest=data_digest(inputs, targets)
    ), (
        inputs,
        targets,
    )


@pytest.mark.parametrize(("kind", "n_out"), [("binary", 1), ("classes", 4), ("regression", 2)])
def test_custom_data(kind, n_out):
    experiment, data = own(kind)
    history = train(experiment, data=data)
    assert history.status == "completed"
    assert_well_formed(history, n_in=3, n_out=n_out)
    assert history.train_loss[-1] < history.train_loss[0]
    start = initialize(experiment, data)
    assert start.architecture.output == {"binary": "sigmoid", "classes": "softmax", "regression": "linear"}[kind]
    np.testing.assert_array_equal(start.weights[0][0], history.weights[0][0])
    twin = replace(experiment, seed=1)
    stacked = train_many([experiment, twin], data=data)
    np.testing.assert_array_equal(stacked[0].weights[0], history.weights[0])
    assert (stacked[1].weights[0] != history.weights[0]).any()


def test_custom_data_in_a_plane_are_predicted_on_it():
    experiment, data = own("regression", n_in=2)
    assert_well_formed(train(experiment, data=data), n_in=2, n_out=2)


def test_custom_data_survive_slices():
    experiment, data = own("classes")
    training = pickle.loads(pickle.dumps(Training(experiment, data).advance(7))).advance(100)
    np.testing.assert_array_equal(training.history().weights[-1], train(experiment, data=data).weights[-1])


def test_custom_data_that_do_not_fit_are_refused():
    experiment, (inputs, targets) = own("classes")
    for wrong, field in (
        (None, "dataset"),
        ((inputs[:-1], targets[:-1]), "data_digest"),
        ((inputs[:4], targets[:4]), "data"),
        ((inputs * np.nan, targets), "data"),
    ):
        with pytest.raises(OutOfRange) as refusal:
            train(experiment, data=wrong)
        assert refusal.value.field == field
    with pytest.raises(OutOfRange, match="accompanied by its arrays"):
        Training(experiment)
    with pytest.raises(OutOfRange) as refusal:
        train(replace(experiment, n_train=1000), data=(inputs, targets))
    assert refusal.value.field == "n_train"
