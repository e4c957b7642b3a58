"""How much of the error signal reaches each layer?"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import HEIGHT, by_layer, endings, first_and_last_update, sentence
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.axes import layer_axis, log_axis, marker_size
from pages.charts.style.figure import AnimatedFigure, Json, merged
from pages.charts.style.update_curves import on_log_axis
from pages.text.labels import loss_unit, number

TITLE = "Gradient, layer by layer"
QUESTION = "How much of the error signal reaches each layer?"
HOW_TO_READ = (
    "Left to right: the layers from input to output. Height: how strong the signal is that tells a layer how to "
    "change, at the first and at the last update. Healthy: about level. Falling to the left it vanishes, rising to "
    "the left it explodes."
)


def figure(history: RunHistory) -> AnimatedFigure:
    """rms ∂L/∂z of every layer at the first and at the last update."""
    layers = np.arange(1, history.layers + 1)
    signal = history.delta_rms
    traces = [
        moment.over_layers(
            layers, on_log_axis(signal[moment.row]), "layer %{x}: %{y:.2~e}", size=marker_size(history.layers)
        )
        for moment in first_and_last_update(history.step)
    ]
    drawn = signal[[moment.row for moment in first_and_last_update(history.step)]]
    notes = ["A signal of exactly 0 has no place on a log axis."] if (drawn == 0).any() else []
    layout: Json = {
        "height": HEIGHT,
        "xaxis": layer_axis(history.layers),
        "yaxis": log_axis(f"error signal, rms ∂L/∂z ({loss_unit(history)})", drawn),
    }
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, footnotes(notes + endings(history), HEIGHT))))


def alt(history: RunHistory) -> str:
    """The error signal of the first and of the last hidden layer, at the first and at the last update."""
    unit = loss_unit(history)
    parts = []
    for moment in first_and_last_update(history.step):
        first, last = (number(float(one)) for one in history.delta_rms[moment.row, [0, -2]])
        deeper = f" and hidden layer {history.layers - 1} one of {last}" if history.layers > 2 else ""
        parts.append(f"{moment.name}, layer 1 receives an error signal of {first} {unit}{deeper}")
    return sentence("; ".join(parts) or "There is no gradient", history)


def table(history: RunHistory) -> pd.DataFrame:
    """The error signal, one row an update and layer."""
    return by_layer(history.step, {f"rms ∂L/∂z ({loss_unit(history)})": history.delta_rms})
