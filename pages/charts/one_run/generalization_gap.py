"""How much better is the network on its training data than on new data, and since when?

Loss and accuracy on training and validation data, the gap between them shaded, patient left and treated right.  Of a
run that was stopped early: how long it waited, and, where the other network is the same but for its patience, what
waiting longer would have led to.
"""

import math

import numpy as np
import pandas as pd

from engine import RunHistory
from engine.measures import generalization_loss
from pages.charts.style.annotations import column_headings
from pages.charts.style.axes import axis
from pages.charts.style.figure import PATIENT, TREATED, AnimatedFigure, Json, Look, merged
from pages.charts.style.loss_axis import ends, loss_axis
from pages.charts.style.side_by_side import Row, side_by_side, whole_runs
from pages.text.clock import latest, timeline_steps
from pages.text.labels import PERCENT, ending, legends, loss_unit, number, percent

TITLE = "The generalization gap"
QUESTION = "How much better is the network on its training data than on new data, and since when?"

Array = np.ndarray

LOOKS = (PATIENT, TREATED)
SHADES = {"Patient": "rgba(213, 94, 0, 0.22)", "Treated": "rgba(0, 114, 178, 0.22)"}
WAITED = {"bgcolor": "rgba(0, 0, 0, 0)", "fgcolor": "#808080", "shape": "/", "size": 8, "solidity": 0.25}
THIN, THICK = 1.5, 3.5
MARKERS = 6  # on a curve
LOSS_PANEL, ACCURACY_PANEL = (0.5, 1.0), (0.0, 0.38)
HOW_TO_READ = "Thin: training. Thick: validation. Shaded: the gap. Star: lowest validation loss."


