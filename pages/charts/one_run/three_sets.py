"""Do training, validation and test agree?

What each network's result achieves on its training data, on the validation data by which one chooses, and on the test
data, by which nothing is chosen.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import captioned, footnotes, marks_of
from pages.charts.style.axes import axis, loss_axis
from pages.charts.style.figure import LOOKS, AnimatedFigure, Json, Look, moving
from pages.charts.style.traces import hover_of, trace
from pages.text.clock import timeline_steps
from pages.text.labels import ending, number, percent
from pages.text.own_data import dataset_of
from pages.text.three_sets import SETS, Score, scores

TITLE = "Training, validation and test"
QUESTION = "Do training, validation and test agree?"
HOW_TO_READ = (
    "What the finished network achieves on three sets of examples. The whiskers are two standard errors: what lies "
    "within them may be chance. Healthy: validation and test agree, training is a little better. Validation far above "
    "the test has seen training examples; far below it, it comes from elsewhere or has other labels."
)

WHISKERS = 2.0  # standard errors
BESIDE = 0.06  # of a set's width: the networks stand side by side


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Accuracy, or loss as a share of the average answer's, of all networks on SETS; nothing moves."""
    drawn = [scores(history) for history in histories]
    values = np.array([[score.value for score in one] for one in drawn])
    accuracy = all(history.confusion is not None for history in histories)
    up = (
        axis("accuracy", range=[0, 1.08], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%")
        if accuracy
        else loss_axis(_loss_title(histories), values)
    )
    sides = [BESIDE * (2 * i + 1 - len(histories)) for i in range(len(histories))]
    traces = [_line(look, one, accuracy, side) for look, one, side in zip(looks, drawn, sides, strict=True)]
    layout: Json = {
        "xaxis": axis("", range=[-0.4, 2.4], tickvals=[0, 1, 2], ticktext=list(SETS)),
        "yaxis": up,
        "showlegend": False,
        "hovermode": "closest",
    }
    frames = moving(timeline_steps(*histories), {})
    drawn_figure = AnimatedFigure(traces, layout | footnotes(_notes(histories, looks)), frames)
    return captioned(TITLE, drawn_figure, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Each network's three numbers."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network and set."""
    rows = [
        {
            "network": look.name,
            "set": name,
            _measure(history): score.value,
            "standard error": score.error,
        }
        for look, history in zip(looks, histories, strict=True)
        for name, score in zip(SETS, scores(history), strict=True)
    ]
    return pd.DataFrame(rows)


def _measure(history: RunHistory) -> str:
    return "accuracy (share)" if history.confusion is not None else _loss_title((history,))


def _loss_title(histories: Sequence[RunHistory]) -> str:
    if any(dataset_of(history.experiment) is None for history in histories):
        return "loss"
    return "loss, as a share of the average’s"


def _line(look: Look, found: list[Score], accuracy: bool, side: float) -> Json:
    value = "%{y:.1%}" if accuracy else "%{y:.3g}"
    whiskers = [WHISKERS * score.error if math.isfinite(score.error) else 0.0 for score in found]
    bars = {"error_y": {"array": whiskers, "color": look.color, "thickness": 2, "width": 6}} if accuracy else {}
    x = [place + side for place in range(len(SETS))]
    y = [score.value if math.isfinite(score.value) else None for score in found]
    hover = hover_of(look, f"%{{customdata}}: {value}")
    return trace(
        "lines+markers", x, y, look.name, hover, customdata=list(SETS), **look.line(2), **look.marker(11), **bars
    )


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    notes = [marks_of(looks)]
    if any(history.confusion is not None for history in histories):
        notes.append("Whiskers: two standard errors.")
    for look, history in zip(looks, histories, strict=True):
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return [" ".join(notes[:2]), *notes[2:]]


def _sentence(look: Look, history: RunHistory) -> str:
    written = percent if history.confusion is not None else number
    what = "accuracy" if history.confusion is not None else _loss_title((history,))
    what += "," if "," in what else ""
    parts = ", ".join(
        f"{written(score.value) if math.isfinite(score.value) else 'not finite'} on {name} data"
        for name, score in zip(SETS, scores(history), strict=True)
    )
    return f"{look.name}: {what} {parts}."
