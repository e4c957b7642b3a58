"""Names and numbers of one unit, in LaTeX; with them gradient and update of its parameters, line by line."""

from collections.abc import Iterator, Sequence
from typing import Any

from engine.optimizers import ADAM_DECAYS, EPSILON, MOMENTUM, RMSPROP_DECAY
from pages.walkthrough.calculation import Update
from pages.walkthrough.latex import Digits, bracketed, summed

DELTA, GAMMA, BETA = r"\delta", r"\gamma", r"\beta"
ELEMENTS = {"weights": ("weight", "w"), "biases": ("bias", "b"), "scales": ("scale", GAMMA), "shifts": ("shift", BETA)}

Written = tuple[str, str, str, str, float]  # phase, name, symbols, numbers, value


def scale_of(update: Update, layer: int) -> str:
    """What a layer multiplies its activations by before it adds what the layer below outputs; nothing where by 1."""
    architecture = update.problem.architecture
    scaled = architecture.branch_scale != 1 and 0 < layer < architecture.depth
    return rf"\tfrac{{1}}{{{architecture.depth}}} " if scaled else ""


class Writer:
    """How one unit's numbers are called and written, with one kind of digits."""

    def __init__(self, update: Update, layer: int, unit: int, example: int, digits: Digits):
        self.update, self.layer, self.unit, self.example, self.digits = update, layer, unit, example, digits
        architecture = update.problem.architecture
        self.output = layer == update.layers - 1
        self.normalised = architecture.normalization != "none" and not self.output
        self.skip_below = architecture.skips and 0 < layer < update.layers - 1
        self.skip_above = architecture.skips and layer + 1 < update.layers - 1
        self.scale = scale_of(update, layer)
        self.divided = f" / {architecture.depth}" if self.scale else ""
        self.masked = update.problem.masks is not None and not self.output
        self.hands_on = "h" if architecture.skips or update.problem.masks is not None else "a"

    def n(self, value: float) -> str:
        """A number."""
        return self.digits(value)

    def b(self, value: float) -> str:
        """A number for the right of a sign."""
        return bracketed(self.digits(value))

    def at(self, values: Sequence[Any]) -> float:
        """This unit's number, for this example."""
        return float(values[self.layer][self.example, self.unit])

    def name(self, symbol: str, layer: int | None = None, index: str = "") -> str:
        """A symbol with its layer and unit, of this unit if no other is given."""
        layer = self.layer if layer is None else layer
        return rf"{symbol}^{{({layer + 1})}}_{{{index or self.unit + 1}}}"

    def below(self, index: str) -> str:
        """What the unit `index` of the layer below hands on."""
        return self.name(self.hands_on, self.layer - 1, index) if self.layer else f"x_{{{index}}}"

    @property
    def class_weight(self) -> tuple[str, str]:
        """What the example's class weighs, as a factor in symbols and in numbers; nothing where all count alike."""
        if self.update.problem.class_weights is None:
            return "", ""
        weight = float(self.update.problem.example_weights[self.example, 0])
        return r"v\, ", rf"{self.n(weight)} \cdot "

    @property
    def u(self) -> str:
        """What the sum over the inputs is called."""
        return self.name("u" if self.normalised else "z")

    @property
    def out(self) -> str:
        """What this unit hands on."""
        return self.name("a" if self.output else self.hands_on)

    @property
    def u_gradient(self) -> str:
        """What the derivative by that sum is called."""
        return rf"\frac{{\partial L}}{{\partial {self.u}}}" if self.normalised else self.name(DELTA)


