"""Which classes does it recognise?"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import HEIGHT, endings, sentence
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.axes import axis
from pages.charts.style.figure import NEUTRAL, PATIENT, AnimatedFigure, Json, merged
from pages.charts.style.traces import nothing
from pages.text.labels import percent
from pages.text.three_sets import class_names, result_recalls

TITLE = "Recall by class"
QUESTION = "Which classes does it recognise?"
HOW_TO_READ = (
    "Two bars for each class of the new data (validation): plain, the share of its examples that get that class; "
    "striped, its share of all examples. Healthy: all plain bars are high. A class at 0 that hardly has examples does "
    "not show in the accuracy."
)


def figure(history: RunHistory) -> AnimatedFigure:
    """Recall of each class at the end, beside its share of the validation data."""
    names = list(class_names(history))
    bars = {
        "recall": (result_recalls(history), {"color": PATIENT.color}),
        "share of the examples": (_shares(history), {"color": NEUTRAL, "pattern": {"shape": "/", "size": 8}}),
    }
    traces: list[Json] = [
        {"type": "bar", "x": names, "y": values, "name": name, "marker": look, "hovertemplate": "%{x}: %{y:.0%}"}
        for name, (values, look) in bars.items()
        if names
    ]
    layout: Json = {
        "height": HEIGHT,
        "xaxis": axis("class", type="category"),
        "yaxis": axis("share", range=[0, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%"),
        "bargap": 0.25,
    }
    notes = [] if names else ["It answers with numbers, and there are no classes to recognise."]
    drawn = AnimatedFigure(traces or [nothing()], merged(layout, footnotes(notes + endings(history), HEIGHT)))
    return captioned(TITLE, drawn)


def alt(history: RunHistory) -> str:
    """Each class's recall, and its share of the examples."""
    parts = [
        f"{percent(float(recall))} of {name}, which is {percent(float(share))} of the examples"
        for name, recall, share in zip(class_names(history), result_recalls(history), _shares(history), strict=True)
        if np.isfinite(recall)
    ]
    return sentence(f"It recognises {'; '.join(parts)}" if parts else "There are no classes to recognise", history)


def table(history: RunHistory) -> pd.DataFrame:
    """One row a class."""
    columns = {"recall (share)": result_recalls(history), "share of the examples": _shares(history)}
    return pd.DataFrame({"class": list(class_names(history))} | columns)


def _shares(history: RunHistory) -> np.ndarray:
    """Of each class among the validation examples; of numbers, none."""
    if history.confusion is None:
        return np.zeros(0)
    counts = history.confusion[0].sum(axis=1)
    return counts / counts.sum()
