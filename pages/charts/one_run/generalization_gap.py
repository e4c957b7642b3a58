"""How much better is the network on its training data than on new data, and since when?

Loss and accuracy on training and validation data, the gap between them shaded, a panel for each network.  Of a run
that was stopped early: how long it waited, and, where another network is the same but for its patience, what waiting
longer would have led to.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly.colors import hex_to_rgb

from engine import RunHistory
from engine.measures import generalization_loss
from pages.charts.style.annotations import captioned
from pages.charts.style.axes import axis, ends, loss_axis, loss_title
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import LOOKS, AnimatedFigure, Array, Json, Look
from pages.charts.style.grid import Row, over_training, side_by_side, whole_runs
from pages.charts.style.traces import box, curve, line, star, stroke, thin_curve
from pages.text.clock import latest, timeline_steps
from pages.text.labels import PERCENT, ending, legends, loss_unit, number, percent

TITLE = "The generalization gap"
QUESTION = "How much better is the network on its training data than on validation data, and since when?"
HOW_TO_READ = (
    "Left to right: training. Thin is the training data, thick is validation data, and the shaded area between them "
    "is the gap. Healthy: both fall and stay together. Thick rising while thin still falls is overfitting, and the "
    "star marks where it began."
)

SHADE = "rgba({}, {}, {}, 0.22)"  # of a network's colour
WAITED = {"bgcolor": "rgba(0, 0, 0, 0)", "fgcolor": "#808080", "shape": "/", "size": 8, "solidity": 0.25}
LOSS_PANEL, ACCURACY_PANEL = (0.5, 1.0), (0.0, 0.38)
KEY = "Thin: training. Thick: validation. Shaded: the gap. Star: lowest validation loss."

Networks = Sequence[tuple[Look, RunHistory]]


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Loss above, accuracy below (classes only), against the training step, on the same axes for all networks."""
    networks = tuple(zip(looks, histories, strict=True))
    with_accuracy = any(history.confusion is not None for history in histories)
    losses = np.concatenate([loss for h in histories for loss in (h.train_loss, h.validation_loss)])
    domain = LOSS_PANEL if with_accuracy else (0, 1)
    losses_axis = loss_axis(loss_title("loss", histories), losses, domain=domain)
    panels = [
        [
            *_waited(history, ends(losses_axis)),
            *_gap(look, history, "loss", networks),
            star(look, history.best_step, _lowest(history)),
        ]
        for look, history in networks
    ]
    rows = [Row(losses_axis, panels)]
    if with_accuracy:
        shares = axis("accuracy", domain=ACCURACY_PANEL, range=[-0.04, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%")
        rows.append(Row(shares, [_gap(look, history, "accuracy", networks) for look, history in networks]))
    places = side_by_side(legends(*histories), looks)
    drawn = over_training(rows, whole_runs(*histories), timeline_steps(*histories), places, _notes(networks))
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Loss and accuracy on both sets at the end, the best step, and how far validation loss has risen since."""
    networks = tuple(zip(looks, histories, strict=True))
    return " ".join([_sentence(look, history) for look, history in networks] + _stops(networks))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row an evaluation of a network; the generalization loss is Prechelt's (1998), in per cent."""

    def columns(history: RunHistory) -> Columns:
        return {
            STEP: history.evaluation_step,
            f"training loss ({loss_unit(history)})": history.train_loss,
            f"validation loss ({loss_unit(history)})": history.validation_loss,
            f"gap ({loss_unit(history)})": _difference(history.validation_loss, history.train_loss),
            "generalization loss (%)": generalization_loss(history.validation_loss),
            "training accuracy (share)": history.train_accuracy,
            "validation accuracy (share)": history.validation_accuracy,
            "best": history.evaluation_step == history.best_step,
        }

    return table_of(histories, looks, columns)


def _gap(look: Look, history: RunHistory, measure: str, networks: Networks) -> list[Json]:
    """The training curve, the space up to the validation curve, that curve, and how it would have gone on."""
    value = "%{y:.3g}" if measure == "loss" else "%{y:.0%}"
    train, validation = getattr(history, f"train_{measure}"), getattr(history, f"validation_{measure}")
    steps, hover = history.evaluation_step, f"{measure}<br>step %{{x}}: {value}"
    shade: Json = {"fill": "tonexty", "fillcolor": SHADE.format(*hex_to_rgb(look.color))}
    traces = [
        thin_curve(look, steps, train, f"{look.name} training", f"training {hover}"),
        curve(look, steps, validation, look.name, f"validation {hover}", size=8, markers=6, **shade),
    ]
    for other_look, other in _going_on(history, networks):
        later = other.evaluation_step >= history.evaluation_step[-1]
        values = getattr(other, f"validation_{measure}")[later]
        hover = f"had it gone on<br>step %{{x}}: {value}<extra></extra>"
        dots = stroke(other_look.color, 2.5, "dot")
        traces.append(line(other.evaluation_step[later], values, "had it gone on", hover, **dots))
    return traces


def _waited(history: RunHistory, heights: tuple[float, float]) -> list[Json]:
    """The evaluations without improvement that early stopping waited for, hatched."""
    if history.status != "stopped_early":
        return []
    return [box(history.best_step, int(history.evaluation_step[-1]), *heights, "patience", fillpattern=WAITED)]


def _going_on(history: RunHistory, networks: Networks) -> Networks:
    """The first network that is this one as it would have gone on, had it not been stopped; or none."""
    if history.status != "stopped_early":
        return ()
    return [
        (look, other)
        for look, other in networks
        if set(history.experiment.differences(other.experiment)) == {"patience"}
        and other.evaluation_step[-1] > history.evaluation_step[-1]
    ][:1]


def _lowest(history: RunHistory) -> float:
    return float(history.validation_loss[latest(history.evaluation_step, history.best_step)])


def _difference(a: Array, b: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return a - b


def _notes(networks: Networks) -> list[str]:
    notes = [KEY, *_stops(networks)]
    for look, history in networks:
        if history.diverged_at is not None:
            notes.append(f"{look.name}: {ending(history)}.")
    return notes


def _stops(networks: Networks) -> list[str]:
    """Of each network that was stopped early: when, why, and what came after."""
    sentences = []
    for look, history in networks:
        if history.status != "stopped_early":
            continue
        patience = history.experiment.patience
        text = (
            f"{look.name}: stopped at step {history.evaluation_step[-1]}, after {patience} "
            f"{'evaluation' if patience == 1 else 'evaluations'} without a lower validation loss (hatched)"
        )
        for _, other in _going_on(history, networks):
            text += (
                f"; had it gone on (dotted), it would have gone from {number(_lowest(history))} to "
                f"{number(other.validation_loss[-1])} at step {other.evaluation_step[-1]}"
            )
        sentences.append(text + ".")
    return sentences


def _sentence(look: Look, history: RunHistory) -> str:
    train, validation = float(history.train_loss[-1]), float(history.validation_loss[-1])
    if not math.isfinite(train):
        return f"{look.name}: no finite loss; {ending(history)}."
    text = (
        f"{look.name}: at step {history.evaluation_step[-1]} training loss is {number(train)} and validation loss "
        f"{number(validation)} {loss_unit(history)}"
    )
    if not math.isnan(history.validation_accuracy[-1]):
        text += (
            f", accuracy {percent(history.train_accuracy[-1])} on training and "
            f"{percent(history.validation_accuracy[-1])} on validation data"
        )
    text += f"; lowest validation loss {number(_lowest(history))} at step {history.best_step}"
    risen = float(generalization_loss(history.validation_loss)[-1])
    if risen > 0:
        text += f", and it has risen by {number(risen)}{PERCENT} since"
    return text + (f"; {ending(history)}." if history.diverged_at is not None else ".")
