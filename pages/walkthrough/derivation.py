r"""The calculation of one unit or one weight, line by line, with symbols and with the network's numbers.

Symbols: x the inputs, a = φ(z); where a network normalises, u is what a unit adds up and z what it is after; where it
has skip connections or dropout, h is what a unit hands on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.activations import ACTIVATIONS
from engine.losses import HUBER_DELTA, LOSSES
from pages.walkthrough.calculation import Update
from pages.walkthrough.latex import exact, rounded, summed
from pages.walkthrough.writer import BETA, DELTA, GAMMA, Writer, Written, parameter_lines

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
        list(_lines(Writer(update, selection.layer, selection.unit, example, digits), selection.source))
        for digits in (rounded, exact)
    )
    return [Line(*one[:4], other[3], one[4]) for one, other in zip(on_screen, in_full, strict=True)]


def _lines(writer: Writer, source: int | None) -> Iterator[Written]:
    yield from _forward(writer)
    if writer.output:
        yield from _loss(writer)
    yield from _backward(writer)
    if source is not None:
        yield from parameter_lines(writer, "weights", (source, writer.unit))
        return
    yield from parameter_lines(writer, "biases", (writer.unit,))
    if writer.normalised:
        yield from parameter_lines(writer, "scales", (writer.unit,))
        yield from parameter_lines(writer, "shifts", (writer.unit,))


def _forward(writer: Writer) -> Iterator[Written]:
    update, unit = writer.update, writer.unit
    below, weights = update.outs[writer.layer][writer.example], update.weights(writer.layer)[:, unit]
    terms = [rf"{writer.n(w)} \cdot {writer.b(a)}" for w, a in zip(weights, below, strict=True)]
    u, z, value = writer.at(update.u), writer.at(update.z), writer.at(update.values)
    yield (
        "forward",
        "weighted sum" if writer.normalised else "pre-activation",
        rf"{writer.u} = \sum_i {writer.name('w', index=f'i{unit + 1}')}\, {writer.below('i')} + {writer.name('b')}",
        rf"{summed(terms, writer.n(update.biases(writer.layer)[unit]))} = {writer.n(u)}",
        u,
    )
    if writer.normalised:
        yield from _normalisation(writer, u, z)
    yield ("forward", "answer" if writer.output else "activation", *_activation(writer, z, value), value)
    if writer.masked or writer.skip_below:
        yield _handed_on(writer, value)


def _normalisation(writer: Writer, u: float, z: float) -> Iterator[Written]:
    update = writer.update
    normal, deviation = writer.at(update.normalised), writer.at(update.deviations)
    by_layer = update.problem.architecture.normalization == "layer"
    running = not by_layer and update.batch == 1
    over = "layer" if by_layer else "running" if running else "batch"
    scale, shift = (
        float(part[writer.layer][0, writer.unit])
        for part in (update.problem.parameters.scales, update.problem.parameters.shifts)
    )
    yield (
        "forward",
        "normalized",
        rf"{writer.name('n')} = \big({writer.u} - \mu_\text{{{over}}}\big) / \sigma_\text{{{over}}}",
        rf"({writer.n(u)} - {writer.b(u - normal * deviation)}) / {writer.n(deviation)} = {writer.n(normal)}",
        normal,
    )
    yield (
        "forward",
        "pre-activation",
        rf"{writer.name('z')} = {writer.name(GAMMA)}\, {writer.name('n')} + {writer.name(BETA)}",
        rf"{writer.n(scale)} \cdot {writer.b(normal)} + {writer.b(shift)} = {writer.n(z)}",
        z,
    )


def _activation(writer: Writer, z: float, value: float) -> tuple[str, str]:
    name, architecture = writer.name("a"), writer.update.problem.architecture
    function = architecture.output if writer.output else architecture.activation
    if function == "softmax":
        every = writer.update.z[-1][writer.example]
        total = summed([rf"e^{{{writer.n(one)}}}" for one in every])
        return (
            rf"{name} = e^{{{writer.name('z')}}} \Big/ \sum_k e^{{{writer.name('z', index='k')}}}",
            rf"e^{{{writer.n(z)}}} / ({total}) = {writer.n(value)}",
        )
    above, _, below = ACTIVATIONS[function].formula.partition(r" \text{ or } ")
    formula = below if below and z <= 0 else above
    put_in = re.sub(r"(?<![a-zA-Z\\])z(?![a-zA-Z])", lambda _: f"{{{writer.b(z)}}}", formula)
    words = function.replace("_", " ")
    return rf"{name} = \text{{{words}}}\big({writer.name('z')}\big)", rf"{put_in} = {writer.n(value)}"


def _handed_on(writer: Writer, value: float) -> Written:
    mask, factors, numbers = writer.update.problem.masks, [writer.name("a")], [writer.n(value)]
    if writer.masked and mask is not None:
        factors.insert(0, "m")
        numbers = [writer.n(mask[writer.layer][writer.example, writer.unit]), writer.b(value)]
    symbols, calculation = writer.scale + r"\, ".join(factors), r" \cdot ".join(numbers) + writer.divided
    if writer.skip_below:
        symbols += f" + {writer.below(str(writer.unit + 1))}"
        calculation += f" + {writer.b(writer.update.outs[writer.layer][writer.example, writer.unit])}"
    handed_on = float(writer.update.outs[writer.layer + 1][writer.example, writer.unit])
    return "forward", "handed on", f"{writer.out} = {symbols}", f"{calculation} = {writer.n(handed_on)}", handed_on


def _loss(writer: Writer) -> Iterator[Written]:
    update, n, n_out = writer.update, writer.update.batch, writer.update.sizes[-1]
    parts = update.loss_parts
    answer, target = writer.at(update.values), float(update.problem.targets[writer.example, writer.unit])
    v, weight = writer.class_weight
    a, t, part = writer.out, f"t_{{{writer.unit + 1}}}", float(parts[writer.example, writer.unit])
    if update.problem.loss != "cross_entropy":
        symbols, numbers = f"({t} - {a})^2", f"({writer.n(target)} - {writer.b(answer)})^2"
        share = "" if n * n_out == 1 else rf"\tfrac{{1}}{{{n * n_out}}} "
        size, sized = rf"\big|{t} - {a}\big|", rf"\big|{writer.n(target)} - {writer.b(answer)}\big|"
        if update.problem.loss == "huber" and abs(target - answer) <= HUBER_DELTA:
            symbols, numbers = rf"\tfrac{{1}}{{2}} {symbols}", rf"\tfrac{{1}}{{2}} {numbers}"
        elif update.problem.loss == "huber":
            symbols, numbers = rf"\big({size} - \tfrac{{1}}{{2}}\big)", rf"\big({sized} - 0.5\big)"
        elif update.problem.loss == "mae":
            symbols, numbers = size, sized
        symbols, numbers = v + symbols, weight + numbers
    else:
        share = "" if n == 1 else rf"\tfrac{{1}}{{{n}}} "
        if update.problem.architecture.output == "sigmoid":
            symbols = rf"{v}\big(-{t} \ln {a} - (1 - {t}) \ln (1 - {a})\big)"
            numbers = rf"{weight}\big(-{writer.b(target)} \ln {writer.n(answer)}"
            numbers += rf" - {writer.n(1 - target)} \ln {writer.n(1 - answer)}\big)"
        else:
            symbols, numbers = rf"-{v}{t} \ln {a}", rf"-{weight}{writer.b(target)} \ln {writer.n(answer)}"
    left = rf"L_{{{writer.unit + 1}}}"
    yield "loss", "this answer’s share", f"{left} = {share}{symbols}", f"{share}{numbers} = {writer.n(part)}", part
    if parts.size > 1:
        over = r"\sum_\text{examples} \sum_k L_k" if n > 1 else r"\sum_k L_k"
        total = summed([writer.n(one) for one in parts.ravel()])
        yield "loss", "loss", f"L = {over}", f"{total} = {writer.n(update.loss)}", update.loss


def _backward(writer: Writer) -> Iterator[Written]:
    update, delta = writer.update, writer.at(writer.update.delta)
    error, slope = update.incoming[writer.layer], update.slopes[writer.layer]
    if writer.output and (slope is None or update.problem.loss == "cross_entropy"):
        yield ("backward", "error signal", *_shared_or_cancelled(writer, delta), delta)
        return
    assert error is not None
    assert slope is not None
    wrong, awake = (float(part[writer.example, writer.unit]) for part in (error, slope))
    symbols = [rf"\frac{{\partial L}}{{\partial {writer.out}}}", rf"\varphi'\big({writer.name('z')}\big)"]
    numbers = [writer.n(wrong), writer.b(awake)]
    yield ("backward", "how wrong", *_how_wrong(writer, symbols[0], wrong), wrong)
    yield ("backward", "how awake", *_slope(writer, symbols[1], awake), awake)
    if writer.masked and update.problem.masks is not None:
        symbols.append("m")
        numbers.append(writer.n(update.problem.masks[writer.layer][writer.example, writer.unit]))
    yield (
        "backward",
        "error signal",
        f"{writer.name(DELTA)} = {writer.scale}" + r"\, ".join(symbols),
        r" \cdot ".join(numbers) + f"{writer.divided} = {writer.n(delta)}",
        delta,
    )
    if writer.normalised:
        yield _through_normalisation(writer)


def _slope(writer: Writer, left: str, value: float) -> tuple[str, str]:
    """φ′(z), by a formula where that is short."""
    architecture = writer.update.problem.architecture
    function, z, a = (
        architecture.output if writer.output else architecture.activation,
        writer.name("z"),
        writer.name("a"),
    )
    number = writer.at(writer.update.values)
    if function == "sigmoid":
        return rf"{left} = {a} (1 - {a})", rf"{writer.n(number)} \cdot (1 - {writer.n(number)}) = {writer.n(value)}"
    if function == "tanh":
        return rf"{left} = 1 - ({a})^2", rf"1 - {writer.b(number)}^2 = {writer.n(value)}"
    if function in ("relu", "leaky_relu"):
        side = ">" if writer.at(writer.update.z) > 0 else r"\le"
        return rf"{left}, \quad {z} {side} 0", writer.n(value)
    return left, writer.n(value)


def _how_wrong(writer: Writer, left: str, value: float) -> tuple[str, str]:
    """∂L/∂a: at the output from the loss, in a hidden layer the sum over all paths that lead on."""
    update, j = writer.update, str(writer.unit + 1)
    if writer.output:
        n, n_out = update.batch, update.sizes[-1]
        share = "2" if n * n_out == 1 else "" if n * n_out == 2 else rf"\tfrac{{2}}{{{n * n_out}}} "
        answer, target = writer.at(update.values), update.problem.targets[writer.example, writer.unit]
        if update.problem.loss != "mse":
            return _bounded_error(writer, left, value)
        v, weight = writer.class_weight
        return (
            rf"{left} = {share}{v}\big({writer.out} - t_{{{j}}}\big)",
            rf"{share}{weight}({writer.n(answer)} - {writer.b(target)}) = {writer.n(value)}",
        )
    weights, signals = (
        update.weights(writer.layer + 1)[writer.unit],
        update.u_gradients[writer.layer + 1][writer.example],
    )
    terms = [rf"{writer.n(w)} \cdot {writer.b(d)}" for w, d in zip(weights, signals, strict=True)]
    above = Writer(update, writer.layer + 1, 0, writer.example, writer.digits)
    signal = above.u_gradient.replace("_{1}", "_{k}")
    symbols, last = rf"\sum_k {writer.name('w', writer.layer + 1, f'{j}k')}\, {signal}", ""
    if writer.skip_above:
        over_skip = update.incoming[writer.layer + 1]
        assert over_skip is not None
        symbols += rf" + \frac{{\partial L}}{{\partial {writer.name('h', writer.layer + 1)}}}"
        last = writer.n(over_skip[writer.example, writer.unit])
    return f"{left} = {symbols}", f"{summed(terms, last)} = {writer.n(value)}"


def _bounded_error(writer: Writer, left: str, value: float) -> tuple[str, str]:
    """∂L/∂a of the absolute error, sign e, and of Huber's loss, e within ±1."""
    update, j = writer.update, writer.unit + 1
    count = update.batch * update.sizes[-1]
    share = "" if count == 1 else rf"\tfrac{{1}}{{{count}}} "
    v, weight = writer.class_weight
    error = f"({writer.n(writer.at(update.values))} - {writer.b(update.problem.targets[writer.example, writer.unit])})"
    if update.problem.loss == "mae":
        sign = writer.b(float(np.sign(value)))
        symbols = rf"\operatorname{{sign}}\big({writer.out} - t_{{{j}}}\big)"
        return f"{left} = {share}{v}{symbols}", f"{share}{weight}{sign} = {writer.n(value)}"
    symbols = rf"\min\big(1, \max\big(-1, {writer.out} - t_{{{j}}}\big)\big)"
    return f"{left} = {share}{v}{symbols}", rf"{share}{weight}\min(1, \max(-1, {error})) = {writer.n(value)}"


