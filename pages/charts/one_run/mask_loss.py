"""What does dropout’s mask cost in training?

Training loss with the mask, as an update sees it, and without it, as the whole network has it, a panel for
each network.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import captioned, no_network
from pages.charts.style.axes import loss_axis, loss_title
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import LOOKS, AnimatedFigure, Array, Json, Look
from pages.charts.style.grid import losses_side_by_side
from pages.charts.style.traces import curve, thin_curve
from pages.text.labels import ending, loss_unit, name, number

TITLE = "With and without dropout’s mask"
QUESTION = "What does dropout’s mask cost in training?"
HOW_TO_READ = (
    "Left to right: training. Thin is the loss while dropout hides units at random, thick the loss of the whole "
    "network with the same weights. The space between them is the price of training with fewer units. Without "
    "dropout both are one line."
)

KEY = "Thin: with the mask. Thick: without."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Both losses at every evaluation against the training step, on the same axes for all networks."""
    losses = np.concatenate([part for history in histories for part in _losses(history)[1:]])
    value_axis = loss_axis(loss_title("training loss", histories), losses)
    drawn = losses_side_by_side(histories, looks, value_axis, _curves, KEY, _notes(histories, looks))
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Both losses of each network at the last update that was evaluated, and their typical ratio."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network and step at which both losses are known; with mini-batches the first is of one batch."""

    def columns(history: RunHistory) -> Columns:
        steps, masked, whole = _losses(history)
        return {
            STEP: steps,
            "dropout": history.experiment.dropout,
            f"training loss with the mask ({loss_unit(history)})": masked,
            f"training loss without it ({loss_unit(history)})": whole,
        }

    return table_of(histories, looks, columns)


def _losses(history: RunHistory) -> tuple[Array, Array, Array]:
    """Steps that have an update and an evaluation, both of θ at that step, and the loss with mask and without."""
    steps, updates, evaluations = np.intersect1d(history.step, history.evaluation_step, return_indices=True)
    return steps, history.batch_loss[updates], history.train_loss[evaluations]


def _curves(look: Look, history: RunHistory) -> list[Json]:
    steps, masked, whole = _losses(history)
    hover = "<br>step %{x}: %{y:.3g}"
    return [
        thin_curve(look, steps, masked, f"{look.name} with the mask", f"with the mask{hover}"),
        curve(look, steps, whole, look.name, f"without it{hover}", size=8, markers=6),
    ]


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    notes = []
    without = [look.name for look, h in zip(looks, histories, strict=True) if h.experiment.dropout == 0]
    if len(without) == len(looks):
        notes.append(f"{no_network(looks)} has dropout: set it, and the curves part.")
    elif without:
        notes.append(f"{', '.join(without)}: no dropout, hence no mask.")
    for look, history in zip(looks, histories, strict=True):
        if 0 < history.experiment.batch_size < history.experiment.n_train:
            notes.append(f"{look.name}: the thin line is of one mini-batch at a time.")
        if history.experiment.class_weights != "none" and history.confusion is not None:
            notes.append(f"{look.name}: the thin line has class weights, the thick one has not.")
        if words := ending(history):
            notes.append(f"{look.name}: {words}.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    steps, masked, whole = _losses(history)
    if not len(steps) or not np.isfinite([masked[-1], whole[-1]]).all():
        return f"{look.name}: no finite loss; {ending(history)}."
    if history.experiment.dropout == 0:
        return (
            f"{look.name}: no dropout, hence no mask; at step {steps[-1]} training loss is {number(whole[-1])} "
            f"{loss_unit(history)}."
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = masked / whole
    typical = float(np.median(ratio[np.isfinite(ratio)])) if np.isfinite(ratio).any() else np.nan
    return (
        f"{look.name}: with dropout {name(history.experiment.dropout)}, training loss at step {steps[-1]} is "
        f"{number(masked[-1])} {loss_unit(history)} with the mask and {number(whole[-1])} without it; the median of "
        f"their ratio over the run is {number(typical)}."
    )
