"""Clipping, penalties, dropout, early stopping, and the optimizers' closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, Training, dropout_masks, train
from engine.measures import clip_cosine, norms
from engine.optimizers import OPTIMIZERS
from engine.remedies import EarlyStopping, clip_by_norm, clip_by_value, penalty, penalty_gradient

RATE = np.array([[0.01]])


def masks_of(experiment, step):
    masks = dropout_masks(experiment, step)
    assert masks is not None
    return masks


def gradients():
    """A long one, a short one, one that is exactly as long as allowed."""
    long, short = np.random.default_rng(0).normal(size=(2, 40))
    return np.array([100 * long, 1e-3 * short, 2 * long / np.linalg.norm(long)])


def test_clipping_by_norm_keeps_the_direction():
    gradient, threshold = gradients(), np.full((3, 1), 2.0)
    clipped = clip_by_norm(gradient, norms(gradient)[:, None], threshold)
    assert np.linalg.norm(clipped[0]) == pytest.approx(2, rel=1e-14)
    cosine = clipped[0] @ gradient[0] / np.linalg.norm(clipped[0]) / np.linalg.norm(gradient[0])
    assert abs(cosine - 1) < 1e-12
    np.testing.assert_array_equal(clipped[1], gradient[1])
    np.testing.assert_allclose(clipped[2], gradient[2], rtol=1e-14)


def test_clipping_by_value_bounds_every_entry_and_turns_the_gradient():
    gradient = gradients()
    clipped = clip_by_value(gradient, np.full((3, 1), 0.5))
    assert np.abs(clipped).max() == 0.5
    inside = np.abs(gradient) <= 0.5
    np.testing.assert_array_equal(clipped[inside], gradient[inside])
    np.testing.assert_array_equal(clipped[1], gradient[1])
    cosine = clipped[0] @ gradient[0] / np.linalg.norm(clipped[0]) / np.linalg.norm(gradient[0])
    assert cosine < 0.95


def test_clipping_acts_in_runs_as_recorded():
    steep = Experiment(gain=3, learning_rate=0.01, steps=30, clip="norm", clip_threshold=0.5)
    history = train(steep)
    assert history.total_gradient_norm.max() > 5
    np.testing.assert_allclose(history.clipped_norm, np.minimum(history.total_gradient_norm, 0.5), rtol=1e-12)
    by_value = train(replace(steep, clip="value"))
    assert (by_value.clipped_norm < by_value.total_gradient_norm)[0]
    without = train(replace(steep, clip="none"))
    np.testing.assert_array_equal(without.clipped_norm, without.total_gradient_norm)
    np.testing.assert_array_equal(without.clip_cosine, 1)


@pytest.mark.parametrize("settings", [{}, {"l2": 0.1, "optimizer": "adam"}, {"normalization": "batch", "seed": 1}])
def test_clipping_by_norm_is_to_the_threshold_and_turns_nothing(settings):
    history = train(Experiment(gain=3, learning_rate=0.01, steps=30, clip="norm", clip_threshold=0.5, **settings))
    above = history.total_gradient_norm > 0.5
    assert above.any()
    np.testing.assert_allclose(history.clipped_norm[above], 0.5, rtol=1e-12)
    np.testing.assert_array_equal(history.clipped_norm[~above], history.total_gradient_norm[~above])
    np.testing.assert_allclose(history.clip_cosine, 1, rtol=1e-12)
    np.testing.assert_array_equal(history.clip_cosine[~above], 1)
    assert (history.clip_cosine <= 1).all()


def test_clipping_by_value_turns_the_gradient_as_recorded():
    """With plain gradient descent at rate 1, Δθ is the clipped gradient itself; without clipping, the gradient."""
    raw = Experiment(gain=2, learning_rate=1, steps=1, l2=0.01)
    by_value = replace(raw, clip="value", clip_threshold=0.01)
    gradient, clipped = (flat_steps(experiment)[0] for experiment in (raw, by_value))
    assert np.abs(clipped).max() == pytest.approx(0.01, rel=1e-12)
    history = train(by_value)
    expected = gradient @ clipped / np.linalg.norm(gradient) / np.linalg.norm(clipped)
    assert history.clip_cosine[0] == pytest.approx(expected, rel=1e-12)
    assert expected < 0.95


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200, 5e-310])
def test_the_angle_of_clipping_is_found_at_any_scale(scale):
    gradient = np.array([[3.0, 4.0]]) * scale
    clipped = clip_by_value(gradient, np.full((1, 1), 3 * scale))
    with np.errstate(over="ignore", under="ignore"):
        cosine = clip_cosine(gradient, clipped, norms(gradient), norms(clipped))
    assert cosine[0] == pytest.approx(21 / 5 / 18**0.5, rel=1e-12)


def test_a_gradient_of_zero_or_without_end_has_no_angle():
    gradient = np.array([[0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0], [3.0, 4.0]])
    with np.errstate(all="ignore"):
        for clipped in (gradient, clip_by_value(gradient, np.full((4, 1), 10.0))):
            cosine = clip_cosine(gradient, clipped, norms(gradient), norms(clipped))
            np.testing.assert_array_equal(cosine, [np.nan, np.nan, np.nan, 1])


def flat_steps(experiment):
    """Δθ of every step from the parameters themselves, (steps, n)."""
    training = Training(experiment)
    places = [training._parameters.flat[0].copy()]
    for _ in range(experiment.steps):
        training.advance(1)
        history = training.history()
        frame = [getattr(history, field) for field in ("weights", "biases", "scales", "shifts")]
        places.append(np.concatenate([array[-1].ravel() for arrays in frame for array in arrays]))
    return -np.diff(places, axis=0)


@pytest.mark.parametrize(
    "settings",
    [{}, {"normalization": "layer", "optimizer": "adam", "learning_rate": 0.01}, {"clip": "value", "bias": 0.5}],
)
def test_total_update_norm_is_the_distance_between_two_steps(settings):
    experiment = Experiment(steps=6, depth=3, width=5, clip_threshold=0.01, **settings)
    distances = np.linalg.norm(flat_steps(experiment), axis=1)
    history = train(experiment)
    np.testing.assert_allclose(history.total_update_norm, distances, rtol=1e-10)
    assert (history.total_update_norm > np.linalg.norm(history.update_norm, axis=1)).all()  # which is of weights alone


def test_clipping_a_gradient_whose_squares_overflow():
    gradient = np.full((1, 4), 1e200)
    with np.errstate(over="ignore"):
        norm = norms(gradient)
    clipped = clip_by_norm(gradient, norm[:, None], np.ones((1, 1)))
    np.testing.assert_allclose(clipped, 0.5)


def test_penalty_and_its_slope():
    weights, l1, l2 = np.array([[1.0, -2.0, 0.0]]), np.array([[0.1]]), np.array([[0.5]])
    assert penalty(weights, l1, l2)[0] == pytest.approx(0.1 * 3 + 0.25 * 5)
    np.testing.assert_allclose(penalty_gradient(weights, l1, l2), [[0.1 + 0.5, -0.1 - 1.0, 0.0]])


@pytest.mark.parametrize("strength", [10.0, 8.0, 6.0, 0.01])
def test_l2_multiplies_the_weights_by_one_minus_eta_lambda_and_explodes_beyond_two(strength):
    """At η = .3, λ = 10 the cure is the disease: the weights double at every step until they overflow."""
    history = train(Experiment(depth=2, width=8, activation="tanh", learning_rate=0.3, l2=strength, steps=1100))
    if (factor := abs(1 - 0.3 * strength)) > 1:
        np.testing.assert_allclose(history.weight_norm[21:60, 1] / history.weight_norm[20:59, 1], factor, rtol=1e-3)
    else:
        assert history.weight_norm[20:].max() < 5
    assert (history.status == "diverged") == (factor == 2)  # 1.4 to the power of 1100 is still a number


@pytest.mark.parametrize("dropout", [0.2, 0.5, 0.9])
def test_masks_have_mean_one_and_the_variance_of_inverted_dropout(dropout):
    experiment = Experiment(dropout=dropout, depth=10, width=100, n_train=200)
    masks = masks_of(experiment, 3)
    assert masks.shape == (10, 200, 100)
    np.testing.assert_allclose(np.unique(masks), [0, 1 / (1 - dropout)])
    deviation = np.sqrt(dropout / (1 - dropout))
    assert abs(masks.mean() - 1) < 4 * deviation / masks.size**0.5
    assert masks.var() == pytest.approx(dropout / (1 - dropout), rel=0.02)


def test_masks_differ_from_step_to_step_and_seed_to_seed_but_not_with_the_activation():
    experiment = Experiment(dropout=0.5, n_train=50, batch_size=16)
    masks = masks_of(experiment, 4)
    assert masks.shape == (experiment.depth, 16, experiment.width)
    np.testing.assert_array_equal(masks, dropout_masks(replace(experiment, activation="tanh", gain=3), 4))
    assert not np.array_equal(masks, masks_of(experiment, 5))
    assert not np.array_equal(masks, masks_of(replace(experiment, seed=1), 4))
    assert dropout_masks(replace(experiment, dropout=0), 4) is None


def test_early_stopping_waits_for_patience_and_takes_no_tie_for_an_improvement():
    stopping = EarlyStopping(patience=3)
    better = [stopping.evaluate(step, loss) for step, loss in enumerate([5.0, 4.0, 4.0, 4.5])]
    assert better == [True, True, False, False]
    assert not stopping.stop
    stopping.evaluate(4, 4.0)
    assert stopping.stop
    assert (stopping.best_step, stopping.best_loss) == (1, 4.0)


def test_early_stopping_starts_to_wait_anew_and_never_stops_without_patience():
    patient, off = EarlyStopping(2), EarlyStopping(0)
    for step, loss in enumerate([5.0, 6.0, 4.0, 6.0]):
        patient.evaluate(step, loss), off.evaluate(step, loss)
        assert not patient.stop
    assert patient.waited == 1
    for step in range(1000):
        off.evaluate(step, np.nan)
    assert not off.stop
    assert off.best_step == 2


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_adam_on_a_constant_gradient_steps_by_the_rate(size):
    """Every step is α g/(|g| + ε).  Kingma & Ba 2015."""
    gradient = np.array([[size, -size]])
    state = OPTIMIZERS["adam"].state(gradient)
    for count in range(1, 200):
        update = OPTIMIZERS["adam"].update(gradient, state, RATE, count)
        np.testing.assert_allclose(update, 0.01 * gradient / (size + 1e-8), rtol=1e-10)


def test_momentum_and_nesterov_reach_ten_times_the_rate_on_a_constant_gradient():
    gradient = np.array([[3.0]])
    for name in ("momentum", "nesterov"):
        state = OPTIMIZERS[name].state(gradient)
        updates = [OPTIMIZERS[name].update(gradient, state, RATE, count)[0, 0] for count in range(1, 300)]
        assert updates[0] == pytest.approx(0.03 * (1 if name == "momentum" else 1.9))
        assert updates[-1] == pytest.approx(0.3)


def test_rmsprop_starts_ten_times_too_fast_and_settles():
    gradient = np.array([[4.0]])
    state = OPTIMIZERS["rmsprop"].state(gradient)
    updates = [OPTIMIZERS["rmsprop"].update(gradient, state, RATE, count)[0, 0] for count in range(1, 2000)]
    assert updates[0] == pytest.approx(0.1, rel=1e-6)
    assert updates[-1] == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize(("name", "largest"), [("sgd", 2.0), ("momentum", 3.8)])
def test_largest_stable_step_on_a_quadratic(name, largest):
    """Gradient descent is stable up to ηλ = 2, heavy ball with β = .9 up to 2 + 2β."""
    for product, grows in ((0.98 * largest, False), (1.02 * largest, True)):
        place = np.array([[1.0]])
        state = OPTIMIZERS[name].state(place)
        for count in range(1, 1000):
            place = place - OPTIMIZERS[name].update(place, state, np.array([[product]]), count)
        assert (abs(place[0, 0]) > 1) == grows


def test_l2_and_decoupled_decay_agree_for_gradient_descent_and_part_for_adam():
    """Loshchilov & Hutter 2019: the engine's L2 is in the gradient, which Adam rescales."""
    weights, data_gradient, strength = np.array([[2.0, -3.0]]), np.array([[0.5, 10.0]]), 0.1
    total = data_gradient + penalty_gradient(weights, np.zeros((1, 1)), np.full((1, 1), strength))
    decoupled = {}
    for name in ("sgd", "adam"):
        rule = OPTIMIZERS[name]
        inside = weights - rule.update(total, rule.state(weights), RATE, 1)
        outside = weights - rule.update(data_gradient, rule.state(weights), RATE, 1) - 0.01 * strength * weights
        decoupled[name] = np.allclose(inside, outside, rtol=1e-12)
    assert decoupled == {"sgd": True, "adam": False}
