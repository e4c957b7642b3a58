"""What does it answer, over all inputs?"""

import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import HEIGHT, endings, sentence
from pages.charts.one_run.predictions import answer, answer_rows
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.figure import PATIENT, AnimatedFigure, Json, at_step, merged
from pages.charts.style.panels import LEGEND_BELOW, draw
from pages.text.labels import input_unit

TITLE = "Its answers"
QUESTION = "What does it answer, over all inputs?"
HOW_TO_READ = (
    "The picture shows what the network answers for every possible input at the end: colour for classes, a line for "
    "numbers, or counts of right and wrong answers, the right ones on the diagonal. Healthy: the border, or the "
    "line, follows the examples without bending around single ones."
)

BELOW = 118  # px: tick labels, axis title and a key of colours


def figure(history: RunHistory) -> AnimatedFigure:
    """The decision surface, the fit, or the confusion matrix at the end."""
    panel = draw(PATIENT, history, [len(history.frame_step) - 1], (history, history))
    traces = [trace | at_step(panel.moves.get(i, {}), 0) for i, trace in enumerate(panel.traces)]
    colors = panel.color_axis
    has_key = panel.has_legend or "colorbar" in colors
    below = BELOW if has_key else 62
    key = -62 / (HEIGHT - 8 - below)
    layout: Json = {
        "height": HEIGHT,
        "margin": {"t": 8, "b": below},
        "showlegend": panel.has_legend,
        "legend": LEGEND_BELOW | {"y": key},
        "xaxis": _without_unit(panel.xaxis, history),
        "yaxis": _without_unit(panel.yaxis, history),
    }
    if colors:
        layout["coloraxis"] = merged(colors, {"colorbar": {"y": key}} if "colorbar" in colors else {})
    return captioned(
        TITLE, AnimatedFigure(traces, merged(layout, footnotes(panel.notes + endings(history), HEIGHT, below)))
    )


def alt(history: RunHistory) -> str:
    """What it answers at the end, in words."""
    return sentence(f"At step {history.frame_step[-1]} {answer(history)}", history)


def table(history: RunHistory) -> pd.DataFrame:
    """What it answers at the end."""
    rows = answer_rows(history, len(history.frame_step) - 1)
    return rows.rename(columns=lambda name: name.removesuffix(_unit(history)))


def _unit(history: RunHistory) -> str:
    """What names of inputs end with: it says how they are scaled."""
    return f" ({input_unit(history.experiment)})"


def _without_unit(axis: Json, history: RunHistory) -> Json:
    title = axis.get("title", {})
    return merged(axis, {"title": {"text": title.get("text", "").removesuffix(_unit(history))}}) if title else axis
