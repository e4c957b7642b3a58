"""Which classes does the network recognise?

Recall of each class, the share of its validation examples that are given that class, both networks, at the timeline's
step.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import BELOW_AXIS, captioned, footnotes
from pages.charts.style.axes import axis, named_ticks
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import HEIGHT, LOOKS, AnimatedFigure, Array, Json, Look, moving
from pages.charts.style.traces import hover_of, nothing
from pages.text.clock import rows_at, timeline_steps
from pages.text.labels import ending, percent
from pages.text.three_sets import class_names, recalls

TITLE = "Recall by class"
QUESTION = "Which classes does the network recognise?"
HOW_TO_READ = (
    "A pair of bars for each class: of the validation examples that belong to it, the share that the network gives "
    "that class. Healthy: all bars are high. One at 0 and one at 100 % is the same answer for everybody, which looks "
    "good in the accuracy where nearly everybody belongs to one class."
)

# So that not only colour tells the networks apart.
SHARE = ", "  # between the name of a class and its share
PATTERNS = {"": "Plain bars", "/": "Striped", ".": "Dotted", "x": "Crossed"}


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """A bar a network for each class, on the same axis; the timeline moves their heights."""
    steps = timeline_steps(*histories)
    traces: list[Json] = []
    moves: dict[int, Json] = {}
    classes = list(dict.fromkeys(label for history in histories if class_names(history) for label in _labels(history)))
    ticks, more = named_ticks(classes, [label.replace(SHARE, "\n") for label in classes])
    for look, pattern, history in zip(looks, PATTERNS, histories, strict=False):
        names = class_names(history)
        if not names:
            continue
        moves[len(traces)] = {"y": rows_at(history.frame_step, recalls(history), steps)}
        look_of_bar = {"color": look.color, "pattern": {"shape": pattern, "size": 8, "solidity": 0.6}}
        hover = hover_of(look, "%{x}: %{y:.0%}")
        traces.append({"type": "bar", "x": _labels(history), "name": look.name, "marker": look_of_bar})
        traces[-1] |= {"hovertemplate": hover}
    layout: Json = {
        "xaxis": axis("class, share of validation data", type="category", **ticks),
        "yaxis": axis("recall", range=[0, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%"),
        "showlegend": False,
        "bargap": 0.25,
        "hovermode": "closest",
    }
    notes = footnotes(_notes(histories, looks), HEIGHT + more, BELOW_AXIS + more)
    drawn = AnimatedFigure(traces or [nothing()], layout | notes, moving(steps, moves))
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Each class's recall at the end."""
    return " ".join(f"{look.name}: {_in_words(history)}." for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, frame and class."""

    def columns(history: RunHistory) -> Columns:
        names, values = class_names(history), recalls(history)
        return {
            STEP: np.repeat(history.frame_step, len(names)),
            "class": np.tile(np.array(names, dtype=object), len(values)),
            "recall, validation (share)": values.ravel(),
        }

    return table_of(histories, looks, columns)


def _counts(history: RunHistory) -> Array:
    assert history.confusion is not None
    return history.confusion[0].sum(axis=1)


def _labels(history: RunHistory) -> list[str]:
    counts, names = _counts(history), class_names(history)
    if len(names) > 4:
        return list(names)
    return [f"{name}{SHARE}{percent(float(n / counts.sum()))}" for name, n in zip(names, counts, strict=True)]


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    key = zip(PATTERNS.values(), looks, strict=False)
    notes = [" ".join(f"{bars}: {look.name.lower() if look in LOOKS else look.name}." for bars, look in key)]
    for look, history in zip(looks, histories, strict=True):
        if not class_names(history):
            notes.append(f"{look.name}: it answers with numbers, and there are no classes to recognise.")
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return notes


def _in_words(history: RunHistory) -> str:
    names = class_names(history)
    if not names:
        return "it answers with numbers, there are no classes"
    return f"at step {history.frame_step[-1]} it recognises " + ", ".join(
        f"{percent(float(share))} of {name}"
        for name, share in zip(names, recalls(history)[-1], strict=True)
        if np.isfinite(share)
    )
