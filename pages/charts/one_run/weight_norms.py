"""How large are the weights, and how fast does each layer learn?

Norm of each layer's weights ‖W‖ and relative update ‖ΔW‖/‖W‖ through training, all networks on the same axes.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import ABOVE_ROW, captioned
from pages.charts.style.axes import depth_axis, log_axis
from pages.charts.style.chart_tables import Columns, by_layer, table_of
from pages.charts.style.figure import (
    LOOKS,
    NEUTRAL,
    AnimatedFigure,
    Array,
    Json,
    Look,
    depth_colors,
)
from pages.charts.style.grid import Row, over_training, side_by_side, whole_runs
from pages.charts.style.traces import MOST_CURVES, THIN, box, drawn_layers, key_of_depth, level, of_depth, stroke, trace
from pages.text.clock import BEGINNING, timeline_steps
from pages.text.labels import ending, legends, number

TITLE = "Weight norms and updates"
QUESTION = "How large are the weights, and how fast does each layer learn?"
HOW_TO_READ = (
    "One line a layer, from violet (first) to olive (output). Above, how large its weights are together; below, by "
    "what share of that one update changes them. Healthy: the lower lines lie in the grey band, about a thousandth "
    "a step. Far below it a layer stands still; far above it is thrown about."
)

# An update of about a thousandth of the weights is a rule of thumb for a good learning rate; the band is one decade to
# either side.  cs231n, Neural Networks Part 3, "Ratio of weights:updates".
RULE_OF_THUMB, BAND = 1e-3, (1e-4, 1e-2)
MOST_POINTS, FEW_POINTS = 120, 6  # of a curve; few are marked, for they may lie alone
UPPER, LOWER = [0.56, 1.0], [0.0, 0.46]
LABELS = 5  # powers of ten that stay apart on an axis of that height
HEADINGS = (("Size of the weights, ‖W‖ (log)", UPPER), ("Change in a step, ‖ΔW‖ / ‖W‖ (log)", LOWER))
HEIGHT = 490
BELOW, AXIS_BELOW = 120, 62  # px: from the panels to the notes, and to the key of colours
KEY = "Thick: layer 1. Dotted: output. Grey: a rule of thumb for updates, 10⁻³, and a decade either side."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Norms above, relative updates below, a column for each network; against the training step, a line a layer."""
    most_layers = max(history.layers for history in histories)
    rows = [_rows(history) for history in histories]
    norms = [history.weight_norm[kept] for history, kept in zip(histories, rows, strict=True)]
    updates = [relative_updates(history)[kept] for history, kept in zip(histories, rows, strict=True)]
    end = max(int(history.evaluation_step[-1]) for history in histories)

    places = side_by_side(legends(*histories), looks, HEIGHT, BELOW, ABOVE_ROW)
    # The key hangs below the axis at a distance in pixels, in the unit of Plotly's places: the panels' height.
    colors = depth_axis(most_layers, -AXIS_BELOW / places.plot)

    def panels(measured: list[Array], beneath: list[Json]) -> list[list[Json]]:
        return [
            beneath + _curves(look, history.step[kept], values, drawn_layers(history), most_layers)
            for look, history, kept, values in zip(looks, histories, rows, measured, strict=True)
        ]

    norms_axis = log_axis("", _drawn(norms), LABELS, domain=UPPER)
    updates_axis = log_axis("", [*BAND, *_drawn(updates)], LABELS, domain=LOWER)
    measures = [Row(norms_axis, panels(norms, [])), Row(updates_axis, panels(updates, _rule_of_thumb(end)))]
    steps, notes = timeline_steps(*histories), _notes(histories, looks, norms, updates)
    across, keys = whole_runs(*histories), [key_of_depth()]
    drawn = over_training(measures, across, steps, places, notes, keys, HEADINGS, coloraxis=colors)
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Norm of the first layer's weights, and the median relative update of the first and of the output layer."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, drawn update and layer."""

    def columns(history: RunHistory) -> Columns:
        rows = _rows(history)
        values = {
            "‖W‖": history.weight_norm[rows],
            "‖ΔW‖": history.update_norm[rows],
            "‖ΔW‖ / ‖W‖": relative_updates(history)[rows],
        }
        return by_layer(history.step[rows], values)

    return table_of(histories, looks, columns)


def _rows(history: RunHistory) -> Array:
    """Places of the updates that are drawn: the first few, the last, and some evenly between."""
    n = len(history.step)
    evenly = np.linspace(0, n - 1, min(n, MOST_POINTS - BEGINNING)).round().astype(int)
    return np.union1d(evenly, np.arange(min(n, BEGINNING + 1)))


def relative_updates(history: RunHistory) -> Array:
    """‖ΔW‖/‖W‖, (S, L); NaN where the weights are 0."""
    with np.errstate(all="ignore"):
        ratio = history.update_norm / history.weight_norm
    return np.where(np.isfinite(ratio), ratio, np.nan)


def _drawn(panels: list[Array]) -> Array:
    return np.concatenate([values.ravel() for values in panels])


def _curves(look: Look, steps: Array, values: Array, layers: list[int], most_layers: int) -> list[Json]:
    """A line a layer in the colour of its depth; first and output layer can be told apart without colour."""
    n_layers, colors = values.shape[1], depth_colors(most_layers)
    # A log axis has no place for 0: a gap, which the notes mention.
    positive = np.where(values > 0, values, np.nan)
    few = np.isfinite(positive).sum(axis=0).max() <= FEW_POINTS
    mode = "lines+markers" if few else "lines"
    names = [f"{look.name}, " + ("output layer" if layer == n_layers - 1 else f"layer {layer + 1}") for layer in layers]
    return [
        trace(mode, steps, positive[:, layer], name, "step %{x}: %{y:.2~e}", **of_depth(layer, n_layers, colors[layer]))
        for layer, name in zip(layers, names, strict=True)
    ]


def _rule_of_thumb(end: int) -> list[Json]:
    name, dashes = "rule of thumb", stroke(NEUTRAL, THIN, "dash")
    return [
        box(0, end, *BAND, name, fillcolor="rgba(138, 143, 148, 0.25)"),
        level([0, end], RULE_OF_THUMB, name, **dashes),
    ]


def _notes(
    histories: Sequence[RunHistory], looks: Sequence[Look], norms: list[Array], updates: list[Array]
) -> list[str]:
    notes = [KEY]
    if len(drawn_layers(max(histories, key=lambda history: history.layers))) < max(
        history.layers for history in histories
    ):
        notes.append(f"Of more than {MOST_CURVES} layers, {MOST_CURVES} are drawn.")
    for look, history, norm, update in zip(looks, histories, norms, updates, strict=True):
        if still := int((update == 0).any(axis=0).sum()):
            notes.append(f"{look.name}: updates of exactly 0, not drawn, in {still} of {history.layers} layers.")
        if empty := int((norm == 0).any(axis=0).sum()):
            notes.append(f"{look.name}: weights all 0, with no norm to draw or divide by, in {empty} layers.")
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    if not len(history.step):
        return f"{look.name}: {ending(history)}, before there was any update."
    norm, updates = history.weight_norm, relative_updates(history)

    def median(layer: int) -> str:
        defined = updates[np.isfinite(updates[:, layer]), layer]
        return number(float(np.median(defined))) if defined.size else "not defined"

    text = (
        f"{look.name}: the norm of layer 1’s weights goes from {number(norm[0, 0])} to {number(norm[-1, 0])}; "
        f"the median relative update is {median(0)} in layer 1 and {median(-1)} in the output layer"
    )
    return text + (f"; {words}." if (words := ending(history)) else ".")
