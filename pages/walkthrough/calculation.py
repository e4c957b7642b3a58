"""One update with every number on the way: forward, loss, backward, update, as a pocket calculator would do it.

All numbers come from the engine's own pieces, put together as training does it.  Layers and units count from 0 here
and from 1 in what is shown; w⁽ˡ⁾ᵢⱼ leads from unit i to unit j.  Symbols are those of engine/network.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from engine import Parameters, backward, forward
from engine.activations import ACTIVATIONS
from engine.blas import one_blas_thread
from engine.losses import LOSSES, example_weights, outputs
from engine.network import Architecture, ForwardPass, track_statistics
from engine.optimizers import OPTIMIZERS
from engine.remedies import clip_by_norm, clip_by_value, penalty, penalty_gradient

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Problem:
    """A network and what it is shown.

    parameters: a stack of one, float64.  inputs (batch, n_in); targets (batch, n_out), classes as one-hot rows.
    loss: a name in LOSSES.  masks: dropout's, H arrays (batch, width), or None.  class_weights: (classes,), or None.
    """

    parameters: Parameters
    inputs: Array
    targets: Array
    loss: str
    masks: Array | None = None
    class_weights: Array | None = None

    @property
    def architecture(self) -> Architecture:
        return self.parameters.architecture

    def forward(self, parameters: Parameters) -> ForwardPass:
        """As in training: normalised over the batch, if it is one of two examples or more, and with the masks."""
        return forward(parameters, self.inputs, self.masks, training=True)

    def loss_at(self, parameters: Parameters) -> float:
        """The loss of the data with other parameters."""
        with np.errstate(all="ignore"), one_blas_thread():
            return self.loss_of(self.forward(parameters).z[-1])

    def loss_of(self, z: Array) -> float:
        """The loss, with class weights, of pre-activations at the output, (1, batch, n_out)."""
        weights = None if self.class_weights is None else self.class_weights[None]
        return float(LOSSES[self.loss].weighted_value(z, self.targets[None], self.architecture.output, weights)[0])

    def loss_gradient(self, z: Array) -> Array:
        """∂L/∂z, like z."""
        weights = None if self.class_weights is None else self.class_weights[None]
        return LOSSES[self.loss].weighted_gradient(z, self.targets[None], self.architecture.output, weights)

    @property
    def example_weights(self) -> Array:
        """What each example's class counts, (batch, 1)."""
        if self.class_weights is None:
            return np.ones((len(self.targets), 1))
        return example_weights(self.targets[None], self.class_weights[None])[0][:, None]

    def changed(self, activation: str, loss: str) -> "Problem":
        """The same weights with another activation in the hidden layers and another loss."""
        parameters = self.parameters.copy()
        parameters.architecture = replace(self.architecture, activation=activation)
        return replace(self, parameters=parameters, loss=loss)


@dataclass(frozen=True)
class Rule:
    """How a gradient becomes an update: penalties are added, then it is clipped, then the optimizer takes it.

    AdamW's l2 is no penalty: it takes η λ w off the weights.
    """

    learning_rate: float
    optimizer: str = "sgd"
    l1: float = 0.0
    l2: float = 0.0
    clip: str = "none"
    clip_threshold: float = 1.0

    @property
    def decay(self) -> float:
        """λ of a decay outside the gradient."""
        return self.l2 if OPTIMIZERS[self.optimizer].decoupled else 0.0

    @property
    def l2_in_loss(self) -> float:
        return self.l2 - self.decay

    @property
    def penalised(self) -> bool:
        return self.l1 > 0 or self.l2_in_loss > 0

    @property
    def plain(self) -> bool:
        """Whether the step is −η ∇L and nothing else."""
        return self.optimizer == "sgd" and not self.penalised and self.clip == "none"

    def penalty(self, parameters: Parameters) -> float:
        """l1 Σ|w| + (l2/2) Σw²"""
        weights = parameters.flat[:, : parameters.n_weights]
        return float(penalty(weights, np.array([[self.l1]]), np.array([[self.l2_in_loss]]))[0])


