"""What charts of a single run share: how its start and its end are drawn, and how its numbers are told and listed."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.figure import PATIENT, Json
from pages.text.labels import ending

Array = np.ndarray

HEIGHT = 380
UPPER, LOWER = (0.56, 1.0), (0.0, 0.38)
NEUTRAL = "#808080"  # what belongs to no network
START: Json = {"color": PATIENT.color, "dash": "dot", "width": 2}
END: Json = {"color": PATIENT.color, "dash": "solid", "width": 3.5}


class Moment(NamedTuple):
    """A row of the updates', the evaluations' or the frames' clock, and how it is drawn."""

    name: str
    row: int
    line: Json
    symbol: str


def start_and_end(clock: Array) -> list[Moment]:
    """Start and end; of a clock with one row the end alone, of an empty one nothing."""
    if not len(clock):
        return []
    end = Moment(f"at the end, step {clock[-1]}", len(clock) - 1, END, "circle")
    start = Moment(f"at the start, step {clock[0]}", 0, START, "circle-open")
    return [start, end] if len(clock) > 1 else [end]


def curve(name: str, steps: Array, values: Array, value: str, line: Json) -> Json:
    """A curve over training steps.  value: how its label gives a value, "%{y:.3g}"."""
    mode = "lines+markers" if len(steps) == 1 else "lines"
    return {
        "type": "scatter", "mode": mode, "x": steps, "y": values, "name": name, "line": line,
        "hovertemplate": f"step %{{x}}: {value}",
    }  # fmt: skip


def endings(history: RunHistory) -> list[str]:
    """A footnote on how the run ended, where it did before its time."""
    text = ending(history)
    return [f"{text[0].upper()}{text[1:]}."] if text else []


def sentence(text: str, history: RunHistory) -> str:
    """The text as a sentence, which also says how the run ended, where it did before its time."""
    how = f"; {ending(history)}" if ending(history) else ""
    return f"{text[0].upper()}{text[1:]}{how}."


def by_layer(steps: Array, columns: dict[str, Array]) -> pd.DataFrame:
    """One row a step and layer; columns: name -> (steps, layers)."""
    n_layers = next(iter(columns.values())).shape[1]
    place = {"step": np.repeat(steps, n_layers), "layer": np.tile(np.arange(1, n_layers + 1), len(steps))}
    return pd.DataFrame(place | {name: values.ravel() for name, values in columns.items()})
