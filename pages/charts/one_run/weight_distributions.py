"""How are each layer's weights spread, and where do they go?

Quantiles of the weights of every layer at the current step, all networks on the same axes.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import ABOVE, captioned, endings, footnotes, more_above
from pages.charts.style.axes import layer_axis
from pages.charts.style.chart_tables import Columns, by_layer, table_of
from pages.charts.style.figure import LOOKS, AnimatedFigure, Array, Look, merged, moving
from pages.charts.style.signed_scale import signed_axis
from pages.charts.style.traces import BOX_FILL, BOX_PARTS, BOXES_APART, CLEAR, QUANTILES, boxes
from pages.text.clock import latest_at, thinned, timeline_steps
from pages.text.labels import number

TITLE = "Weights per layer"
QUESTION = "How are each layer’s weights spread, and where do they go?"
HOW_TO_READ = (
    "Left to right: the layers. A box holds the middle half of a layer’s weights, its line is the median, and the "
    "whiskers reach from 5 % to 95 %. Healthy: boxes around 0, neither a thin stroke (all weights alike) nor ever "
    "longer as training goes on."
)

FILLS = BOX_FILL, CLEAR  # full against hollow: not by colour alone
MOST_BOXES, FEWEST_FRAMES = 1300, 16  # boxes over all frames: deep networks move in fewer frames
HEIGHT = 400
ORDER = "From left to right, in each layer: the networks as they are listed."
KEY = "Middle line: median. Box: the middle half of the weights. Whiskers: 5 % to 95 % of them."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """A box a layer and network: quantiles of the weights without the biases, on an axis that is fixed over the run."""
    most_frames = max(FEWEST_FRAMES, MOST_BOXES // sum(history.layers for history in histories))
    steps = thinned(timeline_steps(*histories), most_frames)
    spreads = [quantiles(history, latest_at(history.frame_step, steps).tolist()) for history in histories]
    ends = np.concatenate([values[..., [0, -1]].reshape(-1, 2) for values in spreads])
    value_axis, place, on_log = signed_axis("value of a weight", *ends.T, zeroline=True)
    drawn = [place(values) for values in spreads]

    traces = [
        boxes(look, history.layers, look.name, look.name, on_log, fillcolor=FILLS[i > 0])
        for i, (look, history) in enumerate(zip(looks, histories, strict=True))
    ]
    moves = {i: dict(zip(BOX_PARTS, np.moveaxis(values, -1, 0), strict=True)) for i, values in enumerate(drawn)}
    more = more_above(len(histories))
    layout = {
        "margin": {"t": ABOVE + more},
        "xaxis": layer_axis(*(history.layers for history in histories)),
        "yaxis": value_axis,
        **BOXES_APART,
    }
    notes = footnotes([KEY, *([ORDER] if len(histories) > 2 else []), *endings(histories, looks)], HEIGHT + more)
    return captioned(
        TITLE, AnimatedFigure(traces, merged(layout, notes), moving(steps, moves)), *histories, looks=looks
    )


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Where the middle half of the first and of the last layer's weights lies, at the start and at the end."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, frame and layer, with the quantiles of its weights."""

    def columns(history: RunHistory) -> Columns:
        values = quantiles(history, range(len(history.frame_step)))
        titles = [f"{100 * q:g} % quantile of the weights" for q in QUANTILES]
        return by_layer(history.frame_step, {title: values[..., i] for i, title in enumerate(titles)})

    return table_of(histories, looks, columns)


def quantiles(history: RunHistory, frames: Sequence[int]) -> Array:
    """Quantiles of each layer's weights, (frames, L, 5), linear between two of them."""
    kept, where = np.unique(frames, return_inverse=True)
    layers = []
    for weights in history.weights:
        ordered = np.sort(weights[kept].reshape(len(kept), -1), axis=1).astype(np.float64, copy=False)
        place = np.array(QUANTILES) * (ordered.shape[1] - 1)
        below, share = place.astype(int), place % 1  # the product of share and the largest numbers there are is finite
        layers.append((1 - share) * ordered[:, below] + share * ordered[:, np.ceil(place).astype(int)])
    return np.stack(layers, axis=1)[where]


def _sentence(look: Look, history: RunHistory) -> str:
    first, last = quantiles(history, [0, len(history.frame_step) - 1])

    def half(values: Array) -> str:
        return f"between {number(values[1])} and {number(values[3])}"

    end = history.frame_step[-1]
    if end == 0:
        return (
            f"{look.name}: the middle half of layer 1’s weights lies {half(first[0])} at step 0, of the output layer’s "
            f"{half(first[-1])}."
        )
    return (
        f"{look.name}: the middle half of layer 1’s weights lies {half(first[0])} at step 0 and {half(last[0])} "
        f"at step {end}; of the output layer’s {half(first[-1])} and {half(last[-1])}."
    )