def _shared_or_cancelled(writer: Writer, delta: float) -> tuple[str, str]:
    """δ at an output where it is no product of an error and one unit's own slope."""
    update, n, n_out, j = writer.update, writer.update.batch, writer.update.sizes[-1], writer.unit + 1
    answers, targets = update.values[-1][writer.example], update.problem.targets[writer.example]
    v, weight = writer.class_weight
    answer, name, a, t = writer.n(answers[writer.unit]), writer.name(DELTA), writer.out, f"t_{{{j}}}"
    if update.problem.loss == "cross_entropy":
        share = "" if n == 1 else rf"\tfrac{{1}}{{{n}}} "
        cancelled = f"{name} = "
        if update.problem.architecture.output == "sigmoid":
            slope = rf"{a} (1 - {a})"
            cancelled += rf"{share}{v}\frac{{{a} - {t}}}{{\cancel{{{slope}}}}} \cdot \cancel{{{slope}}} = "
        return (
            rf"{cancelled}{share}{v}({a} - {t})",
            rf"{share}{weight}({answer} - {writer.b(targets[writer.unit])}) = {writer.n(delta)}",
        )
    errors = LOSSES[update.problem.loss].gradient(answers[None, None], targets[None, None], "linear")[0, 0] / n
    errors = errors * update.problem.example_weights[writer.example]
    error = {
        "mse": rf"\tfrac{{2}}{{{n * n_out}}} {v}(a_k - t_k)",
        "mae": rf"\tfrac{{1}}{{{n * n_out}}} {v}\operatorname{{sign}}(a_k - t_k)",
        "huber": rf"\tfrac{{1}}{{{n * n_out}}} {v}\min(1, \max(-1, a_k - t_k))",
    }[update.problem.loss]
    return (
        rf"{name} = a_{{{j}}} \Big(e_{{{j}}} - \sum_k e_k a_k\Big), \quad e_k = {error}",
        rf"{answer} \cdot ({writer.n(errors[writer.unit])} - {writer.b(float(errors @ answers))}) = {writer.n(delta)}",
    )


