"""Initial weights: published variances, families that differ only by scale, one stream a layer."""

import numpy as np
import pytest

from engine import Experiment, initialize
from engine.initializers import INITIALIZERS
from engine.randomness import WEIGHTS, generator

N_IN, N_OUT = 120, 80

# Variance of one weight as published, written down a second time: (n_in, n_out) = (120, 80)
VARIANCES = {
    "he_normal": 2 / 120,  # He et al. 2015
    "he_uniform": 2 / 120,
    "xavier_normal": 2 / 200,  # Glorot & Bengio 2010
    "xavier_uniform": 2 / 200,
    "lecun": 1 / 120,  # LeCun et al. 1998
    "orthogonal": 1 / 120,
    "small_normal": 1e-4,
    "standard_normal": 1.0,
}
LIMITS = {"he_uniform": (6 / 120) ** 0.5, "xavier_uniform": (6 / 200) ** 0.5}
NORMAL = ["he_normal", "xavier_normal", "lecun", "small_normal", "standard_normal"]


def draw(name, n_in=N_IN, n_out=N_OUT, seed=0):
    return INITIALIZERS[name].weights(np.random.default_rng(seed), n_in, n_out)


@pytest.mark.parametrize("name", VARIANCES)
def test_variance_is_the_published_one(name):
    weights = np.stack([draw(name, seed=seed) for seed in range(5)])  # 48,000 weights: 0.65 % standard error
    assert weights.shape == (5, N_IN, N_OUT)
    assert weights.var() == pytest.approx(VARIANCES[name], rel=0.03)
    assert abs(weights.mean()) < 5 * (VARIANCES[name] / weights.size) ** 0.5
    assert INITIALIZERS[name].variance(N_IN, N_OUT) == pytest.approx(VARIANCES[name], rel=1e-12)


@pytest.mark.parametrize("name", LIMITS)
def test_uniform_weights_fill_their_interval(name):
    largest = np.abs(draw(name)).max()
    assert 0.999 * LIMITS[name] < largest <= LIMITS[name]


@pytest.mark.parametrize("name", NORMAL)
def test_normal_weights_have_a_normal_distributions_tails(name):
    standardised = draw(name) / VARIANCES[name] ** 0.5
    assert (standardised**4).mean() == pytest.approx(3, abs=0.3)


@pytest.mark.parametrize("family", [NORMAL, list(LIMITS)])
def test_initializers_of_a_family_differ_only_by_scale(family):
    for name in family:
        ratio = draw(name) / draw(family[0])
        np.testing.assert_allclose(ratio, (VARIANCES[name] / VARIANCES[family[0]]) ** 0.5, rtol=1e-12)


@pytest.mark.parametrize(("n_in", "n_out"), [(40, 40), (40, 7), (7, 40), (1, 5), (5, 1), (1, 1)])
def test_orthogonal_layers_keep_lengths(n_in, n_out):
    singular = np.linalg.svd(draw("orthogonal", n_in, n_out), compute_uv=False)
    np.testing.assert_allclose(singular, 1, rtol=1e-12)  # Saxe et al. 2013


def test_orthogonal_weights_favour_no_sign():
    """Haar measure: the trace of a random rotation has mean 0, variance 1; QR's own signs would give a large one."""
    traces = [np.trace(draw("orthogonal", 10, 10, seed)) for seed in range(200)]
    assert abs(np.mean(traces)) < 5 / 200**0.5
    assert np.var(traces) == pytest.approx(1, rel=0.4)


def test_a_product_of_orthogonal_layers_has_singular_values_of_one():
    weights = initialize(Experiment(initializer="orthogonal", depth=8, width=12)).weights
    product = np.linalg.multi_dot([layer[0] for layer in weights[1:-1]])
    np.testing.assert_allclose(np.linalg.svd(product, compute_uv=False), 1, rtol=1e-12)


def test_weights_without_randomness():
    assert (draw("constant") == 0.5).all()
    assert (draw("zeros") == 0).all()
    assert INITIALIZERS["constant"].variance is None
    assert INITIALIZERS["zeros"].variance is None


def test_every_initializer_names_its_source():
    assert all(initializer.source for initializer in INITIALIZERS.values())
    assert set(VARIANCES) | {"constant", "zeros"} == set(INITIALIZERS)


# --- the streams ---


def weights_of(**settings):
    return [layer[0] for layer in initialize(Experiment(**settings)).weights]


def test_each_layer_has_a_stream_of_its_own():
    shallow, deep = weights_of(depth=2, width=8), weights_of(depth=6, width=8)
    for layer in range(2):
        np.testing.assert_array_equal(shallow[layer], deep[layer])
    assert len({layer.tobytes() for layer in deep[1:-1]}) == 5
    expected = INITIALIZERS["he_normal"].weights(generator(0, WEIGHTS, 3), 8, 8)
    np.testing.assert_array_equal(deep[3], expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": "tanh"},
        {"bias": 0.5},
        {"bias_mean": -3.0},
        {"data_seed": 9},
        {"noise": 0.3},
        {"n_train": 500},
        {"batch_size": 10, "dropout": 0.5},
        {"normalization": "batch"},
    ],
)
def test_other_settings_leave_the_weights_alone(changes):
    for weights, same in zip(weights_of(), weights_of(**changes), strict=True):
        np.testing.assert_array_equal(weights, same)


def test_seed_gain_and_bias():
    for weights, scaled in zip(weights_of(), weights_of(gain=2.5), strict=True):  # the output's layer included
        np.testing.assert_allclose(scaled, 2.5 * weights, rtol=1e-15)
    assert not np.array_equal(weights_of()[1], weights_of(seed=1)[1])

    plain, biased = initialize(Experiment(width=256)), initialize(Experiment(width=256, bias=0.3))
    assert all((biases == 0).all() for biases in plain.biases)
    assert all((biases != 0).all() for biases in biased.biases)
    assert np.concatenate([biases[0] for biases in biased.biases]).std() == pytest.approx(0.3, rel=0.1)
    twice = initialize(Experiment(width=256, bias=0.6))
    np.testing.assert_allclose(twice.biases[2], 2 * biased.biases[2], rtol=1e-15)


@pytest.mark.parametrize(
    "settings", [{}, {"bias": 0.3}, {"bias": 0.3, "precision": "float32", "normalization": "layer"}]
)
def test_the_mean_bias_is_added_in_the_hidden_layers_alone(settings):
    without, moved = (initialize(Experiment(width=7, **settings, bias_mean=mean)).biases for mean in (0, -2.5))
    for layer, (before, after) in enumerate(zip(without, moved, strict=True)):
        np.testing.assert_array_equal(after, before - before.dtype.type(2.5) if layer < 4 else before)


def test_float32_weights_are_the_float64_ones_rounded():
    for wide, narrow in zip(weights_of(), weights_of(precision="float32"), strict=True):
        assert narrow.dtype == np.float32
        np.testing.assert_array_equal(narrow, wide.astype(np.float32))
