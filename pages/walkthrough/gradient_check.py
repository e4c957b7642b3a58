"""A derivative by backpropagation beside the one by finite differences, and what either costs."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine import Parameters, backward, forward
from engine.blas import one_blas_thread
from pages.walkthrough.calculation import Problem, Update

EPSILON = float(np.finfo(np.float64).eps)
KINKED = ("relu", "leaky_relu", "selu")  # activations whose slope jumps at z = 0
ROUNDING = 8  # of the loss, in units of its last place: measured over the presets, at most 3
REPEATS = 3  # of a measurement, of which the fastest counts: all that disturbs makes it slower
MOST_MEASURED, MOST_SECONDS = 50, 0.02  # weights whose finite differences are timed, and how long that may take


@dataclass(frozen=True)
class Check:
    """A derivative by central difference beside the one by backpropagation.

    error: bound on what the difference is off by: rounding of the loss, and what a step twice as long changes.
    floor: eps·|L|/h, the part that rounding alone makes.  kink: the step crosses a jump of the slope, where the
    difference means nothing.
    """

    gradient: float
    difference: float
    step: float
    error: float
    floor: float
    kink: bool

    @property
    def agrees(self) -> bool:
        return abs(self.gradient - self.difference) <= self.error

    @property
    def relative(self) -> float:
        """|g − fd| / max(|g|, floor)"""
        return abs(self.gradient - self.difference) / max(abs(self.gradient), self.floor)


def weight_check(update: Update, layer: int, unit: int, source: int) -> Check:
    """(L(w + h) − L(w − h))/2h with h = ∛eps · max(1, |w|), where truncation and rounding are about equal."""
    problem = update.problem
    weight = float(update.weights(layer)[source, unit])
    step = EPSILON ** (1 / 3) * max(1.0, abs(weight))
    moved, losses, sides = problem.parameters.copy(), {}, []
    with np.errstate(all="ignore"), one_blas_thread():
        for times in (-2, -1, 1, 2):
            moved.weights[layer][0, source, unit] = weight + times * step
            losses[times] = problem.loss_at(moved)
            sides.append([part > 0 for part in problem.forward(moved).z[:-1]])
        near = (losses[1] - losses[-1]) / (2 * step)
        far = (losses[2] - losses[-2]) / (4 * step)
    floor = EPSILON * abs(update.loss) / step
    crossed = any(not np.array_equal(a, b) for side in sides for a, b in zip(sides[0], side, strict=True))
    kink = problem.architecture.activation in KINKED and crossed
    gradient = float(update.gradient.weights[layer][0, source, unit])
    return Check(gradient, near, step, ROUNDING * floor + abs(far - near), floor, kink)


@dataclass(frozen=True)
class Price:
    """Seconds for all derivatives of the weights: by one backward pass, and by two forward passes a weight.

    Both with the forward pass that they need.  measured: of how many weights the differences were timed.
    """

    backward: float
    differences: float
    weights: int
    measured: int

    @property
    def all_differences(self) -> float:
        return self.differences * self.weights / self.measured


def price(problem: Problem) -> Price:
    """Measured now, on this machine."""
    moved, weights = problem.parameters.copy(), problem.parameters.n_weights
    with np.errstate(all="ignore"), one_blas_thread():
        backward_seconds = _fastest(lambda: _all_gradients(problem))
        one = _fastest(lambda: _differences(problem, moved, 1))
        count = min(weights, max(int(MOST_SECONDS / one), 1), MOST_MEASURED)
        return Price(backward_seconds, _fastest(lambda: _differences(problem, moved, count)), weights, count)


def _all_gradients(problem: Problem) -> None:
    update = problem.forward(problem.parameters)
    backward(problem.parameters, update, problem.loss_gradient(update.z[-1]))


def _differences(problem: Problem, moved: Parameters, count: int) -> None:
    step = EPSILON ** (1 / 3)
    for index in range(count):
        weight = moved.flat[0, index]
        for sign in (1, -1):
            moved.flat[0, index] = weight + sign * step
            z = forward(moved, problem.inputs, problem.masks, training=True, keep=False).z[-1]
            problem.loss_of(z)
        moved.flat[0, index] = weight


def _fastest(work: Callable[[], None]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
