"""What does each network compute?

Patient and treated side by side at the current step: the decision surface over two inputs, the fit over one, a
confusion matrix on validation data where there are more.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from engine import Dataset, RunHistory, load_dataset
from engine.datasets import DATASETS
from pages.charts.clock import latest, thinned, timeline_steps
from pages.charts.figure import (
    COLUMNS,
    HEIGHT,
    MAGNITUDE_SCALE,
    PATIENT,
    TREATED,
    AnimatedFigure,
    Json,
    Look,
    axis,
    column_headings,
    footnotes,
    frame,
    merged,
)
from pages.charts.wording import ending, legends, number, percent

TITLE = "What each network computes"
QUESTION = "What does each network compute?"

Array = np.ndarray

MOST_FRAMES = 36  # of the timeline's 60: a surface weighs more than everything else on the page
MOST_POINTS = 200  # training examples drawn; more hide the surface
LOOKS = (PATIENT, TREATED)
BELOW = 118  # px: tick labels, axis title and the key below them
AXIS_BELOW = 62  # px: tick labels and axis title alone

# Ends and middle of a diverging scale: equally dark, distinct without red-green vision, and neither network's colour.
# Classes beyond the third follow Tol's muted scheme (2021).
CLASS_COLORS = (
    "#762a83", "#1b7837", "#b8860b", "#88ccee", "#cc6677", "#332288", "#999933", "#44aa99", "#882255", "#dddddd",
)  # fmt: skip
NEUTRAL = "#f7f7f7"
CLASS_SYMBOLS = (
    "square", "triangle-up", "cross", "circle", "diamond", "star", "x", "pentagon", "triangle-down", "hexagon",
)  # fmt: skip
CLASS_MARKS = ("■", "▲", "✚", "●", "◆", "★", "✖", "⬟", "▼", "⬢")
# Of a byte's 256.  The top levels of three classes, which fill most of a surface, are then free of six ones in a row,
# which travel as the six characters of an escaped slash.
LEVELS = 237
UNDECIDED = 0.01  # a network that is nowhere further from one half has no boundary to show
BOUNDARY = 50.01  # percent: exactly one half counts as the first class, as in the engine
PLANE_TICKS = [-2, 0, 2]
CURVE_POINTS = 200
EMPTY = [[None, None], [None, None]]
COUNT_SCALE = [[0, "#f7f7f7"], [1, "#4cb3a6"]]  # pale enough for dark digits on all of it: contrast 7 and more
COUNT_COLOR = "#111111"
CONFUSION_WIDTH = 115  # px that the digits of one row may take, two a cell, at 390 px
KEY_LEGEND: Json = {"x": 0.5, "xanchor": "center", "yanchor": "top", "itemwidth": 30}
MOST_NAMED_CLASSES = 4  # side by side under the panels at 390 px

POINT_COLOR, TRUTH_COLOR = "#8a8f94", "#4f9d69"
OUTSIDE = 0.5  # of the data's range: how far the axis of a fit reaches beyond it
BEYOND = 10  # ranges: a line that is cut off there leaves the picture at the same place


@dataclass
class _Panel:
    """One network's half: its traces, what moves in them (trace -> one dict a frame), and its axes."""

    traces: list[Json]
    moves: dict[int, list[Json]]
    xaxis: Json
    yaxis: Json
    color_axis: Json = field(default_factory=dict)
    has_legend: bool = False
    notes: list[str] = field(default_factory=list)


