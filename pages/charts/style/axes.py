"""The axes of a chart, and its marks so far as they depend on them: as large as fit, and where a value has no place.

An axis is the part of a layout that describes it: layout["xaxis"], layout["yaxis2"], layout["coloraxis"].
"""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import RunHistory
from pages.charts.style.figure import DEPTH_COLORS, LAYERS_OF, PATIENT, TICK_SIZE, Json, Look, merged
from pages.text.labels import loss_unit, number

# Plotly draws labels in powers larger by this factor.
_POWER_LABELS = 1.25

_MOST_DECADE_LABELS = 7
_MOST_LAYER_LABELS = 12  # side by side at 390 px
_SIDE_BY_SIDE = 36  # characters below a chart of 314 px, of three side by side at 1280 px
_TICK_LINE = 19  # px

LOG_FROM_DECADES = 1.5  # a loss that falls further than this is a line along the bottom of a linear axis
_LOSS_LABELS = 5  # that stay apart in a panel of half a chart's height
_LOSS_AIR = 0.15  # decades
REACH = 100.0


def axis(title: str, values: Any = None, **attributes: Any) -> Json:
    """A linear axis; with values, its range spans them (non-finite ones left out) with a little air."""
    finite = _finite(values)
    spanned: Json = {}
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
        air = (0.05 * high - 0.05 * low) or 0.5 * abs(high) or 0.5
        spanned = {"range": [low - air, high + air]}
    return merged({"title": {"text": title}} | spanned, attributes)


def named_ticks(places: Sequence[Any], names: Sequence[str]) -> tuple[Json, int]:
    """What of an axis names places side by side, in lines cut where there is no room; and px for more than one line.

    A name has two lines at most, broken at "\\n" where it has one.
    """
    room = max(_SIDE_BY_SIDE // max(len(names), 1) - 1, 4)
    lines = [
        name.split("\n") if "\n" in name else textwrap.wrap(name, room, break_long_words=False)[:2] for name in names
    ]
    texts = ["<br>".join(shortened(part, room) for part in parts) for parts in lines]
    more = max(map(len, lines), default=1) - 1
    return {"tickvals": list(places), "ticktext": texts, "tickangle": 0}, _TICK_LINE * more


def shortened(name: str, room: int) -> str:
    """A name in so many characters, its first and its last ones: "grower 2" is "grow… 2"; "…" is as wide as two."""
    return name if len(name) <= max(room, 4) + 1 else f"{name[: max(room - 3, 1)]}…{name[-2:]}"


def log_axis(title: str, values: Any = None, labels: int = _MOST_DECADE_LABELS, **attributes: Any) -> Json:
    """A logarithmic axis that is labelled at powers of ten, and only there.

    values: everything that will be drawn on it over all frames; zeros and non-finite values have no place on the axis
    and are left out.  The range is whole decades.  labels: the most that stay apart in the axis' height.
    """
    finite = _finite(values)
    positive = np.log10(finite[finite > 0])
    spanned: Json = {"dtick": 1}
    if values is not None:
        positive = positive if positive.size else np.zeros(1)
        low, high = math.floor(positive.min() + 1e-9), math.ceil(positive.max() - 1e-9)
        high = max(high, low + 1)
        # A little air hides no point behind the frame and adds no label.
        air = max(0.2, 0.03 * (high - low))
        spanned = {"range": [low - air, high + air], "dtick": math.ceil((high - low) / labels), "tick0": 0}
    look = {"type": "log", "exponentformat": "power", "tickfont": {"size": TICK_SIZE / _POWER_LABELS}}
    return merged(look | {"title": {"text": title}} | spanned, attributes)


def loss_axis(title: str, losses: Any, levels: Sequence[float] = (), medians: Any = None, **attributes: Any) -> Json:
    """An axis for losses: linear while they are of one size, logarithmic, labelled 1, 2, 5, 10, where they span more.

    Those that are not finite, or 0 on a log axis, are left out.  levels: losses to compare with, which are on the axis
    too and do not decide what kind it is.  medians: losses further from them than the factor REACH are left out too,
    which would flatten the others.
    """
    curves = np.asarray(losses, float).ravel()
    middle = np.asarray([] if medians is None else medians, float)
    middle = middle[np.isfinite(middle) & (middle > 0)]
    if middle.size:
        curves = curves[(curves >= middle.min() / REACH) & (curves <= middle.max() * REACH)]
    values = np.append(curves, levels)
    positive = curves[np.isfinite(curves) & (curves > 0)]
    if not positive.size or np.ptp(np.log10(positive)) <= LOG_FROM_DECADES:
        return axis(title, values, **attributes)
    decades = np.log10(values[np.isfinite(values) & (values > 0)])
    # closer than whole decades, which would leave half of a small panel empty
    span = [float(decades.min()) - _LOSS_AIR, float(decades.max()) + _LOSS_AIR]
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**k for k in range(math.floor(span[0]), math.ceil(span[1])) for step in steps]
        ticks = [tick for tick in ticks if span[0] <= math.log10(tick) <= span[1]]
        if len(ticks) <= _LOSS_LABELS:
            return _labelled(title, span, ticks, [_power(tick) for tick in ticks], **attributes)
    return log_axis(title, values, _LOSS_LABELS, range=span, **attributes)


