"""What does training minimise: how much of it is the data's loss, and how much the penalty on the weights?

Data loss on the training set, L1 and L2 penalty, and their sum, a panel for each network.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import captioned, endings, no_network
from pages.charts.style.axes import loss_axis, loss_title
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import LOOKS, AnimatedFigure, Array, Json, Look
from pages.charts.style.grid import losses_side_by_side
from pages.charts.style.traces import curve, hover_of, mode_of, stroke, trace
from pages.text.labels import ending, loss_unit, number

TITLE = "Data loss and penalty"
QUESTION = "What does training minimise: how much of it is the data’s loss, and how much the penalty on the weights?"
HOW_TO_READ = (
    "Left to right: training. Thick is the loss on the data, dotted the penalty on the weights, grey their sum, "
    "which training lowers. Healthy: the penalty stays a part of the sum. Where it outweighs the data’s loss, the "
    "network cares more for small weights than for its task."
)

KEY, SUM = "Thick: data loss. Dotted: penalty.", "Grey: their sum, which is what training lowers."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Both parts and their sum against the training step, on the same axes for all networks."""
    values = np.concatenate([part for h in histories for part in (h.train_loss, _drawn_penalty(h), _sum(h))])
    value_axis, notes = loss_axis(loss_title("loss", histories), values), _notes(histories, looks)
    drawn = losses_side_by_side(histories, looks, value_axis, _curves, KEY, notes)
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Data loss and penalty of each network at the start and at the end."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row an evaluation of a network."""

    def columns(history: RunHistory) -> Columns:
        return {
            STEP: history.evaluation_step,
            f"data loss ({loss_unit(history)})": history.train_loss,
            f"penalty ({loss_unit(history)})": history.penalty,
            f"sum ({loss_unit(history)})": _sum(history),
        }

    return table_of(histories, looks, columns)


def _sum(history: RunHistory) -> Array:
    return history.train_loss + history.penalty


def _drawn_penalty(history: RunHistory) -> Array:
    return history.penalty if _has_penalty(history) else history.penalty[:0]


def _has_penalty(history: RunHistory) -> bool:
    return history.experiment.l1 > 0 or history.experiment.l2_in_loss > 0


def _curves(look: Look, history: RunHistory) -> list[Json]:
    steps, hover = history.evaluation_step, "<br>step %{x}: %{y:.3g}"
    data = curve(look, steps, history.train_loss, f"{look.name} data loss", f"data loss{hover}", size=8, markers=6)
    if not _has_penalty(history):
        return [data]
    parts = (("sum", _sum(history), stroke()), ("penalty", history.penalty, stroke(look.color, 3, "dot")))
    both, penalty = (
        trace(mode_of(steps), steps, values, f"{look.name} {name}", hover_of(look, name + hover), **one)
        for name, values, one in parts
    )
    return [both, data, penalty]


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    without = [look.name for look, history in zip(looks, histories, strict=True) if not _has_penalty(history)]
    notes = [SUM]
    if len(without) == len(looks):
        notes.append(f"{no_network(looks)} has a penalty: set L1 or L2.")
    elif without:
        notes.append(f"{', '.join(without)}: no penalty.")
    for look, history in zip(looks, histories, strict=True):
        if history.experiment.l2 > history.experiment.l2_in_loss:
            notes.append(f"{look.name}: AdamW’s L2 shrinks the weights outside the loss.")
    return notes + endings(histories, looks)


def _sentence(look: Look, history: RunHistory) -> str:
    def at(row: int) -> str:
        data = f"the data loss is {number(history.train_loss[row])} {loss_unit(history)}"
        if not _has_penalty(history):
            return data
        return f"{data} and the penalty {number(history.penalty[row])}"

    if not math.isfinite(history.train_loss[0]):
        return f"{look.name}: no finite loss; {ending(history)}."
    text = f"{look.name}: at step 0 {at(0)}"
    if last := history.evaluation_step[-1]:
        text += f", at step {last} {at(-1)}"
    text += "" if _has_penalty(history) else "; there is no penalty"
    return text + (f"; {words}." if (words := ending(history)) else ".")
