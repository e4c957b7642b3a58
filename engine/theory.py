"""What mean-field theory predicts for a network before its first update.

In wide layers with independent weights the pre-activations of one example are normally distributed over the units, with
a variance q_l that each layer maps to the next; it fixes by how much the error signal shrinks or grows on its way back.

    q_1 = n_in Var(W_1) E[x²] + σ_b²        q_{l+1} = n_l Var(W_{l+1}) E[φ(√q_l z)²] + σ_b²        z ~ N(0, 1)
    E[δ_l²] = χ_l E[δ_{l+1}²]               χ_l = n_{l+1} Var(W_{l+1}) E[φ′(√q_l z)²]

The way forward counts a layer's inputs (n_l), the way back its outputs (n_{l+1}).  Poole et al. 2016; Schoenholz et al.
2017, who show that dropout of a share p multiplies the first factor of both by 1/(1 − p).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from engine.activations import ACTIVATIONS
from engine.data.custom import CustomData
from engine.data.loading import load_dataset
from engine.experiment import Experiment
from engine.initializers import INITIALIZERS
from engine.settings import OutOfRange

Array = np.ndarray

LARGEST_VARIANCE = 1e12  # of weights and of biases in mean_field
ALMOST_ZERO, ALMOST_INFINITE = 1e-14, 1e13  # a variance q beyond counts as 0, or as ∞
NEXT_TO_ZERO, NEXT_TO_INFINITE = 1e-200, 1e200  # stand for the limits of q; at 0 itself a kink has no slope
STRIDE = 1.1  # least factor between two q in the search for a fixed point
ROUNDING = 1e-13  # relative: what F(q) and q may differ by where they are equal

GROUPS = 16  # of examples of about the same size, which share one q a layer
BAND_DEVIATIONS = 3.0  # standard deviations of ln R² that chance may account for (convention)
HOMOGENEOUS = ("relu", "leaky_relu", "linear")  # φ(cz) = c φ(z) for c > 0: the finite-width band holds for these

REACH = 12.0  # standard deviations; beyond lies 4e-33 of a normal distribution
PANELS, NODES = 27, 20  # REACH / 2^26 · √1e13 < 1: the panels resolve φ about 0 for every q up to ALMOST_INFINITE


def _half_line() -> tuple[Array, Array]:
    """Nodes z and weights for E[f(z); z > 0], z ~ N(0, 1): Gauss-Legendre on panels that double towards REACH.

    Each half line has its own because activations have their kink at 0, and the panels shrink towards 0 because there
    φ(√q z) changes over a length 1/√q.
    """
    edges = np.concatenate([[0], REACH * 2.0 ** np.arange(1 - PANELS, 1)])
    x, weights = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(edges)[:, None] / 2
    z = (edges[:-1, None] + half * (1 + x)).ravel()
    return z, (half * weights).ravel() * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


_Z, _WEIGHTS = _half_line()
_Z, _WEIGHTS = np.concatenate([-_Z, _Z]), np.concatenate([_WEIGHTS, _WEIGHTS])


def moments(activation: str, q: Array) -> tuple[Array, Array]:
    """E[φ(√q z)²] and E[φ′(√q z)²] for z ~ N(0, 1) and each of the variances q (n,); for 0 and ∞ the limits.

    Relative error below 1e-10 up to ALMOST_INFINITE.  In an Experiment only unbounded activations come beyond, and at
    that distance they are as good as straight on either side of 0.
    """
    function = ACTIVATIONS[activation]
    within = np.clip(q, NEXT_TO_ZERO, NEXT_TO_INFINITE)
    u = np.sqrt(within)[:, None] * _Z
    with np.errstate(all="ignore"):  # a logistic function's exponential overflows on its way to 0
        value = function.value(u)
        slope = function.slope(u, value)
        return (value * value) @ _WEIGHTS * np.maximum(q / within, 1), (slope * slope) @ _WEIGHTS


def mean_field(activation: str, weight_variance: float, bias_variance: float) -> tuple[float, float]:
    """(q, χ₁): where the pre-activations' variance settles with depth, and the factor of E[δ²] a layer there.

    q = σ_w² E[φ(√q z)²] + σ_b²        χ₁ = σ_w² E[φ′(√q z)²]

    weight_variance is σ_w² = n_in Var(W), bias_variance σ_b² = Var(b).  Gradients vanish with depth where χ₁ < 1 and
    explode where χ₁ > 1, by e every −1/ln χ₁ layers (in E[δ²]).  q is the fixed point that an input with E[x²] = 1
    leads to, which matters where there are several (gelu, silu); it is ∞ where there is none, and χ₁ its limit.
    Raises OutOfRange for variances below 0 or above 1e12, and for an unknown activation.  Poole et al. 2016.
    """
    if activation not in ACTIVATIONS:
        raise OutOfRange("activation", activation, "one of " + ", ".join(ACTIVATIONS))
    for name, variance in (("weight_variance", weight_variance), ("bias_variance", bias_variance)):
        if not 0 <= variance <= LARGEST_VARIANCE:
            raise OutOfRange(name, variance, f"a number from 0 to {LARGEST_VARIANCE:g}")

    def growth(q: float) -> float:
        """F(q)/q, or exactly 1 where the two differ by no more than rounding."""
        second, _ = moments(activation, np.array([q]))
        factor = (weight_variance * second.item() + bias_variance) / q
        return factor if abs(factor - 1) > ROUNDING else 1.0

    q = _fixed_point(growth, float(weight_variance + bias_variance))
    return q, weight_variance * moments(activation, np.array([q]))[1].item()


def _fixed_point(growth: Callable[[float], float], q: float) -> float:
    """Where the iteration q ← q growth(q) settles, without its slowness near critical points.

    F(q) = q growth(q) grows with q, so there is no fixed point between q and F(q), and a step of F jumps over none.
    Where F hardly moves, a step by STRIDE takes its place until growth crosses 1, and bisection of ln q does the rest.
    """
    if q < ALMOST_ZERO:
        return 0.0
    factor = growth(q)
    if factor == 1:
        return q
    upward = factor > 1
    while True:
        next_q = q * (max(factor, STRIDE) if upward else min(factor, 1 / STRIDE))
        if next_q < ALMOST_ZERO:
            return 0.0
        if next_q > ALMOST_INFINITE:
            return np.inf
        factor = growth(next_q)
        if factor != 1 and (factor > 1) != upward:
            break
        q = next_q
    while abs(next_q / q - 1) > ROUNDING / 10:
        middle = (q * next_q) ** 0.5
        q, next_q = (middle, next_q) if (growth(middle) > 1) == upward else (q, middle)
    return q


@dataclass(frozen=True)
class GradientFlow:
    """What is predicted for step 0, H hidden layers, L = H + 1 layers; fields are named as what RunHistory measures.

    reason says why there is no prediction, and all else is empty then; it is "" where there is one.
    """

    reason: str = ""
    q: tuple[float, ...] = ()  # H: variance of the pre-activations, mean over the examples
    weight_factor: tuple[float, ...] = ()  # H: rms ∂L/∂h_l over rms ∂L/∂z_{l+1}
    slope_factor: tuple[float, ...] = ()  # H: rms ∂L/∂z_l over rms ∂L/∂h_l
    chi: tuple[float, ...] = ()  # H: χ_l = E[δ_l²]/E[δ_{l+1}²], the square of the product of both
    delta_ratio: tuple[float, ...] = ()  # L: rms δ_l over rms δ_H, H the last hidden layer
    gradient_ratio: float = np.nan  # R = rms δ_1 / rms δ_H
    log_variance: float | None = None  # β, of ln R² over draws of the weights; None where no formula is known
    band: tuple[float, float] | None = None  # R of nearly every draw, None where β is None


def gradient_flow(experiment: Experiment, data: CustomData | None = None) -> GradientFlow:
    """How the error signal is predicted to travel back through an experiment's network at step 0.

    weight_factor_l² = n_{l+1} Var(W_{l+1})      slope_factor_l² = E[φ′(√q_l z)²]/(1 − dropout)      χ_l = their product

    q starts from each training example's own mean square, and E[δ_l²] is the mean over the examples, whose errors at
    the output are taken to be of one size.  data: as for load_dataset, where the data set is custom.
    For independent weights and ReLU-like activations, a network of finite width scatters about the prediction: ln R²
    has variance about β = Σ (3κ − 1)/n_l over the H − 1 steps back, with κ = E[φ′⁴]/E[φ′²]², which is 5 Σ 1/n_l for
    ReLU; its mean lies β/2 below ln of the mean.  band allows for both: |Δ ln R²| ≤ β/2 + 3√β.  β is that of a single
    example; the mean over a batch scatters less.  Hanin & Nica 2018.
    """
    return _predicted(experiment) if data is None else _predicted.__wrapped__(experiment, data)


@lru_cache(maxsize=64)
def _predicted(experiment: Experiment, data: CustomData | None = None) -> GradientFlow:
    if experiment.normalization != "none":
        return GradientFlow("The theory is for layers without normalization, which sets the variance itself.")
    if experiment.residual != "none":
        return GradientFlow("The theory is for layers in a chain, without residual connections.")
    variance = INITIALIZERS[experiment.initializer].variance
    if variance is None or experiment.gain == 0:
        return GradientFlow("The theory is for random weights, and these all start equal.")
    if experiment.bias_mean != 0:
        return GradientFlow("The theory is for biases with mean 0.")
    if experiment.dataset == "custom" and data is None:
        return GradientFlow("The theory needs the data, which are not at hand.")

    dataset = load_dataset(experiment, data)
    depth, width, kept = experiment.depth, experiment.width, 1 - experiment.dropout
    sizes = (dataset.n_in, *[width] * depth, dataset.n_out)
    deviation = [experiment.gain * variance(*pair) ** 0.5 for pair in pairwise(sizes)]
    second, share = _mean_squares(dataset.train_inputs)
    q, slope = np.empty((2, depth, len(second)))
    with np.errstate(all="ignore"):  # where a signal fades or grows beyond the range of numbers
        for layer in range(depth):
            q[layer] = sizes[layer] * deviation[layer] ** 2 * second + experiment.bias**2
            second, slope[layer] = moments(experiment.activation, q[layer])
            second, slope[layer] = second / kept, slope[layer] / kept
        weight_factor = np.sqrt(sizes[2:]) * deviation[1:]
        signal = np.ones_like(share)  # each group's E[δ_l²], always scaled to mean 1: long products stay within range
        slope_factor = np.empty(depth)
        for layer in reversed(range(depth)):
            slope_factor[layer] = (share @ (signal * slope[layer])) ** 0.5
            signal = signal * slope[layer] / slope_factor[layer] ** 2
        factor = weight_factor * slope_factor
        hidden = np.cumprod(np.append(factor[:-1], 1.0)[::-1])[::-1]
        ratio = np.append(hidden, 1 / factor[-1])

    log_variance, band = None, None
    if experiment.activation in HOMOGENEOUS and experiment.initializer != "orthogonal" and experiment.dropout == 0:
        function, either_side = ACTIVATIONS[experiment.activation], np.array([-1.0, 1.0])
        slopes = function.slope(either_side, function.value(either_side))
        kurtosis = np.mean(slopes**4) / np.mean(slopes**2) ** 2
        log_variance = float((3 * kurtosis - 1) * (depth - 1) / width)
        reach = np.exp((log_variance / 2 + BAND_DEVIATIONS * log_variance**0.5) / 2)
        band = float(ratio[0] / reach), float(ratio[0] * reach)
    return GradientFlow(
        "", tuple((q @ share).tolist()), tuple(weight_factor.tolist()), tuple(slope_factor.tolist()),
        tuple((factor**2).tolist()), tuple(ratio.tolist()), float(ratio[0]), log_variance, band,
    )  # fmt: skip


def _mean_squares(inputs: Array) -> tuple[Array, Array]:
    """Mean square of the inputs, of groups of examples from small to large ones, and each group's share of them."""
    groups = np.array_split(np.sort((inputs**2).mean(axis=1)), min(GROUPS, len(inputs)))
    return np.array([group.mean() for group in groups]), np.array([len(group) for group in groups]) / len(inputs)