def figure(patient: RunHistory, treated: RunHistory) -> AnimatedFigure:
    """Two panels on the same axes and colours; at most MOST_FRAMES frames."""
    steps = thinned(timeline_steps(patient, treated), MOST_FRAMES)
    histories = (patient, treated)
    panels = [
        _draw(history)(look, history, [latest(history.frame_step, step) for step in steps], histories)
        for look, history in zip(LOOKS, histories, strict=True)
    ]
    headings, top = column_headings(legends(patient, treated))
    # What stands below the panels hangs at a distance in pixels, in the unit of Plotly's places: the panels' height.
    key = -AXIS_BELOW / (HEIGHT - top - BELOW)
    has_legend = any(panel.has_legend for panel in panels)
    layout: Json = {"margin": {"t": top}, "showlegend": has_legend, "legend": KEY_LEGEND | {"y": key}}
    has_key = has_legend or any("colorbar" in panel.color_axis for panel in panels)
    notes = [note for panel in panels for note in panel.notes]
    notes += [
        f"{look.name}: {words}." for look, history in zip(LOOKS, histories, strict=True) if (words := ending(history))
    ]
    same_colors = panels[0].color_axis == panels[1].color_axis
    if not same_colors:
        notes.append("The networks have different data, and colours of their own.")

    traces: list[Json] = []
    moves: dict[int, list[Json]] = {}
    for place, (panel, column) in enumerate(zip(panels, COLUMNS, strict=True)):
        suffix = "2" if place else ""
        moves |= {len(traces) + i: parts for i, parts in panel.moves.items()}
        colors = {"coloraxis": f"coloraxis{suffix}"} if not same_colors else {}
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        traces += [trace | axes | (colors if "coloraxis" in trace else {}) for trace in panel.traces]
        own: Json = {"anchor": f"x{suffix}"}
        if place:
            repeated = panel.yaxis == panels[0].yaxis
            own |= {"showticklabels": False, "title": {"text": ""}} if repeated else {"side": "right"}
        layout[f"xaxis{suffix}"] = panel.xaxis | {"domain": column, "anchor": f"y{suffix}"}
        layout[f"yaxis{suffix}"] = merged(panel.yaxis, own)
        if panel.color_axis and (place == 0 or not same_colors):
            shown = {"colorbar": {"y": key}} if same_colors else {"showscale": False}
            layout[f"coloraxis{suffix}"] = merged(panel.color_axis, shown)
    below = footnotes(list(dict.fromkeys(notes)), below=BELOW if has_key else AXIS_BELOW)
    layout["margin"]["b"] = BELOW if has_key else AXIS_BELOW
    layout["annotations"] = headings + below.pop("annotations", [])
    frames = [frame(step, {i: parts[k] for i, parts in moves.items()}) for k, step in enumerate(steps)]
    return AnimatedFigure(traces, merged(layout, below), frames)


def alt(patient: RunHistory, treated: RunHistory) -> str:
    """What each network answers at the end of its run, in numbers."""
    networks = zip(LOOKS, (patient, treated), strict=True)
    return " ".join(f"{look.name}: {_in_words(history)}." for look, history in networks)


def table(patient: RunHistory, treated: RunHistory) -> pd.DataFrame:
    """Start, best step and end: one row a place of the plane or line, or a pair of true and predicted class."""
    networks = zip(LOOKS, (patient, treated), strict=True)
    return pd.concat([_rows(look, history) for look, history in networks], ignore_index=True)


# --- one panel ---


def _draw(history: RunHistory) -> Callable[[Look, RunHistory, list[int], tuple[RunHistory, RunHistory]], _Panel]:
    """Which picture a network's answers make."""
    n_inputs, is_class = len(history.prediction_axes or ()), history.confusion is not None
    if n_inputs == 2:
        return _surface
    if n_inputs == 1 and (not is_class or len(_class_names(history)) == 2):
        return _fit
    return _confusion if is_class else _no_picture


def _surface(look: Look, history: RunHistory, frames: list[int], histories: tuple[RunHistory, RunHistory]) -> _Panel:
    """The input plane in colours: probability and its boundary for two classes, else class and certainty."""
    assert history.predictions is not None
    assert history.prediction_axes is not None
    across, up = history.prediction_axes
    outputs = history.predictions[frames]
    place = {
        "x0": float(across[0]), "dx": float(across[1] - across[0]), "y0": float(up[0]), "dy": float(up[1] - up[0]),
        "coloraxis": "coloraxis", "name": look.name,
    }  # fmt: skip
    names = _class_names(history)
    if history.confusion is None:
        levels, color_axis = _number_levels(outputs[..., 0], histories)
        trace = place | {"type": "heatmap", "hoverinfo": "skip"}
    elif len(names) == 2:
        levels, color_axis = _probability_levels(outputs[..., 0]), _probability_axis(names)
        trace = place | {
            "type": "contour", "hovertemplate": f"{names[1]}: %{{z}} %<extra>{look.name}</extra>",
            "line": {"color": "#111111", "width": 3},
            "contours": {"start": BOUNDARY, "end": BOUNDARY, "size": 1, "coloring": "heatmap"},
        }  # fmt: skip
    else:
        levels, color_axis = _class_levels(outputs), _class_axis(names)
        trace = place | {"type": "heatmap", "hoverinfo": "skip"}
    notes = _first_only(look, history)
    if not np.isfinite(outputs).all():
        notes.append(f"{look.name}: where the plane is empty its output is not finite.")
    points, point_notes = _points_of_plane(history)
    edge = [float(across[0]), float(across[-1])]
    x_name, y_name = _input_names(history, 2)
    return _Panel(
        [trace, *points], {0: [{"z": level} for level in levels]},
        axis(x_name, range=edge, tickvals=PLANE_TICKS), axis(y_name, range=edge, tickvals=PLANE_TICKS),
        color_axis, notes=notes + point_notes,
    )  # fmt: skip


