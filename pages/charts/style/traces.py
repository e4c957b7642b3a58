"""The traces that charts are made of, as plain dicts: lines, marks, curves, bands, rings and keys of the legend."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import RunHistory
from pages.charts.style.figure import NEUTRAL, Array, Json, Look, merged
from pages.text.clock import thinned

THIN, MEDIUM, THICK = 1.5, 2.5, 3.5  # px: a curve beside the one that matters; one of many updates; one that matters
MOST_CURVES = 12  # of layers: of deeper networks every so many, the first and the output always
MARKERS = 8  # on a curve, enough to tell the networks apart without colour

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BOX_PARTS = ("lowerfence", "q1", "median", "q3", "upperfence")  # what Plotly calls them
BOX_FILL, CLEAR = "rgba(213, 94, 0, 0.55)", "rgba(0, 0, 0, 0)"  # of the patient's colour, and none
DOT = 9  # px, of a seed
# Of rows of seeds, a network or a cure each.
ROW_HEIGHT = 60  # px: a line of text, and the dots below it
TEXT_ABOVE = 0.4  # of a row, from its dots to its text
MARGINS = 36 + 62  # px above the rows, and for the axis below them
SPREAD = 0.16  # of a row, over which the dots of the seeds are spread so that equal ones stay apart
BOXES_APART: Json = {"boxmode": "group", "boxgap": 0.25, "boxgroupgap": 0.15, "hovermode": "closest"}  # in a layout


def trace(mode: str, x: Any, y: Any, name: str, hover: str | None = "", **attributes: Any) -> Json:
    """A scatter trace.  hover: what its label says, in Plotly's template; "": no label; None: Plotly's own."""
    label = {} if hover is None else {"hovertemplate": hover} if hover else {"hoverinfo": "skip"}
    return {"type": "scatter", "mode": mode, "x": x, "y": y, "name": name, **label, **attributes}


def line(x: Any, y: Any, name: str, hover: str | None = "", **attributes: Any) -> Json:
    """A line through all points."""
    return trace("lines", x, y, name, hover, **attributes)


def marks(x: Any, y: Any, name: str, hover: str | None = "", **attributes: Any) -> Json:
    """Points without a line."""
    return trace("markers", x, y, name, hover, **attributes)


def curve(
    look: Look,
    x: Any,
    y: Any,
    name: str,
    hover: str,
    width: float = THICK,
    size: float = 9,
    markers: int = MARKERS,
    **attributes: Any,
) -> Json:
    """A network's curve, with its dash and a few of its markers.

    hover: quantity and value, "training loss<br>step %{x}: %{y:.3g}"; the network's name is added.
    """
    marker = merged(look.marker(size), {"marker": {"maxdisplayed": markers}})
    return trace("lines+markers", x, y, name, hover_of(look, hover), **look.line(width), **marker, **attributes)


def thin_curve(look: Look, x: Any, y: Any, name: str, hover: str, width: float = THIN, **attributes: Any) -> Json:
    """A curve beside a network's `curve`, without markers."""
    return trace(mode_of(x), x, y, name, hover_of(look, hover), **look.line(width), **look.marker(5), **attributes)


def over_layers(look: Look, layers: int, name: str, hover: str, size: float, **attributes: Any) -> Json:
    """A network's line over its layers, a marker each; its heights move.  hover: of the value, "%{y:.2~e} nats"."""
    label = hover_of(look, f"layer %{{x}}: {hover}")
    look_of_all = look.line() | look.marker(size)
    x = np.arange(1, layers + 1)
    return trace("lines+markers", x, None, name, label, cliponaxis=False, **look_of_all, **attributes)


def of_depth(layer: int, layers: int, color: str) -> Json:
    """The line of one layer among all: the first thick and the output dotted, so that not only colour tells them."""
    last = {"dash": "dot", "width": 3} if layer == layers - 1 else {}
    return {"line": {"color": color, "width": THICK if layer == 0 else THIN} | last}


def drawn_layers(history: RunHistory) -> list[int]:
    """Indices of the layers that are drawn."""
    return thinned(range(history.layers), MOST_CURVES)


def level(ends: Sequence[float], height: float, name: str, hover: str | None = "", **attributes: Any) -> Json:
    """A straight line across, from one end to the other."""
    return line(list(ends), [height] * 2, name, hover, **attributes)


def stroke(color: str = NEUTRAL, width: float = 2, dash: str = "") -> Json:
    """How a line is drawn that is not a network's curve."""
    return {"line": {"color": color, "width": width} | ({"dash": dash} if dash else {})}