def figure(patient: RunHistory, treated: RunHistory) -> AnimatedFigure:
    """Loss above, accuracy below (classes only), against the training step, on the same axes for both networks."""
    histories = (patient, treated)
    with_accuracy = any(history.confusion is not None for history in histories)
    losses = np.concatenate([loss for h in histories for loss in (h.train_loss, h.validation_loss)])
    units = [loss_unit(history) for history in histories]
    title = f"loss ({units[0]})" if units[0] == units[1] else "loss"
    losses_axis = loss_axis(title, losses, domain=LOSS_PANEL if with_accuracy else (0, 1))
    panels = [
        [*_waited(history, ends(losses_axis)), *_gap(look, history, "loss", other), _best(look, history)]
        for look, history, other in zip(LOOKS, histories, histories[::-1], strict=True)
    ]
    rows = [Row(losses_axis, *panels)]
    if with_accuracy:
        shares = axis("accuracy", domain=ACCURACY_PANEL, range=[-0.04, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%")
        panels = [
            _gap(look, history, "accuracy", other)
            for look, history, other in zip(LOOKS, histories, histories[::-1], strict=True)
        ]
        rows.append(Row(shares, *panels))
    headings = column_headings(legends(*histories))
    return side_by_side(rows, whole_runs(*histories), timeline_steps(*histories), headings, _notes(histories))


def alt(patient: RunHistory, treated: RunHistory) -> str:
    """Loss and accuracy on both sets at the end, the best step, and how far validation loss has risen since."""
    histories = (patient, treated)
    sentences = [_sentence(look, history) for look, history in zip(LOOKS, histories, strict=True)]
    return " ".join(sentences + _stops(histories))


def table(patient: RunHistory, treated: RunHistory) -> pd.DataFrame:
    """One row an evaluation of a network; the generalization loss is Prechelt's (1998), in per cent."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "network": look.name,
                    "training step (updates)": history.evaluation_step,
                    f"training loss ({loss_unit(history)})": history.train_loss,
                    f"validation loss ({loss_unit(history)})": history.validation_loss,
                    f"gap ({loss_unit(history)})": _difference(history.validation_loss, history.train_loss),
                    "generalization loss (%)": generalization_loss(history.validation_loss),
                    "training accuracy (share)": history.train_accuracy,
                    "validation accuracy (share)": history.validation_accuracy,
                    "best": history.evaluation_step == history.best_step,
                }
            )
            for look, history in zip(LOOKS, (patient, treated), strict=True)
        ],
        ignore_index=True,
    )


def _gap(look: Look, history: RunHistory, measure: str, other: RunHistory) -> list[Json]:
    """The training curve, the space up to the validation curve, that curve, and how it would have gone on."""
    value = "%{y:.3g}" if measure == "loss" else "%{y:.0%}"
    train, validation = getattr(history, f"train_{measure}"), getattr(history, f"validation_{measure}")
    hover = f"<br>step %{{x}}: {value}<extra>{look.name}</extra>"
    # A line needs two points; a run that ended at once has one.
    mode = "lines+markers" if len(history.evaluation_step) == 1 else "lines"
    common = {"type": "scatter", "x": history.evaluation_step}
    thin = {"y": train, "mode": mode, "name": f"{look.name} training", "hovertemplate": f"training {measure}{hover}"}
    thick = {
        "y": validation, "mode": "lines+markers", "name": look.name, "hovertemplate": f"validation {measure}{hover}",
        "fill": "tonexty", "fillcolor": SHADES[look.name],
    }  # fmt: skip
    marker = merged(look.marker(8), {"marker": {"maxdisplayed": MARKERS}})
    traces = [common | thin | look.line(THIN) | look.marker(5), common | thick | look.line(THICK) | marker]
    if _goes_on(history, other):
        later = other.evaluation_step >= history.evaluation_step[-1]
        look = next(one for one in LOOKS if one is not look)
        line = {"line": {"color": look.color, "width": 2.5, "dash": "dot"}}
        afterwards = {
            "x": other.evaluation_step[later], "y": getattr(other, f"validation_{measure}")[later], "mode": "lines",
            "name": "had it gone on", "hovertemplate": f"had it gone on<br>step %{{x}}: {value}<extra></extra>",
        }  # fmt: skip
        traces.append({"type": "scatter"} | afterwards | line)
    return traces


def _best(look: Look, history: RunHistory) -> Json:
    return {
        "type": "scatter", "mode": "markers", "x": [history.best_step], "y": [_lowest(history)],
        "marker": {"symbol": "star", "size": 15, "color": look.color, "line": {"color": "#ffffff", "width": 1}},
        "name": f"{look.name} best",
        "hovertemplate": f"lowest validation loss<br>step %{{x}}: %{{y:.3g}}<extra>{look.name}</extra>",
    }  # fmt: skip


def _waited(history: RunHistory, heights: tuple[float, float]) -> list[Json]:
    """The evaluations without improvement that early stopping waited for, hatched."""
    if history.status != "stopped_early":
        return []
    (low, high), start, stop = heights, history.best_step, int(history.evaluation_step[-1])
    return [
        {
            "type": "scatter", "mode": "none", "x": [start, stop, stop, start], "y": [low, low, high, high],
            "fill": "toself", "fillpattern": WAITED, "name": "patience", "hoverinfo": "skip",
        }
    ]  # fmt: skip


def _goes_on(history: RunHistory, other: RunHistory) -> bool:
    """Whether the other run is this one as it would have gone on, had it not been stopped."""
    return (
        history.status == "stopped_early"
        and set(history.experiment.differences(other.experiment)) == {"patience"}
        and bool(other.evaluation_step[-1] > history.evaluation_step[-1])
    )


def _lowest(history: RunHistory) -> float:
    return float(history.validation_loss[latest(history.evaluation_step, history.best_step)])


def _difference(a: Array, b: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return a - b


def _notes(histories: tuple[RunHistory, RunHistory]) -> list[str]:
    notes = [HOW_TO_READ, *_stops(histories)]
    for look, history in zip(LOOKS, histories, strict=True):
        if history.diverged_at is not None:
            notes.append(f"{look.name}: {ending(history)}.")
    return notes


def _stops(histories: tuple[RunHistory, RunHistory]) -> list[str]:
    """Of each network that was stopped early: when, why, and what came after."""
    sentences = []
    for look, history, other in zip(LOOKS, histories, histories[::-1], strict=True):
        if history.status != "stopped_early":
            continue
        patience = history.experiment.patience
        text = (
            f"{look.name}: stopped at step {history.evaluation_step[-1]}, after {patience} "
            f"{'evaluation' if patience == 1 else 'evaluations'} without a lower validation loss (hatched)"
        )
        if _goes_on(history, other):
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
