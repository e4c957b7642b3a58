"""The calculation of a whole layer, in matrices: the same lines as for a unit, for all its units at once."""

import numpy as np

from pages.walkthrough.calculation import Update
from pages.walkthrough.derivation import Line
from pages.walkthrough.latex import exact, matrix, rounded
from pages.walkthrough.writer import DELTA, scale_of


def layer_derivation(update: Update, layer: int, example: int = 0) -> list[Line]:
    """Values are norms.  IndexError for a layer that is not there."""
    if not 0 <= layer < update.layers:
        raise IndexError(f"This network has no layer {layer + 1}.")
    problem, output = update.problem, layer == update.layers - 1
    architecture = problem.architecture
    normalised = architecture.normalization != "none" and not output
    here, below, above = f"({layer + 1})", f"({layer})", f"({layer + 2})"
    h = "h" if architecture.skips or problem.masks is not None else "a"
    transposed = rf"{h}^{{{below}\top}}" if layer else r"x^\top"
    inputs, u = (rf"{h}^{{{below}}}" if layer else "x"), "u" if normalised else "z"
    out, signal = update.outs[layer][example], update.u_gradients[layer][example]
    weights, biases, scale = update.weights(layer), update.biases(layer), scale_of(update, layer)
    signal_name = rf"\frac{{\partial L}}{{\partial u^{{{here}}}}}" if normalised else rf"{DELTA}^{{{here}}}"
    rows = [
        (
            "forward", "weighted sums" if normalised else "pre-activations",
            rf"{u}^{{{here}}} = {inputs}\, W^{{{here}}} + b^{{{here}}}",
            [out, weights, "+", biases, "=", update.u[layer][example]],
        ),
        (
            "forward", "answers" if output else "activations",
            rf"a^{{{here}}} = \varphi\big(z^{{{here}}}\big)", [update.values[layer][example]],
        ),
    ]  # fmt: skip
    if normalised:
        scale = r"\gamma \odot n + \beta, \quad n = (u - \mu) / \sigma"
        rows.insert(1, ("forward", "normalized", rf"z^{{{here}}} = {scale}", [update.z[layer][example]]))
    if h == "h" and not output:
        mask = "" if problem.masks is None else r"m \odot "
        added = f" + {inputs}" if architecture.skips and layer else ""
        handed_on = rf"h^{{{here}}} = {scale}{mask}a^{{{here}}}{added}"
        rows.append(("forward", "handed on", handed_on, [update.outs[layer + 1][example]]))
    delta = update.delta[layer][example]
    if output:
        rows.append(
            (
                "backward",
                "error signals",
                rf"{DELTA}^{{{here}}} = \frac{{\partial L}}{{\partial z^{{{here}}}}}",
                [delta],
            )
        )
    else:
        name = above_name(update, layer)
        back = rf"\big({name}\, W^{{{above}\top}}\big) \odot \varphi'\big(z^{{{here}}}\big)"
        if architecture.skips and layer + 1 < update.layers - 1:
            over_skip = rf"\tfrac{{\partial L}}{{\partial h^{{{above}}}}}"
            back = back.replace(r"\top}\big)", rf"\top}} + {over_skip}\big)")
        others: list[str | np.ndarray] = []
        if problem.masks is not None:
            others += [r"\odot", problem.masks[layer][example]]
            back += r" \odot m"
        if scale:
            back += rf" \cdot {scale}"
            others.append(rf"\cdot {scale}")
        slope = update.slopes[layer]
        assert slope is not None
        incoming = update.incoming[layer]
        assert incoming is not None
        rows.append(
            (
                "backward",
                "error signals",
                rf"{DELTA}^{{{here}}} = {back}",
                [incoming[example], r"\odot", slope[example], *others, "=", delta],
            )
        )
    over = r"\sum_\text{examples} " if update.batch > 1 else ""
    gradient = update.gradient.weights[layer][0]
    shown = [gradient] if update.batch > 1 else [out[:, None], signal, "=", gradient]
    new = update.after.weights[layer][0]
    rows += [
        (
            "backward", "gradient of the weights",
            rf"\frac{{\partial L}}{{\partial W^{{{here}}}}} = {over}{transposed}\, {signal_name}", shown,
        ),
        ("update", "new weights", rf"W^{{{here}}}_\text{{new}}", [new]),
    ]  # fmt: skip

    def put_in(parts, digits) -> str:
        return " ".join(part if isinstance(part, str) else matrix(part, digits) for part in parts)

    return [
        Line(phase, name, symbols, put_in(parts, rounded), put_in(parts, exact), float(np.linalg.norm(parts[-1])))
        for phase, name, symbols, parts in rows
    ]


def above_name(update: Update, layer: int) -> str:
    """The error signal that comes from the layer above."""
    normalised = update.problem.architecture.normalization != "none" and layer + 1 < update.layers - 1
    return rf"\tfrac{{\partial L}}{{\partial u^{{({layer + 2})}}}}" if normalised else rf"{DELTA}^{{({layer + 2})}}"