def _fit(look: Look, history: RunHistory, frames: list[int], histories: tuple[RunHistory, RunHistory]) -> _Panel:
    """The output over the input line, with the training examples and the curve that they were drawn from."""
    assert history.predictions is not None
    assert history.prediction_axes is not None
    (line,) = history.prediction_axes
    outputs = history.predictions[frames]
    low, high = _range_of_fit(histories)
    reach = BEYOND * (high - low)
    dataset, truth = _dataset(history), _noise_free(history)
    traces: list[Json] = []
    if dataset is not None and dataset.task == "regression":
        examples = {"x": dataset.train_inputs[:MOST_POINTS, 0], "y": dataset.train_targets[:MOST_POINTS, 0]}
        marker = {"color": POINT_COLOR, "size": 6, "symbol": "circle-open"}
        named = {"name": "training examples", "mode": "markers", "marker": marker}
        traces.append({"type": "scatter", **examples, **named, "hovertemplate": "(%{x:.2f}, %{y:.2f})"})
    if truth is not None:
        dots = {"mode": "lines", "line": {"color": TRUTH_COLOR, "width": 3, "dash": "dot"}, "hoverinfo": "skip"}
        traces.append({"type": "scatter", "x": truth[0], "y": truth[1], "name": "noise-free curve", **dots})
    moves = {len(traces): [{"y": np.clip(values, low - reach, high + reach)} for values in outputs[..., 0]]}
    hover = f"x %{{x:.2f}}: %{{y:.3g}}<extra>{look.name}</extra>"
    named = {"name": f"{look.name}’s output", "mode": "lines", "hovertemplate": hover}
    traces.append({"type": "scatter", "x": line, **named, **look.line(3.5)})
    traces = [trace | {"showlegend": look is PATIENT or look.name in trace["name"]} for trace in traces]
    notes = _first_only(look, history)
    if not np.isfinite(outputs).all():
        notes.append(f"{look.name}: where there is no line its output is not finite.")
    elif not ((outputs[-1] >= low) & (outputs[-1] <= high)).any():
        notes.append(f"{look.name}: at the end the whole line is outside this picture.")
    y_name = "output" if history.confusion is None else "probability"
    edge = [float(line[0]), float(line[-1])]
    xaxis = axis(_input_names(history, 1)[0], range=edge, tickvals=PLANE_TICKS)
    return _Panel(traces, moves, xaxis, axis(y_name, range=[low, high]), has_legend=True, notes=notes)


def _confusion(look: Look, history: RunHistory, frames: list[int], histories: tuple[RunHistory, RunHistory]) -> _Panel:
    """Validation examples counted by true class (row) and predicted class (column)."""
    assert history.confusion is not None
    counts = history.confusion[frames]
    n_classes, places = counts.shape[-1], list(range(counts.shape[-1]))
    names = _class_names(history)
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
    return _Panel(
        [trace], {0: [{"z": count} for count in counts]},
        axis("predicted class", **labels | {"tickangle": 0}), axis("true class", **labels | turned),
        color_axis,
    )  # fmt: skip


def _first_only(look: Look, history: RunHistory) -> list[str]:
    n_outputs = history.weights[-1].shape[-1]
    if history.confusion is not None or n_outputs == 1:
        return []
    return [f"{look.name}: the first of {n_outputs} outputs is drawn."]


def _no_picture(look: Look, history: RunHistory, frames: list[int], histories: tuple[RunHistory, RunHistory]) -> _Panel:
    empty = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip"}
    note = f"{look.name}: a number computed from more than two inputs has no picture here."
    return _Panel([empty], {}, axis("", visible=False), axis("", visible=False), notes=[note])


# --- colours ---


