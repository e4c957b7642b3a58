"""Pictures of what one network computes, to be set side by side.

The decision surface over two inputs, the fit over one, a confusion matrix on validation data where there are more.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from engine import Dataset, RunHistory, load_dataset
from engine.data.sources import DATASETS
from pages.charts.style.axes import axis
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
from pages.charts.style.figure import COLUMNS, Json, Look, merged

Array = np.ndarray

MOST_POINTS = 200  # training examples drawn; more hide the surface
PLANE_TICKS = [-2, 0, 2]
CURVE_POINTS = 200
COUNT_SCALE = [[0, "#f7f7f7"], [1, "#4cb3a6"]]  # pale enough for dark digits on all of it: contrast 7 and more
COUNT_COLOR = "#111111"
CONFUSION_WIDTH = 115  # px that the digits of one row may take, two a cell, at 390 px

POINT_COLOR, TRUTH_COLOR = "#8a8f94", "#4f9d69"
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


@dataclass
class Panel:
    """One network's picture: its traces, what moves in them (see `moving`), and its axes."""

    traces: list[Json]
    moves: dict[int, Json]
    xaxis: Json
    yaxis: Json
    color_axis: Json = field(default_factory=dict)
    has_legend: bool = False
    notes: list[str] = field(default_factory=list)


class Grid(NamedTuple):
    """Panels in their places: traces, what moves in them, the axes' part of a layout, and whether a key is needed."""

    traces: list[Json]
    moves: dict[int, Json]
    layout: Json
    has_key: bool
    notes: list[str]


def draw(
    look: Look,
    history: RunHistory,
    frames: list[int],
    histories: tuple[RunHistory, RunHistory],
    splits: tuple[str, ...] = ("train",),
) -> Panel:
    """The picture that a network's answers make at these of its frames.

    histories: of both networks, whose pictures share their ranges.  splits: whose examples are drawn, of EXAMPLES.
    """
    n_inputs, is_class = len(history.prediction_axes or ()), history.confusion is not None
    if n_inputs == 2:
        return _surface(look, history, frames, histories, splits)
    if n_inputs == 1 and (not is_class or len(class_names(history)) == 2):
        return _fit(look, history, frames, histories, splits)
    return _confusion(look, history, frames, histories) if is_class else _no_picture(look)


def grid(rows: Sequence[Sequence[Panel]], domains: Sequence[tuple[float, float]], key: float) -> Grid:
    """Panels in rows of two, with one key where they share their colours.

    domains: the rows' shares of the height; key: place of the key below them, in the unit of Plotly's places.
    """
    panels = [panel for row in rows for panel in row]
    same_colors = all(panel.color_axis == panels[0].color_axis for panel in panels)
    traces: list[Json] = []
    moves: dict[int, Json] = {}
    layout: Json = {}
    for place, panel in enumerate(panels):
        suffix = str(place + 1) if place else ""
        row, column = divmod(place, 2)
        moves |= {len(traces) + i: parts for i, parts in panel.moves.items()}
        colors = {"coloraxis": f"coloraxis{suffix}"} if not same_colors else {}
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        for trace in panel.traces:
            known = any(other.get("name") == trace.get("name") for other in traces)
            traces.append(
                ({"showlegend": False} if known else {}) | trace | axes | (colors if "coloraxis" in trace else {})
            )
        across: Json = {"anchor": f"y{suffix}", "domain": COLUMNS[column]}
        if row < len(rows) - 1 and panel.xaxis == rows[row + 1][column].xaxis:
            across |= {"showticklabels": False, "title": {"text": ""}}
        up: Json = {"anchor": f"x{suffix}", "domain": domains[row]}
        if column:
            repeated = panel.yaxis == rows[row][0].yaxis
            up |= {"showticklabels": False, "title": {"text": ""}} if repeated else {"side": "right"}
        layout[f"xaxis{suffix}"] = merged(panel.xaxis, across)
        layout[f"yaxis{suffix}"] = merged(panel.yaxis, up)
        if panel.color_axis and (place == 0 or not same_colors):
            shown = {"colorbar": {"y": key}} if same_colors else {"showscale": False}
            layout[f"coloraxis{suffix}"] = merged(panel.color_axis, shown)
    has_legend = any(panel.has_legend for panel in panels)
    layout["showlegend"] = has_legend
    layout["legend"] = {"x": 0.5, "xanchor": "center", "y": key, "yanchor": "top", "itemwidth": 30}
    notes = [note for panel in panels for note in panel.notes]
    if not same_colors:
        notes.append("The networks have different data, and colours of their own.")
    has_key = has_legend or any("colorbar" in panel.color_axis for panel in panels)
    return Grid(traces, moves, layout, has_key, list(dict.fromkeys(notes)))


# --- one panel ---