def parameter_lines(writer: Writer, kind: str, index: tuple[int, ...]) -> Iterator[Written]:
    """Gradient and update of one parameter of the unit: penalty, clipping and optimizer where there are any."""
    update, rule, (called, letter) = writer.update, writer.update.rule, ELEMENTS[kind]

    def of(parameters) -> float:
        return float(getattr(parameters, kind)[writer.layer][(0, *index)])

    symbol = writer.name(letter, index="".join(str(i + 1) for i in index))
    if max(index) > 8 and kind == "weights":
        symbol = writer.name(letter, index=",".join(str(i + 1) for i in index))
    old, new = of(update.problem.parameters), of(update.after)
    if of(update.frozen):
        yield "update", f"new {called}", rf"{symbol} \text{{ is kept fixed}}", writer.n(new), new
        return
    derivative, gradient = rf"\frac{{\partial L}}{{\partial {symbol}}}", of(update.gradient)
    yield ("backward", f"gradient of the {called}", *_gradient(writer, kind, index, derivative, gradient), gradient)
    g = derivative
    if rule.penalised and kind == "weights":
        g, total = "g", of(update.total)
        sign = float((old > 0) - (old < 0))
        penalties = (
            (rf"\lambda_1 \operatorname{{sign}} {symbol}", rf"{writer.n(rule.l1)} \cdot {writer.b(sign)}", rule.l1),
            (rf"\lambda_2\, {symbol}", rf"{writer.n(rule.l2)} \cdot {writer.b(old)}", rule.l2_in_loss),
        )
        added = [part for part in penalties if part[2] > 0]
        yield (
            "update",
            "with penalty",
            rf"g = {' + '.join([derivative, *(part[0] for part in added)])}",
            rf"{' + '.join([writer.n(gradient), *(part[1] for part in added)])} = {writer.n(total)}",
            total,
        )
    if rule.clip != "none":
        before, after = of(update.total), of(update.clipped)
        yield ("update", "clipped", *_clipping(writer, g, before, after), after)
        g = r"\hat g"
    state = [(of(one), of(other)) for one, other in zip(update.state_before, update.state_after, strict=True)]
    decay = rule.decay if kind == "weights" else 0.0
    yield from _step(writer, f"new {called}", symbol, g, of(update.clipped), state, old, new, decay)


def _gradient(writer: Writer, kind: str, index: tuple[int, ...], derivative: str, value: float) -> tuple[str, str]:
    update, column = writer.update, writer.unit
    if kind in ("scales", "shifts"):
        signal, symbol = update.delta[writer.layer][:, column], writer.name(DELTA)
    else:
        signal, symbol = update.u_gradients[writer.layer][:, column], writer.u_gradient
    factors, name = None, ""
    if kind == "weights":
        factors, name = update.outs[writer.layer][:, index[0]], writer.below(str(index[0] + 1)) + r"\, "
    elif kind == "scales":
        factors, name = update.normalised[writer.layer][:, column], writer.name("n") + r"\, "
    if factors is None:
        terms = [writer.n(d) for d in signal]
    else:
        terms = [rf"{writer.n(a)} \cdot {writer.b(d)}" for a, d in zip(factors, signal, strict=True)]
    over = r"\sum_\text{examples} " if update.batch > 1 else ""
    numbers = summed(terms) + f" = {writer.n(value)}" if update.batch > 1 or factors is not None else writer.n(value)
    return rf"{derivative} = {over}{name}{symbol}", numbers


def _clipping(writer: Writer, g: str, before: float, after: float) -> tuple[str, str]:
    rule, theta = writer.update.rule, writer.n(writer.update.rule.clip_threshold)
    if rule.clip == "value":
        return (
            rf"\hat g = \min\big(\theta, \max(-\theta, {g})\big)",
            rf"\min({theta}, \max(-{theta}, {writer.n(before)})) = {writer.n(after)}",
        )
    norm = float((writer.update.total.flat**2).sum() ** 0.5)
    if writer.update.clip_factor == 1:
        return rf"\hat g = {g}, \quad \|g\| = {writer.n(norm)} \le \theta = {theta}", writer.n(after)
    return (
        rf"\hat g = {g}\, \frac{{\theta}}{{\|g\|}}",
        rf"{writer.n(before)} \cdot \frac{{{theta}}}{{{writer.n(norm)}}} = {writer.n(after)}",
    )


