"""How does what was predicted compare with what was measured?

One axis: the treated network's value as a multiple of the patient's, on a log scale, cut into less, about the same and
more.  A bar reaches over the predicted part; below it the measured value is marked, its multiple beside it.
"""

import math
import textwrap

from pages.charts.style.annotations import words
from pages.charts.style.axes import axis
from pages.charts.style.figure import TICK_SIZE, TREATED, AnimatedFigure, Json
from pages.charts.style.traces import marks
from pages.text.labels import number
from pages.text.outcome_measures import Measure

PLOT, ABOVE, BELOW, BESIDE = 64, 26, 30, 16  # px of the plot, and of its margins; a label reaches past the axis
LINE, LINE_CHARACTERS = 18, 34  # of the axis' title
WIDEST, LEAST_DECADES = 12.0, 0.5  # powers of ten from the middle to an edge; beyond the widest stands at the edge
SAID, MEASURED = 0.74, 0.28  # heights of the rows, and of the bar, as shares of the plot
BAR = 0.3
PREDICTED, ALIKE = "rgba(128,128,128,0.45)", "rgba(128,128,128,0.16)"
TIMES_THE_PATIENTS = "times the patient’s".replace(" ", "\N{NO-BREAK SPACE}")
NAMES = {"less": "less", "same": "about the same", "more": "more"}
PLACES = {"less": (0, "left"), "same": (0.5, "center"), "more": (1, "right")}  # of the names, over the plot
WIDE = 0.3  # of the axis, that a part has to have for the words in it
LABELLED = 0.9  # of the way to the edge, within which a label has its room
MOST_DIGITS, LARGEST = 3, 308  # powers of ten from which a multiple is written as one, and that a float has
BESIDE_MARK = 13  # px from the mark to its words


def figure(measure: Measure, predicted: str, patient: float, treated: float) -> AnimatedFigure:
    """The figure for the values of patient and treated network; predicted: one of outcome_measures.DIRECTIONS."""
    decades, clear = _decades(measure, patient, treated), math.log10(measure.clear)
    at = 0.0 if math.isnan(decades) else max(min(decades, WIDEST), -WIDEST)
    edge = max(1.25 * abs(at), 3 * clear, LEAST_DECADES)
    parts = {"less": (-edge, -clear), "same": (-clear, clear), "more": (clear, edge)}
    low, high = parts[predicted]
    shapes = [_box(low, high, SAID - BAR / 2, SAID + BAR / 2, PREDICTED), _box(-clear, clear, 0, 1, ALIKE)]
    side = "right" if at > 0 else "left"  # of the words that ends at the mark: those lie towards the middle
    measured = f"measured <b>{_times(decades)}</b>"
    texts = [
        *(words(NAMES[part], x, 1, anchor, "bottom") for part, (x, anchor) in PLACES.items()),
        words(measured, at, MEASURED, side, "middle", xref="x", xshift=-BESIDE_MARK if at > 0 else BESIDE_MARK),
        words("you said", (low + high) / 2, SAID, "center", "middle", xref="x")
        if high - low > WIDE * 2 * edge
        else words("you said", high, SAID, "left", "middle", xref="x", xshift=4),
    ]
    ticks = _ticks(edge)
    lines = textwrap.wrap(f"{_named(measure)}, {TIMES_THE_PATIENTS}", LINE_CHARACTERS)
    below = BELOW + LINE * len(lines)
    title = {"text": "<br>".join(lines), "standoff": 6, "font": {"size": TICK_SIZE}}
    x = {"range": [-edge, edge], "tickvals": ticks, "ticktext": [_times(tick) for tick in ticks], "tickangle": 0}
    layout = {
        "height": ABOVE + PLOT + below, "margin": {"t": ABOVE, "b": below, "l": BESIDE, "r": BESIDE, "pad": 0},
        "shapes": shapes, "annotations": texts, "xaxis": x | {"title": title},
        "yaxis": axis("", visible=False, range=[0, 1], fixedrange=True),
    }  # fmt: skip
    mark = marks([at], [MEASURED], "measured", cliponaxis=False, showlegend=False, **TREATED.marker(15))
    return AnimatedFigure([mark], layout)


def alt(measure: Measure, predicted: str, patient: float, treated: float) -> str:
    """Both in words."""
    decades = _decades(measure, patient, treated)
    times = number(math.inf if decades > LARGEST else 10.0**decades)
    return f"You said: {NAMES[predicted]}. Measured, as a multiple of the patient’s value: {times}."


def _named(measure: Measure) -> str:
    """The measure in so few words as tell it from others: sentences explain it after a comma."""
    return measure.name.removeprefix("the ").partition(",")[0]


def _decades(measure: Measure, patient: float, treated: float) -> float:
    """Powers of ten from the patient's value to the treated network's; infinite, or NaN, where the multiple is."""
    before, after = max(patient, measure.least), max(treated, measure.least)
    if math.isnan(before) or math.isnan(after):
        return math.nan
    if before == after:
        return 0.0
    if before <= 0 or math.isinf(after):
        return math.inf
    if after <= 0 or math.isinf(before):
        return -math.inf
    return math.log10(after) - math.log10(before)


def _ticks(edge: float) -> list[float]:
    """The patient's value, and one round multiple to either side, as far out as has room for its label."""
    most = LABELLED * edge
    far = float(math.floor(most)) if most >= 1 else math.log10(max(n for n in (1.5, 2, 3, 5) if n <= 10**most))
    return [-far, 0.0, far]


def _times(decades: float) -> str:
    """The multiple, short enough for an axis."""
    if not math.isfinite(decades):
        return {math.inf: "∞×", -math.inf: "0×"}.get(decades, "not defined")
    if abs(decades) < MOST_DIGITS:
        return f"{number(10.0**decades)}×"
    return f"10<sup>{decades:.0f}</sup>×".replace("-", "−")


def _box(left: float, right: float, low: float, high: float, color: str) -> Json:
    place = {"xref": "x", "yref": "paper", "x0": left, "x1": right, "y0": low, "y1": high}
    return {"type": "rect", **place, "fillcolor": color, "line": {"width": 0}, "layer": "below"}
