"""Pictures of what one network computes, to be set side by side.

The decision surface over two inputs, the fit over one, a confusion matrix on validation data where there are more.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine import Dataset, Experiment, RunHistory, load_dataset
from engine.data.sources import DATASETS
from engine.losses import PROBABILITIES
from pages.charts.style.axes import axis, shortened
from pages.charts.style.class_colors import (
    BOUNDARY,
    CLASS_COLORS,
    CLASS_SYMBOLS,
    class_axis,
    class_levels,
    number_levels,
    probability_axis,
    probability_levels,
)
from pages.charts.style.figure import COLUMNS, DARK_SCALE, Array, Json, Look, merged
from pages.charts.style.grid import Panel, grid
from pages.charts.style.traces import THICK, hover_of, line, marks, stroke
from pages.charts.style.validation_answers import validation_answers
from pages.text import own_data
from pages.text.labels import input_unit
from pages.text.three_sets import class_names

MOST_POINTS = 200  # training examples drawn; more hide the surface
PLANE_TICKS = [-2, 0, 2]
FEW_TICKS = 4  # at most, where inputs are not standardised
CURVE_POINTS = 200
LEGEND_BELOW: Json = {"x": 0.5, "xanchor": "center", "yanchor": "top", "itemwidth": 30}
# Digits are dark on pale cells and light on dark ones, as Plotly chooses: contrast 4.5 and more on all of both.
COUNT_SCALE = [[0, "#f7f7f7"], [1, "#4cb3a6"]]
DARK_COUNT_SCALE = [[0, "#22262b"], [1, "#1f6f66"]]
CONFUSION_CHARACTERS = 41  # of the names below a row of panels, and of a space after each, at 390 px
SHORTENED_SIZE = 11  # px, of the names of classes where there is no room for all of them
CONFUSION_WIDTH = 115  # px that the digits of one row may take, two a cell, at 390 px

POINT_COLOR, TRUTH_COLOR = "#8a8f94", "#4f9d69"
NEAR = 0.1  # of the data's range: the same of true and predicted values
OUTSIDE = 0.5  # of the data's range: how far the axis of a fit reaches beyond it
BEYOND = 10  # ranges: a line that is cut off there leaves the picture at the same place


class _Examples(NamedTuple):
    """How the examples of one split are drawn.  most: of them; size, outline: on a plane; symbol: over a line."""

    kind: str
    most: int
    size: float
    outline: str
    symbol: str


EXAMPLES = {
    "train": _Examples("training", MOST_POINTS, 8, "#ffffff", "circle-open"),
    "validation": _Examples("validation", 80, 6, "#111111", "x-thin-open"),  # to compare with, not to be counted
}


class Pictures(NamedTuple):
    """Panels in their places, with one key where they share their colours: see `Grid`."""

    traces: list[Json]
    moves: dict[int, Json]
    layout: Json
    has_key: bool
    notes: list[str]


def draw(
    look: Look,
    history: RunHistory,
    frames: list[int],
    histories: Sequence[RunHistory],
    splits: tuple[str, ...] = ("train",),
) -> Panel:
    """The picture that a network's answers make at these of its frames.

    histories: of all networks, whose pictures share their ranges.  splits: whose examples are drawn, of EXAMPLES.
    """
    n_inputs, is_class = len(history.prediction_axes or ()), history.confusion is not None
    if n_inputs == 2:
        return _surface(look, history, frames, histories, splits)
    if n_inputs == 1 and (not is_class or len(class_names(history)) == 2):
        return _fit(look, history, frames, histories, splits)
    if is_class:
        return _confusion(look, history, frames, histories)
    return _true_and_predicted(look, history, frames)


def pictures(
    rows: Sequence[Sequence[Panel]],
    domains: Sequence[tuple[float, float]],
    key: float,
    columns: Sequence[tuple[float, float]] = COLUMNS,
) -> Pictures:
    """Panels in rows, of two, with one key where they share their colours.

    domains: the rows' shares of the height; key: place of the key below them, in the unit of Plotly's places.
    """
    panels = [panel for row in rows for panel in row]
    same_colors = all(panel.color_axis == panels[0].color_axis for panel in panels)
    placed = grid(rows, columns=columns)
    layout = placed.layout
    known: set[str] = set()
    for trace in placed.traces:
        index = int(trace["yaxis"][1:] or 1) - 1
        if "coloraxis" in trace and not same_colors:
            trace["coloraxis"] = _color_axis(index)
        name = trace.get("name", "")
        if name in known:
            trace.setdefault("showlegend", False)
        known.add(name)
    for index, panel in enumerate(panels):
        layout[f"yaxis{index + 1 if index else ''}"]["domain"] = domains[index // len(columns)]
        if panel.color_axis and (index == 0 or not same_colors):
            shown = {"colorbar": {"y": key}} if same_colors else {"showscale": False}
            layout[_color_axis(index)] = merged(panel.color_axis, shown)
    has_legend = any(panel.has_legend for panel in panels)
    layout["showlegend"] = has_legend
    layout["legend"] = LEGEND_BELOW | {"y": key}
    notes = [note for panel in panels for note in panel.notes]
    if not same_colors:
        notes.append("The networks have different data, and colours of their own.")
    has_key = has_legend or any("colorbar" in panel.color_axis for panel in panels)
    return Pictures(placed.traces, placed.moves, layout, has_key, list(dict.fromkeys(notes)))


def _color_axis(index: int) -> str:
    return f"coloraxis{index + 1}" if index else "coloraxis"


# --- one panel ---


def _surface(
    look: Look,
    history: RunHistory,
    frames: list[int],
    histories: Sequence[RunHistory],
    splits: tuple[str, ...],
) -> Panel:
    """The input plane in colours: probability and its boundary for two classes, else class and certainty."""
    assert history.predictions is not None
    assert history.prediction_axes is not None
    across, up = history.prediction_axes
    outputs = history.predictions[frames]
    place: Json = {"x0": float(across[0]), "dx": float(across[1] - across[0])}
    place |= {"y0": float(up[0]), "dy": float(up[1] - up[0])}
    place |= {"coloraxis": "coloraxis", "name": look.name}
    names = class_names(history)
    key_of_points = ", training points" if splits == ("train",) else ""
    if history.confusion is None:
        answers = own_data.in_unit_of_table(history.experiment, outputs[..., 0])
        levels, color_axis = number_levels(answers, histories)
        trace = place | {"type": "heatmap", "hoverinfo": "skip"}
    elif len(names) == 2:
        probable = gives_probabilities(history)
        levels, color_axis = probability_levels(outputs[..., 0]), probability_axis(names, key_of_points, probable)
        trace = place | {
            "type": "contour",
            "hovertemplate": hover_of(
                look, f"{names[1]}: %{{z}} %" if probable else "output (within 0 and 1): %{z} / 100"
            ),
            "contours": {"start": BOUNDARY, "end": BOUNDARY, "size": 1, "coloring": "heatmap"},
            "line": {"width": 3},  # its colour is the page's ink
        }
    else:
        levels, color_axis = class_levels(outputs), class_axis(names, key_of_points)
        trace = place | {"type": "heatmap", "hoverinfo": "skip"}
    notes = _first_only(look, history)
    if not np.isfinite(outputs).all():
        notes.append(f"{look.name}: where the plane is empty its output is not finite.")
    points, point_notes = _points_of_plane(history, splits)
    xaxis, yaxis = _input_axes(history)
    return Panel([trace, *points], {0: {"z": levels}}, xaxis, yaxis, color_axis, notes=notes + point_notes)


def _fit(
    look: Look,
    history: RunHistory,
    frames: list[int],
    histories: Sequence[RunHistory],
    splits: tuple[str, ...],
) -> Panel:
    """The output over the input line, with the training examples and the curve that they were drawn from."""
    assert history.predictions is not None
    assert history.prediction_axes is not None
    (inputs,) = history.prediction_axes
    own = own_data.own_data(history.experiment)
    outputs = own_data.in_unit_of_table(history.experiment, history.predictions[frames])
    unit = _unit_of_targets(history)
    low, high = _range_of_fit([one for one in histories if _unit_of_targets(one) == unit])
    reach = BEYOND * (high - low)
    dataset, truth = dataset_of(history), noise_free(history.experiment, CURVE_POINTS)
    traces: list[Json] = []
    if dataset is not None and dataset.task == "regression":
        traces += [_points_of_line(history.experiment, dataset, split) for split in splits]
    if truth is not None:
        traces.append(line(*truth, "noise-free curve", **stroke(TRUTH_COLOR, 3, "dot")))
    moves = {len(traces): {"y": np.clip(outputs[..., 0], low - reach, high + reach)}}
    hover = hover_of(look, "x %{x:.2f}: %{y:.3g}")
    traces.append(line(inputs, None, f"{look.name}’s output", hover, **look.line(THICK)))
    notes = _first_only(look, history)
    if not np.isfinite(outputs).all():
        notes.append(f"{look.name}: where there is no line its output is not finite.")
    elif not ((outputs[-1] >= low) & (outputs[-1] <= high)).any():
        notes.append(f"{look.name}: at the end the whole line is outside this picture.")
    y_name = "probability" if gives_probabilities(history) else "output"
    y_name = own_data.plain(own.target_name) if own and history.confusion is None else y_name
    (xaxis,) = _input_axes(history)
    return Panel(traces, moves, xaxis, axis(y_name, range=[low, high]), has_legend=True, notes=notes)


def _confusion(look: Look, history: RunHistory, frames: list[int], histories: Sequence[RunHistory]) -> Panel:
    """Validation examples counted by true class (row) and predicted class (column)."""
    assert history.confusion is not None
    counts = history.confusion[frames]
    n_classes, places = counts.shape[-1], list(range(counts.shape[-1]))
    names = class_names(history)
    most = max(int(other.confusion.sum(axis=2).max()) for other in histories if other.confusion is not None)
    size = min(max(CONFUSION_WIDTH / n_classes, 8), 20)
    trace = {"type": "heatmap", "x": places, "y": places, "coloraxis": "coloraxis", "xgap": 1, "ygap": 1}
    trace |= {"texttemplate": "%{z}", "textfont": {"size": size}}
    trace |= {"hovertemplate": hover_of(look, "true %{y}, predicted %{x}: %{z}")}
    room = CONFUSION_CHARACTERS // (n_classes * min(len(histories), 2)) - 1  # panels stand two in a row
    shown = tuple(shortened(name, room) for name in names)
    small = {"tickfont": {"size": SHORTENED_SIZE}} if shown != names else {}
    labels = small | {"tickvals": places, "ticktext": shown, "range": [-0.5, n_classes - 0.5], "showgrid": False}
    turned = {"range": [n_classes - 0.5, -0.5], "tickangle": -90 if max(map(len, names)) > 2 else 0}
    color_axis = {"cmin": 0, "cmax": most, "colorscale": COUNT_SCALE, DARK_SCALE: DARK_COUNT_SCALE, "showscale": False}
    axes = axis("predicted class", **labels | {"tickangle": 0}), axis("true class", **labels | turned)
    return Panel([trace], {0: {"z": counts}}, *axes, color_axis)


def _true_and_predicted(look: Look, history: RunHistory, frames: list[int]) -> Panel:
    """What a network answers for validation examples against what is right, on a diagonal where they agree.

    Both in the unit that the targets came in.
    """
    found = validation_answers(history, frames)
    if found is None:
        return _no_picture(look)
    true, answers = found
    low, high = float(true.min()), float(true.max())
    air = NEAR * (high - low) or 1.0
    ends, reach = [low - air, high + air], BEYOND * (high - low)
    own = own_data.own_data(history.experiment)
    what = own_data.plain(own.target_name) if own else "value"
    marker = {"color": look.color, "symbol": f"{look.symbol}-open", "size": 6}
    hover = hover_of(look, "true %{x:.4g}, predicted %{y:.4g}")
    traces = [
        line(ends, ends, "right answers", **stroke(TRUTH_COLOR, 2, "dot")),
        marks(true, None, f"{look.name}’s answers", hover, marker=marker),
    ]
    moves = {1: {"y": np.clip(answers, low - reach, high + reach)}}
    notes = _first_only(look, history)
    if not np.isfinite(answers[-1]).all():
        notes.append(f"{look.name}: its answers in the end are not finite.")
    elif not ((answers[-1] >= ends[0]) & (answers[-1] <= ends[1])).any():
        notes.append(f"{look.name}: at the end all of its answers are outside this picture.")
    return Panel(traces, moves, axis(f"true {what}", range=ends), axis(f"predicted {what}", range=ends), notes=notes)


def _first_only(look: Look, history: RunHistory) -> list[str]:
    n_outputs = history.weights[-1].shape[-1]
    if history.confusion is not None or n_outputs == 1:
        return []
    return [f"{look.name}: the first of {n_outputs} outputs is drawn."]


def _no_picture(look: Look) -> Panel:
    empty = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip"}
    note = f"{look.name}: a number from more than two inputs has no picture without its examples, which are not here."
    return Panel([empty], {}, axis("", visible=False), axis("", visible=False), notes=[note])


# --- data ---


def dataset_of(history: RunHistory) -> Dataset | None:
    """The examples, unless they were handed in and are not at hand: a history does not hold them."""
    return own_data.dataset_of(history.experiment)


def gives_probabilities(history: RunHistory) -> bool:
    """Whether its answers are the classes' probabilities."""
    return history.confusion is not None and history.experiment.output in PROBABILITIES


