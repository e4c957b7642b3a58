"""Gradient and update of one parameter, line by line: penalty, clipping and optimizer where there are any."""

from collections.abc import Iterator

from engine.optimizers import ADAM_DECAYS, EPSILON, MOMENTUM, RMSPROP_DECAY
from pages.walkthrough.latex import summed
from pages.walkthrough.writer import BETA, DELTA, GAMMA, Writer, Written

ELEMENTS = {"weights": ("weight", "w"), "biases": ("bias", "b"), "scales": ("scale", GAMMA), "shifts": ("shift", BETA)}


class ParameterWriter(Writer):
    """Writes the lines of the parameters of one unit."""

    def parameter(self, kind: str, index: tuple[int, ...]) -> Iterator[Written]:
        update, rule, (called, letter) = self.update, self.update.rule, ELEMENTS[kind]

        def of(parameters) -> float:
            return float(getattr(parameters, kind)[self.layer][(0, *index)])

        symbol = self.name(letter, index="".join(str(i + 1) for i in index))
        if max(index) > 8 and kind == "weights":
            symbol = self.name(letter, index=",".join(str(i + 1) for i in index))
        old, new = of(update.problem.parameters), of(update.after)
        if of(update.frozen):
            yield "update", f"new {called}", rf"{symbol} \text{{ is kept fixed}}", self.n(new), new
            return
        derivative, gradient = rf"\frac{{\partial L}}{{\partial {symbol}}}", of(update.gradient)
        yield ("backward", f"gradient of the {called}", *self.gradient(kind, index, derivative, gradient), gradient)
        g = derivative
        if rule.penalised and kind == "weights":
            g, total = "g", of(update.total)
            sign = float((old > 0) - (old < 0))
            penalties = (
                (rf"\lambda_1 \operatorname{{sign}} {symbol}", rf"{self.n(rule.l1)} \cdot {self.b(sign)}", rule.l1),
                (rf"\lambda_2\, {symbol}", rf"{self.n(rule.l2)} \cdot {self.b(old)}", rule.l2),
            )
            added = [part for part in penalties if part[2] > 0]
            yield (
                "update",
                "with penalty",
                rf"g = {' + '.join([derivative, *(part[0] for part in added)])}",
                rf"{' + '.join([self.n(gradient), *(part[1] for part in added)])} = {self.n(total)}",
                total,
            )
        if rule.clip != "none":
            before, after = of(update.total), of(update.clipped)
            yield ("update", "clipped", *self.clipping(g, before, after), after)
            g = r"\hat g"
        state = [(of(one), of(other)) for one, other in zip(update.state_before, update.state_after, strict=True)]
        yield from self.step(f"new {called}", symbol, g, of(update.clipped), state, old, new)

    def gradient(self, kind: str, index: tuple[int, ...], derivative: str, value: float) -> tuple[str, str]:
        update, column = self.update, self.unit
        if kind in ("scales", "shifts"):
            signal, symbol = update.delta[self.layer][:, column], self.name(DELTA)
        else:
            signal, symbol = update.u_gradients[self.layer][:, column], self.u_gradient
        factors, name = None, ""
        if kind == "weights":
            factors, name = update.outs[self.layer][:, index[0]], self.below(str(index[0] + 1)) + r"\, "
        elif kind == "scales":
            factors, name = update.normalised[self.layer][:, column], self.name("n") + r"\, "
        if factors is None:
            terms = [self.n(d) for d in signal]
        else:
            terms = [rf"{self.n(a)} \cdot {self.b(d)}" for a, d in zip(factors, signal, strict=True)]
        over = r"\sum_\text{examples} " if update.batch > 1 else ""
        numbers = summed(terms) + f" = {self.n(value)}" if update.batch > 1 or factors is not None else self.n(value)
        return rf"{derivative} = {over}{name}{symbol}", numbers

    def clipping(self, g: str, before: float, after: float) -> tuple[str, str]:
        rule, theta = self.update.rule, self.n(self.update.rule.clip_threshold)
        if rule.clip == "value":
            return (
                rf"\hat g = \min\big(\theta, \max(-\theta, {g})\big)",
                rf"\min({theta}, \max(-{theta}, {self.n(before)})) = {self.n(after)}",
            )
        norm = float((self.update.total.flat**2).sum() ** 0.5)
        if self.update.clip_factor == 1:
            return rf"\hat g = {g}, \quad \|g\| = {self.n(norm)} \le \theta = {theta}", self.n(after)
        return (
            rf"\hat g = {g}\, \frac{{\theta}}{{\|g\|}}",
            rf"{self.n(before)} \cdot \frac{{{theta}}}{{{self.n(norm)}}} = {self.n(after)}",
        )

    def step(
        self, called: str, symbol: str, g: str, value: float, state: list[tuple[float, float]], old: float, new: float
    ) -> Iterator[Written]:
        """The optimizer's lines."""
        rule = self.update.rule
        rate = self.n(rule.learning_rate)
        move, moved = rf"\eta\, {g}", rf"{rate} \cdot {self.b(value)}"
        squared = rf"\big({g}\big)^2" if g.startswith(r"\frac") else f"{g}^2"
        if rule.optimizer in ("momentum", "nesterov"):
            yield self.running("velocity", "v", str(MOMENTUM), g, self.b(value), *state[0])
            move, moved = r"\eta\, v", rf"{rate} \cdot {self.b(state[0][1])}"
            if rule.optimizer == "nesterov":
                move = rf"\eta\, \big({g} + {MOMENTUM}\, v\big)"
                moved = rf"{rate} \cdot ({self.n(value)} + {MOMENTUM} \cdot {self.b(state[0][1])})"
        elif rule.optimizer == "rmsprop":
            decay, rest = str(RMSPROP_DECAY), self.n(1 - RMSPROP_DECAY)
            square = rf"{rest} \cdot {self.b(value)}^2"
            yield self.running("mean square", "s", decay, rf"{rest}\, {squared}", square, *state[0])
            move = rf"\eta\, {g} / \big(\sqrt{{s}} + \epsilon\big)"
            moved = rf"{rate} \cdot {self.b(value)} / {self.root(state[0][1])}"
        elif rule.optimizer == "adam":
            decays, names = [str(decay) for decay in ADAM_DECAYS], ("mean", "mean square")
            added = [(g, self.b(value)), (squared, rf"{self.b(value)}^2")]
            for index, letter in enumerate("ms"):
                rest = self.n(1 - ADAM_DECAYS[index])
                symbols, numbers = rf"{rest}\, {added[index][0]}", rf"{rest} \cdot {added[index][1]}"
                yield self.running(names[index], letter, decays[index], symbols, numbers, *state[index])
            hats = [
                after / (1 - decay**self.update.count) for (_, after), decay in zip(state, ADAM_DECAYS, strict=True)
            ]
            move = r"\eta\, \hat m / \big(\sqrt{\hat s} + \epsilon\big)"
            moved = rf"{rate} \cdot {self.b(hats[0])} / {self.root(hats[1])}"
        new_symbol = rf"{symbol}{{}}_{{,\,\text{{new}}}}"
        yield "update", called, rf"{new_symbol} = {symbol} - {move}", rf"{self.n(old)} - {moved} = {self.n(new)}", new

    def root(self, square: float) -> str:
        return rf"\big(\sqrt{{{self.n(square)}}} + {self.n(EPSILON)}\big)"

    def running(
        self, called: str, letter: str, decay: str, symbols: str, numbers: str, before: float, after: float
    ) -> Written:
        """A number that the optimizer keeps from update to update, and what is added to it."""
        return (
            "update",
            called,
            rf"{letter} = {decay}\, {letter}_\text{{old}} + {symbols}",
            rf"{decay} \cdot {self.b(before)} + {numbers} = {self.n(after)}",
            after,
        )
