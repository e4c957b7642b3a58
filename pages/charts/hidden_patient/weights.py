"""How large are the weights, and do they differ?"""

import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import END, HEIGHT, by_layer, endings, sentence, start_and_end
from pages.charts.one_run.weight_distributions import quantiles
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.axes import layer_axis
from pages.charts.style.figure import PATIENT, AnimatedFigure, merged
from pages.charts.style.signed_scale import signed_axis
from pages.charts.style.traces import BOX_FILL, BOX_PARTS, BOXES_APART, CLEAR, boxes
from pages.text.labels import number

TITLE = "Weights, layer by layer"
QUESTION = "How large are the weights, and do they differ?"
HOW_TO_READ = (
    "Left to right: the layers. A box holds the middle half of a layer’s weights, hollow at the start and filled at "
    "the end. Healthy: boxes around 0 that move a little. A thin stroke means that all weights are alike; boxes "
    "that grow without end blow up."
)


def figure(history: RunHistory) -> AnimatedFigure:
    """Quantiles of each layer's weights at the start and at the end."""
    moments = start_and_end(history.frame_step)
    spreads = quantiles(history, [moment.row for moment in moments])
    value_axis, place, on_log = signed_axis(
        "value of a weight", spreads[..., 0].ravel(), spreads[..., -1].ravel(), zeroline=True
    )
    traces = [
        boxes(PATIENT, history.layers, moment.name, moment.name, on_log)
        | {"fillcolor": BOX_FILL if moment.line is END else CLEAR}
        | dict(zip(BOX_PARTS, place(values).T, strict=True))
        for moment, values in zip(moments, spreads, strict=True)
    ]
    layout = {"height": HEIGHT, "xaxis": layer_axis(history.layers), "yaxis": value_axis, **BOXES_APART}
    notes = ["Box: the middle half of the weights. Whiskers: 5 % to 95 % of them.", *endings(history)]
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, footnotes(notes, HEIGHT))))


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
