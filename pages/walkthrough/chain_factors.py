"""The gradient of the first weight of a chain of single units, as one product."""

import math

from pages.walkthrough.calculation import Update
from pages.walkthrough.latex import Digits, bracketed, rounded


def chain_factors(update: Update, example: int = 0) -> list[tuple[str, float]]:
    """The factors, input first, whose product is ∂L/∂w of the first weight; none where there is no single product.

    x · φ′(z₁) · w₂ φ′(z₂) · … · ∂L/∂a, for a chain of single units that is shown one example.
    """
    error = update.incoming[-1]
    plain = not update.normalised and update.problem.masks is None and not update.problem.architecture.skips
    if set(update.sizes) != {1} or update.batch != 1 or error is None or not plain or update.layers < 2:
        return []
    factors = [("x", float(update.problem.inputs[example, 0]))]
    for layer, slope in enumerate(update.slopes):
        assert slope is not None
        if layer:
            factors.append((rf"w^{{({layer + 1})}}", float(update.weights(layer)[0, 0])))
        factors.append((rf"\varphi'(z^{{({layer + 1})}})", float(slope[example, 0])))
    return [*factors, (rf"\frac{{\partial L}}{{\partial a^{{({update.layers})}}}}", float(error[example, 0]))]


def written_out(factors: list[tuple[str, float]], digits: Digits = rounded) -> tuple[str, str]:
    """The product with symbols, and with numbers and the result."""
    product = math.prod(value for _, value in factors)
    names = r" \cdot ".join(name for name, _ in factors)
    numbers = r" \cdot ".join(bracketed(digits(value)) for _, value in factors)
    return rf"\frac{{\partial L}}{{\partial w^{{(1)}}}} = {names}", f"{numbers} = {digits(product)}"
