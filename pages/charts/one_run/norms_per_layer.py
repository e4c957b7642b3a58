"""Which layers learn, how fast, and how large have their weights become?

Per layer at the current step: the norm ‖W‖ of its weights, and the relative update ‖ΔW‖/‖W‖, any number of networks on
the same axes.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.one_run.weight_norms import BAND, RULE_OF_THUMB, relative_updates
from pages.charts.style.annotations import ABOVE_BOTH, captioned, endings, footnotes, more_above, row_heading
from pages.charts.style.axes import layer_axis, log_axis, marker_size, on_lower_edge, zero_marks
from pages.charts.style.chart_tables import Columns, by_layer, table_of
from pages.charts.style.figure import LOOKS, NEUTRAL, AnimatedFigure, Json, Look, merged, moving
from pages.charts.style.traces import THIN, box, level, over_layers, stroke
from pages.text.clock import latest_at, rows_at, timeline_steps
from pages.text.labels import ending, number

TITLE = "Weights and updates per layer"
QUESTION = "Which layers learn, how fast, and how large have their weights become?"
HOW_TO_READ = (
    "Left to right: the layers from input to output. Above, how large a layer’s weights are together; below, by what "
    "share of that the update at this step changes them. Healthy: the lower line is level and lies in the grey band, "
    "about a thousandth a step. Far below it a layer stands still; far above it is thrown about."
)

HEIGHT = 400
UPPER, LOWER = [0.6, 1.0], [0.0, 0.44]
LABELS = 4  # powers of ten that stay apart in either
HEADINGS = (("Size of the weights, ‖W‖ (log)", UPPER), ("Change in a step, ‖ΔW‖ / ‖W‖ (log)", LOWER))
ABOVE_HEADING = 1.07
KEY = "Grey: a rule of thumb for updates, 10⁻³, and a decade either side."
ZEROS = "▼ on the lower edge: exactly 0, which has no place on a log axis."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """‖W‖ above and ‖ΔW‖/‖W‖ below, against the layer; one frame a step of the timeline."""
    steps = timeline_steps(*histories)
    layers = [history.layers for history in histories]
    norms = [rows_at(history.step, history.weight_norm, steps) for history in histories]
    updates = [rows_at(history.step, relative_updates(history), steps) for history in histories]
    upper = log_axis("", np.concatenate([values.ravel() for values in norms]), LABELS, domain=UPPER)
    lower = log_axis("", np.concatenate([BAND, *(values.ravel() for values in updates)]), LABELS, domain=LOWER)

    ends, name = (0.5, max(layers) + 0.5), "rule of thumb"
    traces: list[Json] = [
        box(*ends, *BAND, name, fillcolor="rgba(138, 143, 148, 0.25)", yaxis="y2", showlegend=False),
        level(ends, RULE_OF_THUMB, name, yaxis="y2", showlegend=False, **stroke(NEUTRAL, THIN, "dash")),
    ]
    heights: dict[int, Json] = {}  # trace -> y at every step
    for row, panel, axis in (("y", norms, upper), ("y2", updates, lower)):
        for look, values in zip(looks, panel, strict=True):
            heights[len(traces)] = {"y": np.where(values == 0, np.nan, values)}
            place = {"yaxis": row, "showlegend": row == "y"}
            traces.append(over_layers(look, values.shape[1], look.name, "%{y:.2~e}", marker_size(max(layers)), **place))
            if (values == 0).any():
                heights[len(traces)] = {"y": on_lower_edge(values, axis)}
                traces.append(zero_marks(look, x=np.arange(1, values.shape[1] + 1), yaxis=row))

    more = more_above(len(histories))
    zeros = [ZEROS] if any((values == 0).any() for values in (*norms, *updates)) else []
    layout: Json = {
        "margin": {"t": ABOVE_BOTH + more},
        "xaxis": layer_axis(*layers, anchor="y2"),
        "yaxis": upper,
        "yaxis2": lower,
        "legend": {"y": ABOVE_HEADING},
    }
    headings = [row_heading(text, panel[1]) for text, panel in HEADINGS]
    below = footnotes([KEY, *zeros, *endings(histories, looks)], HEIGHT + more, others=headings)
    drawn = AnimatedFigure(traces, merged(layout, below), moving(steps, heights))
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Norm and relative update of the first and of the output layer of each network, at the last update, in numbers."""
    return " ".join(f"{look.name}: {_in_words(history)}." for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, update and layer, at the timeline's steps."""
    steps = timeline_steps(*histories)

    def columns(history: RunHistory) -> Columns:
        rows = np.unique(latest_at(history.step, steps)) if len(history.step) else np.array([], int)
        values = {"‖W‖": history.weight_norm[rows], "‖ΔW‖ / ‖W‖": relative_updates(history)[rows]}
        return by_layer(history.step[rows], values, step="step (updates)")

    return table_of(histories, looks, columns)


def _in_words(history: RunHistory) -> str:
    how = f"; {words}" if (words := ending(history)) else ""
    if not len(history.step):
        return f"it takes no step{how}"

    def of(layer: int) -> str:
        update = relative_updates(history)[-1, layer]
        changed = f", which the step changes by {number(update)} of that" if np.isfinite(update) else ""
        return f"weights of norm {number(history.weight_norm[-1, layer])}{changed}"

    return f"at step {history.step[-1]} layer 1 has {of(0)}, and the output layer {of(-1)}{how}"