def input_names(history: RunHistory, count: int) -> list[str]:
    dataset = dataset_of(history)
    unit = input_unit(history.experiment)
    return [f"{name} ({unit})" for name in (dataset.input_names if dataset else ("x₁", "x₂")[:count])]


def _input_axes(history: RunHistory) -> list[Json]:
    """An axis for each input that the prediction runs over; few ticks, which two planes side by side have room for."""
    assert history.prediction_axes is not None
    standardised = input_unit(history.experiment) == "standardised"
    ticks: Json = {"tickvals": PLANE_TICKS} if standardised else {"nticks": FEW_TICKS}
    names = input_names(history, len(history.prediction_axes))
    edges = [[float(values[0]), float(values[-1])] for values in history.prediction_axes]
    return [axis(name, range=edge, **ticks) for name, edge in zip(names, edges, strict=True)]


def _points_of_line(experiment: Experiment, dataset: Dataset, split: str) -> Json:
    """Examples over the input line: rings of the training set, small crosses of the validation set."""
    look = EXAMPLES[split]
    inputs, targets = getattr(dataset, f"{split}_inputs"), getattr(dataset, f"{split}_targets")
    marker = {"color": POINT_COLOR, "size": 6, "symbol": look.symbol}
    x, y = inputs[: look.most, 0], own_data.in_unit_of_table(experiment, targets[: look.most, 0])
    return marks(x, y, f"{look.kind} examples", "(%{x:.2f}, %{y:.2f})", marker=marker)


