"""How large is each of its inputs, in training and in new data?"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import HEIGHT, endings, sentence, whole_ticks
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.axes import axis, log_axis, marker_size
from pages.charts.style.figure import NEUTRAL, PATIENT, AnimatedFigure, Array, Json, merged
from pages.charts.style.traces import level, marks, stroke
from pages.text.labels import number
from pages.text.own_data import dataset_of

TITLE = "Inputs by feature"
QUESTION = "How large is each input, and do new data look alike?"
HOW_TO_READ = (
    "Left to right: the inputs. Height: an input’s mean, and the bar its spread; hollow for training data, filled for "
    "new data (validation). Below, each input’s typical size on a scale of powers of ten. Healthy: sizes near the "
    "dashed line at 1, and both kinds of data in the same position."
)

UPPER, LOWER = (0.58, 1.0), (0.0, 0.42)
BESIDE = 0.12  # of an input's width: the two kinds of data stand side by side


def figure(history: RunHistory) -> AnimatedFigure:
    """Above, mean ± standard deviation of each input over training and new data; below, its root mean square."""
    parts = _parts(history)
    numbers = np.arange(1, len(next(iter(parts.values()))[0]) + 1)
    traces: list[Json] = [level([0.4, numbers[-1] + 0.6], 1, "size 1", **stroke(NEUTRAL, 2, "dash")) | {"yaxis": "y2"}]
    size = marker_size(len(numbers))
    for side, symbol, (name, (mean, spread, rms)) in zip(
        (-BESIDE, BESIDE), ("circle-open", "circle"), parts.items(), strict=True
    ):
        marker = {"color": PATIENT.color, "symbol": symbol, "size": size}
        bar = {"type": "data", "array": spread, "color": PATIENT.color, "thickness": 1.5, "width": 3}
        hover = f"input %{{customdata}}, {name}: %{{y:.3~g}}"
        place = {"customdata": numbers, "marker": marker}
        traces.append(marks(numbers + side, mean, name, hover, error_y=bar, **place))
        shown = np.where(rms > 0, rms, np.nan)
        traces.append(marks(numbers + side, shown, name, hover, **place, yaxis="y2", showlegend=False))
    means = np.concatenate([np.append(mean - spread, mean + spread) for mean, spread, _ in parts.values()])
    sizes = np.concatenate([rms for *_, rms in parts.values()])
    layout: Json = {
        "height": HEIGHT,
        "xaxis": axis("input", range=[0.4, numbers[-1] + 0.6], anchor="y2", **whole_ticks(len(numbers))),
        "yaxis": axis("mean ± spread", means, domain=UPPER),
        "yaxis2": log_axis("size, rms", np.append(sizes, 1.0), 5, domain=LOWER),
    }
    notes = ["Dashed: size 1."]
    if zeros := int((sizes == 0).sum()):
        notes.append(f"Inputs that are always 0 have no position on a log axis: {zeros}.")
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, footnotes(notes + endings(history), HEIGHT))))


def alt(history: RunHistory) -> str:
    """Smallest and largest size of the inputs, and how far new data lie from those of training."""
    (train, spread, sizes), (new, *_) = _parts(history).values()
    positive = sizes[sizes > 0]
    if not positive.size:
        return sentence("All inputs are 0", history)
    varies = spread > 0
    apart = float(np.median(np.abs(new - train)[varies] / spread[varies])) if varies.any() else 0.0
    text = (
        f"The size of its inputs goes from {number(float(positive.min()))} to {number(float(positive.max()))}, "
        f"{number(float(np.sqrt((sizes * sizes).mean())))} over all of them; the mean of new data lies {number(apart)} "
        "standard deviations from that of training data, median input"
    )
    return sentence(text, history)


def table(history: RunHistory) -> pd.DataFrame:
    """One row an input."""
    columns = {
        f"{measure}, {name}": values
        for name, part in _parts(history).items()
        for measure, values in zip(("mean", "standard deviation", "rms"), part, strict=True)
    }
    return pd.DataFrame({"input": np.arange(1, len(next(iter(columns.values()))) + 1)} | columns)


def _parts(history: RunHistory) -> dict[str, tuple[Array, Array, Array]]:
    """Mean, standard deviation and root mean square of each input; a patient's data are never handed in."""
    dataset = dataset_of(history.experiment)
    assert dataset is not None
    sets = {"training data": dataset.train_inputs, "new data": dataset.validation_inputs}
    return {
        name: (rows.mean(axis=0), rows.std(axis=0), np.sqrt((rows * rows).mean(axis=0))) for name, rows in sets.items()
    }
