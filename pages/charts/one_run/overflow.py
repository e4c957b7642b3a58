"""When a run ends in NaN: which number overflowed first, and what were the last finite ones on the way there?

Error signal rms ∂L/∂z, gradient ‖∂L/∂W‖ and weights ‖W‖ of every layer over the last updates on record, all networks
on the same axes; a cross on the layer that first was not finite.  Of a run that did not break off, the same last steps.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import ABOVE_ROW, captioned
from pages.charts.style.axes import depth_axis, log_axis
from pages.charts.style.chart_tables import Columns, by_layer, table_of
from pages.charts.style.figure import LOOKS, NEUTRAL, AnimatedFigure, Array, Json, Look, depth_colors
from pages.charts.style.grid import Row, over_training, side_by_side, step_axis
from pages.charts.style.traces import MOST_CURVES, drawn_layers, key_of_depth, marks, of_depth, trace
from pages.charts.style.update_curves import on_log_axis
from pages.text.clock import timeline_steps
from pages.text.labels import layer_name, loss_unit, number

TITLE = "The last steps: does anything overflow?"
QUESTION = "When it ends in NaN, which number overflowed first, and what were the last finite ones on the way there?"
HOW_TO_READ = (
    "The last updates before the end, one line a layer, from violet (first) to olive (output); each labelled line "
    "is ten or more times the one below. Healthy: level lines. A line that shoots up leads to numbers too large for "
    "the computer, and the cross marks the layer that got there first."
)

LAST = 20  # updates
FIELDS = ("delta_rms", "gradient_norm", "weight_norm")
PANELS = ((0.74, 0.96), (0.38, 0.60), (0.02, 0.24))  # of the figure's height, top to bottom
LABELS = 3  # powers of ten that stay apart in a panel
HEIGHT = 540
BELOW, AXIS_BELOW = 120, 62  # px: from the panels to the notes, and to the key of colours
LARGEST_DECADE = 308  # of the floating-point numbers; beyond it an axis ends nowhere
CROSS = {"symbol": "x", "size": 11, "color": NEUTRAL, "line": {"color": "#ffffff", "width": 1}}
KEY = "Thick: layer 1. Dotted: output."
OVERFLOWED = "Cross: last finite number of the layer that overflowed first."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Three rows of panels on log axes against the training step, a column for each network; a line a layer."""
    most_layers = max(history.layers for history in histories)
    places = side_by_side([_heading(history) for history in histories], looks, HEIGHT, BELOW, ABOVE_ROW)
    # The key hangs below the axis at a distance in pixels, in the unit of Plotly's places: the panels' height.
    colors = depth_axis(most_layers, -AXIS_BELOW / places.plot)
    rows = []
    for field, domain in zip(FIELDS, PANELS, strict=True):
        values = [on_log_axis(_last(history, field)) for history in histories]
        panels = [
            _lines(look, history, drawn, most_layers) + _cross(history, drawn)
            for look, history, drawn in zip(looks, histories, values, strict=True)
        ]
        rows.append(Row(_axis(values, domain), panels))
    titles = list(zip(_titles(*histories), PANELS, strict=True))
    across, keys = [step_axis(range=_span(history)) for history in histories], [key_of_depth()]
    steps, notes = _line_steps(*histories), _notes(histories, looks)
    drawn = over_training(rows, across, steps, places, notes, keys, titles, coloraxis=colors)
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """What overflowed first in each network and at which step, and its last finite values; or that nothing did."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, update and layer, over the last updates on record."""

    def columns(history: RunHistory) -> Columns:
        steps = _steps(history)
        first = np.tile(np.arange(history.layers) == _culprit(history), (len(steps), 1))
        values = {title: _last(history, field) for field, title in zip(FIELDS, _titles(*histories), strict=True)}
        return by_layer(steps, {"overflowed first": first, **values})

    return table_of(histories, looks, columns)


def _titles(*histories: RunHistory) -> tuple[str, str, str]:
    unit = loss_unit(*histories)
    return f"error signal rms ∂L/∂z ({unit})", f"gradient ‖∂L/∂W‖ ({unit})", "weights ‖W‖"


def _culprit(history: RunHistory) -> int | None:
    """Index of the layer that overflowed first; None where no number did, or one of no layer, as the loss."""
    return history.diverged_at[1] if history.diverged_at else None


def _last(history: RunHistory, field: str) -> Array:
    return getattr(history, field)[-LAST:]


def _steps(history: RunHistory) -> Array:
    return history.step[-LAST:]