@dataclass(frozen=True, eq=False)
class Update:
    """All that one update computes; L layers, index 0 nearest the input; H hidden ones.

    Arrays of examples are (batch, units).  outs: L + 1, what each layer hands on, inputs first, answers last.
    u, z, values = φ(z) (answers at the output), delta = ∂L/∂z, u_gradients = ∂L/∂u: L.  incoming = ∂L/∂h and slopes =
    φ′(z): L, None at an output whose units share one slope (softmax).  normalised, deviations: H where normalised.
    loss_parts (batch, n_out) add up to the loss.  Parameters, stacks of one, 0 where frozen: gradient of the data's
    loss; total with penalties; clipped; state_before and state_after the update, of the optimizer; after, the new ones.
    """

    problem: Problem
    rule: Rule
    count: int  # of this update, from 1
    outs: list[Array]
    u: list[Array]
    z: list[Array]
    values: list[Array]
    normalised: list[Array]
    deviations: list[Array]
    loss: float
    loss_parts: Array
    delta: list[Array]
    u_gradients: list[Array]
    incoming: list[Array | None]
    slopes: list[Array | None]
    gradient: Parameters
    total: Parameters
    clipped: Parameters
    state_before: list[Parameters]
    state_after: list[Parameters]
    after: Parameters

    @property
    def layers(self) -> int:
        return len(self.z)

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.problem.architecture.sizes

    @property
    def batch(self) -> int:
        return len(self.problem.inputs)

    def weights(self, layer: int) -> Array:
        return self.problem.parameters.weights[layer][0]

    def biases(self, layer: int) -> Array:
        return self.problem.parameters.biases[layer][0]

    @cached_property
    def frozen(self) -> Parameters:
        """1 where a parameter is kept fixed."""
        mask = self.problem.parameters.frozen
        flat = np.zeros_like(self.gradient.flat) if mask is None else mask[None].astype(float)
        return Parameters(self.problem.architecture, flat)

    @cached_property
    def clip_factor(self) -> float:
        """What clipping by norm multiplies the gradient by."""
        norm = float(np.linalg.norm(self.total.flat))
        return self.rule.clip_threshold / norm if self.rule.clip == "norm" and norm > self.rule.clip_threshold else 1.0

    @cached_property
    def objective(self) -> float:
        """What the update is to make smaller: the loss, with penalties."""
        return self.loss + self.rule.penalty(self.problem.parameters)

    @cached_property
    def new_loss(self) -> float:
        return self.problem.loss_at(self.after)

    @property
    def change(self) -> float:
        """What the update did to the objective."""
        return self.new_loss + self.rule.penalty(self.after) - self.objective

    @cached_property
    def predicted_change(self) -> float:
        """∇L·Δθ, the change if the objective were a plane; −η‖∇L‖² for plain gradient descent."""
        step = self.after.flat - self.problem.parameters.flat
        return float((self.total.flat * step).sum())


def one_update(problem: Problem, rule: Rule, state: Sequence[Parameters] = (), count: int = 1) -> Update:
    """Forward, loss, backward and one update.

    state: of the optimizer, as the update before left it (state_after); zeros where none is given.
    """
    parameters, architecture = problem.parameters, problem.architecture
    if not state:
        state = [_like(parameters, one) for one in OPTIMIZERS[rule.optimizer].state(parameters.flat)]
    with np.errstate(all="ignore"), one_blas_thread():
        forward_pass = problem.forward(parameters)
        z = forward_pass.z[-1]
        loss = problem.loss_of(z)
        gradient, signal = backward(parameters, forward_pass, problem.loss_gradient(z))
        answers = outputs(z, architecture.output)
        slope = ACTIVATIONS[architecture.activation].slope
        slopes: list[Array | None] = [
            slope(*pair)[0] for pair in zip(forward_pass.z[:-1], forward_pass.phi, strict=True)
        ]
        how_wrong, how_awake = _at_the_output(problem, z[0], answers[0])
        incoming: list[Array | None] = [*(part[0] for part in signal.h), how_wrong]
        total = _with_penalties(parameters, gradient, rule)
        clipped = _clipped(total, rule)
        state_after = [one.copy() for one in state]
        slots = [one.flat for one in state_after]
        step = OPTIMIZERS[rule.optimizer].update(clipped.flat, slots, np.array([[rule.learning_rate]]), count)
        if rule.decay:
            decayed = (
                np.where(parameters.frozen, 0, parameters.flat) if parameters.frozen is not None else parameters.flat
            )
            weights = slice(0, parameters.n_weights)
            step[:, weights] += rule.learning_rate * rule.decay * decayed[:, weights]
        after = parameters.copy()
        after.flat -= step
        track_statistics(after, forward_pass)
        outs = [problem.inputs, *(h[0] for h in forward_pass.h), answers[0]]
        pairs = zip(outs[:-1], parameters.weights, parameters.biases, strict=True)
        u = [below @ weights[0] + biases[0] for below, weights, biases in pairs]
        parts = _loss_parts(problem, z[0], answers[0])
        normalised = [part[0] for part in forward_pass.normalised]
        wide = [
            np.broadcast_to(part[0], like.shape) for part, like in zip(forward_pass.deviations, normalised, strict=True)
        ]
    return Update(
        problem, rule, count, outs, u, [part[0] for part in forward_pass.z],
        [*(value[0] for value in forward_pass.phi), answers[0]], normalised, wide, loss, parts,
        [part[0] for part in signal.z], [part[0] for part in signal.u], incoming, [*slopes, how_awake], gradient, total,
        clipped, list(state), state_after, after,
    )  # fmt: skip


