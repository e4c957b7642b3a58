"""What every chart has in common: frames that cost next to nothing, and one look.

A chart builder describes its traces, layout and frames as plain dicts and returns an `AnimatedFigure`:

    steps = history.frame_step
    return AnimatedFigure(
        data=[{"type": "scatter", "x": layers, "name": PATIENT.name, **PATIENT.line(), **PATIENT.marker()}],
        layout={"xaxis": axis("layer"), "yaxis": log_axis("rms ∂L/∂z", rms)},
        frames=moving(steps, {0: {"y": rms}}),
    )

Axes are made in axes.py, the words around the panels in annotations.py.  Ranges of moving charts are fixed over all
frames, so that the eye compares heights and not axes.
"""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import orjson
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

from pages.charts.style.tokens import LIGHT

Json = dict[str, Any]
Array = np.ndarray


class Chart(Protocol):
    """What a module of pages/charts has that draws a figure, of a patient and a treated run, of one run, or of many.

    figure, alt and table take the same arguments: the figure, what it shows in words with numbers, and its data.
    Those that compare any number of networks take `looks` as well, one for each.
    """

    __name__: str
    TITLE: str
    QUESTION: str  # that the chart answers
    HOW_TO_READ: str  # in two to four plain sentences: what the axes are, what to look for, what healthy looks like

    @property
    def figure(self) -> Callable[..., "AnimatedFigure"]: ...
    @property
    def alt(self) -> Callable[..., str]: ...
    @property
    def table(self) -> Callable[..., pd.DataFrame]: ...


class SweepChart(Chart, Protocol):
    """A chart of many runs, which also says in a paragraph what came of them."""

    NEEDS: str  # what it can be measured for; "": every network

    @property
    def says(self) -> Callable[..., str]: ...


@dataclass(frozen=True)
class Look:
    """How a network is drawn, everywhere: never by colour alone.

    key: by which the page's scripts know it; weight: of its lines, 1 for one that is looked at.
    """

    name: str
    color: str
    dash: str
    symbol: str
    key: str
    weight: float = 1.0

    def line(self, width: float = 3) -> Json:
        """Trace attributes of a line of this network."""
        return {"line": {"color": self.color, "dash": self.dash, "width": self.weight * width}}

    def marker(self, size: float = 9) -> Json:
        """Trace attributes of the markers of this network."""
        return {"marker": {"color": self.color, "symbol": self.symbol, "size": size}}


# Vermillion and blue of Okabe and Ito's palette for all kinds of colour vision (2008).  Contrast is at least 3.6 on
# white and on a near-black page; 3 is what WCAG 2.1, 1.4.11 asks of graphics.
PATIENT = Look("Patient", LIGHT["patient"], "solid", "circle", "patient")
TREATED = Look("Treated", LIGHT["treated"], "dash", "diamond", "treated")
LOOKS = (PATIENT, TREATED)
LOOK_OF = {look.name: look for look in LOOKS}
NEUTRAL = LIGHT["neutral"]  # what belongs to neither network

# Depth in the network, first layer to last: lightness rises steadily (OKLCH .51 to .66), hue runs from violet over
# teal to olive, so the order survives without red-green vision, and every colour has contrast 3 on white and on black.
DEPTH_COLORS = ("#7a52a0", "#5f66b1", "#3f7bb3", "#2a8ca5", "#3b978a", "#65996a", "#8f9850")

# Size of a quantity in a map: perceptually uniform, and readable without red-green vision.
MAGNITUDE_SCALE = "Viridis"

# Readable from the back of a lecture hall at 1440 px, and still narrow enough for axis labels at 390 px.
FONT_SIZE = 15
TICK_SIZE = 14

HEIGHT = 340

# For Plotly.js: the page keeps the wheel and the finger for scrolling, and chart.js has buttons of its own, since
# Plotly's lie over legends and titles.
CONFIG: Json = {"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}

# Of traces; the page's Plotly.js knows no others.
KINDS = "bar", "box", "contour", "heatmap", "scatter"

COLUMNS = ((0.0, 0.475), (0.525, 1.0))  # patient and treated side by side; the ends of their axes do not touch

# What an axis as described also says, for chart.js; in the figure it is in layout.meta.
LAYERS_OF = "layers_of"  # whose layers it has: meta.layer_axes
DARK_SCALE = "dark_scale"  # its colours on a dark page: meta.dark_scales
_FOR_SCRIPT = {LAYERS_OF: "layer_axes", DARK_SCALE: "dark_scales"}

# The typed arrays that Plotly.js reads, by NumPy's code without byte order, which is little-endian everywhere.
_TYPED_ARRAYS = frozenset({"i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"})
SMALLEST, LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)

_AXIS_LOOK: Json = {
    "tickfont": {"size": TICK_SIZE},
    "title": {"font": {"size": FONT_SIZE}, "standoff": 12},
    "automargin": True,
    "ticklabeloverflow": "allow",  # hiding what overflows takes Plotly a twelfth of its time, and nothing does
    "zeroline": False,
}