def _probability_levels(probability: Array) -> list[Any]:
    """Percent of class 1 as bytes, (K, G, G), rounded away from 50, so that each stays on its side of the line."""
    with np.errstate(invalid="ignore"):
        percents = 100 * probability
        percents = np.where(probability < 0.5, np.floor(percents), np.ceil(percents))
        undecided = (np.abs(probability - 0.5) < UNDECIDED).all(axis=(1, 2), keepdims=True)
        percents = np.where(undecided, 50, percents)  # a boundary of differences in the third digit is a scribble
    return _bytes(percents)


def _probability_axis(names: Sequence[str]) -> Json:
    ends = [[0, CLASS_COLORS[0]], [0.5, NEUTRAL], [1, CLASS_COLORS[1]]]
    ticks = [f"{CLASS_MARKS[0]} {names[0]}", "50 %", f"{CLASS_MARKS[1]} {names[1]}"]
    return _key("probability (line: 50 %); points: training data", ends, 100, [0, 50, 100], ticks)


def _class_levels(probabilities: Array) -> list[Any]:
    """The winning class and how certain it is, as one byte: LEVELS // C levels a class, pale at p = 1/C, full at 1."""
    n_classes = probabilities.shape[-1]
    levels = LEVELS // n_classes
    with np.errstate(invalid="ignore"):
        certainty = (probabilities.max(axis=-1) * n_classes - 1) / (n_classes - 1)
        return _bytes(probabilities.argmax(axis=-1) * levels + np.rint(certainty * (levels - 1)))


def _class_axis(names: Sequence[str]) -> Json:
    n_classes, levels = len(names), LEVELS // len(names)
    top = n_classes * levels - 1
    scale = [
        [stop / top, color]
        for k in range(n_classes)
        for stop, color in ((k * levels, NEUTRAL), (k * levels + levels - 1, CLASS_COLORS[k % len(CLASS_COLORS)]))
    ]
    named = range(n_classes if n_classes <= MOST_NAMED_CLASSES else 0)
    ticks = [f"{CLASS_MARKS[k % len(CLASS_MARKS)]} {names[k]}" for k in named]
    return _key(
        "stronger = more certain; points: training data", scale, top, [(k + 0.5) * levels for k in named], ticks
    )


def _number_levels(outputs: Array, histories: tuple[RunHistory, RunHistory]) -> tuple[list[Any], Json]:
    """A number over the plane, between the least and the largest of both networks' last frames, as bytes."""
    last = np.concatenate([h.predictions[-1].ravel() for h in histories if h.predictions is not None]).astype(float)
    last = last[np.isfinite(last)] if np.isfinite(last).any() else np.zeros(1)
    low, high = last.min(), max(last.max(), last.min() + 1e-9)
    levels = _bytes(np.clip(np.rint((outputs.astype(float) - low) / (high - low) * (LEVELS - 1)), 0, LEVELS - 1))
    ticks = [number(value) for value in np.linspace(low, high, 3)]
    return levels, _key("output", MAGNITUDE_SCALE, LEVELS - 1, [0, (LEVELS - 1) / 2, LEVELS - 1], ticks)


def _key(title: str, scale: object, top: float, values: Sequence[float], labels: Sequence[str]) -> Json:
    """A colour axis from 0 to top whose bar lies below the panels."""
    bar = {
        "orientation": "h", "thickness": 12, "len": 0.8, "x": 0.5, "yanchor": "top", "ypad": 0,
        "title": {"text": title, "side": "top"}, "tickvals": list(values), "ticktext": list(labels),
    }  # fmt: skip
    return {"cmin": 0, "cmax": top, "colorscale": scale, "colorbar": bar}


def _bytes(levels: Array) -> list[Any]:
    """One array a frame: bytes, or float32 with gaps where an output was not finite, or nothing but a gap."""
    finite = np.isfinite(levels)
    return [
        level.astype(np.uint8) if here.all() else level.astype(np.float32) if here.any() else EMPTY
        for level, here in zip(levels, finite, strict=True)
    ]


# --- data ---


def _dataset(history: RunHistory) -> Dataset | None:
    """The examples, unless they were handed in: a history does not hold them."""
    return None if history.experiment.dataset == "custom" else load_dataset(history.experiment)


def _class_names(history: RunHistory) -> tuple[str, ...]:
    if history.confusion is None:
        return ()
    dataset = _dataset(history)
    return dataset.class_names if dataset else tuple(f"class {k + 1}" for k in range(history.confusion.shape[-1]))