def _surface(
    look: Look,
    history: RunHistory,
    frames: list[int],
    histories: tuple[RunHistory, RunHistory],
    splits: tuple[str, ...],
) -> Panel:
    """The input plane in colours: probability and its boundary for two classes, else class and certainty."""
    assert history.predictions is not None
    assert history.prediction_axes is not None
    across, up = history.prediction_axes
    outputs = history.predictions[frames]
    place = {
        "x0": float(across[0]), "dx": float(across[1] - across[0]), "y0": float(up[0]), "dy": float(up[1] - up[0]),
        "coloraxis": "coloraxis", "name": look.name,
    }  # fmt: skip
    names = class_names(history)
    key_of_points = "; points: training data" if splits == ("train",) else ""
    if history.confusion is None:
        levels, color_axis = number_levels(outputs[..., 0], histories)
        trace = place | {"type": "heatmap", "hoverinfo": "skip"}
    elif len(names) == 2:
        levels, color_axis = probability_levels(outputs[..., 0]), probability_axis(names, key_of_points)
        trace = place | {
            "type": "contour", "hovertemplate": f"{names[1]}: %{{z}} %<extra>{look.name}</extra>",
            "line": {"color": "#111111", "width": 3},
            "contours": {"start": BOUNDARY, "end": BOUNDARY, "size": 1, "coloring": "heatmap"},
        }  # fmt: skip
    else:
        levels, color_axis = class_levels(outputs), class_axis(names, key_of_points)
        trace = place | {"type": "heatmap", "hoverinfo": "skip"}
    notes = _first_only(look, history)
    if not np.isfinite(outputs).all():
        notes.append(f"{look.name}: where the plane is empty its output is not finite.")
    points, point_notes = _points_of_plane(history, splits)
    edge = [float(across[0]), float(across[-1])]
    x_name, y_name = input_names(history, 2)
    return Panel(
        [trace, *points], {0: {"z": levels}},
        axis(x_name, range=edge, tickvals=PLANE_TICKS), axis(y_name, range=edge, tickvals=PLANE_TICKS),
        color_axis, notes=notes + point_notes,
    )  # fmt: skip


def _fit(
    look: Look,
    history: RunHistory,
    frames: list[int],
    histories: tuple[RunHistory, RunHistory],
    splits: tuple[str, ...],
) -> Panel:
    """The output over the input line, with the training examples and the curve that they were drawn from."""
    assert history.predictions is not None
    assert history.prediction_axes is not None
    (line,) = history.prediction_axes
    outputs = history.predictions[frames]
    low, high = _range_of_fit(histories)
    reach = BEYOND * (high - low)
    dataset, truth = dataset_of(history), _noise_free(history)
    traces: list[Json] = []
    if dataset is not None and dataset.task == "regression":
        traces += [_points_of_line(dataset, split) for split in splits]
    if truth is not None:
        dots = {"mode": "lines", "line": {"color": TRUTH_COLOR, "width": 3, "dash": "dot"}, "hoverinfo": "skip"}
        traces.append({"type": "scatter", "x": truth[0], "y": truth[1], "name": "noise-free curve", **dots})
    moves = {len(traces): {"y": np.clip(outputs[..., 0], low - reach, high + reach)}}
    hover = f"x %{{x:.2f}}: %{{y:.3g}}<extra>{look.name}</extra>"
    named = {"name": f"{look.name}’s output", "mode": "lines", "hovertemplate": hover}
    traces.append({"type": "scatter", "x": line, **named, **look.line(3.5)})
    notes = _first_only(look, history)
    if not np.isfinite(outputs).all():
        notes.append(f"{look.name}: where there is no line its output is not finite.")
    elif not ((outputs[-1] >= low) & (outputs[-1] <= high)).any():
        notes.append(f"{look.name}: at the end the whole line is outside this picture.")
    y_name = "output" if history.confusion is None else "probability"
    edge = [float(line[0]), float(line[-1])]
    xaxis = axis(input_names(history, 1)[0], range=edge, tickvals=PLANE_TICKS)
    return Panel(traces, moves, xaxis, axis(y_name, range=[low, high]), has_legend=True, notes=notes)


def _confusion(look: Look, history: RunHistory, frames: list[int], histories: tuple[RunHistory, RunHistory]) -> Panel:
    """Validation examples counted by true class (row) and predicted class (column)."""
    assert history.confusion is not None
    counts = history.confusion[frames]
    n_classes, places = counts.shape[-1], list(range(counts.shape[-1]))
    names = class_names(history)
    most = max(int(other.confusion.sum(axis=2).max()) for other in histories if other.confusion is not None)
    size = min(max(CONFUSION_WIDTH / n_classes, 8), 20)
    trace = {
        "type": "heatmap", "x": places, "y": places, "coloraxis": "coloraxis", "texttemplate": "%{z}",
        "textfont": {"size": size, "color": COUNT_COLOR}, "xgap": 1, "ygap": 1,
        "hovertemplate": f"true %{{y}}, predicted %{{x}}: %{{z}}<extra>{look.name}</extra>",
    }  # fmt: skip
    labels = {"tickvals": places, "ticktext": names, "range": [-0.5, n_classes - 0.5], "showgrid": False}
    turned = {"range": [n_classes - 0.5, -0.5], "tickangle": -90 if max(map(len, names)) > 2 else 0}
    color_axis = {"cmin": 0, "cmax": most, "colorscale": COUNT_SCALE, "showscale": False}
    return Panel(
        [trace], {0: {"z": counts}},
        axis("predicted class", **labels | {"tickangle": 0}), axis("true class", **labels | turned),
        color_axis,
    )  # fmt: skip