_COLOR_AXIS_LOOK: Json = {
    "colorscale": MAGNITUDE_SCALE,
    "colorbar": {
        "thickness": 14,
        "len": 1,
        "y": 0.5,
        "xpad": 6,
        "tickfont": {"size": TICK_SIZE},
        "title": {"side": "right", "font": {"size": FONT_SIZE}},
    },
}

# Colours of text, grid and paper are left open: the page's light or dark theme fills them in.  The empty template keeps
# Plotly's own default (3 kB a figure) from being sent.
_LAYOUT_LOOK: Json = {
    "template": {},
    "height": HEIGHT,
    "margin": {"l": 0, "r": 8, "t": 36, "b": 0, "pad": 4},
    "font": {"size": TICK_SIZE},
    "legend": {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "font": {"size": TICK_SIZE},
        "itemwidth": 40,
    },
    "hoverlabel": {"font": {"size": TICK_SIZE}},
    "dragmode": False,
}


class AnimatedFigure:
    """A Plotly figure as plain dicts, frames included, which wears the common look.

    data: traces; layout: laid over the common look; frames: what `frame` returns, steps ascending.
    The base figure shows the last frame: the end of the run, the timeline's first position.  Every frame must set the
    same attributes of the same traces, since the timeline jumps from any frame to any other; ValueError otherwise.

    Plotly's own objects take as long to build as a run takes to train, and are made only where somebody asks: `data`
    and `layout` as Plotly has them, and `validate`, for tests and notebooks.  Arrays travel as base64, float64
    shortened to float32 where its range allows.
    """

    def __init__(self, data: Sequence[Json] = (), layout: Mapping[str, Any] | None = None, frames: Iterable[Json] = ()):
        frames = tuple(frames)
        _check_frames(frames)
        traces, look = [dict(trace) for trace in data], _with_look(layout or {})
        if frames:
            for index, part in zip(frames[-1]["traces"], frames[-1]["data"], strict=True):
                traces[index] = merged(traces[index], part)
            look = merged(look, frames[-1].get("layout", {}))
        self._data, self._layout, self._frames = traces, look, frames

    @cached_property
    def _plotly(self) -> go.Figure:
        return go.Figure(self._data, self._layout, _validate=False)

    @property
    def data(self) -> Any:
        """The traces as Plotly's objects."""
        return self._plotly.data

    @property
    def layout(self) -> Any:
        """The layout as Plotly's object."""
        return self._plotly.layout

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self._data

    @property
    def frames(self) -> tuple[Json, ...]:
        """The frames as given: name, traces, data and, where a frame moves the layout, layout."""
        return self._frames

    @property
    def steps(self) -> list[int]:
        """Training steps that have a frame, ascending."""
        return [int(frame["name"]) for frame in self._frames]

    def to_json(self) -> bytes:
        """The figure as Plotly's JSON schema has it, arrays encoded."""
        figure = {"data": self._data, "layout": self._layout} | ({"frames": self._frames} if self._frames else {})
        return orjson.dumps(figure, default=_encoded)

    def to_dict(self) -> Json:
        """The same as a dict."""
        return orjson.loads(self.to_json())

    def validate(self) -> go.Figure:
        """The same figure through Plotly's validation, frames included.  Slow.

        ValueError where it is invalid, or has a trace of a kind that the page's Plotly.js does not know.
        """
        figure = self.to_dict()
        types = [
            trace["type"] for trace in self._data
        ]  # the browser knows a trace by its place, the validator by its type
        if unknown := set(types) - set(KINDS):
            raise ValueError(f"a trace must be one of {', '.join(KINDS)}, not {', '.join(unknown)}")
        figure["frames"] = [
            one
            | {"data": [{"type": types[index]} | part for index, part in zip(one["traces"], one["data"], strict=True)]}
            for one in figure.get("frames", [])
        ]
        return go.Figure(figure)

    def with_meta(self, **meta: Any) -> "AnimatedFigure":
        """The same figure, which tells chart.js these things in layout.meta.  Shares the arrays."""
        figure = AnimatedFigure()
        figure._data, figure._frames = self._data, self._frames
        figure._layout = merged(self._layout, {"meta": meta})
        return figure


def frame(step: int, traces: Mapping[int, Json] | None = None, layout: Mapping[str, Any] | None = None) -> Json:
    """What changes in a figure at a training step.

    traces: trace index -> the attributes that move, only those; layout: the part of the layout that moves.
    """
    traces = traces or {}
    return {"name": str(int(step)), "traces": list(traces), "data": list(traces.values())} | (
        {"layout": dict(layout)} if layout else {}
    )


def moving(steps: Sequence[int], moves: Mapping[int, Json]) -> list[Json]:
    """A frame a step, in which traces move.

    moves: trace index -> attributes; instead of a value each has one for every step (an array's first axis, or a list).
    """
    moves = {index: _compacted(part) for index, part in moves.items()}  # one long array takes less time than many short
    return [frame(step, {index: at_step(part, k) for index, part in moves.items()}) for k, step in enumerate(steps)]


