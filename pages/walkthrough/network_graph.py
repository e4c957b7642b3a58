"""The network as a graph: which of its units are drawn, with all that one update computes, phase by phase.

A large network is drawn in part.  Of a layer: the units whose silence would, to first order, change the loss most,
|h ∂L/∂h| for the example that is looked at (at the output |δ|).  Of the layers: the first, the last two, those around
what is looked at.  What is looked at is always drawn.
"""

import math
from typing import Any

import numpy as np

from pages.walkthrough.calculation import Update
from pages.walkthrough.derivation import Selection

Json = dict[str, Any]

MOST_UNITS = 6  # of a layer
MOST_LAYERS = 6  # columns, the inputs included
RULE = " Of a large layer you see the units that the loss would miss most if they fell silent, and the one you look at."


def graph(update: Update, selection: Selection, example: int = 0) -> Json:
    """What the drawing needs, as JSON: columns of units, the weights between them, and the phases."""
    layers = drawn_layers(update.layers, selection.layer)
    partly = len(layers) <= update.layers or max(update.sizes) > MOST_UNITS
    units = {layer: drawn_units(update, layer, selection, example) for layer in layers}
    return {
        "columns": [_column(update, layer, units[layer], example) for layer in layers],
        "edges": [
            _edge(update, layer, source, unit)
            for layer in layers[1:]
            if layer - 1 in units
            for source in units[layer - 1]
            for unit in units[layer]
        ],
        "steps": _steps(update, layers),
        "loss": _number(update.loss),
        "new_loss": _number(update.new_loss),
        "rule": RULE if partly else "",
        "selected": [selection.layer + 1, selection.unit, selection.source],
    }


def drawn_layers(layers: int, looked_at: int) -> list[int]:
    """Which columns are drawn: 0 the inputs, 1 the first layer, and so on."""
    if layers + 1 <= MOST_LAYERS:
        return list(range(layers + 1))
    wanted = [0, layers, looked_at + 1, looked_at, 1, layers - 1, looked_at + 2, *range(2, layers)]
    chosen: list[int] = []
    for layer in wanted:
        if layer not in chosen and 0 <= layer <= layers and len(chosen) < MOST_LAYERS:
            chosen.append(layer)
    return sorted(chosen)


def drawn_units(update: Update, column: int, selection: Selection, example: int = 0) -> list[int]:
    """Which units of a column are drawn."""
    size = update.sizes[column]
    weight = importance(update, column, example)
    needed = (
        [selection.unit] if column == selection.layer + 1 else [selection.source] if column == selection.layer else []
    )
    ranked = [unit for unit in needed if unit is not None]
    ranked += [unit for unit in np.argsort(-weight, kind="stable").tolist() if unit not in ranked]
    return sorted(ranked[: min(size, MOST_UNITS)])


def importance(update: Update, column: int, example: int = 0) -> np.ndarray:
    """|h ∂L/∂h| of each unit of a column, at the output |δ|; 0 where it is no number."""
    if column == update.layers:
        found = np.abs(update.delta[-1][example])
    else:
        signal = update.incoming[column - 1] if column else update.u_gradients[0] @ update.weights(0).T
        assert signal is not None
        found = np.abs(update.outs[column][example] * signal[example])
    return np.nan_to_num(found, nan=0.0)


def column_name(update: Update, column: int) -> str:
    return "inputs" if column == 0 else "output" if column == update.layers else f"layer {column}"


def _column(update: Update, column: int, units: list[int], example: int) -> Json:
    return {
        "layer": column,
        "name": column_name(update, column),
        "units": [_unit(update, column, unit, example) for unit in units],
        "more": update.sizes[column] - len(units),
    }


def _unit(update: Update, column: int, unit: int, example: int) -> Json:
    drawn: Json = {"unit": unit, "out": _number(update.outs[column][example, unit])}
    if column == 0:
        return drawn
    layer = column - 1

    def at(values: Any) -> Any:
        return None if values[layer] is None else _number(values[layer][example, unit])

    drawn |= {
        "z": at(update.z), "delta": at(update.delta), "wrong": at(update.incoming), "awake": at(update.slopes),
        "bias": _number(update.biases(layer)[unit]), "new_bias": _number(update.after.biases[layer][0, unit]),
        "bias_gradient": _number(update.gradient.biases[layer][0, unit]),
    }  # fmt: skip
    if layer == update.layers - 1:
        drawn |= {
            "target": _number(update.problem.targets[example, unit]),
            "share": _number(update.loss_parts[example, unit]),
        }
    return drawn


def _edge(update: Update, column: int, source: int, unit: int) -> Json:
    layer = column - 1
    return {
        "layer": column, "source": source, "unit": unit,
        "weight": _number(update.weights(layer)[source, unit]),
        "gradient": _number(update.gradient.weights[layer][0, source, unit]),
        "new": _number(update.after.weights[layer][0, source, unit]),
    }  # fmt: skip


def _steps(update: Update, layers: list[int]) -> list[Json]:
    """The phases in their order, those of layers one by one; caption: what happens."""
    normalised = update.problem.architecture.normalization != "none"
    forward = "Each unit adds up weight × input over its arrows, plus its bias{}, and bends the sum: a = φ(z)."
    between = ", the sum is normalized to z" if normalised else ""
    architecture = update.problem.architecture
    scaled = architecture.residual == "scaled"
    branch = f"a/{architecture.depth}" if scaled else "a"
    skip = f" Skip connection: it outputs {branch}, plus what the same unit of the layer below outputs."
    steps = []
    for layer in layers[1:]:
        caption = forward.format("" if layer == update.layers else between)
        if architecture.skips and 1 < layer < update.layers:
            caption += skip
        steps.append(_step("forward", layer, column_name(update, layer), caption))
    whose = "The answers are compared with the targets."
    if update.batch > 1:
        whose += f" The loss is the mean over {update.batch} examples, of which you see one."
    steps.append(_step("loss", update.layers, "", whose))
    for layer in reversed(layers[1:]):
        if layer == update.layers:
            caption = "δ of an answer: how wrong × how awake. The arrows show ∂L/∂w, the input times δ"
        else:
            skipped = (
                " and how wrong over its skip connection" if architecture.skips and layer < update.layers - 1 else ""
            )
            share = f", and by 1/{architecture.depth}" if scaled and layer > 1 else ""
            caption = (
                f"Each unit collects weight × δ from the units that it feeds{skipped}: how wrong. Multiplied by its "
                f"slope, how awake{share}, that is its δ. The arrows show ∂L/∂w"
            )
        over = f", summed over {update.batch} examples." if update.batch > 1 else "."
        steps.append(_step("backward", layer, column_name(update, layer), caption + over))
    steps.append(
        _step("update", 0, "", "All weights move at once, against their gradients. Then the next update begins.")
    )
    return steps


def _step(phase: str, layer: int, where: str, caption: str) -> Json:
    name = f"{phase}-{layer}" if where else phase
    title = f"{phase.capitalize()}, {where}" if where else phase.capitalize()
    return {"name": name, "phase": phase, "layer": layer, "title": title, "caption": caption}


def _number(value: Any) -> float | str:
    """JSON has no infinity and no NaN; JavaScript's Number() reads them."""
    value = float(value)
    return value if math.isfinite(value) else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