def _axis(values: list[Array], domain: tuple[float, float]) -> Json:
    """A log axis of the panels of a row, whose title stands over them."""
    look = log_axis("", np.concatenate([drawn.ravel() for drawn in values]), LABELS, domain=domain)
    low, high = look["range"]
    return look | {"range": [low, min(high, LARGEST_DECADE)]}


def _span(history: RunHistory) -> list[float]:
    """From the first drawn update to the last one, or to where the run broke off."""
    steps = [*_steps(history).tolist(), *(history.diverged_at[:1] if history.diverged_at else ())]
    return [min(steps) - 0.5, max(steps) + 0.5]


def _line_steps(*histories: RunHistory) -> list[int]:
    """Of the timeline's steps those at which the line of the step moves within a panel, or leaves it."""
    steps, spans = timeline_steps(*histories), [_span(history) for history in histories]
    inside = [any(low <= step <= high for low, high in spans) for step in steps]
    moves = [here or before for here, before in zip(inside, [True, *inside[:-1]], strict=True)]
    return sorted({step for step, moved in zip(steps, moves, strict=True) if moved} | {steps[-1]})


def _lines(look: Look, history: RunHistory, values: Array, most_layers: int) -> list[Json]:
    """A line a layer in the colour of its depth; first and output layer can be told apart without colour."""
    steps, colors, culprit = _steps(history), depth_colors(most_layers), _culprit(history)
    layers = drawn_layers(history)
    if culprit is not None and culprit not in layers:
        nearest = min(layers[1:-1], key=lambda layer: abs(layer - culprit))
        layers[layers.index(nearest)] = culprit
    traces = []
    for layer in layers:
        name, marker = f"{look.name}, {layer_name(history, layer)}", {"size": 4, "color": colors[layer]}
        line = of_depth(layer, history.layers, colors[layer])
        traces.append(
            trace("lines+markers", steps, values[:, layer], name, "step %{x}: %{y:.2~e}", marker=marker, **line)
        )
    return traces


def _cross(history: RunHistory, values: Array) -> list[Json]:
    """A cross at the last finite value of the layer that overflowed first, where there is one."""
    culprit = _culprit(history)
    if culprit is None:
        return []
    finite = np.flatnonzero(np.isfinite(values[:, culprit]))
    if not finite.size:
        return []
    x, y = int(_steps(history)[finite[-1]]), float(values[finite[-1], culprit])
    return [marks([x], [y], "overflowed first", "step %{x}: %{y:.2~e}", marker=CROSS, cliponaxis=False)]


def _heading(history: RunHistory) -> str:
    if history.diverged_at is None:
        return "all numbers finite"
    step, layer, tensor = history.diverged_at
    return f"diverges at step {step}: {tensor}{'' if layer is None else f', {layer_name(history, layer)}'}"


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    notes = [KEY]
    if any(_culprit(history) is not None and len(history.step) for history in histories):
        notes.append(OVERFLOWED)
    if max(history.layers for history in histories) > MOST_CURVES:
        notes.append(f"Of more than {MOST_CURVES} layers, {MOST_CURVES} are drawn.")
    for look, history in zip(looks, histories, strict=True):
        if not len(history.step):
            notes.append(f"{look.name}: not one update; there is nothing to draw.")
        elif any((_last(history, field) == 0).any() for field in FIELDS):
            notes.append(f"{look.name}: what is missing is exactly 0, which has no place on a log axis.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    ended = "it did not diverge"
    layer = _culprit(history)
    if history.diverged_at is not None:
        step, _, tensor = history.diverged_at
        place = "" if layer is None else layer_name(history, layer)
        of = f" of {'the ' if place == 'output layer' else ''}{place}" if place else ""
        ended = f"at step {step} the {tensor}{of} was the first that was not finite"
    if not len(history.step):
        return f"{look.name}: {ended}, before there was any update."
    steps, shown = _steps(history), layer or 0
    parts = []
    for field, name in zip(FIELDS, ("rms ∂L/∂z", "‖∂L/∂W‖", "‖W‖"), strict=True):
        values = _last(history, field)[:, shown]
        finite = values[np.isfinite(values)]
        if finite.size:
            first, last = (number(float(value)) for value in finite[[0, -1]])
            parts.append(f"{name} {first}" if len(values) == 1 else f"{name} from {first} to {last}")
    went = f"in {layer_name(history, shown)}, {', '.join(parts)}" if parts else "without a finite number"
    when = f"Step {steps[0]}" if len(steps) == 1 else f"Steps {steps[0]} to {steps[-1]}"
    return f"{look.name}: {ended}. {when}: {went}."
