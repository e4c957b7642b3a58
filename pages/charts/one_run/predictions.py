"""What does each network compute?

The networks side by side at the current step: the decision surface over two inputs, the fit over one; where there are
more, a confusion matrix on validation data, or predicted against true numbers.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import captioned, column_headings, endings, footnotes
from pages.charts.style.figure import COLUMNS, HEIGHT, LOOKS, AnimatedFigure, Array, Look, merged, moving
from pages.charts.style.panels import draw, gives_probabilities, input_names, pictures
from pages.charts.style.validation_answers import validation_answers
from pages.text.clock import latest, latest_at, thinned, timeline_steps
from pages.text.labels import ending, legends, number, percent
from pages.text.three_sets import class_names, typical_error

TITLE = "What each network computes"
QUESTION = "What does each network compute?"
HOW_TO_READ = (
    "What a network answers at the timeline’s step. For every possible input, colour for classes, a "
    "line for numbers. With more inputs, for validation data: counts of right and wrong answers, the right ones on the "
    "diagonal, or predicted against true numbers. Healthy: the border runs between the groups of examples, or the "
    "dots lie along the diagonal. Where all is of one colour or height, it gives everyone the same answer."
)

MOST_FRAMES = 36  # of the timeline's 60: a surface weighs more than everything else on the page
BELOW = 118  # px: tick labels, axis title and the key below them
AXIS_BELOW = 62  # px: tick labels and axis title alone
ROW_HEIGHT, ROW_GAP = 205, 70  # px that a second row of panels adds, of them those between the rows


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """A panel a network, two in a row, on the same axes and colours; at most MOST_FRAMES frames."""
    steps = thinned(timeline_steps(*histories), MOST_FRAMES)
    panels = [
        draw(look, history, latest_at(history.frame_step, steps).tolist(), histories)
        for look, history in zip(looks, histories, strict=True)
    ]
    columns = COLUMNS if len(panels) > 1 else [(0.0, 1.0)]
    rows = [panels[i : i + 2] for i in range(0, len(panels), 2)]
    _, top = column_headings(legends(*histories), looks=looks, columns=columns)
    height = HEIGHT + ROW_HEIGHT * (len(rows) - 1)
    plot = height - top - BELOW
    lower = round((1 - ROW_GAP / plot) / 2, 3)
    domains = [(0.0, 1.0)] if len(rows) == 1 else [(1 - lower, 1.0), (0.0, lower)]
    headings, _ = column_headings(legends(*histories), 0, looks, columns, [high for _, high in domains])
    # What stands below the panels hangs at a distance in pixels, in the unit of Plotly's places: the panels' height.
    placed = pictures(rows, domains, -AXIS_BELOW / plot, columns)
    notes = placed.notes + endings(histories, looks)
    bottom = BELOW if placed.has_key else AXIS_BELOW
    below = footnotes(notes, height, bottom, headings)
    layout = placed.layout | {"margin": {"t": top, "b": bottom}}
    drawn = AnimatedFigure(placed.traces, merged(layout, below), moving(steps, placed.moves))
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """What each network answers at the end of its run, in numbers."""
    networks = zip(looks, histories, strict=True)
    return " ".join(f"{look.name}: {_in_words(history)}." for look, history in networks)


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """Start, best step and end: one row a place of the plane or line, or a pair of true and predicted class."""
    networks = zip(looks, histories, strict=True)
    return pd.concat([_rows(look, history) for look, history in networks], ignore_index=True)


# --- words and rows ---


def _in_words(history: RunHistory) -> str:
    text = f"at step {history.frame_step[-1]} " + answer(history)
    return text + (f"; {words}" if (words := ending(history)) else "")


def answer(history: RunHistory) -> str:
    """What a network answers at the end of its run, in numbers."""
    names = class_names(history)
    share = float(history.validation_accuracy[-1])
    accuracy = "" if math.isnan(share) else f", correct for {percent(share)} of the validation examples"
    if history.predictions is not None:
        last = history.predictions[-1]
        if not np.isfinite(last).all():
            return "its output is not finite everywhere" + accuracy
        span = f"between {number(float(last[..., -1].min()))} and {number(float(last[..., -1].max()))}"
        if not names:
            return f"its output lies {span}"
        if len(names) == 2:
            part = percent(float((last > 0.5).mean()))
            answers = f"the probability of {names[1]}"
            if not gives_probabilities(history):
                answers = f"its output, above one half for {names[1]},"
            return f"{answers} lies {span}, above one half on {part} of the inputs shown" + accuracy
        winners = np.bincount(last.reshape(-1, len(names)).argmax(axis=1), minlength=len(names)) / last[..., 0].size
        parts = ", ".join(f"{name} on {percent(float(part))}" for name, part in zip(names, winners, strict=True))
        return f"the winning class is {parts} of the inputs shown" + accuracy
    if history.confusion is None:
        return f"{typical_error(history, float(history.validation_loss[-1])).lower()} on validation data"
    counts = history.confusion[-1]
    right, n = int(np.trace(counts)), int(counts.sum())
    wrong = counts - np.diag(np.diag(counts))
    true, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
    often = f"; {names[true]} is taken for {names[predicted]} most often, {wrong.max()} times" if right < n else ""
    return f"it is correct for {right} of {n} validation examples ({percent(right / n)}){often}"


def _rows(look: Look, history: RunHistory) -> pd.DataFrame:
    kept = sorted({0, latest(history.frame_step, history.best_step), len(history.frame_step) - 1})
    parts = []
    for k in kept:
        part = answer_rows(history, k)
        part.insert(0, "training step (updates)", history.frame_step[k])
        part.insert(0, "network", look.name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def answer_rows(history: RunHistory, k: int) -> pd.DataFrame:
    """A frame's answers: one row a place of the plane or line, or a pair of true and predicted class."""
    names = class_names(history)
    if history.prediction_axes is not None and history.predictions is not None:
        outputs = history.predictions[k].reshape(-1, history.predictions.shape[-1])
        places = [grid.ravel() for grid in np.meshgrid(*history.prediction_axes)]
        quantity = "probability of" if gives_probabilities(history) else "output for"
        answers = [f"{quantity} {name}" for name in (names[1:] if len(names) == 2 else names)]
        columns = dict(zip(input_names(history, len(places)), places, strict=True))
        return pd.DataFrame(columns | dict(zip(answers or _output_names(outputs), outputs.T, strict=True)))
    if history.confusion is None:
        found = validation_answers(history, [k])
        return pd.DataFrame({"true value": found[0], "predicted value": found[1][0]} if found else {})
    counts = history.confusion[k]
    true, predicted = (np.array(names)[places.ravel()] for places in np.indices(counts.shape))
    return pd.DataFrame(
        {"true class": true, "predicted class": predicted, "validation examples (count)": counts.ravel()}
    )


def _output_names(outputs: Array) -> list[str]:
    n = outputs.shape[1]
    return ["output"] if n == 1 else [f"output {k + 1}" for k in range(n)]