def _step(
    writer: Writer,
    called: str,
    symbol: str,
    g: str,
    value: float,
    state: list[tuple[float, float]],
    old: float,
    new: float,
    decay: float,
) -> Iterator[Written]:
    """The optimizer's lines.  decay: λ of what it takes off the parameter beside them."""
    rule = writer.update.rule
    rate = writer.n(rule.learning_rate)
    move, moved = rf"\eta\, {g}", rf"{rate} \cdot {writer.b(value)}"
    squared = rf"\big({g}\big)^2" if g.startswith(r"\frac") else f"{g}^2"
    if rule.optimizer in ("momentum", "nesterov"):
        yield _running(writer, "velocity", "v", str(MOMENTUM), g, writer.b(value), *state[0])
        move, moved = r"\eta\, v", rf"{rate} \cdot {writer.b(state[0][1])}"
        if rule.optimizer == "nesterov":
            move = rf"\eta\, \big({g} + {MOMENTUM}\, v\big)"
            moved = rf"{rate} \cdot ({writer.n(value)} + {MOMENTUM} \cdot {writer.b(state[0][1])})"
    elif rule.optimizer in ("rmsprop", "adagrad"):
        called_square, kept, share, symbols = "sum of squares", "", "", squared
        if rule.optimizer == "rmsprop":
            rest = writer.n(1 - RMSPROP_DECAY)
            called_square, kept, share = "mean square", str(RMSPROP_DECAY), rf"{rest} \cdot "
            symbols = rf"{rest}\, {squared}"
        square = rf"{share}{writer.b(value)}^2"
        yield _running(writer, called_square, "s", kept, symbols, square, *state[0])
        move = rf"\eta\, {g} / \big(\sqrt{{s}} + \epsilon\big)"
        moved = rf"{rate} \cdot {writer.b(value)} / {_root(writer, state[0][1])}"
    elif rule.optimizer in ("adam", "adamw"):
        decays, names = [str(decay) for decay in ADAM_DECAYS], ("mean", "mean square")
        added = [(g, writer.b(value)), (squared, rf"{writer.b(value)}^2")]
        for index, letter in enumerate("ms"):
            rest = writer.n(1 - ADAM_DECAYS[index])
            symbols, numbers = rf"{rest}\, {added[index][0]}", rf"{rest} \cdot {added[index][1]}"
            yield _running(writer, names[index], letter, decays[index], symbols, numbers, *state[index])
        hats = [after / (1 - decay**writer.update.count) for (_, after), decay in zip(state, ADAM_DECAYS, strict=True)]
        move = r"\eta\, \hat m / \big(\sqrt{\hat s} + \epsilon\big)"
        moved = rf"{rate} \cdot {writer.b(hats[0])} / {_root(writer, hats[1])}"
    if decay:
        move += rf" - \eta\, \lambda\, {symbol}"
        moved += rf" - {rate} \cdot {writer.n(decay)} \cdot {writer.b(old)}"
    new_symbol = rf"{symbol}{{}}_{{,\,\text{{new}}}}"
    yield "update", called, rf"{new_symbol} = {symbol} - {move}", rf"{writer.n(old)} - {moved} = {writer.n(new)}", new


def _root(writer: Writer, square: float) -> str:
    return rf"\big(\sqrt{{{writer.n(square)}}} + {writer.n(EPSILON)}\big)"


def _running(
    writer: Writer, called: str, letter: str, decay: str, symbols: str, numbers: str, before: float, after: float
) -> Written:
    """A number that the optimizer keeps, or a share `decay` of it, from update to update, and what is added to it."""
    kept, number = (rf"{decay}\, ", rf"{decay} \cdot {writer.b(before)}") if decay else ("", writer.n(before))
    return (
        "update",
        called,
        rf"{letter} = {kept}{letter}_\text{{old}} + {symbols}",
        rf"{number} + {numbers} = {writer.n(after)}",
        after,
    )