def _first_only(look: Look, history: RunHistory) -> list[str]:
    n_outputs = history.weights[-1].shape[-1]
    if history.confusion is not None or n_outputs == 1:
        return []
    return [f"{look.name}: the first of {n_outputs} outputs is drawn."]


def _no_picture(look: Look) -> Panel:
    empty = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip"}
    note = f"{look.name}: a number computed from more than two inputs has no picture here."
    return Panel([empty], {}, axis("", visible=False), axis("", visible=False), notes=[note])


# --- data ---


def dataset_of(history: RunHistory) -> Dataset | None:
    """The examples, unless they were handed in: a history does not hold them."""
    return None if history.experiment.dataset == "custom" else load_dataset(history.experiment)


def class_names(history: RunHistory) -> tuple[str, ...]:
    if history.confusion is None:
        return ()
    dataset = dataset_of(history)
    return dataset.class_names if dataset else tuple(f"class {k + 1}" for k in range(history.confusion.shape[-1]))


def input_names(history: RunHistory, count: int) -> list[str]:
    dataset = dataset_of(history)
    return [f"{name} (standardised)" for name in (dataset.input_names if dataset else ("x₁", "x₂")[:count])]


def _points_of_line(dataset: Dataset, split: str) -> Json:
    """Examples over the input line: rings of the training set, small crosses of the validation set."""
    look = EXAMPLES[split]
    inputs, targets = getattr(dataset, f"{split}_inputs"), getattr(dataset, f"{split}_targets")
    marker = {"color": POINT_COLOR, "size": 6, "symbol": look.symbol}
    return {
        "type": "scatter", "mode": "markers", "x": inputs[: look.most, 0], "y": targets[: look.most, 0],
        "name": f"{look.kind} examples", "marker": marker, "hovertemplate": "(%{x:.2f}, %{y:.2f})",
    }  # fmt: skip


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
            of_class = inputs[targets == k]
            marker = {
                "color": CLASS_COLORS[k % len(CLASS_COLORS)], "symbol": CLASS_SYMBOLS[k % len(CLASS_SYMBOLS)],
                "size": look.size, "line": {"color": look.outline, "width": 1},
            }  # fmt: skip
            traces.append(
                {
                    "type": "scatter", "mode": "markers", "x": of_class[:, 0], "y": of_class[:, 1], "name": name,
                    "marker": marker, "showlegend": False,
                    "hovertemplate": f"{look.kind} example: {name}<extra></extra>",
                }
            )  # fmt: skip
    n = len(dataset.train_inputs)
    return traces, [f"{MOST_POINTS} of {n:,} training examples are drawn."] if n > MOST_POINTS else []


def _noise_free(history: RunHistory) -> tuple[Array, Array] | None:
    """The curve that drawn one-input examples scatter about, (x, y), with x standardised like theirs."""
    source = DATASETS[history.experiment.dataset]
    if source.draw is None or source.n_in != 1 or source.noisy_inputs:
        return None
    u = np.zeros((CURVE_POINTS, 3))
    u[:, 0] = np.linspace(0, 1, CURVE_POINTS)
    inputs, targets = source.draw(u, np.zeros((CURVE_POINTS, 2)))
    return (inputs[:, 0] - source.mean[0]) / math.sqrt(source.variance[0]), targets[:, 0]


def _range_of_fit(histories: tuple[RunHistory, RunHistory]) -> tuple[float, float]:
    """The range of the training targets of both runs and some more; without them that of the last outputs."""
    values: list[Array] = []
    for history in histories:
        dataset = dataset_of(history)
        if history.confusion is not None:
            values.append(np.array([0.0, 1.0]))
        elif dataset is not None:
            values.append(dataset.train_targets.ravel())
        elif history.predictions is not None:
            values.append(history.predictions[-1].ravel())
    finite = np.concatenate(values).astype(float)
    finite = finite[np.isfinite(finite)] if np.isfinite(finite).any() else np.zeros(1)
    low, high = finite.min(), finite.max()
    air = OUTSIDE * (high - low) or 1.0
    return float(low - air), float(high + air)