def _points_of_plane(history: RunHistory, splits: tuple[str, ...]) -> tuple[list[Json], list[str]]:
    """Examples by class, in colour and symbol; of many only the first, which are a random draw.

    Those of the validation set are smaller and have a dark outline.
    """
    dataset = dataset_of(history)
    if dataset is None or dataset.task == "regression":
        return [], []
    traces = []
    for split in reversed(splits):  # the training set on top
        look = EXAMPLES[split]
        inputs = getattr(dataset, f"{split}_inputs")[: look.most]
        targets = getattr(dataset, f"{split}_targets")[: look.most].ravel()
        for k, name in enumerate(dataset.class_names):
            color, symbol = CLASS_COLORS[k % len(CLASS_COLORS)], CLASS_SYMBOLS[k % len(CLASS_SYMBOLS)]
            marker = {"color": color, "symbol": symbol, "size": look.size, **stroke(look.outline, 1)}
            hover = f"{look.kind} example: {name}<extra></extra>"
            x, y = inputs[targets == k].T
            traces.append(marks(x, y, name, hover, marker=marker, showlegend=False))
    n = len(dataset.train_inputs)
    return traces, [f"{MOST_POINTS} of {n:,} training examples are drawn."] if n > MOST_POINTS else []


def noise_free(experiment: Experiment, points: int) -> tuple[Array, Array] | None:
    """The function behind a drawn regression of one input: inputs, and targets without noise, (points,).

    Both are in the units in which the network gets them.

    None for all other data.
    """
    source = DATASETS[experiment.dataset]
    if source.draw is None or source.task != "regression" or source.n_in != 1 or source.noisy_inputs:
        return None
    uniform = np.repeat(np.linspace(0, 1, points)[:, None], 3, axis=1)
    inputs, targets = source.draw(uniform, np.zeros((points, 2)))
    standardised = (inputs[:, 0] - source.mean[0]) / math.sqrt(source.variance[0])
    zero, one = load_dataset(experiment).units
    return zero + one * standardised, experiment.target_scale * targets[:, 0] + experiment.target_shift


def _unit_of_targets(history: RunHistory) -> tuple[float, float]:
    """In which a fit is drawn."""
    if own_data.own_data(history.experiment):
        return 1.0, 0.0
    return history.experiment.target_scale, history.experiment.target_shift


def _range_of_fit(histories: Sequence[RunHistory]) -> tuple[float, float]:
    """The range of the training targets of both runs and some more; without them that of the last outputs."""
    values: list[Array] = []
    for history in histories:
        dataset = dataset_of(history)
        if history.confusion is not None:
            values.append(np.array([0.0, 1.0]))
        elif dataset is not None:
            values.append(own_data.in_unit_of_table(history.experiment, dataset.train_targets).ravel())
        elif history.predictions is not None:
            values.append(history.predictions[-1].ravel())
    finite = np.concatenate(values).astype(float)
    finite = finite[np.isfinite(finite)] if np.isfinite(finite).any() else np.zeros(1)
    low, high = finite.min(), finite.max()
    air = OUTSIDE * (high - low) or 1.0
    return float(low - air), float(high + air)