def size_axis(title: str, sizes: Sequence[int]) -> Json:
    """An axis of whole numbers in powers of two of the smallest size."""
    smallest, largest = (sizes[0], sizes[-1]) if sizes else (1, 1)
    ticks = [smallest * 2**power for power in range(int(math.log2(largest / smallest)) + 1)]
    low, high = math.log10(smallest), math.log10(largest)
    air = 0.05 * (high - low) or 0.1
    return _labelled(title, [low - air, high + air], ticks, [str(tick) for tick in ticks])


def _labelled(title: str, span: list[float], ticks: Sequence[float], labels: list[str], **attributes: Any) -> Json:
    """A log axis over these decades whose labels are plain text, and so as large as those of other axes."""
    plain: Json = {"range": span, "tickvals": ticks, "ticktext": labels, "tickfont": {"size": TICK_SIZE}}
    return log_axis(title, **plain, **attributes)


def _power(tick: float) -> str:
    """0.002 and 20 as they are; 10⁻⁵ where zeros would have to be counted."""
    exponent = math.floor(math.log10(tick) + 1e-9)
    if -4 < exponent < 5:
        return number(tick)
    mantissa = round(tick / 10.0**exponent)
    return (f"{mantissa}·" if mantissa > 1 else "") + f"10<sup>{exponent}</sup>".replace("-", "−")


def loss_title(what: str, histories: Sequence[RunHistory]) -> str:
    """The title of an axis of losses, with their unit where it is one."""
    units = {loss_unit(history) for history in histories}
    return f"{what} ({units.pop()})" if len(units) == 1 else what


def ends(axis: Json) -> tuple[float, float]:
    """The lowest and the highest value that an axis shows."""
    low, high = axis.get("range", (0.0, 1.0))
    return (10.0**low, 10.0**high) if axis.get("type") == "log" else (low, high)


def layer_axis(
    *layers: int, output: bool = True, labels: int = _MOST_LAYER_LABELS, look: Look | None = None, **attributes: Any
) -> Json:
    """An axis of layers, counted from 1, on which the doctor's notes can have layers marked.

    layers: how many each network has; with output, the last of them is the output, and is labelled so where that is at
    the same place in every network.  labels: about the most that stay apart.  look: whose layers; else both's.
    """
    last = max(layers)
    every = next((step for step in (1, 2, 5) if last <= labels * step), 10)
    ticks = list(range(1, last + 1, every)) if every < 5 else [1, *range(every, last + 1, every)]
    names = [str(tick) for tick in ticks]
    title = "layer (1 = nearest the input)"
    if output and len(set(layers)) == 1:
        ticks = [*(tick for tick in ticks if tick <= last - every), last]
        names = [*map(str, ticks[:-1]), "out"]
    elif output:
        title = "layer (1 = nearest the input, last = output)"
    drawn = {"range": [0.5, last + 0.5], "tickvals": ticks, "ticktext": names, "tickangle": 0}
    whose = look.key if look else "both"
    return merged({"title": {"text": title}, LAYERS_OF: whose} | drawn, attributes)


