"""The colours of an input plane: probability, class and certainty, or a number, as one byte a place."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from plotly.colors import hex_to_rgb

from engine import RunHistory
from pages.charts.style.axes import key_bar
from pages.charts.style.figure import DARK_SCALE, MAGNITUDE_SCALE, Array, Json
from pages.text.data_summary import amount
from pages.text.own_data import in_unit_of_table, own_data, plain

# Ends and middle of a diverging scale: equally dark, distinct without red-green vision, and neither network's colour.
# Classes beyond the third follow Tol's muted scheme (2021).
_CLASSES = (
    ("#762a83", "square", "■"),
    ("#1b7837", "triangle-up", "▲"),
    ("#b8860b", "cross", "✚"),
    ("#88ccee", "circle", "●"),
    ("#cc6677", "diamond", "◆"),
    ("#332288", "star", "★"),
    ("#999933", "x", "✖"),
    ("#44aa99", "pentagon", "⬟"),
    ("#882255", "triangle-down", "▼"),
    ("#dddddd", "hexagon", "⬢"),
)
CLASS_COLORS, CLASS_SYMBOLS, CLASS_MARKS = zip(*_CLASSES, strict=True)  # marks: the symbols within text
UNDECIDED_COLOR, DARK_UNDECIDED_COLOR = "#d9d9d9", "#2b3036"  # close to a white page, and to a dark one
LIGHTENED = 0.3  # share of white in the colours of a plane on a dark page, where points keep theirs
# Of a byte's 256.  The top levels of three classes, which fill most of a surface, are then free of six ones in a row,
# which travel as the six characters of an escaped slash.
LEVELS = 237
UNDECIDED = 0.01  # a network that is nowhere further from one half has no boundary to show
BOUNDARY = 50.01  # percent: exactly one half counts as the first class, as in the engine
EMPTY = [[None, None], [None, None]]
CLASS_TICKS = [12, 50, 88]  # percent: away from the ends, where long names are cut off at 390 px
MOST_NAMED_CLASSES = 4  # side by side under the panels at 390 px


def probability_levels(probability: Array) -> list[Any]:
    """Percent of class 1 as bytes, (K, G, G), rounded away from 50, so that each stays on its side of the line.

    Of an output that is no probability, hundredths within 0 and 1.
    """
    with np.errstate(invalid="ignore"):
        percents = 100 * np.clip(probability, 0, 1)  # a linear output goes beyond
        percents = np.where(probability < 0.5, np.floor(percents), np.ceil(percents))
        undecided = (np.abs(probability - 0.5) < UNDECIDED).all(axis=(1, 2), keepdims=True)
        percents = np.where(undecided, 50, percents)  # a boundary of differences in the third digit is a scribble
    return _bytes(percents)


def probability_axis(names: Sequence[str], points: str, probabilities: bool = True) -> Json:
    """points: what the points on the plane are, for the key.  probabilities: whether the output gives any."""
    quantity, half = ("probability", "50 %") if probabilities else ("output", "0.5")
    ticks = [f"{CLASS_MARKS[0]} {names[0]}", half, f"{CLASS_MARKS[1]} {names[1]}"]
    scales = _scales([(0, 0), (0.5, None), (1, 1)])
    return _key(f"{quantity} (line: {half}){points}", scales, 100, CLASS_TICKS, ticks)


def class_levels(probabilities: Array) -> list[Any]:
    """The winning class and how certain it is, as one byte: LEVELS // C levels a class, pale at p = 1/C, full at 1."""
    n_classes = probabilities.shape[-1]
    levels = LEVELS // n_classes
    with np.errstate(invalid="ignore"):
        certainty = (probabilities.max(axis=-1) * n_classes - 1) / (n_classes - 1)
        certainty = np.clip(certainty, 0, 1)
        return _bytes(probabilities.argmax(axis=-1) * levels + np.rint(certainty * (levels - 1)))


def class_axis(names: Sequence[str], points: str) -> Json:
    """points: what the points on the plane are, for the key."""
    n_classes, levels = len(names), LEVELS // len(names)
    top = n_classes * levels - 1
    ends = [((k * levels, None), (k * levels + levels - 1, k)) for k in range(n_classes)]
    scales = _scales([(stop / top, k) for pair in ends for stop, k in pair])
    named = range(n_classes if n_classes <= MOST_NAMED_CLASSES else 0)
    ticks = [f"{CLASS_MARKS[k % len(CLASS_MARKS)]} {names[k]}" for k in named]
    return _key(f"stronger = more certain{points}", scales, top, [(k + 0.5) * levels for k in named], ticks)


def number_levels(outputs: Array, histories: Sequence[RunHistory]) -> tuple[list[Any], Json]:
    """A number over the plane, between the least and the largest of all networks' last frames, as bytes."""
    last = np.concatenate(
        [in_unit_of_table(h.experiment, h.predictions[-1]).ravel() for h in histories if h.predictions is not None]
    ).astype(float)
    last = last[np.isfinite(last)] if np.isfinite(last).any() else np.zeros(1)
    low, high = last.min(), max(last.max(), last.min() + 1e-9)
    levels = _bytes(np.clip(np.rint((outputs.astype(float) - low) / (high - low) * (LEVELS - 1)), 0, LEVELS - 1))
    ticks = [amount(value) for value in np.linspace(low, high, 3)]
    own = own_data(histories[0].experiment)
    what = plain(own.target_name) if own else "output"
    return levels, _key(what, {"colorscale": MAGNITUDE_SCALE}, LEVELS - 1, [0, (LEVELS - 1) / 2, LEVELS - 1], ticks)


def _scales(stops: Sequence[tuple[float, int | None]]) -> Json:
    """The colours of a plane on a pale and on a dark page.  stops: place, and class; None where it is undecided."""
    pale, dark = [], []
    for place, k in stops:
        color = UNDECIDED_COLOR if k is None else CLASS_COLORS[k % len(CLASS_COLORS)]
        pale.append([place, color])
        dark.append([place, DARK_UNDECIDED_COLOR if k is None else _lightened(color)])
    return {"colorscale": pale, DARK_SCALE: dark}


def _lightened(color: str) -> str:
    parts = [round(part + LIGHTENED * (255 - part)) for part in hex_to_rgb(color)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def _key(title: str, scales: Json, top: float, values: Sequence[float], labels: Sequence[str]) -> Json:
    """A colour axis from 0 to top whose bar lies below the panels."""
    return {"cmin": 0, "cmax": top, **scales, "colorbar": key_bar(title, values, labels)}


def _bytes(levels: Array) -> list[Any]:
    """One array a frame: bytes, or float32 with gaps where an output was not finite, or nothing but a gap."""
    finite = np.isfinite(levels)
    return [
        level.astype(np.uint8) if here.all() else level.astype(np.float32) if here.any() else EMPTY
        for level, here in zip(levels, finite, strict=True)
    ]
