"""What do the units put out, and are any dead or saturated?"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import END, HEIGHT, LOWER, UPPER, by_layer, endings, sentence, start_and_end
from pages.charts.one_run.activations import ends_of_bars, output_in_words
from pages.charts.style.annotations import captioned, footnotes, row_heading
from pages.charts.style.axes import axis, layer_axis
from pages.charts.style.figure import PATIENT, AnimatedFigure, Array, Json, merged
from pages.charts.style.signed_scale import signed_axis
from pages.charts.style.traces import marks
from pages.text.labels import percent

TITLE = "Units, layer by layer"
QUESTION = "What do the units output? Are any dead or saturated?"
HOW_TO_READ = (
    "Left to right: the layers. Above, dot and bar show the mean of what a layer’s units output and its spread. "
    "Healthy: bars of about the same length in every layer. Below, the share of units that are dead (always 0) or "
    "saturated (their curve is flat), best near 0."
)

SYMBOLS = {"dead": ("x-thin-open", "x"), "saturated": ("square-open", "square")}
KINDS = {"dead": "✖ dead: 0 for every example", "saturated": "■ saturated: where it is flat"}


def figure(history: RunHistory) -> AnimatedFigure:
    """Above, mean ± standard deviation of what each layer puts out; below, shares of dead and of saturated units."""
    shares = _shares(history)
    mean, spread = history.activation_mean, history.activation_std
    moments = start_and_end(history.evaluation_step)
    rows = [moment.row for moment in moments]
    low, high = ends_of_bars(history, mean[rows], spread[rows])
    domain = UPPER if shares else (0, 1)
    value_axis, place, on_log = signed_axis("units’ output", low.ravel(), high.ravel(), zeroline=True, domain=domain)
    layers = np.arange(1, history.layers + 1)
    traces: list[Json] = []
    for offset, moment, *ends in zip((-0.12, 0.12), moments, low, high, strict=False):
        with np.errstate(all="ignore"):
            height = place(mean[moment.row])
            below, above = (abs(place(end) - height) for end in ends)
        bar = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": PATIENT.color}
        bar |= {"thickness": 2.5 if moment.line is END else 1.5, "width": 4}
        marker = {"color": PATIENT.color, "symbol": moment.symbol, "size": 8}
        hover = "" if on_log else "layer %{x:.0f}: mean %{y:.3g}"
        traces.append(marks(layers + offset, height, moment.name, hover, error_y=bar, marker=marker))
    for kind, share in shares.items():
        for moment in moments:
            hover, symbol = f"layer %{{x}}: %{{y:.0f}} % {kind}", SYMBOLS[kind][moment.line is END]
            drawn = moment.over_layers(layers, 100 * share[moment.row], hover, 9, symbol=symbol)
            traces.append(drawn | {"yaxis": "y2", "name": f"{kind}, {moment.name}", "showlegend": False})
    layout: Json = {"xaxis": layer_axis(history.layers, anchor="y2" if shares else "y"), "yaxis": value_axis}
    if shares:
        layout["yaxis2"] = axis("units (%)", domain=LOWER, range=[-6, 106], tickvals=[0, 50, 100])
    headings = [row_heading(", ".join(KINDS[kind] for kind in shares), LOWER[1])] if shares else []
    notes = ["Bars: mean ± standard deviation of a layer’s output.", *endings(history)]
    below = footnotes(notes, HEIGHT, others=headings)
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, below)))


def alt(history: RunHistory) -> str:
    """What the first and the last hidden layer put out, and where most units are dead or saturated."""
    parts = []
    for moment in start_and_end(history.evaluation_step):
        mean, spread = history.activation_mean[moment.row], history.activation_std[moment.row]
        first, last = (output_in_words(float(mean[layer]), float(spread[layer])) for layer in (0, -2))
        text = f"{moment.name} layer 1 outputs {first}"
        if history.layers > 2:
            text += f" and hidden layer {history.layers - 1} {last}"
        for kind, share in _shares(history).items():
            row = share[moment.row, :-1]
            if np.isfinite(row).any():
                text += f", at most {percent(float(np.nanmax(row)))} are {kind}, in layer {int(np.nanargmax(row)) + 1}"
        parts.append(text)
    return sentence("; ".join(parts), history)


def table(history: RunHistory) -> pd.DataFrame:
    """One row an evaluation and layer."""
    columns = {"mean activation": history.activation_mean, "standard deviation": history.activation_std}
    shares = {f"{kind} units (share)": share for kind, share in _shares(history).items()}
    return by_layer(history.evaluation_step, columns | shares)


def _shares(history: RunHistory) -> dict[str, Array]:
    """Shares of dead and of saturated units, where such a thing can be."""
    both = {"dead": history.dead_fraction, "saturated": history.saturated_fraction}
    return {kind: share for kind, share in both.items() if np.isfinite(share).any()}
