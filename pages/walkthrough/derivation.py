r"""The calculation of one unit or one weight, line by line, with symbols and with the network's numbers.

Symbols: x the inputs, a = φ(z); where a network normalises, u is what a unit adds up and z what it is after; where it
has bridges or dropout, h is what a unit hands on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from engine.activations import ACTIVATIONS
from pages.walkthrough.calculation import Update
from pages.walkthrough.latex import exact, rounded, summed
from pages.walkthrough.parameter_lines import ParameterWriter
from pages.walkthrough.writer import BETA, DELTA, GAMMA, Written

PHASES = ("forward", "loss", "backward", "update")


@dataclass(frozen=True)
class Selection:
    """What is looked at: a layer; one of its units; one of the weights into it, from a unit below.  From 0."""

    layer: int
    unit: int | None = None
    source: int | None = None

    def check(self, sizes: tuple[int, ...]) -> None:
        """IndexError, with a sentence, for what a network of these sizes does not have."""
        if not 0 <= self.layer < len(sizes) - 1:
            raise IndexError(f"This network has no layer {self.layer + 1}.")
        for unit, layer in ((self.unit, self.layer + 1), (self.source, self.layer)):
            if unit is not None and not 0 <= unit < sizes[layer]:
                raise IndexError(f"This network has no unit {unit + 1} in {_layer(layer)}.")


def _layer(layer: int) -> str:
    return f"layer {layer}" if layer else "its inputs"


class Line(NamedTuple):
    """One line of a calculation: formula, numbers put in and the result (LaTeX; rounded and in full), the value."""

    phase: str
    name: str
    symbols: str
    numbers: str
    full: str
    value: float


def derivation(update: Update, selection: Selection, example: int = 0) -> list[Line]:
    """How a unit's z, a and δ come about for an example, and its new bias; or the same for a weight into it.

    Gradients of parameters are of the whole batch.  IndexError for what is not there; ValueError for a layer.
    """
    if selection.unit is None:
        raise ValueError("A layer as a whole is written out by layer_derivation.")
    selection.check(update.sizes)
    if not 0 <= example < update.batch:
        raise IndexError(f"There is no example {example + 1}.")
    on_screen, in_full = (
        list(_Writer(update, selection.layer, selection.unit, example, digits).lines(selection.source))
        for digits in (rounded, exact)
    )
    return [Line(*one[:4], other[3], one[4]) for one, other in zip(on_screen, in_full, strict=True)]


class _Writer(ParameterWriter):
    """Writes the lines of one unit with one kind of digits."""

    def lines(self, source: int | None) -> Iterator[Written]:
        yield from self.forward()
        if self.output:
            yield from self.loss()
        yield from self.backward()
        if source is not None:
            yield from self.parameter("weights", (source, self.unit))
            return
        yield from self.parameter("biases", (self.unit,))
        if self.normalised:
            yield from self.parameter("scales", (self.unit,))
            yield from self.parameter("shifts", (self.unit,))

    def forward(self) -> Iterator[Written]:
        update, unit = self.update, self.unit
        below, weights = update.outs[self.layer][self.example], update.weights(self.layer)[:, unit]
        terms = [rf"{self.n(w)} \cdot {self.b(a)}" for w, a in zip(weights, below, strict=True)]
        u, z, value = self.at(update.u), self.at(update.z), self.at(update.values)
        yield (
            "forward",
            "weighted sum" if self.normalised else "pre-activation",
            rf"{self.u} = \sum_i {self.name('w', index=f'i{unit + 1}')}\, {self.below('i')} + {self.name('b')}",
            rf"{summed(terms, self.n(update.biases(self.layer)[unit]))} = {self.n(u)}",
            u,
        )
        if self.normalised:
            yield from self.normalisation(u, z)
        yield ("forward", "answer" if self.output else "activation", *self.activation(z, value), value)
        if self.masked or self.skip_below:
            yield self.handed_on(value)

    def normalisation(self, u: float, z: float) -> Iterator[Written]:
        update = self.update
        normal, deviation = self.at(update.normalised), self.at(update.deviations)
        by_layer = update.problem.architecture.normalization == "layer"
        running = not by_layer and update.batch == 1
        over = "layer" if by_layer else "running" if running else "batch"
        scale, shift = (
            float(part[self.layer][0, self.unit])
            for part in (update.problem.parameters.scales, update.problem.parameters.shifts)
        )
        yield (
            "forward",
            "normalized",
            rf"{self.name('n')} = \big({self.u} - \mu_\text{{{over}}}\big) / \sigma_\text{{{over}}}",
            rf"({self.n(u)} - {self.b(u - normal * deviation)}) / {self.n(deviation)} = {self.n(normal)}",
            normal,
        )
        yield (
            "forward",
            "pre-activation",
            rf"{self.name('z')} = {self.name(GAMMA)}\, {self.name('n')} + {self.name(BETA)}",
            rf"{self.n(scale)} \cdot {self.b(normal)} + {self.b(shift)} = {self.n(z)}",
            z,
        )

    def activation(self, z: float, value: float) -> tuple[str, str]:
        name, architecture = self.name("a"), self.update.problem.architecture
        function = architecture.output if self.output else architecture.activation
        if function == "softmax":
            every = self.update.z[-1][self.example]
            total = summed([rf"e^{{{self.n(one)}}}" for one in every])
            return (
                rf"{name} = e^{{{self.name('z')}}} \Big/ \sum_k e^{{{self.name('z', index='k')}}}",
                rf"e^{{{self.n(z)}}} / ({total}) = {self.n(value)}",
            )
        above, _, below = ACTIVATIONS[function].formula.partition(r" \text{ or } ")
        formula = below if below and z <= 0 else above
        put_in = re.sub(r"(?<![a-zA-Z\\])z(?![a-zA-Z])", lambda _: f"{{{self.b(z)}}}", formula)
        words = function.replace("_", " ")
        return rf"{name} = \text{{{words}}}\big({self.name('z')}\big)", rf"{put_in} = {self.n(value)}"

    def handed_on(self, value: float) -> Written:
        mask, symbols, numbers = self.update.problem.masks, self.name("a"), self.n(value)
        if self.masked and mask is not None:
            symbols = rf"m\, {symbols}"
            numbers = rf"{self.n(mask[self.layer][self.example, self.unit])} \cdot {self.b(value)}"
        if self.skip_below:
            symbols += f" + {self.below(str(self.unit + 1))}"
            numbers += f" + {self.b(self.update.outs[self.layer][self.example, self.unit])}"
        handed_on = float(self.update.outs[self.layer + 1][self.example, self.unit])
        return "forward", "handed on", f"{self.out} = {symbols}", f"{numbers} = {self.n(handed_on)}", handed_on

    def loss(self) -> Iterator[Written]:
        update, n, n_out = self.update, self.update.batch, self.update.sizes[-1]
        parts = update.loss_parts
        answer, target = self.at(update.values), float(update.problem.targets[self.example, self.unit])
        a, t, part = self.out, f"t_{{{self.unit + 1}}}", float(parts[self.example, self.unit])
        if update.problem.loss == "mse":
            symbols, numbers = f"({t} - {a})^2", f"({self.n(target)} - {self.b(answer)})^2"
            share = "" if n * n_out == 1 else rf"\tfrac{{1}}{{{n * n_out}}} "
        else:
            share = "" if n == 1 else rf"\tfrac{{1}}{{{n}}} "
            symbols, numbers = rf"-{t} \ln {a}", rf"-{self.b(target)} \ln {self.n(answer)}"
            if update.problem.architecture.output == "sigmoid":
                symbols = rf"\big({symbols} - (1 - {t}) \ln (1 - {a})\big)"
                numbers = rf"\big({numbers} - {self.n(1 - target)} \ln {self.n(1 - answer)}\big)"
        left = rf"L_{{{self.unit + 1}}}"
        yield "loss", "this answer’s share", f"{left} = {share}{symbols}", f"{share}{numbers} = {self.n(part)}", part
        if parts.size > 1:
            over = r"\sum_\text{examples} \sum_k L_k" if n > 1 else r"\sum_k L_k"
            total = summed([self.n(one) for one in parts.ravel()])
            yield "loss", "loss", f"L = {over}", f"{total} = {self.n(update.loss)}", update.loss

    def backward(self) -> Iterator[Written]:
        update, delta = self.update, self.at(self.update.delta)
        error, slope = update.incoming[self.layer], update.slopes[self.layer]
        if self.output and (slope is None or update.problem.loss == "cross_entropy"):
            yield ("backward", "error signal", *self.shared_or_cancelled(delta), delta)
            return
        assert error is not None
        assert slope is not None
        wrong, awake = (float(part[self.example, self.unit]) for part in (error, slope))
        symbols = [rf"\frac{{\partial L}}{{\partial {self.out}}}", rf"\varphi'\big({self.name('z')}\big)"]
        numbers = [self.n(wrong), self.b(awake)]
        yield ("backward", "how wrong", *self.how_wrong(symbols[0], wrong), wrong)
        yield ("backward", "how awake", *self.slope(symbols[1], awake), awake)
        if self.masked and update.problem.masks is not None:
            symbols.append("m")
            numbers.append(self.n(update.problem.masks[self.layer][self.example, self.unit]))
        yield (
            "backward",
            "error signal",
            f"{self.name(DELTA)} = " + r"\, ".join(symbols),
            r" \cdot ".join(numbers) + f" = {self.n(delta)}",
            delta,
        )
        if self.normalised:
            yield self.through_normalisation()

    def slope(self, left: str, value: float) -> tuple[str, str]:
        """φ′(z), by a formula where that is short."""
        architecture = self.update.problem.architecture
        function, z, a = architecture.output if self.output else architecture.activation, self.name("z"), self.name("a")
        number = self.at(self.update.values)
        if function == "sigmoid":
            return rf"{left} = {a} (1 - {a})", rf"{self.n(number)} \cdot (1 - {self.n(number)}) = {self.n(value)}"
        if function == "tanh":
            return rf"{left} = 1 - ({a})^2", rf"1 - {self.b(number)}^2 = {self.n(value)}"
        if function in ("relu", "leaky_relu"):
            side = ">" if self.at(self.update.z) > 0 else r"\le"
            return rf"{left}, \quad {z} {side} 0", self.n(value)
        return left, self.n(value)

    def how_wrong(self, left: str, value: float) -> tuple[str, str]:
        """∂L/∂a: at the output from the loss, in a hidden layer the sum over all paths that lead on."""
        update, j = self.update, str(self.unit + 1)
        if self.output:
            n, n_out = update.batch, update.sizes[-1]
            share = "2" if n * n_out == 1 else "" if n * n_out == 2 else rf"\tfrac{{2}}{{{n * n_out}}} "
            answer, target = self.at(update.values), update.problem.targets[self.example, self.unit]
            return (
                rf"{left} = {share}\big({self.out} - t_{{{j}}}\big)",
                rf"{share}({self.n(answer)} - {self.b(target)}) = {self.n(value)}",
            )
        weights, signals = update.weights(self.layer + 1)[self.unit], update.u_gradients[self.layer + 1][self.example]
        terms = [rf"{self.n(w)} \cdot {self.b(d)}" for w, d in zip(weights, signals, strict=True)]
        above = _Writer(update, self.layer + 1, 0, self.example, self.digits)
        signal = above.u_gradient.replace("_{1}", "_{k}")
        symbols, last = rf"\sum_k {self.name('w', self.layer + 1, f'{j}k')}\, {signal}", ""
        if self.skip_above:
            over_skip = update.incoming[self.layer + 1]
            assert over_skip is not None
            symbols += rf" + \frac{{\partial L}}{{\partial {self.name('h', self.layer + 1)}}}"
            last = self.n(over_skip[self.example, self.unit])
        return f"{left} = {symbols}", f"{summed(terms, last)} = {self.n(value)}"

    def shared_or_cancelled(self, delta: float) -> tuple[str, str]:
        """δ at an output where it is no product of an error and one unit's own slope."""
        update, n, n_out, j = self.update, self.update.batch, self.update.sizes[-1], self.unit + 1
        answers, targets = update.values[-1][self.example], update.problem.targets[self.example]
        answer, name, a, t = self.n(answers[self.unit]), self.name(DELTA), self.out, f"t_{{{j}}}"
        if update.problem.loss == "cross_entropy":
            share = "" if n == 1 else rf"\tfrac{{1}}{{{n}}} "
            cancelled = f"{name} = "
            if update.problem.architecture.output == "sigmoid":
                slope = rf"{a} (1 - {a})"
                cancelled += rf"{share}\frac{{{a} - {t}}}{{\cancel{{{slope}}}}} \cdot \cancel{{{slope}}} = "
            return (
                rf"{cancelled}{share}({a} - {t})",
                rf"{share}({answer} - {self.b(targets[self.unit])}) = {self.n(delta)}",
            )
        errors = (answers - targets) * (2 / (n * n_out))
        return (
            rf"{name} = a_{{{j}}} \Big(e_{{{j}}} - \sum_k e_k a_k\Big), \quad "
            rf"e_k = \tfrac{{2}}{{{n * n_out}}} (a_k - t_k)",
            rf"{answer} \cdot ({self.n(errors[self.unit])} - {self.b(float(errors @ answers))}) = {self.n(delta)}",
        )

    def through_normalisation(self) -> Written:
        """∂L/∂u = (g − mean g − n · mean(g n))/σ with g = γ δ, or g/σ where μ and σ are constants."""
        update, layer, unit = self.update, self.layer, self.unit
        by_layer = update.problem.architecture.normalization == "layer"
        scaled = update.delta[layer] * update.problem.parameters.scales[layer][0]
        normal = update.normalised[layer]
        g, n, sigma = scaled[self.example, unit], self.at(update.normalised), self.at(update.deviations)
        value = self.at(update.u_gradients)
        left, product = self.u_gradient, rf"g = {self.name(GAMMA)}\, {self.name(DELTA)}"
        if not by_layer and update.batch == 1:
            symbols, numbers = rf"\frac{{g}}{{\sigma}}, \quad {product}", rf"{self.n(g)} / {self.n(sigma)}"
        else:
            row = (self.example, slice(None)) if by_layer else (slice(None), unit)
            mean, along = float(scaled[row].mean()), float((scaled[row] * normal[row]).mean())
            symbols = rf"\tfrac{{1}}{{\sigma}} \big(g - \overline{{g}} - n\, \overline{{g n}}\big), \quad {product}"
            numbers = (
                rf"({self.n(g)} - {self.b(mean)} - {self.b(n)} \cdot {self.b(along)}) / {self.n(sigma)}"
            )  # fmt: skip
        return "backward", "before normalization", f"{left} = {symbols}", f"{numbers} = {self.n(value)}", value
