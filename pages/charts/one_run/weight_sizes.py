"""How large are the weights, and how many of them are next to nothing?

The share of all weights, biases left out, that are smaller than a size, against that size, at the current step.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import ABOVE, captioned, endings, footnotes, more_above
from pages.charts.style.axes import axis, log_axis
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import HEIGHT, LOOKS, NEUTRAL, AnimatedFigure, Array, Json, Look, merged, moving
from pages.charts.style.traces import THICK, THIN, hover_of, line, stroke, trace, upright
from pages.text.clock import latest_at, thinned, timeline_steps
from pages.text.labels import number, percent

TITLE = "Sizes of the weights"
QUESTION = "How large are the weights, and how many of them are next to nothing?"
HOW_TO_READ = (
    "From left to right weights count as larger; the height says what share of all weights is smaller than that. "
    "The number is the share that is as good as zero. A penalty moves the curve to the left; L1 makes many weights "
    "nearly zero."
)

NOTHING = 1e-3  # a weight below counts as zero
SMALLEST, LARGEST = 1e-6, 1e6  # of the axis
POINTS = 8  # of a curve, a decade
TABLE_SIZES = 10.0 ** np.arange(-6, 3)
MOST_WEIGHTS, FEWEST_FRAMES = 2_000_000, 12  # weights counted over all frames: large networks move in fewer frames
BESIDE = "top left"  # of its point a rising curve leaves room for a number
APART = 12  # per cent between two points whose numbers both stand there
KEY = "The further left a curve, the smaller the weights. Mark: share below 10⁻³, as good as zero."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """A curve a network that rises from 0 to 100 %, and its height at 10⁻³ in figures."""
    counted = sum(weights[0].size for history in histories for weights in history.weights)
    steps = thinned(timeline_steps(*histories), max(FEWEST_FRAMES, MOST_WEIGHTS // counted))
    largest = max(float(np.abs(weights).max()) for history in histories for weights in history.weights)
    top = float(np.clip(largest, 1.0, LARGEST))
    sizes = np.logspace(np.log10(SMALLEST), np.log10(top), round(POINTS * np.log10(top / SMALLEST)) + 1)
    traces: list[Json] = []
    moves: dict[int, Json] = {}
    frames = [latest_at(history.frame_step, steps).tolist() for history in histories]
    tinies = [
        100 * _shares_below(history, places, np.array([NOTHING]))
        for history, places in zip(histories, frames, strict=True)
    ]
    close = (np.ptp(tinies, axis=0)[:, 0] < APART) & (len(histories) == 2)
    mode = "markers+text" if len(histories) <= 2 else "markers"  # the numbers of more lie on each other
    for look, history, places, tiny in zip(looks, histories, frames, tinies, strict=True):
        shares = 100 * _shares_below(history, places, sizes)
        hover, name = hover_of(look, "below %{x:.2~e}: %{y:.0f} %"), f"{look.name} below 10⁻³"
        text: Json = {"textfont": {"size": 15}, "showlegend": False, "cliponaxis": False}
        moves[len(traces)] = {"y": shares}
        moves[len(traces) + 1] = {
            "y": tiny,
            "text": [[percent(share / 100)] for share in tiny[:, 0]],
            "textposition": ["top right" if look is looks[0] and both else BESIDE for both in close.tolist()],
        }
        traces += [
            line(sizes, None, look.name, hover, **look.line(THICK)),
            trace(mode, [NOTHING], None, name, None, **text, **look.marker(11)),
        ]
    more = more_above(len(histories))
    layout: Json = {
        "margin": {"t": ABOVE + more},
        "xaxis": log_axis("size of a weight, |w|", sizes),
        "yaxis": axis("weights below it (%)", range=[-4, 104]),
        "shapes": [upright(NOTHING, yref="paper", xref="x", **stroke(NEUTRAL, THIN, "dot"))],
        "hovermode": "closest",
    }
    notes = footnotes(_notes(histories, looks, largest), HEIGHT + more)
    return captioned(
        TITLE,
        AnimatedFigure(traces, merged(layout, notes), moving(steps, moves)),
        *histories,
        looks=looks,
    )


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """The median size, the largest, and the share below 10⁻³ of the networks' weights at the end."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, frame and size: the share of the weights below it."""

    def columns(history: RunHistory) -> Columns:
        n_frames = len(history.frame_step)
        return {
            STEP: np.repeat(history.frame_step, len(TABLE_SIZES)),
            "size |w|": np.tile(TABLE_SIZES, n_frames),
            "weights below it (share)": _shares_below(history, range(n_frames), TABLE_SIZES).ravel(),
        }

    return table_of(histories, looks, columns)


def _shares_below(history: RunHistory, frames: Sequence[int], sizes: Array) -> Array:
    """Share of all weights with |w| < size, (frames, sizes)."""
    kept, where = np.unique(frames, return_inverse=True)
    counts = np.zeros((len(kept), len(sizes)))
    n_weights = 0
    for weights in history.weights:
        n_weights += weights[0].size
        for row, frame_of_layer in enumerate(weights[kept]):
            places = np.searchsorted(sizes, np.abs(frame_of_layer).ravel(), side="right")
            counts[row] += np.bincount(places, minlength=len(sizes) + 1)[:-1].cumsum()
    return (counts / n_weights)[where]


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look], largest: float) -> list[str]:
    notes = [KEY]
    if largest > LARGEST:
        notes.append(f"The largest weight, {number(largest)}, is beyond this axis.")
    return notes + endings(histories, looks)


def _sentence(look: Look, history: RunHistory) -> str:
    last = len(history.frame_step) - 1
    sizes = np.concatenate([np.abs(weights[last]).ravel() for weights in history.weights])
    tiny = _shares_below(history, [last], np.array([NOTHING]))[0, 0]
    return (
        f"{look.name}: at step {history.frame_step[-1]} the median size of its {sizes.size:,} weights is "
        f"{number(float(np.median(sizes)))} and the largest {number(float(sizes.max()))}; {percent(float(tiny))} are "
        f"below 10⁻³, as good as zero."
    )
