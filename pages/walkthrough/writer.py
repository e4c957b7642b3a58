"""Names and numbers of one unit, in LaTeX: what the lines of a calculation are put together from."""

from collections.abc import Sequence
from typing import Any

from pages.walkthrough.calculation import Update
from pages.walkthrough.latex import Digits, bracketed

DELTA, GAMMA, BETA = r"\delta", r"\gamma", r"\beta"

Written = tuple[str, str, str, str, float]  # phase, name, symbols, numbers, value


class Writer:
    """How one unit's numbers are called and written, with one kind of digits."""

    def __init__(self, update: Update, layer: int, unit: int, example: int, digits: Digits):
        self.update, self.layer, self.unit, self.example, self.digits = update, layer, unit, example, digits
        architecture = update.problem.architecture
        self.output = layer == update.layers - 1
        self.normalised = architecture.normalization != "none" and not self.output
        self.skip_below = architecture.residual and 0 < layer < update.layers - 1
        self.skip_above = architecture.residual and layer + 1 < update.layers - 1
        self.masked = update.problem.masks is not None and not self.output
        self.hands_on = "h" if architecture.residual or update.problem.masks is not None else "a"

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