def _through_normalisation(writer: Writer) -> Written:
    """∂L/∂u = (g − mean g − n · mean(g n))/σ with g = γ δ, or g/σ where μ and σ are constants."""
    update, layer, unit = writer.update, writer.layer, writer.unit
    by_layer = update.problem.architecture.normalization == "layer"
    scaled = update.delta[layer] * update.problem.parameters.scales[layer][0]
    normal = update.normalised[layer]
    g, n, sigma = scaled[writer.example, unit], writer.at(update.normalised), writer.at(update.deviations)
    value = writer.at(update.u_gradients)
    left, product = writer.u_gradient, rf"g = {writer.name(GAMMA)}\, {writer.name(DELTA)}"
    if not by_layer and update.batch == 1:
        symbols, numbers = rf"\frac{{g}}{{\sigma}}, \quad {product}", rf"{writer.n(g)} / {writer.n(sigma)}"
    else:
        row = (writer.example, slice(None)) if by_layer else (slice(None), unit)
        mean, along = float(scaled[row].mean()), float((scaled[row] * normal[row]).mean())
        symbols = rf"\tfrac{{1}}{{\sigma}} \big(g - \overline{{g}} - n\, \overline{{g n}}\big), \quad {product}"
        numbers = (
            rf"({writer.n(g)} - {writer.b(mean)} - {writer.b(n)} \cdot {writer.b(along)}) / {writer.n(sigma)}"
        )  # fmt: skip
    return "backward", "before normalization", f"{left} = {symbols}", f"{numbers} = {writer.n(value)}", value