def _input_names(history: RunHistory, count: int) -> list[str]:
    dataset = _dataset(history)
    return [f"{name} (standardised)" for name in (dataset.input_names if dataset else ("x₁", "x₂")[:count])]


def _points_of_plane(history: RunHistory) -> tuple[list[Json], list[str]]:
    """Training examples by class, in colour and symbol; of many only the first, which are a random draw."""
    dataset = _dataset(history)
    if dataset is None or dataset.task == "regression":
        return [], []
    inputs, targets = dataset.train_inputs[:MOST_POINTS], dataset.train_targets[:MOST_POINTS].ravel()
    traces = []
    for k, name in enumerate(dataset.class_names):
        of_class = inputs[targets == k]
        marker = {
            "color": CLASS_COLORS[k % len(CLASS_COLORS)], "symbol": CLASS_SYMBOLS[k % len(CLASS_SYMBOLS)], "size": 8,
            "line": {"color": "#ffffff", "width": 1},
        }  # fmt: skip
        traces.append(
            {
                "type": "scatter", "mode": "markers", "x": of_class[:, 0], "y": of_class[:, 1], "name": name,
                "marker": marker, "showlegend": False, "hovertemplate": f"training example: {name}<extra></extra>",
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
        dataset = _dataset(history)
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


# --- words and rows ---


def _in_words(history: RunHistory) -> str:
    text = f"at step {history.frame_step[-1]} " + _answer(history)
    return text + (f"; {words}" if (words := ending(history)) else "")


def _answer(history: RunHistory) -> str:
    names = _class_names(history)
    share = float(history.validation_accuracy[-1])
    accuracy = "" if math.isnan(share) else f", correct for {percent(share)} of the validation examples"
    if history.predictions is not None:
        last = history.predictions[-1]
        if not np.isfinite(last).all():
            return "its output is not finite everywhere" + accuracy
        span = f"between {number(float(last[..., -1].min()))} and {number(float(last[..., -1].max()))}"
        if not names:
            return f"its output lies {span}"
        if len(names) == 2:
            part = percent(float((last > 0.5).mean()))
            return f"the probability of {names[1]} lies {span}, above one half on {part} of the inputs shown" + accuracy
        winners = np.bincount(last.reshape(-1, len(names)).argmax(axis=1), minlength=len(names)) / last[..., 0].size
        parts = ", ".join(f"{name} on {percent(float(part))}" for name, part in zip(names, winners, strict=True))
        return f"the winning class is {parts} of the inputs shown" + accuracy
    if history.confusion is None:
        return "it computes a number from more than two inputs, which has no picture here"
    counts = history.confusion[-1]
    right, n = int(np.trace(counts)), int(counts.sum())
    wrong = counts - np.diag(np.diag(counts))
    true, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
    often = f"; {names[true]} is taken for {names[predicted]} most often, {wrong.max()} times" if right < n else ""
    return f"it is correct for {right} of {n} validation examples ({percent(right / n)}){often}"


def _rows(look: Look, history: RunHistory) -> pd.DataFrame:
    kept = sorted({0, latest(history.frame_step, history.best_step), len(history.frame_step) - 1})
    parts = []
    for k in kept:
        part = _rows_of_frame(history, k)
        part.insert(0, "training step (updates)", history.frame_step[k])
        part.insert(0, "network", look.name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _rows_of_frame(history: RunHistory, k: int) -> pd.DataFrame:
    names = _class_names(history)
    if history.prediction_axes is not None and history.predictions is not None:
        outputs = history.predictions[k].reshape(-1, history.predictions.shape[-1])
        places = [grid.ravel() for grid in np.meshgrid(*history.prediction_axes)]
        answers = [f"probability of {name}" for name in (names[1:] if len(names) == 2 else names)]
        columns = dict(zip(_input_names(history, len(places)), places, strict=True))
        return pd.DataFrame(columns | dict(zip(answers or _output_names(outputs), outputs.T, strict=True)))
    if history.confusion is None:
        return pd.DataFrame()
    counts = history.confusion[k]
    true, predicted = (np.array(names)[places.ravel()] for places in np.indices(counts.shape))
    return pd.DataFrame(
        {"true class": true, "predicted class": predicted, "validation examples (count)": counts.ravel()}
    )


def _output_names(outputs: Array) -> list[str]:
    n = outputs.shape[1]
    return ["output"] if n == 1 else [f"output {k + 1}" for k in range(n)]