def at_step(part: Mapping[str, Any], k: int) -> Json:
    """Attributes that move, as `moving` gets them, at the k-th step."""
    return {name: at_step(value, k) if isinstance(value, Mapping) else value[k] for name, value in part.items()}


def step_line(step: int, row: str = "y domain", column: str = "x", low: float = 0, high: float = 1) -> list[Json]:
    """Shapes that mark a training step on an axis of steps: frame(step, layout={"shapes": step_line(step)}).

    low, high: its ends, as shares of the row.  A light line within a dark one reads on a pale page, on a dark one, and
    on every colour of a map.
    """
    line = {"type": "line", "xref": column, "yref": row, "x0": step, "x1": step, "y0": low, "y1": high}
    return [line | {"line": {"color": "#111111", "width": 5}}, line | {"line": {"color": "#ffffff", "width": 2}}]


def step_lines(
    steps: Iterable[int], row: str = "paper", columns: Sequence[tuple[str, float, float]] = (("x", 0, 1),)
) -> list[Json]:
    """Frames that move the `step_line` and nothing else, on each of these axes of steps, from there to there."""
    return [
        frame(step, layout={"shapes": [shape for column in columns for shape in step_line(step, row, *column)]})
        for step in steps
    ]


def depth_colors(layers: int) -> list[str]:
    """One colour a layer along the ramp of depth, first layer to last."""
    stops = np.array([hex_to_rgb(color) for color in DEPTH_COLORS], float)
    places = np.linspace(0, len(stops) - 1, layers)
    channels = [np.interp(places, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    return [f"#{round(red):02x}{round(green):02x}{round(blue):02x}" for red, green, blue in zip(*channels, strict=True)]


def compact(array: np.ndarray) -> np.ndarray:
    """The same picture in fewer bytes: float64 as float32 where its numbers fit, integers as short as they can be."""
    if array.dtype.kind in "iu" and array.itemsize > 2 and array.size:
        return array.astype(np.promote_types(np.min_scalar_type(array.min()), np.min_scalar_type(array.max())))
    if array.dtype != np.float64 or not array.size:
        return array
    size = np.abs(array)
    smallest, largest = np.fmin.reduce(size, axis=None), np.fmax.reduce(size, axis=None)
    if not (smallest > 0 and largest < np.inf):  # zeros and what is not finite fit always
        size = size[np.isfinite(size) & (size > 0)]
        smallest, largest = size.min(initial=1), size.max(initial=1)
    return array.astype(np.float32) if smallest >= SMALLEST and largest <= LARGEST else array


def _compacted(part: Mapping[str, Any]) -> Json:
    values = {name: _compacted(value) if isinstance(value, Mapping) else value for name, value in part.items()}
    return {name: compact(value) if isinstance(value, np.ndarray) else value for name, value in values.items()}


def merged(base: Mapping[str, Any], part: Mapping[str, Any]) -> Json:
    """base with part laid over it, dicts within dicts merged, everything else replaced."""
    both = dict(base)
    for name, value in part.items():
        mine = both.get(name)
        both[name] = merged(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return both


def _with_look(layout: Mapping[str, Any]) -> Json:
    for name, meta in _FOR_SCRIPT.items():
        said = {axis: part[name] for axis, part in layout.items() if "axis" in axis and name in part}
        if said:
            layout = {axis: _without(part, name) if axis in said else part for axis, part in layout.items()}
            layout["meta"] = layout.get("meta", {}) | {meta: said}
    looks = {"xaxis": _AXIS_LOOK, "yaxis": _AXIS_LOOK, "coloraxis": _COLOR_AXIS_LOOK}
    axes = {name: merged(looks[kind], layout[name]) for name in layout if (kind := name.rstrip("0123456789")) in looks}
    return merged(merged(_LAYOUT_LOOK, {"xaxis": _AXIS_LOOK, "yaxis": _AXIS_LOOK}), {**layout, **axes})


def _without(part: Mapping[str, Any], name: str) -> Json:
    return {key: value for key, value in part.items() if key != name}


def _check_frames(frames: Sequence[Json]) -> None:
    steps = [int(frame["name"]) for frame in frames]
    if steps != sorted(set(steps)):
        raise ValueError("Frames must have ascending, distinct steps.")
    for one in frames:
        if _attributes(one) != _attributes(frames[0]):
            raise ValueError(f"Frame {one['name']} sets other attributes than frame {frames[0]['name']}.")


def _attributes(one: Json) -> tuple:
    return one["traces"], [part.keys() for part in one["data"]], one.get("layout", {}).keys()


def _encoded(value: Any) -> Any:
    """What JSON has no word for: arrays, as Plotly.js reads them, and NumPy's scalars."""
    if not isinstance(value, np.ndarray):
        return value.item()
    array = compact(value)
    code = array.dtype.str[1:]
    if code not in _TYPED_ARRAYS or not array.size:
        return value.tolist()
    typed = {"dtype": code, "bdata": base64.b64encode(array.tobytes()).decode("ascii")}
    return typed | {"shape": ", ".join(map(str, array.shape))} if array.ndim > 1 else typed
