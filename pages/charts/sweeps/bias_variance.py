"""Is the network wrong in the same way each time, or in a different way each time?

The mean prediction over draws of the data, and over draws of the weights, with a band of one standard deviation,
against the function behind the data.  On the inputs that have data, averaged over x and over n draws:

    mean (prediction − f)²  =  bias² + variance        bias²  =  mean_x (mean prediction − f)²

exactly, with the variance over the n draws.  Geman, Bienenstock & Doursat 1992.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine import Experiment
from engine.cures.outcomes import Outcome
from pages.charts.style.annotations import captioned, row_heading
from pages.charts.style.axes import axis
from pages.charts.style.figure import LOOK_OF, NEUTRAL, AnimatedFigure, Json, Look, merged
from pages.charts.style.traces import band, hover_of, line, stroke
from pages.charts.sweeps.groups import clean_line
from pages.charts.sweeps.losses_by_size import own_of
from pages.text.labels import input_unit, number

TITLE = "Bias and variance"
QUESTION = (
    "Is the network wrong in the same way each time (bias), or in a different way each time (variance)? The mean "
    "prediction and its spread over 8 draws of the data, and over 8 draws of the weights."
)
HOW_TO_READ = (
    "The line is the mean of what 8 networks answer, the band how much they differ, the dotted line the truth. A "
    "line away from the truth is bias: more capacity helps. A wide band is variance: more data or a penalty helps. "
    "Healthy: a narrow band on the dotted line."
)
NEEDS = "a known function of one input: the data set sine"

Results = Mapping[str, Sequence[Outcome]]

DRAWS = {"data": "Draws of the data, the same weights at the start", "weights": "Draws of the weights, the same data"}
PANELS = {"data": (0.55, 0.95), "weights": (0.0, 0.4)}
HEIGHT = 470
AIR = 0.35  # beyond the function's own range, in its own: wilder predictions leave the panel
MOSTLY = 1.5  # factor between bias² and variance from which one is said to be the larger
BAND_OPACITY = 0.22


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Predictions of several draws: their mean, their standard deviation and the function on the inputs, (inputs,)."""

    inputs: np.ndarray
    function: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    draws: int

    @property
    def squared_bias(self) -> float:
        return float(np.mean((self.mean - self.function) ** 2))

    @property
    def variance(self) -> float:
        return float(np.mean(self.deviation**2))


def decomposition(outcomes: Sequence[Outcome]) -> Decomposition | None:
    """Bias and variance over these draws; None without a known function or a finite prediction."""
    ended = [outcome for outcome in outcomes if outcome.status != "diverged"]
    lines = [outcome for outcome in ended if outcome.line is not None and np.isfinite(outcome.line).all()]
    clean = clean_line(lines[0].experiment) if lines else None
    if clean is None:
        return None
    inputs, function = clean
    predictions = np.array([np.interp(inputs, outcome.line_axis, outcome.line) for outcome in lines])  # type: ignore[arg-type]
    return Decomposition(inputs, function, predictions.mean(axis=0), predictions.std(axis=0), len(lines))


def of_draws(outcomes: Sequence[Outcome], own: Experiment) -> dict[str, list[Outcome]]:
    """Which of a network's outcomes differ from it in the data alone, and which in the weights alone."""
    data = own.seed if own.data_seed == -1 else own.data_seed
    return {
        "data": [outcome for outcome in outcomes if outcome.experiment.seed == own.seed],
        "weights": [outcome for outcome in outcomes if outcome.experiment.data_seed == data],
    }


