"""Questions to check oneself, made from the numbers on screen: one a phase, each for what the page does not show."""

from dataclasses import dataclass

import numpy as np

from engine.losses import LOSSES
from pages.walkthrough.calculation import Update
from pages.walkthrough.derivation import Selection

TOLERANCE = 0.01  # of the answer: people round
SHOWN = 5e-4  # that a number on screen, of four digits, may be off by, of its own size


@dataclass(frozen=True)
class Question:
    """Something to work out.

    text: Markdown with LaTeX; way: how; reach: added sizes of the numbers on screen that the answer is added from.
    """

    text: str
    way: str
    answer: float
    reach: float = 0.0

    @property
    def tolerance(self) -> float:
        return max(TOLERANCE * abs(self.answer), SHOWN * self.reach)

    def right(self, given: float) -> bool:
        return bool(abs(given - self.answer) <= self.tolerance)


def question(update: Update, phase: str, selection: Selection, example: int = 0) -> Question:
    """The phase's question about a unit (the layer's first, if none is looked at) and a weight into it."""
    layer, unit, source = selection.layer, selection.unit or 0, selection.source or 0
    weight = rf"w^{{({layer + 1})}}_{{{source + 1}{unit + 1}}}"
    w, input_ = float(update.weights(layer)[source, unit]), float(update.outs[layer][example, source])
    if phase == "forward":
        normalised = layer < len(update.normalised)
        u, symbol = (
            float(update.u[layer][example, unit]),
            rf"{'u' if normalised else 'z'}^{{({layer + 1})}}_{{{unit + 1}}}",
        )
        return Question(
            rf"Double the weight ${weight}$ and leave all else. What is ${symbol}$ then?",
            "The sum grows by the weight times its input, once more.",
            u + w * input_,
            abs(u) + abs(w * input_),
        )
    if phase == "loss":
        return _loss_question(update, example)
    if phase == "backward":
        product = input_ * float(update.u_gradients[layer][example, unit])
        return Question(
            rf"Suppose the input that ${weight}$ multiplies were three times as large, and the error signal of its "
            r"unit the same. What would this example add to $\partial L / \partial w$?",
            "The gradient of a weight is its input times the error signal of its unit.",
            3 * product,
        )
    change = float(update.after.weights[layer][0, source, unit]) - w
    return Question(
        rf"With twice the learning rate, what would the new ${weight}$ be?",
        "Twice the learning rate is twice the step; the gradient is the same.",
        w + 2 * change,
        abs(w),
    )


def _loss_question(update: Update, example: int) -> Question:
    """The loss of this example alone, had every answer been halfway to its target."""
    output, targets = update.problem.architecture.output, update.problem.targets[[example]]
    halfway = (update.outs[-1][[example]] + targets) / 2
    with np.errstate(all="ignore"):
        if update.problem.loss != "cross_entropy":
            output = "linear"  # of the answers themselves
        z = {"sigmoid": np.log(halfway) - np.log1p(-halfway), "softmax": np.log(halfway), "linear": halfway}[output]
        value = float(LOSSES[update.problem.loss].value(z[None], targets[None], output)[0])
        value *= float(update.problem.example_weights[example, 0])
    ways = {"mse": "Half of every error: a quarter of its square.", "mae": "Half of every error is half of the loss."}
    way = ways.get(update.problem.loss, "Put the answers that lie halfway into the formula of the loss.")
    return Question(
        "Had every answer been halfway to its target, what would the loss of this example alone be?", way, value
    )
