"""What had the network learnt when it was at its best, and what had it become by the end?

What each network computes at the step of its lowest validation loss, beside what it computes at its last one, with
training and validation examples.  A row for each network; nothing moves.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import captioned, endings, footnotes, row_heading
from pages.charts.style.figure import COLUMNS, LOOKS, AnimatedFigure, Look, at_step, merged
from pages.charts.style.panels import EXAMPLES, dataset_of, draw, pictures
from pages.text.clock import latest
from pages.text.labels import loss_unit, number, percent

TITLE = "At its best, and at the end"
QUESTION = "What had the network learnt when it was at its best, and what had it become by the end?"
HOW_TO_READ = (
    "Each picture shows what a network answers for every pair of inputs, along its one input or, of more inputs, for "
    "validation data; at the left when its validation loss was lowest, at the right at the end. Healthy: both look "
    "alike and follow the examples loosely. A border that bends around single points at the end has been learnt by "
    "heart."
)

HEIGHT = 620  # px, of two networks: pictures about as high as wide in half a laptop's page, or on a phone
ROW, GAP = 0.39, 0.22  # of the height of both: a row, and the space between two, for headings in stage view too
LONGEST_NAME = 10  # characters
TOP, BELOW, AXIS_BELOW = 46, 132, 62  # px: over the panels; below them with and without a key


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Two panels a network on the same axes and colours: its best evaluation, and its last one."""
    pictured = histories if len(histories) > 1 else histories * 2  # two pictures stand in a row all the same
    rows = [
        [draw(look, history, [place], pictured, tuple(EXAMPLES)) for place in _places(history)]
        for look, history in zip(looks, histories, strict=True)
    ]
    share = len(rows) * ROW + (len(rows) - 1) * GAP  # of the height of two rows
    plot = round((HEIGHT - TOP - BELOW) * share)
    lows = [i * (ROW + GAP) / share for i in reversed(range(len(rows)))]
    domains = [(round(low, 6), round(low + ROW / share, 6)) for low in lows]
    placed = pictures(rows, domains, -AXIS_BELOW / plot)
    traces = [trace | at_step(placed.moves.get(i, {}), 0) for i, trace in enumerate(placed.traces)]
    for index in placed.moves:  # whose line it is, the headings say
        traces[index]["showlegend"] = False
    bottom = BELOW if placed.has_key else AXIS_BELOW
    headings = [
        merged(row_heading(_heading(history, place, when), top, _short(look)), {"x": left, "align": "left"})
        for look, history, (_, top) in zip(looks, histories, domains, strict=True)
        for when, place, (left, _) in zip(("best", "end"), _places(history), COLUMNS, strict=True)
    ]
    notes = _notes(histories, looks, placed.notes)
    below = footnotes(notes, TOP + plot + BELOW, bottom, headings)
    layout = placed.layout | {"margin": {"t": TOP, "b": bottom}}
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, below)), *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Loss, and accuracy or share of the picture that changed, of each network at its best and at the end."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network and moment: loss and accuracy on both sets."""
    rows = []
    for look, history in zip(looks, histories, strict=True):
        for when, place in zip(("best", "end"), _places(history), strict=True):
            at = latest(history.evaluation_step, int(history.frame_step[place]))
            rows.append(
                {
                    "network": look.name,
                    "moment": when,
                    "training step (updates)": int(history.frame_step[place]),
                    f"training loss ({loss_unit(history)})": history.train_loss[at],
                    f"validation loss ({loss_unit(history)})": history.validation_loss[at],
                    "training accuracy (share)": history.train_accuracy[at],
                    "validation accuracy (share)": history.validation_accuracy[at],
                }
            )
    return pd.DataFrame(rows)


def _places(history: RunHistory) -> tuple[int, int]:
    """The frames that are drawn."""
    return latest(history.frame_step, history.best_step), len(history.frame_step) - 1


def _short(look: Look) -> Look:
    """With a name that has room over one of two panels."""
    return look if len(look.name) <= LONGEST_NAME else replace(look, name=f"{look.name[: LONGEST_NAME - 1]}…")


def _heading(history: RunHistory, place: int, when: str) -> str:
    step = int(history.frame_step[place])
    loss = float(history.validation_loss[latest(history.evaluation_step, step)])
    return f"{when}<br>step {step}, loss {number(loss)}" if np.isfinite(loss) else f"{when}<br>step {step}"


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look], notes: list[str]) -> list[str]:
    sentences = ["Loss: on validation data."]
    shown = [history.prediction_axes is not None and dataset_of(history) is not None for history in histories]
    if any(shown):
        drawn = {len(history.prediction_axes or ()) for history in histories}
        if 2 in drawn and any(history.confusion is not None for history in histories):
            sentences.append(
                f"White rim: training examples. Small, dark rim: {EXAMPLES['validation'].most} of the validation set."
            )
    sentences += endings(histories, looks)
    return [" ".join(sentences[:2]), *sentences[2:], *notes]


def _sentence(look: Look, history: RunHistory) -> str:
    def at(place: int) -> str:
        step = int(history.frame_step[place])
        row = latest(history.evaluation_step, step)
        loss, accuracy = float(history.validation_loss[row]), float(history.validation_accuracy[row])
        if not np.isfinite(loss):
            return f"at step {step} its loss is not finite"
        right = "" if np.isnan(accuracy) else f" and accuracy {percent(accuracy)}"
        return f"at step {step} validation loss {number(loss)} {loss_unit(history)}{right}"

    best, last = _places(history)
    if best == last:
        return f"{look.name}: best at its last step; {at(last)}."
    return f"{look.name}: at its best, {at(best)}; in the end, {at(last)}{_changed(history, best, last)}."


def _changed(history: RunHistory, best: int, last: int) -> str:
    """On what share of the inputs shown the answer is another one."""
    if history.predictions is None or history.confusion is None:
        return ""
    outputs = history.predictions[[best, last]]
    if not np.isfinite(outputs).all():
        return ""
    answers = outputs[..., 0] > 0.5 if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)
    return f", with another answer on {percent(float((answers[0] != answers[1]).mean()))} of the inputs shown"