def _like(parameters: Parameters, flat: Array) -> Parameters:
    return Parameters(parameters.architecture, flat)


def _at_the_output(problem: Problem, z: Array, answers: Array) -> tuple[Array | None, Array | None]:
    """(∂L/∂a, slope) of the output's units; for a softmax there is no slope of one unit alone.

    Sigmoid with cross-entropy: ∂L/∂a = (a − t)/(a (1 − a) n), whose denominator is the slope: they cancel.
    """
    n = len(answers)
    if problem.architecture.output == "softmax":
        return None, None
    slope = ACTIVATIONS[problem.architecture.output].slope(z, answers)
    if problem.loss == "cross_entropy":
        return (answers - problem.targets) / (n * slope) * problem.example_weights, slope
    # by the answers themselves, as if they were a linear output's
    errors = LOSSES[problem.loss].gradient(answers[None], problem.targets[None], "linear")[0]
    return errors * problem.example_weights, slope


def _loss_parts(problem: Problem, z: Array, answers: Array) -> Array:
    """What each answer to each example adds to the loss, (batch, n_out)."""
    return _unweighted_parts(problem, z, answers) * problem.example_weights


def _unweighted_parts(problem: Problem, z: Array, answers: Array) -> Array:
    n, n_out = answers.shape
    if problem.loss == "mse":
        return (answers - problem.targets) ** 2 / (n * n_out)
    value = LOSSES[problem.loss].value
    if problem.loss != "cross_entropy":
        singly = answers.reshape(-1, 1, 1), problem.targets.reshape(-1, 1, 1)
        return value(*singly, "linear").reshape(n, n_out) / (n * n_out)
    if problem.architecture.output == "sigmoid":
        return value(z.reshape(-1, 1, 1), problem.targets.reshape(-1, 1, 1), "sigmoid").reshape(n, n_out) / n
    # −ln a of every class is the loss if that class were the target
    each = [value(z[:, None], np.eye(n_out)[[[k]] * n], "softmax") for k in range(n_out)]
    return problem.targets * np.stack(each, axis=1) / n


def _with_penalties(parameters: Parameters, gradient: Parameters, rule: Rule) -> Parameters:
    total = gradient.copy()
    if rule.penalised:
        weights = slice(0, parameters.n_weights)
        added = penalty_gradient(parameters.flat[:, weights], np.array([[rule.l1]]), np.array([[rule.l2_in_loss]]))
        total.flat[:, weights] += added
        if parameters.frozen is not None:
            total.flat[:, parameters.frozen] = 0
    return total


def _clipped(total: Parameters, rule: Rule) -> Parameters:
    clipped, threshold = total.copy(), np.array([[rule.clip_threshold]])
    if rule.clip == "norm":
        clipped.flat[...] = clip_by_norm(total.flat, np.linalg.norm(total.flat, axis=1, keepdims=True), threshold)
    elif rule.clip == "value":
        clipped.flat[...] = clip_by_value(total.flat, threshold)
    return clipped


@dataclass(frozen=True, eq=False)
class Course:
    """Some updates one after the other, always on the same examples.

    losses: before each update, and after the last: the objective, penalties included.  next: the update that would
    follow.  diverged_after: the update after which a number was not finite, which is not taken; or None.
    """

    next: Update
    losses: list[float] = field(default_factory=list)
    diverged_after: int | None = None


def course(problem: Problem, rule: Rule, updates: int) -> Course:
    """Take that many updates, or as many as leave all numbers finite."""
    next_update = one_update(problem, rule)
    losses = [next_update.objective]
    for count in range(1, updates + 1):
        if not np.isfinite(next_update.after.flat).all() or not np.isfinite(next_update.new_loss):
            return Course(next_update, losses, count)
        taken = replace(next_update.problem, parameters=next_update.after)
        next_update = one_update(taken, rule, next_update.state_after, count + 1)
        losses.append(next_update.objective)
    return Course(next_update, losses)