def log_color_axis(title: str, values: Any, **attributes: Any) -> Json:
    """A colour axis for log10 of the values, labelled in powers of ten: layout["coloraxis"].

    Traces send z = log10 of their values (float32) and name "coloraxis", so that maps side by side share one scale.
    """
    finite = _finite(values)
    logs = np.log10(finite[finite > 0])
    low, high = (float(logs.min()), float(logs.max())) if logs.size else (-1.0, 0.0)
    high = max(high, low + 1)
    every = max(1, math.ceil((high - low) / _MOST_DECADE_LABELS))
    decades = [decade for decade in range(math.ceil(low), math.floor(high) + 1) if decade % every == 0]
    labels = [{0: "1", 1: "10"}.get(decade, f"10<sup>{decade}</sup>".replace("-", "−")) for decade in decades]
    bar = {"title": {"text": title}, "tickvals": decades, "ticktext": labels}
    return merged({"cmin": low, "cmax": high, "colorbar": bar}, attributes)


def depth_axis(layers: int, key: float) -> Json:
    """The colours of depth, explained by a bar below the panels."""
    every = max(1, -(-layers // _MOST_LAYER_LABELS))
    ticks = sorted({1, *range(every, layers + 1, every)} - ({2} if every == 2 else set()))
    scale = [[place / (len(DEPTH_COLORS) - 1), color] for place, color in enumerate(DEPTH_COLORS)]
    bar = key_bar("layer (1 = nearest the input)", ticks, list(map(str, ticks)), len=0.9, y=key)
    return {"cmin": 1, "cmax": max(layers, 2), "colorscale": scale, "colorbar": bar}


def key_bar(title: str, values: Sequence[float], labels: Sequence[str], **attributes: Any) -> Json:
    """The bar of a colour axis, lying below the panels, its title over it."""
    place = {"orientation": "h", "thickness": 12, "len": 0.8, "x": 0.5, "yanchor": "top", "ypad": 0}
    ticks = {"tickvals": list(values), "ticktext": list(labels)}
    return place | {"title": {"text": title, "side": "top"}} | ticks | attributes


def marker_size(points: int) -> float:
    """Of markers side by side at 390 px, so that as many as this stay apart."""
    return 9 if points <= 16 else 6 if points <= 30 else 5


def zero_marks(look: Look, **attributes: Any) -> Json:
    """A trace for values that are exactly 0 on a log axis, which has no place for them: marks on its lower edge.

    y is what `on_lower_edge` gives.
    """
    symbol = "triangle-down" if look is PATIENT else "triangle-down-open"
    mark = {"color": look.color, "symbol": symbol, "size": 12, "line": {"color": look.color, "width": 2}}
    common = {"type": "scatter", "mode": "markers", "name": look.name, "marker": mark, "showlegend": False}
    return common | {"cliponaxis": False, "hovertemplate": "exactly 0"} | attributes


def on_lower_edge(values: np.ndarray, log_axis: Json) -> np.ndarray:
    """Heights of `zero_marks`: just above the lower end of the axis where a value is 0, NaN elsewhere."""
    low, high = log_axis["range"]
    return np.where(values == 0, 10 ** (low + 0.04 * (high - low)), np.nan)


def _finite(values: Any) -> np.ndarray:
    array = np.asarray([] if values is None else values, float).ravel()
    return array[np.isfinite(array)]