def band(x: Array, low: Array, high: Array, name: str, color: str, opacity: float) -> Json:
    """The area between two curves."""
    around, up_and_back = np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]])
    filled: Json = {"fill": "toself", "fillcolor": color, "opacity": opacity, "line": {"width": 0}, "showlegend": False}
    return line(around, up_and_back, name, **filled)


def box(left: float, right: float, low: float, high: float, name: str, **attributes: Any) -> Json:
    """A filled rectangle."""
    corners = [left, right, right, left], [low, low, high, high]
    return trace("none", *corners, name, fill="toself", **attributes)


def ring(look: Look, x: Any, y: Any, name: str, hover: str, size: float, **attributes: Any) -> Json:
    """Open marks around points of a network."""
    symbol = {"symbol": f"{look.symbol}-open", "size": size, "color": look.color, "line": {"width": 3}}
    return marks(x, y, name, hover_of(look, hover), marker=symbol, showlegend=False, **attributes)


def star(look: Look, step: int, loss: float, **attributes: Any) -> Json:
    """The lowest validation loss of a run."""
    symbol = {"symbol": "star", "size": 15, "color": look.color, "line": {"color": "#ffffff", "width": 1}}
    hover = hover_of(look, "lowest validation loss<br>step %{x}: %{y:.3g}")
    return marks([step], [loss], f"{look.name} best", hover, marker=symbol, **attributes)


def over_seeds(
    look: Look, y: float, name: str, values: Array, seeds: Sequence[int], written: str = ".3g"
) -> list[Json]:
    """A row at height y: a line from the least to the largest value, a dot a seed, and a bar at the median.

    Those that are not finite are not drawn.  written: how the label has a value.
    """
    finite = values[np.isfinite(values)]
    ends = [float(finite.min()), float(finite.max())] if finite.size else []
    median = [middle for middle in [float(np.median(values))] if math.isfinite(middle)]
    jitter = y + SPREAD * (np.arange(len(values)) / max(len(values) - 1, 1) - 0.5)
    common = {"type": "scatter", "hoverinfo": "skip"}
    bar = {"symbol": "line-ns", "size": 18, "color": look.color, **stroke(look.color, 4)}
    drawn = np.where(np.isfinite(values), values, np.nan)
    hover = f"seed %{{customdata}}: %{{x:{written}}}<extra>{name}</extra>"
    return [
        common | {"mode": "lines", "x": ends, "y": [y] * len(ends), **stroke(look.color, 1.5)},
        marks(drawn, jitter, name, hover, customdata=list(seeds), opacity=0.75, **look.marker(DOT)),
        common | {"mode": "markers", "x": median, "y": [y] * len(median), "marker": bar},
    ]


def boxes(look: Look, layers: int, name: str, group: str, on_log: bool, **attributes: Any) -> Json:
    """A box a layer, for quantiles of its numbers.  group: of the boxes that stand at one side of their layers."""
    box_look = {"line": {"color": look.color, "width": 2}, "whiskerwidth": 0.6, "offsetgroup": group}
    # On a log scale Plotly would show places on the axis for values.
    hover = {"hoverinfo": "skip" if on_log else "y+name"}
    return {"type": "box", "x": np.arange(1, layers + 1), "name": name, **box_look, **hover, **attributes}


def key(name: str, hover: str | None = "", **attributes: Any) -> Json:
    """A legend entry for what both networks share; a line, unless marks are given."""
    return trace("markers" if "marker" in attributes else "lines", [None], [None], name, hover, **attributes)


def key_of_depth() -> Json:
    """An empty trace, for the sake of its colour bar."""
    marker = {"color": [1], "coloraxis": "coloraxis"}
    return {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "marker": marker, "hoverinfo": "skip"}


def nothing(x: float | None = 0, y: float | None = 0, **attributes: Any) -> Json:
    """Stands where a chart has nothing to draw: a figure without traces has no axes."""
    return {"type": "scatter", "mode": "markers", "x": [x], "y": [y], "opacity": 0, "hoverinfo": "skip"} | attributes


def upright(x: float, **attributes: Any) -> Json:
    """A shape, not a trace: a straight line from the bottom of the figure to its top."""
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1} | attributes


def mode_of(x: Any) -> str:
    """A line needs two points; a run that ended at once has one."""
    return "lines+markers" if len(x) == 1 else "lines"


def hover_of(look: Look, hover: str) -> str:
    """A label with the network's name beside it."""
    return f"{hover}<extra>{look.name}</extra>"
