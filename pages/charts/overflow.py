"""When a run ends in NaN: which number overflowed first, and what were the last finite ones on the way there?

Error signal rms ∂L/∂z, gradient ‖∂L/∂W‖ and weights ‖W‖ of every layer over the last updates on record, both networks
on the same axes; a cross on the layer that first was not finite.  Of a run that did not break off, the same last steps.
"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.clock import timeline_steps
from pages.charts.figure import (
    COLUMNS,
    PATIENT,
    TREATED,
    AnimatedFigure,
    Json,
    Look,
    axis,
    column_headings,
    depth_colors,
    footnotes,
    frame,
    log_axis,
    merged,
    step_line,
)
from pages.charts.through_updates import on_log_axis
from pages.charts.weight_norms import MOST_CURVES, depth_axis, drawn_layers, key_of_depth
from pages.charts.wording import layer_name, number

TITLE = "The last steps: what overflowed first"
QUESTION = "When it ends in NaN, which number overflowed first, and what were the last finite ones on the way there?"

Array = np.ndarray

LAST_UPDATES = 20
LOOKS = (PATIENT, TREATED)
MEASURES = (("delta_rms", "rms ∂L/∂z"), ("gradient_norm", "‖∂L/∂W‖"), ("weight_norm", "‖W‖"))
PANELS = ((0.71, 1.0), (0.355, 0.645), (0.0, 0.29))  # of the figure's height, top to bottom
# The panel that tells most of a tensor's overflow: on the way forward it is the weights that made it large.
PANEL_OF = {"error signal": 0, "gradient": 1}
FORWARD_PANEL = 2
LABELS = 3  # powers of ten that stay apart in a panel
HEIGHT = 520
BELOW, AXIS_BELOW = 120, 62  # px: from the panels to the notes, and to the key of colours
CROSS = {"symbol": "x", "size": 13, "color": "#808080", "line": {"color": "#ffffff", "width": 1}}
HOW_TO_READ = "Thick: layer 1. Dotted: output."


def figure(patient: RunHistory, treated: RunHistory) -> AnimatedFigure:
    """Three rows of panels on log axes against the training step, patient left, treated right; a line a layer."""
    histories = (patient, treated)
    most_layers = max(history.layers for history in histories)
    headings, top = column_headings([_heading(history) for history in histories])
    # The key hangs below the axis at a distance in pixels, in the unit of Plotly's places: the panels' height.
    key = -AXIS_BELOW / (HEIGHT - top - BELOW)
    layout: Json = {
        "showlegend": False, "margin": {"t": top, "b": BELOW}, "coloraxis": depth_axis(most_layers, key),
        "hovermode": "closest",
    }  # fmt: skip
    traces: list[Json] = [key_of_depth()]
    for row, ((field, title), domain) in enumerate(zip(MEASURES, PANELS, strict=True)):
        values = [on_log_axis(getattr(history, field)[-LAST_UPDATES:]) for history in histories]
        value_axis = log_axis(title, np.concatenate([one.ravel() for one in values]), LABELS, domain=domain)
        for column, (look, history, one) in enumerate(zip(LOOKS, histories, values, strict=True)):
            place = 2 * row + column + 1
            x, y = "x2" if column else "x", f"y{place}" if place > 1 else "y"
            lines = _lines(look, history, one, most_layers)
            if _row_of_first(history) == row:
                lines += _first_to_overflow(history, one)
            traces += [line | {"xaxis": x, "yaxis": y} for line in lines]
            shared = {"showticklabels": False, "title": {"text": ""}} if column else {}
            layout["yaxis" + y[1:]] = merged(value_axis, {"anchor": x} | shared)
    for column, (history, panel) in enumerate(zip(histories, COLUMNS, strict=True)):
        name, lowest = ("xaxis2", "y6") if column else ("xaxis", "y5")
        layout[name] = axis("step (updates)", range=_span(history), domain=panel, anchor=lowest, nticks=4)
    below = footnotes(_notes(histories), HEIGHT, BELOW)
    layout["annotations"] = headings + below.pop("annotations", [])
    frames = [
        frame(step, layout={"shapes": step_line(step, "paper") + step_line(step, "paper", "x2")})
        for step in timeline_steps(*histories)
    ]
    return AnimatedFigure(traces, merged(layout, below), frames)


def alt(patient: RunHistory, treated: RunHistory) -> str:
    """What overflowed first in each network and at which step, and its last finite values; or that nothing did."""
    return " ".join(_sentence(look, history) for look, history in zip(LOOKS, (patient, treated), strict=True))


def table(patient: RunHistory, treated: RunHistory) -> pd.DataFrame:
    """One row a network, update and layer, over the last updates on record."""
    parts = []
    for look, history in zip(LOOKS, (patient, treated), strict=True):
        steps = _steps(history)
        columns = {
            "network": look.name,
            "training step (updates)": np.repeat(steps, history.layers),
            "layer": np.tile(np.arange(1, history.layers + 1), len(steps)),
        }
        for field, title in MEASURES:
            columns[title] = getattr(history, field)[-LAST_UPDATES:].ravel()
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def first_to_overflow(history: RunHistory) -> str:
    """The tensor that first was not finite, and its step: "pre-activation of layer 3 at step 5"; "" if none was."""
    if history.diverged_at is None:
        return ""
    step, layer, tensor = history.diverged_at
    if layer is None:
        return f"{tensor} at step {step}"
    place = layer_name(history, layer)
    return f"{tensor} of {'the ' if place == 'output layer' else ''}{place} at step {step}"


def _steps(history: RunHistory) -> Array:
    return history.step[-LAST_UPDATES:]


def _span(history: RunHistory) -> list[float]:
    """From the first drawn update to where the run ended."""
    steps = [*_steps(history), history.diverged_at[0] if history.diverged_at else history.evaluation_step[-1]]
    return [float(min(steps)) - 0.5, float(max(steps)) + 0.5]


def _lines(look: Look, history: RunHistory, values: Array, most_layers: int) -> list[Json]:
    """A line a layer in the colour of its depth; first and output layer can be told apart without colour."""
    steps, colors = _steps(history), depth_colors(most_layers)
    traces = []
    for layer in drawn_layers(history):
        line: Json = {"color": colors[layer], "width": 3.5 if layer == 0 else 1.5}
        if layer == history.layers - 1:
            line |= {"dash": "dot", "width": 3}
        traces.append(
            {
                "type": "scatter", "mode": "lines+markers", "x": steps, "y": values[:, layer],
                "name": f"{look.name}, {layer_name(history, layer)}", "line": line,
                "marker": {"size": 4, "color": colors[layer]}, "hovertemplate": "step %{x}: %{y:.2~e}",
            }
        )  # fmt: skip
    return traces


def _row_of_first(history: RunHistory) -> int | None:
    if history.diverged_at is None or history.diverged_at[1] is None:
        return None
    return PANEL_OF.get(history.diverged_at[2], FORWARD_PANEL)


def _first_to_overflow(history: RunHistory, values: Array) -> list[Json]:
    """A cross at the last finite value of the layer that overflowed first."""
    assert history.diverged_at is not None
    of_layer = values[:, history.diverged_at[1]]
    finite = np.flatnonzero(np.isfinite(of_layer))
    if not finite.size:
        return []
    x, y = _steps(history)[finite[-1]], of_layer[finite[-1]]
    return [
        {
            "type": "scatter", "mode": "markers", "x": [int(x)], "y": [float(y)], "marker": CROSS, "cliponaxis": False,
            "name": "overflowed first", "hovertemplate": f"{first_to_overflow(history)}<extra></extra>",
        }
    ]  # fmt: skip


def _heading(history: RunHistory) -> str:
    if first := first_to_overflow(history):
        return f"not finite: {first}"
    return "did not break off"


def _notes(histories: tuple[RunHistory, RunHistory]) -> list[str]:
    notes = [HOW_TO_READ]
    if any(_row_of_first(history) is not None and len(history.step) for history in histories):
        notes[0] += " Cross: the layer that overflowed first."
    if max(history.layers for history in histories) > MOST_CURVES:
        notes.append(f"Of more than {MOST_CURVES} layers, {MOST_CURVES} are drawn.")
    for look, history in zip(LOOKS, histories, strict=True):
        if not len(history.step):
            notes.append(f"{look.name}: not one update; there is nothing to draw.")
        elif first := first_to_overflow(history):
            notes.append(f"{look.name}: {first} was no finite number. The last ones before it are drawn.")
        else:
            notes.append(f"{look.name}: every number stayed finite. Drawn are its last {len(_steps(history))} updates.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    first = first_to_overflow(history)
    if not len(history.step):
        return f"{look.name}: {first or 'nothing'} was not finite, before there was any update."
    begins = (
        f"{look.name}: {first} was the first number that was not finite"
        if first
        else (f"{look.name}: every number stayed finite")
    )
    layer = history.diverged_at[1] if history.diverged_at and history.diverged_at[1] is not None else 0
    parts = []
    for field, title in MEASURES:
        values = getattr(history, field)[-LAST_UPDATES:, layer]
        finite = np.flatnonzero(np.isfinite(values))
        if finite.size:
            step = _steps(history)[finite[-1]]
            parts.append(
                f"{title} went from {number(values[finite[0]])} to {number(values[finite[-1]])} at step {step}"
            )
    over = (
        f"over the last {len(_steps(history))} updates on record, in {layer_name(history, layer)}, {', '.join(parts)}"
    )
    return f"{begins}; {over}."
