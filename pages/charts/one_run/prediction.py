"""How does what was predicted compare with what was measured?

One axis: the treated network's value as a multiple of the patient's, on a log scale, cut into less, about the same and
more.  The predicted part is shaded, the measured value is marked.
"""

import math

from pages.charts.style.axes import axis
from pages.charts.style.figure import NEUTRAL, TREATED, AnimatedFigure, Json
from pages.text.labels import number
from pages.text.outcome_measures import Measure

HEIGHT = 140
WIDEST, LEAST_DECADES = 12.0, 0.5  # powers of ten from the middle to an edge; beyond the widest stands at the edge
SHADE = "rgba(128,128,128,0.28)"
NAMES = {"less": "less", "same": "about the same", "more": "more"}


def figure(measure: Measure, predicted: str, patient: float, treated: float) -> AnimatedFigure:
    """The figure for the values of patient and treated network; predicted: one of outcome_measures.DIRECTIONS."""
    decades, clear = _decades(measure, patient, treated), math.log10(measure.clear)
    edge = max(min(abs(decades), WIDEST) * 1.25, 3 * clear, LEAST_DECADES)
    parts = {"less": (-edge, -clear), "same": (-clear, clear), "more": (clear, edge)}
    low, high = parts[predicted]
    shapes: list[Json] = [
        {"type": "rect", "xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1, "fillcolor": SHADE,
         "line": {"width": 0}, "layer": "below"},
        *({"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
           "line": {"width": 1, "color": NEUTRAL, "dash": "dot"}} for at in (-clear, clear)),
    ]  # fmt: skip
    names = [
        {"x": (start + end) / 2, "y": 1.02, "xref": "x", "yref": "paper", "yanchor": "bottom", "showarrow": False,
         "text": f"<b>{NAMES[part]}: you said</b>" if part == predicted else NAMES[part]}
        for part, (start, end) in parts.items()
        if part == predicted or part != "same" or 4 * clear > edge
    ]  # fmt: skip
    measured = {
        "type": "scatter", "x": [max(min(decades, edge), -edge)], "y": [0.5], "mode": "markers", "showlegend": False,
        "name": "measured", "hovertemplate": f"measured: {_times(decades)}<extra></extra>", "cliponaxis": False,
        **TREATED.marker(16),
    }  # fmt: skip
    powers = range(-math.floor(edge), math.floor(edge) + 1)
    ticks = [float(power) for power in powers if len(powers) <= 7 or power % 3 == 0]
    ticks = ticks if len(ticks) > 1 else [-clear, 0.0, clear]
    x = axis(
        "treated over patient", range=[-edge, edge], tickvals=ticks, ticktext=[_tick(at) for at in ticks],
    )  # fmt: skip
    layout = {
        "height": HEIGHT, "margin": {"t": 26, "b": 0, "l": 8, "r": 8}, "xaxis": x, "shapes": shapes,
        "annotations": names,
        "yaxis": axis("", visible=False, range=[0, 1], fixedrange=True),
    }  # fmt: skip
    return AnimatedFigure([measured], layout)


def alt(measure: Measure, predicted: str, patient: float, treated: float) -> str:
    """Both in words."""
    times = number(10.0 ** _decades(measure, patient, treated))
    return f"You said: {NAMES[predicted]}. Measured: the treated network has {times} times the patient’s value."


def _decades(measure: Measure, patient: float, treated: float) -> float:
    """Powers of ten from the patient's value to the treated network's; 0 where neither is a number."""
    before, after = max(patient, measure.least), max(treated, measure.least)
    if before == after or math.isnan(before) or math.isnan(after):
        return 0.0
    if before <= 0 or math.isinf(after):
        return WIDEST
    if after <= 0 or math.isinf(before):
        return -WIDEST
    return math.log10(after) - math.log10(before)


def _tick(decades: float) -> str:
    """The same short enough for an axis."""
    return _times(decades) if abs(decades) < 3 else f"10<sup>{decades:.0f}</sup>"


def _times(decades: float) -> str:
    return f"{number(10.0**decades)}×"
