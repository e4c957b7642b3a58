"""How far does a step go, and what pulls at the weights?"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import END, HEIGHT, LOWER, UPPER, by_layer, curve, endings, sentence
from pages.charts.one_run.weight_norms import RULE_OF_THUMB, relative_updates
from pages.charts.style.annotations import captioned, footnotes, row_heading
from pages.charts.style.axes import axis, log_axis
from pages.charts.style.figure import NEUTRAL, AnimatedFigure, Array, Json, depth_colors, merged
from pages.charts.style.tokens import TOKENS
from pages.charts.style.traces import THICK, THIN, level, line, stroke
from pages.charts.style.update_curves import MOST_POINTS, on_log_axis, peaks
from pages.text.clock import thinned
from pages.text.labels import number

TITLE = "Steps and pulls"
QUESTION = "How far does a step go, and what pulls at the weights?"
HOW_TO_READ = (
    "Left to right: training. Above, by what share of their size one update changes each layer’s weights: about a "
    "thousandth, the dashed line, is healthy. Below, how hard the data pull at the weights, and a penalty, if there "
    "is one: the data should pull harder."
)

HEADINGS = (("Change in a step, ‖ΔW‖ / ‖W‖ (log)", UPPER), ("Pull: length of the gradient (log)", LOWER))
PENALTY = TOKENS["teal"]  # a penalty's pull


def figure(history: RunHistory) -> AnimatedFigure:
    """Above, how much of its weights each layer changes in a step; below, what pulls: the data, and any penalty."""
    ratio, colors = relative_updates(history), depth_colors(history.layers)
    rows = thinned(range(len(history.step)), MOST_POINTS)
    end = int(history.evaluation_step[-1])
    dashes = stroke(NEUTRAL, THIN, "dash")
    traces = [level([0, end], RULE_OF_THUMB, "rule of thumb", showlegend=False, **dashes)]
    for layer in range(history.layers):
        first, last = layer == 0, layer == history.layers - 1
        look = {"color": colors[layer], "width": THICK if first else THIN, "dash": "dot" if last else "solid"}
        name, values = "output layer" if last else f"layer {layer + 1}", on_log_axis(ratio[rows, layer])
        in_legend = {"line": look, "showlegend": first or last}
        traces.append(line(history.step[rows], values, name, "step %{x}: %{y:.2~e}", **in_legend))
    for name, values, look in _pulls(history):
        places = peaks(values)
        traces.append(
            curve(name, history.step[places], on_log_axis(values[places]), "%{y:.2~e}", look) | {"yaxis": "y2"}
        )
    pulls = np.concatenate([values for _, values, _ in _pulls(history)])
    layout: Json = {
        "height": HEIGHT,
        "legend": {"y": 1.08},
        "xaxis": axis("training step (updates)", [0, end], anchor="y2"),
        "yaxis": log_axis("", np.append(ratio[rows].ravel(), RULE_OF_THUMB), 5, domain=UPPER),
        "yaxis2": log_axis("", pulls, 5, domain=LOWER),
    }
    headings = [row_heading(text, panel[1]) for text, panel in HEADINGS]
    notes = [f"Dashed: a rule of thumb, {number(RULE_OF_THUMB)} of the weights a step."]
    if (ratio == 0).any():
        notes.append("Updates of exactly 0 are not drawn.")
    if len(_pulls(history)) == 1:
        notes.append("Nothing but the data pulls at the weights.")
    return captioned(
        TITLE, AnimatedFigure(traces, merged(layout, footnotes(notes + endings(history), HEIGHT, others=headings)))
    )


def alt(history: RunHistory) -> str:
    """Steps of the first and of the last layer in the median, and how hard what pulls does."""
    ratio = relative_updates(history)

    first, last = (values[np.isfinite(values)] for values in (ratio[:, 0], ratio[:, -1]))
    text = "There is no change to compare with the weights’ size"
    if first.size and last.size:
        text = (
            f"In the median a step changes the weights of layer 1 by {number(float(np.median(first)))} of their size "
            f"and those of the output layer by {number(float(np.median(last)))}"
        )
    for name, values, _ in _pulls(history):
        finite = values[np.isfinite(values)]
        if finite.size:
            text += (
                f"; the {name} is {number(float(finite[0]))} at the start, {number(float(finite[-1]))} at the end and "
                f"at most {number(float(finite.max()))}"
            )
    if len(_pulls(history)) == 1:
        text += "; nothing but the data pulls at the weights"
    return sentence(text, history)


def table(history: RunHistory) -> pd.DataFrame:
    """One row an update and layer."""
    pulls = {f"{name} (‖gradient‖)": np.repeat(values, history.layers) for name, values, _ in _pulls(history)}
    return by_layer(history.step, {"‖ΔW‖ / ‖W‖": relative_updates(history)}).assign(**pulls)


def _pulls(history: RunHistory) -> list[tuple[str, Array, Json]]:
    """What pulls at the weights: name, gradient norm (S,), line."""
    pulls = [("pull of the data", history.data_gradient_norm, END)]
    if (history.penalty_gradient_norm > 0).any():
        line = {"color": PENALTY, "dash": "dash", "width": 3}
        pulls.append(("pull of a penalty", history.penalty_gradient_norm, line))
    return pulls
