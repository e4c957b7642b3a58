"""What does training minimise: how much of it is the data's loss, and how much the penalty on the weights?

Data loss on the training set, L1 and L2 penalty, and their sum, patient left and treated right.
"""

import math

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import column_headings
from pages.charts.style.figure import PATIENT, TREATED, AnimatedFigure, Json, Look, merged
from pages.charts.style.loss_axis import loss_axis
from pages.charts.style.side_by_side import Row, side_by_side, whole_runs
from pages.text.clock import timeline_steps
from pages.text.labels import ending, legends, loss_unit, number

TITLE = "Data loss and penalty"
QUESTION = "What does training minimise: how much of it is the data’s loss, and how much the penalty on the weights?"

Array = np.ndarray

LOOKS = (PATIENT, TREATED)
SUM_COLOR = "#808080"
MARKERS = 6  # on a curve
HOW_TO_READ = "Thick: data loss. Dotted: penalty. Grey: their sum, which is what training lowers."


def figure(patient: RunHistory, treated: RunHistory) -> AnimatedFigure:
    """Both parts and their sum against the training step, on the same axes for both networks."""
    histories = (patient, treated)
    values = np.concatenate([part for h in histories for part in (h.train_loss, _drawn_penalty(h), _sum(h))])
    units = [loss_unit(history) for history in histories]
    losses = loss_axis(f"loss ({units[0]})" if units[0] == units[1] else "loss", values)
    row = Row(losses, *(_curves(look, history) for look, history in zip(LOOKS, histories, strict=True)))
    headings = column_headings(legends(*histories))
    return side_by_side([row], whole_runs(*histories), timeline_steps(*histories), headings, _notes(histories))


def alt(patient: RunHistory, treated: RunHistory) -> str:
    """Data loss and penalty of both networks at the start and at the end."""
    return " ".join(_sentence(look, history) for look, history in zip(LOOKS, (patient, treated), strict=True))


def table(patient: RunHistory, treated: RunHistory) -> pd.DataFrame:
    """One row an evaluation of a network."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "network": look.name,
                    "training step (updates)": history.evaluation_step,
                    f"data loss ({loss_unit(history)})": history.train_loss,
                    f"penalty ({loss_unit(history)})": history.penalty,
                    f"sum ({loss_unit(history)})": _sum(history),
                }
            )
            for look, history in zip(LOOKS, (patient, treated), strict=True)
        ],
        ignore_index=True,
    )


def _sum(history: RunHistory) -> Array:
    return history.train_loss + history.penalty


def _drawn_penalty(history: RunHistory) -> Array:
    return history.penalty if _has_penalty(history) else history.penalty[:0]


def _has_penalty(history: RunHistory) -> bool:
    return history.experiment.l1 > 0 or history.experiment.l2 > 0


def _curves(look: Look, history: RunHistory) -> list[Json]:
    # A line needs two points; a run that ended at once has one.
    mode = "lines+markers" if len(history.evaluation_step) == 1 else "lines"
    common = {"type": "scatter", "x": history.evaluation_step}
    hover = f"<br>step %{{x}}: %{{y:.3g}}<extra>{look.name}</extra>"
    data = {
        "y": history.train_loss, "mode": "lines+markers", "name": f"{look.name} data loss",
        "hovertemplate": f"data loss{hover}",
    }  # fmt: skip
    marker = merged(look.marker(8), {"marker": {"maxdisplayed": MARKERS}})
    traces = [common | data | look.line(3.5) | marker]
    if _has_penalty(history):
        penalty = {"y": history.penalty, "mode": mode, "name": f"{look.name} penalty"}
        both = {"y": _sum(history), "mode": mode, "name": f"{look.name} sum", "hovertemplate": f"sum{hover}"}
        dots = {"line": {"color": look.color, "width": 3, "dash": "dot"}, "hovertemplate": f"penalty{hover}"}
        traces = [common | both | {"line": {"color": SUM_COLOR, "width": 2}}, *traces, common | penalty | dots]
    return traces


def _notes(histories: tuple[RunHistory, RunHistory]) -> list[str]:
    without = [look.name for look, history in zip(LOOKS, histories, strict=True) if not _has_penalty(history)]
    notes = [HOW_TO_READ]
    if len(without) == 2:
        notes.append("Neither network has a penalty: set L1 or L2.")
    elif without:
        notes.append(f"{without[0]}: no penalty.")
    return notes + [
        f"{look.name}: {words}." for look, history in zip(LOOKS, histories, strict=True) if (words := ending(history))
    ]


def _sentence(look: Look, history: RunHistory) -> str:
    def at(row: int) -> str:
        data = f"the data loss is {number(history.train_loss[row])} {loss_unit(history)}"
        if not _has_penalty(history):
            return data
        return f"{data} and the penalty {number(history.penalty[row])}"

    if not math.isfinite(history.train_loss[0]):
        return f"{look.name}: no finite loss; {ending(history)}."
    text = f"{look.name}: at step 0 {at(0)}, at step {history.evaluation_step[-1]} {at(-1)}"
    text += "" if _has_penalty(history) else "; there is no penalty"
    return text + (f"; {words}." if (words := ending(history)) else ".")
