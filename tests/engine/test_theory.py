"""Mean-field theory against independent integration, closed forms, published numbers and real networks."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erfcx

from engine import Experiment, OutOfRange, data_digest, train_many
from engine.activations import ACTIVATIONS, ELU_ALPHA, SELU_ALPHA, SELU_SCALE
from engine.experiment import SETTINGS
from engine.network import Architecture, backpropagate, forward, initial_parameters
from engine.theory import gradient_flow, mean_field, moments

VARIANCES = 1e-12, 1e-3, 0.5, 30.0, 1e12


def moments_at(activation, q):
    second, slope = moments(activation, np.array([q]))
    return second.item(), slope.item()


def logistic(u):
    return 1 / (1 + math.exp(-u)) if u > -700 else 0.0


def gelu_parts(u):
    inner = math.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3))
    return inner, (1 - inner * inner) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * u * u)


SMOOTH = {
    "sigmoid": (logistic, lambda u: logistic(u) * logistic(-u)),
    "tanh": (math.tanh, lambda u: 1 / math.cosh(u) ** 2 if abs(u) < 300 else 0.0),
    "gelu": (lambda u: u * (1 + gelu_parts(u)[0]) / 2, lambda u: (1 + gelu_parts(u)[0] + u * gelu_parts(u)[1]) / 2),
    "silu": (lambda u: u * logistic(u), lambda u: logistic(u) * (1 + u * logistic(-u))),
}


def adaptive(function, q):
    """E[f(√q z)²] by adaptive quadrature, on intervals on which either f or the normal density varies."""
    scale = math.sqrt(q)
    cuts = sorted({0.0, 1.0, 3.0, 6.0, 14.0, *(min(u / scale, 14) for u in (1, 3, 8, 20, 40))})
    total = 0.0
    for sign in (1, -1):
        for a, b in pairwise(cuts):
            total += quad(
                lambda z, sign=sign: function(sign * scale * z) ** 2 * math.exp(-z * z / 2),
                a,
                b,
                epsabs=0,
                epsrel=1e-12,
            )[0]
    return total / math.sqrt(2 * math.pi)


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")  # where the integrand is 0 to rounding
@pytest.mark.parametrize("activation", SMOOTH)
def test_moments_of_smooth_activations_agree_with_adaptive_quadrature(activation):
    for q in VARIANCES:
        expected = [adaptive(function, q) for function in SMOOTH[activation]]
        assert moments_at(activation, q) == pytest.approx(expected, rel=1e-10, abs=0)


@pytest.mark.parametrize("q", [*VARIANCES, 1e40])
@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("leaky_relu", 0.01), ("linear", 1.0)])
def test_moments_of_piecewise_linear_activations_are_closed_forms(activation, slope, q):
    half = (1 + slope**2) / 2
    assert moments_at(activation, q) == pytest.approx((half * q, half), rel=1e-12)


@pytest.mark.parametrize("q", VARIANCES)
@pytest.mark.parametrize(("activation", "scale", "alpha"), [("elu", 1, ELU_ALPHA), ("selu", SELU_SCALE, SELU_ALPHA)])
def test_moments_of_exponential_units_are_closed_forms(activation, scale, alpha, q):
    # E[e^{ku}; u < 0] = e^{k²q/2} Φ(−k√q) = erfcx(k √(q/2))/2 for u ~ N(0, q)
    first, second = (erfcx(k * math.sqrt(q / 2)) / 2 for k in (1, 2))
    slope = scale**2 * (0.5 + alpha**2 * second)
    assert moments_at(activation, q)[1] == pytest.approx(slope, rel=1e-10)
    if q >= 1e-3:  # the closed form of the other one cancels for small q
        value = scale**2 * (q / 2 + alpha**2 * (second - 2 * first + 0.5))
        assert moments_at(activation, q)[0] == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_moments_tend_to_their_limits(activation):
    at_zero = {"relu": 0.5, "leaky_relu": 0.50005, "sigmoid": 1 / 16, "gelu": 0.25, "silu": 0.25}
    at_zero["selu"] = SELU_SCALE**2 * (1 + SELU_ALPHA**2) / 2
    far = {"sigmoid": 0, "tanh": 0, "leaky_relu": 0.50005, "linear": 1, "selu": SELU_SCALE**2 / 2}
    assert moments_at(activation, 0)[1] == pytest.approx(at_zero.get(activation, 1), rel=1e-12)
    assert moments_at(activation, math.inf)[1] == pytest.approx(far.get(activation, 0.5), rel=1e-12)


# --- the fixed point ---


def test_critical_tanh_is_the_published_one():
    # Schoenholz et al. 2017; the numbers to six digits are science.md's
    critical = brentq(lambda variance: mean_field("tanh", variance, 0.05)[1] - 1, 1.5, 2)
    assert critical == pytest.approx(1.760955, abs=1e-6)
    assert mean_field("tanh", critical, 0.05)[0] == pytest.approx(0.570048, abs=1e-6)


def test_logistic_vanishes_by_the_published_factor():
    value, slope = SMOOTH["sigmoid"]
    q = brentq(lambda q: adaptive(value, q) - q, 0.1, 1, xtol=1e-13)
    expected = q, adaptive(slope, q)
    assert mean_field("sigmoid", 1, 0) == pytest.approx(expected, rel=1e-10)
    assert expected[1] == pytest.approx(0.0557207, abs=1e-7)


@pytest.mark.parametrize("weight_variance", [0.3, 1.0, 1.9, 2.0, 3.0])
def test_relu_keeps_half_of_the_weight_variance(weight_variance):
    q, chi = mean_field("relu", weight_variance, 0.05)
    assert chi == pytest.approx(weight_variance / 2, rel=1e-12)
    assert q == pytest.approx(0.05 / (1 - weight_variance / 2) if weight_variance < 2 else math.inf, rel=1e-10)


def test_he_keeps_any_variance_of_relu():
    assert mean_field("relu", 2, 0) == pytest.approx((2, 1))  # critical (2, 0); q stays what the first layer gave


def test_selu_has_mean_zero_and_variance_one_as_fixed_point():
    q, chi = mean_field("selu", 1, 0)  # Klambauer et al. 2017
    assert q == pytest.approx(1, abs=1e-9)
    z, weights = np.polynomial.hermite_e.hermegauss(200)
    assert weights @ ACTIVATIONS["selu"].value(z) / math.sqrt(2 * math.pi) == pytest.approx(0, abs=1e-3)
    assert chi == pytest.approx(SELU_SCALE**2 * (0.5 + SELU_ALPHA**2 * erfcx(math.sqrt(2)) / 2), rel=1e-10)


@pytest.mark.parametrize(
    ("activation", "weights", "biases", "q", "chi"),
    [
        ("tanh", 0.7, 0, 0, 0.7),
        ("tanh", 1, 0, 0, 1),  # critical: plain iteration would need 1e14 steps
        ("tanh", 0, 0.3, 0.3, 0),
        ("tanh", 0, 0, 0, 0),
        ("linear", 0.5, 1, 2, 0.5),
        ("linear", 2, 0, math.inf, 2),
        ("gelu", 2, 0, 0, 0.5),  # He's variance is too small for gelu: near 0 its slope is ½
        ("gelu", 5, 0, math.inf, 2.5),
        ("elu", 2, 0, math.inf, 1),
    ],
)
def test_mean_field_at_its_edges(activation, weights, biases, q, chi):
    assert mean_field(activation, weights, biases) == pytest.approx((q, chi), rel=1e-10)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_mean_field_is_where_iteration_leads(activation):
    weights, biases = (1.2, 0.1) if activation in ("linear", "elu", "selu") else (1.6, 0.1)
    weights = min(weights, 0.9) if activation == "linear" else weights
    q = weights + biases
    for _ in range(300):
        q = weights * moments_at(activation, q)[0] + biases
    expected = q, weights * moments_at(activation, q)[1]
    if q > 1e3:
        expected = math.inf, weights * moments_at(activation, math.inf)[1]
    assert mean_field(activation, weights, biases) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("tanhh", 1, 0), "activation"),
        (("tanh", -1, 0), "weight_variance"),
        (("tanh", math.nan, 0), "weight_variance"),
        (("tanh", 1, math.inf), "bias_variance"),
    ],
)
def test_mean_field_names_what_is_out_of_range(arguments, field):
    with pytest.raises(OutOfRange, match=field) as error:
        mean_field(*arguments)
    assert error.value.field == field


# --- an experiment's network ---


def test_deep_networks_vanish_by_the_fixed_points_factor():
    experiment = Experiment(activation="tanh", initializer="lecun", gain=1.3**0.5, bias=0.05**0.5, depth=50)
    q, chi = mean_field("tanh", 1.3, 0.05)
    flow = gradient_flow(experiment)
    assert flow.q[-1] == pytest.approx(q, rel=1e-8)
    assert flow.chi[30:-1] == pytest.approx([chi] * 19, rel=1e-6)
    # ... and over the depth scale −1/ln χ₁ by e
    layers = -1 / math.log(chi)
    above = np.log(flow.delta_ratio[20:49])
    slope = np.polyfit(np.arange(29), 2 * above, 1)[0]
    assert slope == pytest.approx(1 / layers, rel=1e-3)


def test_flow_counts_inputs_forward_and_outputs_backward():
    flow = gradient_flow(
        Experiment(activation="relu", initializer="xavier_normal", dataset="digits", width=16, depth=2)
    )
    assert not flow.reason
    assert flow.q[0] == pytest.approx(64 * 2 / (64 + 16), rel=0.1)  # of these 150 examples; E[x²] = 1 over all
    assert flow.q[1] == pytest.approx(flow.q[0] / 2)
    assert np.square(flow.weight_factor) == pytest.approx([1, 10 * 2 / (16 + 10)])
    assert np.square(flow.slope_factor) == pytest.approx([0.5, 0.5])
    assert flow.chi == pytest.approx([0.5, 10 / 26])
    assert flow.delta_ratio == pytest.approx([0.5**0.5, 1, (26 / 10) ** 0.5])
    assert flow.gradient_ratio == flow.delta_ratio[0]


def test_bias_gain_and_dropout_enter_as_variances():
    plain = Experiment(activation="relu", initializer="he_normal", depth=2, dataset="digits")
    changed = Experiment(activation="relu", initializer="he_normal", depth=2, dataset="digits", gain=3, bias=0.5)
    assert gradient_flow(changed).q[0] == pytest.approx(9 * gradient_flow(plain).q[0] + 0.25)
    assert gradient_flow(changed).gradient_ratio == pytest.approx(3)
    dropped = Experiment(activation="relu", initializer="he_normal", depth=2, dataset="digits", dropout=0.75)
    assert gradient_flow(dropped).q[1] == pytest.approx(4 * gradient_flow(plain).q[1])
    assert gradient_flow(dropped).gradient_ratio == pytest.approx(2)  # √(1/(1 − p)) a layer


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"normalization": "batch"}, "normalization"),
        ({"normalization": "layer"}, "normalization"),
        ({"residual": "plain"}, "residual"),
        ({"residual": "scaled"}, "residual"),
        ({"initializer": "zeros"}, "random weights"),
        ({"initializer": "constant"}, "random weights"),
        ({"gain": 0.0}, "random weights"),
        ({"bias_mean": 0.5}, "biases with mean 0"),
        ({"dataset": "custom"}, "data"),
    ],
)
def test_no_prediction_says_why(changes, word):
    flow = gradient_flow(Experiment(**changes))
    assert word in flow.reason
    assert flow.reason.endswith(".")
    assert flow.delta_ratio == flow.chi == flow.q == ()
    assert flow.band is None
    assert math.isnan(flow.gradient_ratio)


def test_custom_data_are_predicted_once_they_are_at_hand():
    data = np.random.default_rng(0).standard_normal((60, 7)), np.arange(60) % 3
    experiment = Experiment(dataset="custom", data_digest=data_digest(*data), n_train=30, initializer="xavier_normal")
    assert gradient_flow(experiment, data).weight_factor[-1] == pytest.approx((3 * 2 / (16 + 3)) ** 0.5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_extreme_experiments_are_predicted_without_warnings(activation):
    for changes in ({"gain": 100.0, "initializer": "standard_normal", "width": 256}, {"gain": 1e-200}, {"width": 1}):
        flow = gradient_flow(Experiment(activation=activation, depth=50, **changes))
        assert len(flow.q) == len(flow.chi) == 50
        assert len(flow.delta_ratio) == 51
        assert not np.isnan(flow.delta_ratio).any()


def test_one_hidden_layer_has_a_ratio_of_one():
    flow = gradient_flow(Experiment(depth=1))
    assert flow.gradient_ratio == 1
    assert flow.band == (1, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": "tanh", "initializer": "lecun", "gain": 1.3, "bias": 0.2},
        {"activation": "sigmoid", "initializer": "xavier_normal"},
        {"activation": "relu", "initializer": "he_uniform", "dropout": 0.3},
    ],
)
def test_wide_networks_do_as_predicted(changes):
    """20 networks of 256 units: rms δ by the theory to a few per cent in every layer, and the two factors to 2 %."""
    shared = Experiment(dataset="breast_cancer", depth=4, width=256, n_train=64, data_seed=0, steps=1, **changes)
    experiments = [replace(shared, seed=seed) for seed in range(20)]
    flow = gradient_flow(experiments[0])
    histories = train_many(experiments, max_frames=1)

    def root_mean_square(name):
        return np.sqrt(np.mean([getattr(history, name)[0] ** 2 for history in histories], axis=0))

    delta = root_mean_square("delta_rms")
    assert delta / delta[-2] == pytest.approx(flow.delta_ratio, rel=0.06)
    assert root_mean_square("slope_factor")[:-1] == pytest.approx(flow.slope_factor, rel=0.025)
    assert root_mean_square("weight_factor")[:-1] == pytest.approx(flow.weight_factor, rel=0.025)


@pytest.mark.parametrize(("activation", "per_unit"), [("relu", 5), ("linear", 2)])
def test_finite_width_scatters_as_published(activation, per_unit):
    """ln R² of one example over random draws: variance β, mean −β/2.  Hanin & Nica 2018."""
    networks, depth, width = 600, 8, 32
    gain = {"relu": 1.0, "linear": 0.5**0.5}[activation]
    experiments = [
        Experiment(seed=seed, data_seed=0, activation=activation, gain=gain, depth=depth, width=width)
        for seed in range(networks)
    ]
    flow = gradient_flow(experiments[0])
    assert flow.log_variance == pytest.approx(per_unit * (depth - 1) / width)
    parameters = initial_parameters(experiments, Architecture((2, *[width] * depth, 1), activation))
    signal = backpropagate(parameters, forward(parameters, np.array([[1.0, -1.0]])), np.ones((networks, 1, 1)))
    log_ratio = np.log((signal.z[0] ** 2).sum(axis=(1, 2)) / (signal.z[-2] ** 2).sum(axis=(1, 2)))
    assert log_ratio.var() == pytest.approx(flow.log_variance, rel=0.2)
    assert log_ratio.mean() == pytest.approx(-flow.log_variance / 2, abs=0.15)
    low, high = np.log(np.square(flow.band))
    assert np.mean((low < log_ratio) & (log_ratio < high)) > 0.98


def test_band_is_given_only_where_its_formula_holds():
    for activation in SETTINGS["activation"].choices:
        flow = gradient_flow(Experiment(activation=activation))
        assert (flow.band is not None) == (activation in ("relu", "leaky_relu", "linear"))
    assert gradient_flow(Experiment(initializer="orthogonal")).band is None
    assert gradient_flow(Experiment(dropout=0.5)).band is None
