"""Has training come to rest, is a penalty holding it back, or are its steps too small?

The gradient that is left, of the data loss and of the penalties, and the size of the steps taken, all networks.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import ABOVE_BOTH, captioned, footnotes, more_above, row_heading
from pages.charts.style.axes import axis, log_axis
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import (
    HEIGHT,
    LOOKS,
    AnimatedFigure,
    Array,
    Json,
    Look,
    merged,
    step_lines,
)
from pages.charts.style.traces import MEDIUM, THIN, curve, key, stroke, thin_curve
from pages.charts.style.update_curves import on_log_axis
from pages.text.clock import timeline_steps
from pages.text.labels import ending, number

TITLE = "Gradient left, steps taken"
QUESTION = "Has training come to rest, is a penalty holding it back, or are its steps too small?"
HOW_TO_READ = (
    "Left to right: training. Above, how steep the loss still is; below, how far each update moves the parameters; "
    "each labelled line is ten or more times the one below. At rest both are tiny. Steep above and tiny below: the "
    "steps are too small."
)

MOST_POINTS = 150  # of a curve
LABELS = 4  # powers of ten that stay apart in half the height
UPPER, LOWER = [0.56, 1.0], [0.0, 0.42]
HEADINGS = (("Gradient that is left, ‖∂L/∂θ‖ (log)", UPPER), ("Length of a step, ‖Δθ‖ (log)", LOWER))
ABOVE_HEADING = 1.08


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Norm of the gradient above, length of the step below, against the training step; a penalty's gradient thin."""
    networks = tuple(zip(looks, histories, strict=True))
    kept = [_kept(history) for _, history in networks]
    end = max(int(history.evaluation_step[-1]) for _, history in networks)
    traces: list[Json] = []
    drawn: tuple[list[Array], list[Array]] = ([], [])
    for (look, history), rows in zip(networks, kept, strict=True):
        data, penalty, steps = (on_log_axis(values)[rows] for values in _measured(history))
        at, hover = history.step[rows], "<br>update %{x}: %{y:.2~e}"
        traces.append(curve(look, at, data, look.name, f"gradient of the data loss{hover}", MEDIUM))
        if _penalised(history):
            name, hover_thin = f"{look.name} penalty", f"gradient of the penalties{hover}"
            traces.append(thin_curve(look, at, penalty, name, hover_thin, showlegend=False))
        traces.append(curve(look, at, steps, look.name, f"step{hover}", MEDIUM, yaxis="y2", showlegend=False))
        drawn[0].extend([data, penalty])
        drawn[1].append(steps)
    if any(_penalised(history) for _, history in networks):
        traces += [key("data loss", **stroke(width=MEDIUM + 1)), key("penalty", **stroke(width=THIN))]
    more = more_above(len(histories))
    layout: Json = {
        "margin": {"t": ABOVE_BOTH + more},
        "xaxis": axis("training step (updates)", [0, end], anchor="y2"),
        "yaxis": log_axis("", np.concatenate(drawn[0]), LABELS, domain=UPPER),
        "yaxis2": log_axis("", np.concatenate(drawn[1]), LABELS, domain=LOWER),
        "legend": {"y": ABOVE_HEADING},
        "hovermode": "closest",
    }
    panels = [("x", low, high) for low, high in (UPPER, LOWER)]  # and not the heading between them
    frames = step_lines(timeline_steps(*histories), columns=panels)
    notes = footnotes(_notes(networks), HEIGHT + more, others=[row_heading(text, panel[1]) for text, panel in HEADINGS])
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, notes), frames), *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Gradient of data loss and penalty and size of the step, at the first and the last update."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network and drawn update."""

    def columns(history: RunHistory) -> Columns:
        rows = _kept(history)
        data, penalty, steps = (values[rows] for values in _measured(history))
        return {
            STEP: history.step[rows],
            "‖∂L/∂θ‖ of the data loss": data,
            "‖∂L/∂θ‖ of the penalties": penalty,
            "‖Δθ‖": steps,
        }

    return table_of(histories, looks, columns)


def _measured(history: RunHistory) -> tuple[Array, Array, Array]:
    return history.data_gradient_norm, history.penalty_gradient_norm, history.total_update_norm


def _penalised(history: RunHistory) -> bool:
    return bool((history.penalty_gradient_norm > 0).any())


def _kept(history: RunHistory) -> Array:
    """Places of the updates that are drawn: the first, the last, and some evenly between."""
    n = len(history.step)
    return np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(int))


def _notes(networks: Sequence[tuple[Look, RunHistory]]) -> list[str]:
    notes = []
    for look, history in networks:
        if (history.data_gradient_norm == 0).any():
            notes.append(f"{look.name}: a gradient of exactly 0 is not drawn.")
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    if not len(history.step):
        return f"{look.name}: {ending(history)}, before there was any update."
    data, penalty, steps = (values[[0, -1]].tolist() for values in _measured(history))
    how = f"; {words}." if (words := ending(history)) else "."
    if len(history.step) == 1:
        pulls = f"; the gradient of the penalties {_said(penalty[0])}" if _penalised(history) else ""
        return (
            f"{look.name}: at its only update the gradient of the data loss has norm {_said(data[0])}{pulls}; the step "
            f"moves the parameters by {_said(steps[0])}{how}"
        )
    text = (
        f"{look.name}: the gradient of the data loss has norm {_said(data[0])} at the first update and "
        f"{_said(data[1])} at the last; a step moves the parameters by {_said(steps[0])} and {_said(steps[1])}"
    )
    if _penalised(history):
        text += f"; the gradient of the penalties goes from {_said(penalty[0])} to {_said(penalty[1])}"
    return text + how


def _said(value: float) -> str:
    return number(value) if math.isfinite(value) else "no finite number"
