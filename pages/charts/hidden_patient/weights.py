"""How large are the weights, and do they differ?"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import END, HEIGHT, by_layer, endings, sentence, start_and_end
from pages.charts.one_run.weight_distributions import quantiles
from pages.charts.style.annotations import footnotes
from pages.charts.style.axes import layer_axis
from pages.charts.style.figure import PATIENT, AnimatedFigure, Json, merged
from pages.charts.style.signed_scale import signed_axis
from pages.text.labels import number

TITLE = "Weights, layer by layer"
QUESTION = "How large are the weights, and do they differ?"


def figure(history: RunHistory) -> AnimatedFigure:
    """Quantiles of each layer's weights at the start and at the end."""
    moments = start_and_end(history.frame_step)
    boxes = quantiles(history, [moment.row for moment in moments])
    value_axis, place, on_log = signed_axis("weight", boxes[..., 0].ravel(), boxes[..., -1].ravel(), zeroline=True)
    traces = [
        {
            "type": "box", "x": np.arange(1, history.layers + 1), "name": moment.name, "whiskerwidth": 0.6,
            "fillcolor": "rgba(213, 94, 0, 0.55)" if moment.line is END else "rgba(0, 0, 0, 0)",
            "line": {"color": PATIENT.color, "width": 2}, "offsetgroup": moment.name,
            "hoverinfo": "skip" if on_log else "y+name",
            **dict(zip(("lowerfence", "q1", "median", "q3", "upperfence"), place(values).T, strict=True)),
        }
        for moment, values in zip(moments, boxes, strict=True)
    ]  # fmt: skip
    layout: Json = {
        "height": HEIGHT, "xaxis": layer_axis(history.layers), "yaxis": value_axis,
        "boxmode": "group", "boxgap": 0.25, "boxgroupgap": 0.15, "hovermode": "closest",
    }  # fmt: skip
    notes = ["Box: the middle half of the weights. Whiskers: 5 % to 95 % of them.", *endings(history)]
    return AnimatedFigure(traces, merged(layout, footnotes(notes, HEIGHT)))


def alt(history: RunHistory) -> str:
    """The middle half of the first and of the last layer's weights, at the start and at the end."""
    parts = []
    for moment in start_and_end(history.frame_step):
        first, *_, last = quantiles(history, [moment.row])[0]
        parts.append(
            f"{moment.name} the middle half of layer 1’s weights lies between {number(float(first[1]))} and "
            f"{number(float(first[3]))}, of the output layer’s between {number(float(last[1]))} and "
            f"{number(float(last[3]))}"
        )
    return sentence("; ".join(parts), history)


def table(history: RunHistory) -> pd.DataFrame:
    """Quantiles of the weights, one row a frame and layer."""
    values = quantiles(history, range(len(history.frame_step)))
    names = ("5 %", "25 %", "50 %", "75 %", "95 %")
    return by_layer(history.frame_step, {f"{name} quantile": values[..., i] for i, name in enumerate(names)})
