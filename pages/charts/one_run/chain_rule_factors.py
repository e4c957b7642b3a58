"""Why: which factor shrinks the gradient, or makes it grow?

On its way back the error signal is multiplied twice in every hidden layer: by the weights of the layer above it, and by
the slope of its own activation.  Both factors, their product, and the product of all layers from the output back:

    rms ∂L/∂z_l = slope factor_l · weight factor_l · rms ∂L/∂z_{l+1}

Normalization and residual connections count with the weights, dropout and the scale of a residual branch with the
slope.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import ABOVE_BOTH, captioned, endings, footnotes, more_above, row_heading
from pages.charts.style.axes import layer_axis, log_axis, marker_size, on_lower_edge, zero_marks
from pages.charts.style.chart_tables import Columns, by_layer, table_of
from pages.charts.style.figure import LOOKS, NEUTRAL, AnimatedFigure, Json, Look, merged, moving
from pages.charts.style.traces import key, over_layers, stroke
from pages.text.clock import latest_at, rows_at, thinned, timeline_steps
from pages.text.labels import ending, number

TITLE = "Why: the factors of the chain rule"
QUESTION = "Which factor changes the gradient on its way back, the slope of the activation or the weights?"
HOW_TO_READ = (
    "Read from right to left, as the error signal travels. A layer multiplies it by both factors: below 1 shrinks "
    "it, above 1 makes it grow, and the lowest panel multiplies all layers. Healthy: every factor near the dotted "
    "line at 1, and a lowest panel that stays level."
)

HEIGHT = 520
HEADINGS = (
    "Slope factor: what φ′ lets through",
    "× weight factor: what the weights make of it",
    "= both: what one layer does",
    "All layers multiplied, from the output back",
)
PANELS = ([0.84, 1.0], [0.59, 0.75], [0.34, 0.50], [0.0, 0.25])  # of the figure's height, top to bottom
ABOVE_HEADING = 1.06
ROWS = ("y", "y2", "y3", "y4")
FACTOR_LABELS, PRODUCT_LABELS = 3, 4
AIR = 0.15  # decades beyond the outermost factor
MOST_VALUES = 8_000  # in all frames; deeper networks get fewer frames
ONE = "1: no change"
ONE_LINE = stroke(NEUTRAL, 2, "dot")
ZEROS = "▼ on the lower edge: exactly 0, which has no place on a log axis."
KEY = "R: layer 1 of the lowest panel over its last layer."
BESIDES = {
    "normalization": "The weight factor includes normalization.",
    "residual": "The weight factor includes the skip connection (residual).",
    "dropout": "The slope factor includes dropout.",
}
SCALED = "From layer 2 on the slope factor includes the 1/depth of scaled residual connections."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Four panels, one below the other: both factors and their product on one scale, and the running product.

    One frame a step of the timeline, or every other, third, ... for networks with very many layers.
    """
    depths = [history.experiment.depth for history in histories]
    steps = thinned(timeline_steps(*histories), MOST_VALUES // (len(ROWS) * sum(depths)))
    values = [[rows_at(history.step, part, steps) for part in _quantities(history)] for history in histories]
    factors = np.concatenate([part.ravel() for network in values for part in network[:3]])
    products = np.concatenate([network[3].ravel() for network in values])

    tight = {"range": _span(factors)}  # whole decades would press the factors together
    axes = [
        log_axis(name, np.append(factors, 1), FACTOR_LABELS, domain=panel, **tight)
        for name, panel in zip(("slope", "weights", "both"), PANELS[:3], strict=True)
    ]
    axes.append(log_axis("product", np.append(products, 1), PRODUCT_LABELS, domain=PANELS[3]))
    size = marker_size(max(depths))
    traces: list[Json] = []
    heights: dict[int, Json] = {}  # trace -> y at every step
    for place, (row, axis) in enumerate(zip(ROWS, axes, strict=True)):
        for look, network in zip(looks, values, strict=True):
            y = network[place]
            heights[len(traces)] = {"y": np.where(y == 0, np.nan, y)}
            in_legend = {"yaxis": row, "showlegend": place == 0}
            traces.append(over_layers(look, y.shape[1], look.name, "%{y:.2~g}", size, **in_legend))
            if (y == 0).any():
                heights[len(traces)] = {"y": on_lower_edge(y, axis)}
                traces.append(zero_marks(look, x=np.arange(1, y.shape[1] + 1), yaxis=row))
    traces.append(key(ONE, **ONE_LINE))

    has_zeros = any((y == 0).any() for network in values for y in network)
    headings = [row_heading(text, panel[1]) for text, panel in zip(HEADINGS, PANELS, strict=True)]
    title = {"text": "hidden layer (1 = nearest the input)"}
    more = more_above(len(histories))
    layout = merged(
        {
            "margin": {"t": ABOVE_BOTH + more},
            "xaxis": layer_axis(*depths, output=False, title=title, anchor=ROWS[-1]),
            "legend": {"y": ABOVE_HEADING, "itemwidth": 30},
            **{f"yaxis{row[1:]}": axis for row, axis in zip(ROWS, axes, strict=True)},
            "shapes": [_one(row) for row in ROWS],
        },
        footnotes([*_notes(histories, looks), *([ZEROS] if has_zeros else [])], HEIGHT + more, others=headings),
    )
    return captioned(TITLE, AnimatedFigure(traces, layout, moving(steps, heights)), *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Typical factors of each network and what they multiply to, at the start and at the end, in numbers."""
    return " ".join(f"{look.name}: {_in_words(history)}" for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, update and hidden layer, at the timeline's steps; factors have no unit."""
    steps = timeline_steps(*histories)

    def columns(history: RunHistory) -> Columns:
        rows = np.unique(latest_at(history.step, steps)) if len(history.step) else np.array([], int)
        titles = "slope factor", "weight factor", "slope × weight factor", "product from the output back"
        values = {title: part[rows] for title, part in zip(titles, _quantities(history), strict=True)}
        return by_layer(history.step[rows], values, step="step (updates)", layer="hidden layer")

    return table_of(histories, looks, columns)


def _quantities(history: RunHistory) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Slope factor, weight factor, product of both, product from the output back: each (S, H).

    Products are ratios of the signals themselves, so that they are 0, and not 0 · NaN, where a signal has died.
    """
    signal = history.delta_rms
    with np.errstate(all="ignore"):
        layer, product = signal[:, :-1] / signal[:, 1:], signal[:, :-1] / signal[:, -1:]
    return history.slope_factor[:, :-1], history.weight_factor[:, :-1], layer, product


def _one(row: str) -> Json:
    place = {"xref": "x domain", "x0": 0, "x1": 1, "yref": row, "y0": 1, "y1": 1}
    return {"type": "line", "layer": "below"} | ONE_LINE | place


def _span(factors: np.ndarray) -> list[float]:
    """log10 of the ends of an axis around all factors and 1, a third of a decade at least on either side of 1."""
    logs = np.log10(factors[(factors > 0) & np.isfinite(factors)])
    return [min(logs.min(initial=0) - AIR, -1 / 3), max(logs.max(initial=0) + AIR, 1 / 3)]


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    """How runs ended that did not complete, and what else is in the factors."""
    sentences = [KEY, *endings(histories, looks)]
    for setting, sentence in BESIDES.items():
        if any(getattr(history.experiment, setting) not in ("none", 0) for history in histories):
            sentences.append(sentence)
    if any(history.experiment.residual == "scaled" for history in histories):
        sentences.append(SCALED)
    return sentences


def _in_words(history: RunHistory) -> str:
    if not len(history.step):
        return f"{ending(history)}, before there was any gradient."

    def at(row: int) -> str:
        slope, weight, _, product = (part[row] for part in _quantities(history))
        return (
            f"at step {history.step[row]} the slope factors are {_range(slope)}, the weight factors {_range(weight)}, "
            f"and from the output to layer 1 they multiply to {number(product[0])}"
        )

    later = f"; {at(-1)}" if len(history.step) > 1 else ""
    how = f"; {ending(history)}" if ending(history) else ""
    return f"{at(0)}{later}{how}."


def _range(values: np.ndarray) -> str:
    defined = values[~np.isnan(values)]
    if not defined.size:
        return "not defined"
    low, high = number(defined.min()), number(defined.max())
    return low if low == high else f"{low} to {high}"
