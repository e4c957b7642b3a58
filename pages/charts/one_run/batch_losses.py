"""How much do the batches of one epoch differ?

Loss of each batch of the epoch that the timeline is in, all networks; at the end, of the last whole epoch.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import captioned, footnotes, marks_of
from pages.charts.style.axes import axis, loss_axis, loss_title
from pages.charts.style.chart_tables import Columns, table_of
from pages.charts.style.figure import LOOKS, AnimatedFigure, Array, Json, Look, moving
from pages.charts.style.traces import hover_of, nothing, trace
from pages.text.clock import thinned, timeline_steps
from pages.text.labels import ending, number

TITLE = "Batch losses within an epoch"
QUESTION = "How much do the batches of one epoch differ?"
HOW_TO_READ = (
    "Left to right: the batches of one epoch, in the order in which they are trained on; up: the loss of each. "
    "Healthy: the losses scatter without a pattern and come down from epoch to epoch. Long climbs that repeat in every "
    "epoch mean that examples come sorted; a scatter as large as the loss itself, that batches are very small."
)

MOST_BATCHES = 60  # of an epoch that are drawn: of more, so many evenly


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Batch loss against the share of the epoch that is over, on one axis; the timeline moves from epoch to epoch."""
    steps = timeline_steps(*histories)
    drawn = [_epochs(history, steps) for history in histories]
    losses = np.concatenate([values.ravel() for values in drawn])
    traces = [
        _curve(look, history, values.shape[1]) for look, history, values in zip(looks, histories, drawn, strict=True)
    ]
    layout: Json = {
        "xaxis": axis("share of the epoch", range=[-0.03, 1.03], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%"),
        "yaxis": loss_axis(loss_title("batch loss", histories), losses),
        "showlegend": False,
        "hovermode": "closest",
    }
    moves = {index: {"y": values} for index, values in enumerate(drawn)}
    notes = footnotes(_notes(histories, looks))
    animated = AnimatedFigure(traces or [nothing()], layout | notes, moving(steps, moves))
    return captioned(TITLE, animated, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Mean, lowest and highest batch loss of the networks' last whole epoch."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row an update on record: its epoch, its batch, its loss."""

    def columns(history: RunHistory) -> Columns:
        epoch, batch = np.divmod(history.step, batches(history))
        return {"epoch": epoch + 1, "batch": batch + 1, "update": history.step, "batch loss": history.batch_loss}

    return table_of(histories, looks, columns)


def batches(history: RunHistory) -> int:
    """Updates that an epoch has."""
    e = history.experiment
    return -(-e.n_train // e.examples_per_update)


def _epochs(history: RunHistory, steps: list[int]) -> Array:
    """Losses of the epoch that each step is in, (steps, batches); NaN where a loss is not on record."""
    each, count = batches(history), len(history.step)
    last_whole = max((int(history.step[-1]) + 1) // each - 1, 0) if count else 0
    starts = np.minimum(np.asarray(steps) // each, last_whole) * each
    wanted = starts[:, None] + _drawn(each)
    rows = np.searchsorted(history.step, wanted)
    known = (rows < count) & (np.append(history.step, -1)[np.minimum(rows, count)] == wanted)
    return np.where(known, np.append(history.batch_loss, np.nan)[np.minimum(rows, count)], np.nan)


def _drawn(each: int) -> Array:
    return np.array(thinned(range(each), MOST_BATCHES))


def _curve(look: Look, history: RunHistory, points: int) -> Json:
    each = batches(history)
    hover = hover_of(look, "%{x:.0%} of the epoch: %{y:.3g}")
    look_of_all = look.line(2) | look.marker(7 if points <= MOST_BATCHES // 2 else 5)
    return trace("lines+markers", (_drawn(each) + 1) / each, None, look.name, hover, **look_of_all)


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    notes = [marks_of(looks)]
    for look, history in zip(looks, histories, strict=True):
        each = batches(history)
        e = history.experiment
        if each == 1:
            notes.append(f"{look.name}: one batch holds all {e.n_train} examples, and is a whole epoch.")
        else:
            order = "shuffled" if e.shuffle else "sorted by class or target"
            notes.append(f"{look.name}: {each} batches of {e.batch_size} an epoch, {order}.")
        if each > MOST_BATCHES:
            notes.append(f"{MOST_BATCHES} of them are drawn.")
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    if not len(history.step):
        return f"{look.name}: {ending(history)}, before there was any update."
    (losses,) = _epochs(history, [int(history.step[-1])])
    losses = losses[np.isfinite(losses)]
    if not losses.size:
        return f"{look.name}: no loss of its last epoch is on record."
    if batches(history) == 1:
        return f"{look.name}: one batch an epoch; the last has loss {number(float(losses[-1]))}."
    return (
        f"{look.name}: {batches(history)} batches an epoch; in the last whole one batch losses lie between "
        f"{number(float(losses.min()))} and {number(float(losses.max()))}, {number(float(losses.mean()))} on average."
    )
