"""How much gradient reaches each layer?

Above, the error signal rms ∂L/∂z of every layer at the current step, with mean-field theory's prediction for step 0;
below, the norm of the gradient that each layer's weights get from it.  The two can part: in ReLU networks without
biases the lower one stays level where the upper one has died, so the judgement is on the upper one.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from engine.theory import GradientFlow, gradient_flow
from pages.charts.style.annotations import ABOVE_BOTH, captioned, endings, footnotes, more_above, row_heading
from pages.charts.style.axes import layer_axis, log_axis, marker_size, on_lower_edge, zero_marks
from pages.charts.style.chart_tables import Columns, by_layer, table_of
from pages.charts.style.figure import LOOKS, NEUTRAL, AnimatedFigure, Json, Look, merged, moving
from pages.charts.style.traces import key, line, over_layers, stroke
from pages.text.clock import latest_at, rows_at, timeline_steps
from pages.text.labels import ending, loss_unit, number
from pages.text.own_data import arrays_of

TITLE = "Gradient per layer"
QUESTION = "How much of the gradient reaches each layer?"
HOW_TO_READ = (
    "Left to right: the layers from input to output. Height: how strong the signal is that tells a layer how to "
    "change, and each labelled line is ten or more times the one below. Healthy: about level. Falling towards the "
    "left the signal vanishes, and the first layers do not learn; rising to the left it explodes."
)

HEIGHT = 350
UPPER, LOWER = [0.43, 1], [0, 0.31]  # the two panels, of the figure's height
HEADINGS = (("Error signal, rms ∂L/∂z ({}, log)", UPPER), ("Weights’ gradient, ‖∂L/∂W‖ ({}, log)", LOWER))
ABOVE_HEADING = 1.07
LEGEND_LEFT = -0.1  # over the labels of the axis, where three entries share a line in a chart of 352 px
LONGEST_UNIT, UNIT_BELOW = 16, "unit below"  # characters that a heading has room for
UPPER_LABELS, LOWER_LABELS = 6, 3
THEORY = "theory, step 0"
ZEROS = "▼ on the lower edge: exactly 0, which has no place on a log axis."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """rms ∂L/∂z and ‖∂L/∂W‖ against the layer, all networks on the same axes; one frame a step of the timeline."""
    steps, unit = timeline_steps(*histories), loss_unit(*histories)
    theories = [_theory(history) for history in histories]
    signals = [rows_at(history.step, history.delta_rms, steps) for history in histories]
    gradients = [rows_at(history.step, history.gradient_norm, steps) for history in histories]
    layers = [history.layers for history in histories]
    size = marker_size(max(layers))
    short = unit.replace("squared error", "error²")
    short, notes = (short, []) if len(short) <= LONGEST_UNIT else (UNIT_BELOW, [f"Unit: {unit}."])
    upper = log_axis("", _flat(*signals, *theories), UPPER_LABELS, domain=UPPER)
    lower = log_axis("", _flat(*gradients), LOWER_LABELS, domain=LOWER)

    traces = [
        line(_layers(len(theory)), theory, f"{look.name}, {THEORY}", "layer %{x}: %{y:.2~e}", showlegend=False)
        | stroke(look.color, 2, "dot")
        for look, theory in zip(looks, theories, strict=True)
    ]
    heights: dict[int, Json] = {}  # trace -> y at every step
    shown: Json = {}  # network -> the trace of its error signal
    for row, panel, axis in (("y", signals, upper), ("y2", gradients, lower)):
        for look, values in zip(looks, panel, strict=True):
            heights[len(traces)] = {"y": np.where(values == 0, np.nan, values)}
            shown.setdefault(look.key, len(traces))
            in_legend = {"yaxis": row, "showlegend": row == "y"}
            hover = f"%{{y:.2~e}} {unit}"
            traces.append(over_layers(look, values.shape[1], look.name, hover, size, **in_legend))
            if (values == 0).any():
                heights[len(traces)] = {"y": on_lower_edge(values, axis)}
                traces.append(zero_marks(look, x=_layers(values.shape[1]), yaxis=row))
    if any(np.isfinite(theory).any() for theory in theories):
        traces.append(key(THEORY, **stroke(NEUTRAL, 2, "dot")))

    has_zeros = any((values == 0).any() for values in (*signals, *gradients))
    sentences = [*notes, *_notes(histories, looks), *([ZEROS] if has_zeros else [])]
    headings = [row_heading(text.format(short), panel[1]) for text, panel in HEADINGS]
    more = more_above(len(histories))
    layout = merged(
        {
            "margin": {"t": ABOVE_BOTH + more},
            "xaxis": layer_axis(*layers, anchor="y2"),
            "yaxis": upper,
            "yaxis2": lower,
            "legend": {"x": LEGEND_LEFT, "y": ABOVE_HEADING, "itemwidth": 30},
        },
        footnotes(sentences, HEIGHT + more, others=headings),
    )
    drawn = AnimatedFigure(traces, layout, moving(steps, heights))
    return captioned(TITLE, drawn, *histories, looks=looks).with_meta(error_signals=shown)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Error signal of the first and the last hidden layer of each network, at the start and at the end, in numbers."""
    return " ".join(f"{look.name}: {_in_words(history)}" for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, update and layer, at the timeline's steps; the prediction stands with step 0."""
    unit, steps = loss_unit(*histories), timeline_steps(*histories)

    def columns(history: RunHistory) -> Columns:
        rows = np.unique(latest_at(history.step, steps)) if len(history.step) else np.array([], int)
        theory = np.full((len(rows), history.layers), np.nan)
        theory[:1] = _theory(history)
        values = {
            f"rms ∂L/∂z ({unit})": history.delta_rms[rows],
            f"‖∂L/∂W‖ ({unit})": history.gradient_norm[rows],
            f"rms ∂L/∂z predicted for step 0 ({unit})": theory,
        }
        return by_layer(history.step[rows], values, step="step (updates)")

    return table_of(histories, looks, columns)


def _layers(count: int) -> np.ndarray:
    return np.arange(1, count + 1)


def _flat(*arrays: np.ndarray) -> np.ndarray:
    return np.concatenate([array.ravel() for array in arrays])


def _theory(history: RunHistory) -> np.ndarray:
    """Predicted rms ∂L/∂z, (L,), starting from what was measured in the last hidden layer; NaN where there is none."""
    ratios = _flow(history).delta_ratio
    if not ratios or not len(history.step):
        return np.full(history.layers, np.nan)
    with np.errstate(all="ignore"):  # a signal beyond the range of numbers is drawn as none
        predicted = np.array(ratios) * history.delta_rms[0, -2]
    return np.where(predicted > 0, predicted, np.nan)


def _flow(history: RunHistory) -> GradientFlow:
    return gradient_flow(history.experiment, arrays_of(history.experiment))


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    """How runs ended that did not complete, and why there is no prediction."""
    named = [(look.name, history) for look, history in zip(looks, histories, strict=True)]
    reasons = {who: reason for who, history in named if len(history.step) and (reason := _no_theory(history))}
    if len(set(reasons.values())) == 1:
        reasons = {" and ".join(reasons): next(iter(reasons.values()))}
    return endings(histories, looks) + [f"{who}: no theory line. {reason}" for who, reason in reasons.items()]


def _no_theory(history: RunHistory) -> str:
    if np.isfinite(_theory(history)).any():
        return ""
    return _flow(history).reason or "It starts from the last hidden layer, which gets no gradient."


def _in_words(history: RunHistory) -> str:
    if not len(history.step):
        return f"{ending(history)}, before there was any gradient."
    depth, unit = history.experiment.depth, loss_unit(history)

    def at(row: int) -> str:
        signal, ratio = number(history.delta_rms[row, 0]), history.gradient_ratio[row]
        beside = f", {number(ratio)} times that of hidden layer {depth}" if depth > 1 and np.isfinite(ratio) else ""
        return f"{signal} {unit} at step {history.step[row]}{beside}"

    theory = _flow(history)
    predicted = "" if depth == 1 or theory.reason else f" (theory predicts {number(theory.gradient_ratio)} times)"
    later = f", and of {at(-1)}" if len(history.step) > 1 else ""
    how = f"; {ending(history)}" if ending(history) else ""
    return f"layer 1 receives an error signal (rms ∂L/∂z) of {at(0)}{predicted}{later}{how}."
