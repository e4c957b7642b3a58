"""What charts of a single run share: how its start and its end are drawn, and how its numbers are told and listed."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.figure import PATIENT, Array, Json
from pages.charts.style.traces import mode_of, trace
from pages.text.labels import ending

HEIGHT = 380
FEW = 10  # numbers that stand side by side
UPPER, LOWER = (0.56, 1.0), (0.0, 0.38)
START: Json = {"color": PATIENT.color, "dash": "dot", "width": 2}
END: Json = {"color": PATIENT.color, "dash": "solid", "width": 3.5}


class Moment(NamedTuple):
    """A row of the updates', the evaluations' or the frames' clock, and how it is drawn."""

    name: str
    row: int
    line: Json
    symbol: str

    def over_layers(self, layers: Array, values: Array, hover: str, size: float, **marker: Any) -> Json:
        """A line over the layers at this moment.  marker: more of its markers' attributes."""
        marker = {"color": PATIENT.color, "symbol": self.symbol, "size": size} | marker
        return trace("lines+markers", layers, values, self.name, hover, line=self.line, marker=marker, cliponaxis=False)


def start_and_end(clock: Array) -> list[Moment]:
    """Start and end; of a clock with one row the end alone, of an empty one nothing."""
    if not len(clock):
        return []
    end = Moment(f"at the end, step {clock[-1]}", len(clock) - 1, END, "circle")
    start = Moment(f"at the start, step {clock[0]}", 0, START, "circle-open")
    return [start, end] if len(clock) > 1 else [end]


def first_and_last_update(clock: Array) -> list[Moment]:
    """The same of the updates' clock: the first one starts at step 0, and the last one ends at the run's last step."""
    moments = start_and_end(clock)
    names = ("first", "last")[-len(moments) :] if moments else ()
    return [
        moment._replace(name=f"at the {name} update, step {clock[moment.row]} to {clock[moment.row] + 1}")
        for name, moment in zip(names, moments, strict=True)
    ]


def curve(name: str, steps: Array, values: Array, value: str, line: Json) -> Json:
    """A curve over training steps.  value: how its label gives a value, "%{y:.3g}"."""
    return trace(mode_of(steps), steps, values, name, f"step %{{x}}: {value}", line=line)


def whole_ticks(count: int) -> Json:
    """Of an axis on which things are numbered: each, where they are few."""
    return {"tickvals": list(range(1, count + 1))} if count <= FEW else {"tickformat": "d"}


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