def figure(results: Results, patient: Experiment, treated: Experiment | None = None) -> AnimatedFigure:
    """Two panels, draws of the data and of the weights: mean, band and the function; both networks in each."""
    found = _found(results, patient, treated)
    traces: list[Json] = []
    annotations: list[Json] = []
    layout: Json = {"height": HEIGHT, "hovermode": "closest", "legend": {"itemwidth": 34, "tracegroupgap": 0}}
    clean = clean_line(patient)
    x_range = [float(clean[0][0]), float(clean[0][-1])] if clean else [-1.0, 1.0]
    low, high = (float(clean[1].min()), float(clean[1].max())) if clean else (-1.0, 1.0)
    y_range = [low - AIR * (high - low), high + AIR * (high - low)]
    for row, (kind, text) in enumerate(DRAWS.items()):
        suffix = str(row + 1) if row else ""
        if clean:
            function = line(*clean, "function behind the data", **stroke(NEUTRAL, 2, "dot"))
            traces.append(function | _axes(suffix) | {"showlegend": not suffix})
        for name in results:
            if one := found.get((name, kind)):
                traces += _mean_and_band(LOOK_OF[name], one, suffix)
        annotations.append(row_heading(text, PANELS[kind][1]))
        title = f"input x ({input_unit(patient)})" if suffix else ""  # the upper panel has the lower one's axis
        layout[f"xaxis{suffix}"] = axis(title, range=x_range, anchor=f"y{suffix}")
        layout[f"yaxis{suffix}"] = axis("output y", range=y_range, domain=PANELS[kind], anchor=f"x{suffix}")
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, {"annotations": annotations})), patient, treated)


def says(results: Results, patient: Experiment, treated: Experiment | None = None) -> str:
    """Bias² and variance of each network over draws of the data and of the weights, and which of the two is larger."""
    found = _found(results, patient, treated)
    sentences = []
    for name in results:
        one, other = found.get((name, "data")), found.get((name, "weights"))
        if one is None:
            sentences.append(f"{name}: no draw of the data ended with a finite prediction.")
            continue
        text = (
            f"{name}: over {one.draws} draws of the data bias² {number(one.squared_bias)} and variance "
            f"{number(one.variance)}, {_larger(one)}"
        )
        if other:
            text += f"; over draws of the weights alone the variance is {number(other.variance)}"
        sentences.append(text + ".")
    return "\n\n".join(sentences)


def _larger(one: Decomposition) -> str:
    """Which of the two errors is the larger, in words."""
    if one.squared_bias > MOSTLY * one.variance:
        return "mostly bias: it is wrong in the same way each time"
    if one.variance > MOSTLY * one.squared_bias:
        return "mostly variance: it is wrong in a different way each time"
    return "about equal"


def alt(results: Results, patient: Experiment, treated: Experiment | None = None) -> str:
    """The same numbers, and how many draws they are of."""
    found = _found(results, patient, treated)
    sentences = [
        f"{name}, {one.draws} {DRAWS[kind][0].lower()}{DRAWS[kind][1:]}: squared bias {number(one.squared_bias)}, "
        f"variance {number(one.variance)}."
        for (name, kind), one in found.items()
    ]
    return " ".join(sentences) or "No finite prediction."


def table(results: Results, patient: Experiment, treated: Experiment | None = None) -> pd.DataFrame:
    """One row an input of a network under one kind of draws."""
    parts = [
        pd.DataFrame(
            {
                "network": name,
                "draws of": kind,
                f"x ({input_unit(patient)})": one.inputs,
                "function": one.function,
                "mean prediction": one.mean,
                "standard deviation": one.deviation,
            }
        )
        for (name, kind), one in _found(results, patient, treated).items()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["network", "draws of"])


def _found(results: Results, patient: Experiment, treated: Experiment | None) -> dict[tuple[str, str], Decomposition]:
    """(network, kind of draws) -> what could be measured."""
    own = own_of(patient, treated)
    return {
        (name, kind): one
        for name, outcomes in results.items()
        for kind, some in of_draws(outcomes, own[name]).items()
        if (one := decomposition(some))
    }


def _mean_and_band(look: Look, one: Decomposition, suffix: str) -> list[Json]:
    common = _axes(suffix) | {"legendgroup": look.name}
    low, high = one.mean - one.deviation, one.mean + one.deviation
    hover = hover_of(look, "x %{x:.2f}: mean %{y:.3g}")
    mean = line(one.inputs, one.mean, f"{look.name}, mean ± 1 sd", hover, showlegend=not suffix, **look.line())
    return [band(one.inputs, low, high, f"{look.name} ± 1 sd", look.color, BAND_OPACITY) | common, mean | common]


def _axes(suffix: str) -> Json:
    return {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
