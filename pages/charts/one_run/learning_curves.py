"""Does the network learn, and does it also do well on examples that it never saw?

Loss and accuracy on training and validation data at every evaluation, both networks, and the loss of always giving the
average answer.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from engine import RunHistory
from engine.data.baselines import AVERAGE
from engine.formatting import counted
from pages.charts.style.annotations import (
    ABOVE,
    BESIDE,
    captioned,
    end_labels,
    endings,
    fit_beside,
    footnotes,
    mark,
    more_above,
)
from pages.charts.style.axes import axis, loss_axis, loss_title
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import (
    HEIGHT,
    LOOKS,
    NEUTRAL,
    AnimatedFigure,
    Json,
    Look,
    merged,
    step_lines,
)
from pages.charts.style.traces import curve, level, star, stroke, thin_curve
from pages.text.clock import latest, timeline_steps
from pages.text.labels import ending, loss_unit, number, percent
from pages.text.own_data import average_loss

TITLE = "Learning curves"
QUESTION = "Does the network learn, and does it also do well on examples that it never saw?"
HOW_TO_READ = (
    "Left to right: training. Thick is the loss on validation data (lower is better), thin on training data; below, "
    "the share of right answers. Healthy: thick and thin fall together, well below the line of always giving the "
    "average answer. The star is the step with the lowest loss on validation data."
)

MARKERS = 8  # on a curve, enough to tell the networks apart without colour
THIN, THICK = 1.5, 3.5
KEY = "Thick: validation. Thin: training. Star: lowest validation loss."
LEGEND_LEFT = -0.2  # where it is wider than the panels
LAST = 2000  # rank in the legend; Plotly's own is 1000
APART = 0.01  # relative difference from which networks have an average answer each, of unlike data
DASHES = "dashdot", "longdashdot", "longdash", "dot"  # of these, network by network

# Shares of the height: the loss is the lesson, accuracy its consequence.
_ACCURACY_PANEL, _LOSS_PANEL = [0, 0.3], [0.42, 1]
WHOLE_HEIGHT = HEIGHT - 94  # px without the legend and the lowest axis
LOSS_HEIGHT = WHOLE_HEIGHT * (_LOSS_PANEL[1] - _LOSS_PANEL[0])


Networks = Sequence[tuple[Look, RunHistory]]


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Loss above, accuracy below (classes only), against the training step: training thin, validation thick."""
    networks = tuple(zip(looks, histories, strict=True))
    with_accuracy = any(history.confusion is not None for _, history in networks)
    losses = np.concatenate([history.train_loss for _, history in networks] + [h.validation_loss for _, h in networks])
    end = max(int(history.evaluation_step[-1]) for _, history in networks)
    averages = _averages(networks)
    traces: list[Json] = [average.line(end) for average in averages]
    for look, history in networks:
        traces += _pair(look, history, "loss", history.train_loss, history.validation_loss)
        lowest = float(history.validation_loss[latest(history.evaluation_step, history.best_step)])
        traces.append(star(look, history.best_step, lowest, legendgroup=look.name, showlegend=False))
    if with_accuracy:
        for look, history in networks:
            pair = _pair(look, history, "accuracy", history.train_accuracy, history.validation_accuracy)
            traces += [one | {"yaxis": "y2", "showlegend": False} for one in pair]

    panel = {"domain": _LOSS_PANEL} if with_accuracy else {}
    losses_axis = loss_axis(loss_title("loss", histories), losses, [average.loss for average in averages], **panel)
    layout: Json = {
        "xaxis": axis("training step (updates)", [0, end], anchor="y2" if with_accuracy else "y"),
        "yaxis": losses_axis,
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"r": BESIDE},
    }
    if with_accuracy:
        layout["yaxis2"] = axis(
            "accuracy", domain=_ACCURACY_PANEL, range=[-0.04, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%"
        )
    frames = step_lines(timeline_steps(*histories))
    remarks = _remarks(networks, losses_axis.get("type") == "log", losses)
    ends = _ends(networks, averages)
    more = 0
    if set(ends) < {*(look.name for look in looks), *(average.name for average in averages)}:  # what no label can name
        layout["showlegend"] = True
    elif not fit_beside(looks):
        more = more_above(len(looks))
        legend = {"x": LEGEND_LEFT, "itemwidth": 30, "tracegroupgap": 0}
        layout |= {"showlegend": True, "legend": legend, "margin": {"t": ABOVE + more, "r": BESIDE}}
        traces = [one | {"showlegend": False} if one["name"] == AVERAGE else one for one in traces]
    panel_height = LOSS_HEIGHT if with_accuracy else WHOLE_HEIGHT
    labels = end_labels(list(ends.values()), losses_axis, panel_height)
    drawn = AnimatedFigure(traces, merged(layout, footnotes(remarks, HEIGHT + more, others=labels)), frames)
    return captioned(TITLE, drawn, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Loss at the start and at the end, best step and accuracy of each network, in words, and the average's loss."""
    networks = tuple(zip(looks, histories, strict=True))
    sentences = [_sentence(look, history) for look, history in networks]
    sentences += [
        f"{average.name.capitalize()}: training loss {number(average.loss)}." for average in _averages(networks)
    ]
    return " ".join(sentences)


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row an evaluation of a network; losses in the unit that their column names, accuracies as shares.

    The average's loss, of the training set, is NaN for data that were handed in.
    """

    def columns(history: RunHistory) -> Columns:
        return {
            STEP: history.evaluation_step,
            f"training loss ({loss_unit(history)})": history.train_loss,
            f"validation loss ({loss_unit(history)})": history.validation_loss,
            f"{AVERAGE} ({loss_unit(history)})": average_loss(history.experiment),
            "training accuracy (share)": history.train_accuracy,
            "validation accuracy (share)": history.validation_accuracy,
            "best": history.evaluation_step == history.best_step,
        }

    return table_of(histories, looks, columns)


class _Average(NamedTuple):
    """The loss of always giving the average answer.  name: in the legend."""

    name: str
    loss: float
    color: str = NEUTRAL
    dash: str = "dashdot"

    def line(self, end: int) -> Json:
        hover, look = f"{self.name}: %{{y:.3g}}<extra></extra>", stroke(self.color, 2, self.dash)
        return level([0, end], self.loss, self.name, hover, legendrank=LAST, **look)


def _averages(networks: Networks) -> list[_Average]:
    """One of all networks where their data are about the same; none of data that are not at hand."""
    losses = [average_loss(history.experiment) for _, history in networks]
    if all(loss > 0 for loss in losses) and max(losses) - min(losses) <= APART * max(losses):
        return [_Average(AVERAGE, losses[0])]
    return [
        _Average(f"{AVERAGE} ({look.name.lower()})", loss, look.color, dash)
        for (look, _), loss, dash in zip(networks, losses, DASHES, strict=False)
        if loss > 0
    ]


def _pair(look: Look, history: RunHistory, measure: str, train: np.ndarray, validation: np.ndarray) -> list[Json]:
    """A thin training curve under a thick validation curve, which carries the network's marker."""
    hover = f"{measure}<br>step %{{x}}: " + ("%{y:.3g}" if measure == "loss" else "%{y:.0%}")
    steps = history.evaluation_step
    thin = thin_curve(look, steps, train, f"{look.name} training", f"training {hover}", showlegend=False)
    thick = curve(look, steps, validation, look.name, f"validation {hover}")
    return [one | {"legendgroup": look.name} for one in (thin, thick)]


def _ends(networks: Networks, averages: list[_Average]) -> dict[str, tuple[str, float]]:
    """Names of traces -> what stands at their ends, and at which loss: of those that end somewhere."""
    ends, names = {}, fit_beside([look for look, _ in networks])
    for look, history in networks:
        positive = history.validation_loss[np.isfinite(history.validation_loss) & (history.validation_loss > 0)]
        if positive.size:
            ends[look.name] = f"{mark(look)} {look.name}" if names else mark(look), float(positive[-1])
    if len(averages) == 1:
        ends[AVERAGE] = f'<span style="color:{NEUTRAL}">–·</span> average', averages[0].loss  # as its line is dashed
    return ends


def _remarks(networks: Networks, on_log: bool, losses: np.ndarray) -> list[str]:
    looks, histories = zip(*networks, strict=True)
    remarks = [KEY, *endings(histories, looks)]
    if on_log and (losses == 0).any():
        remarks.append("A loss of 0 has no place on a log axis.")
    units = dict.fromkeys(loss_unit(history) for _, history in networks)
    if len(units) > 1:
        remarks.append(f"Losses differ in unit: {', '.join(units)}.")
    return remarks


def _sentence(look: Look, history: RunHistory) -> str:
    first, last = 0, len(history.evaluation_step) - 1
    best = latest(history.evaluation_step, history.best_step)
    validation = history.validation_loss
    if not math.isfinite(history.train_loss[first]):
        return f"{look.name}: no finite loss; {ending(history)}."
    if last == 0:
        text = (
            f"{look.name}: at step 0 training loss {number(history.train_loss[0])} {loss_unit(history)} and validation "
            f"loss {number(validation[0])}"
        )
        return text + (f"; {words}." if (words := ending(history)) else ".")
    steps = counted(history.evaluation_step[last], "step")
    text = (
        f"{look.name}: training loss from {number(history.train_loss[first])} to {number(history.train_loss[last])} "
        f"{loss_unit(history)} and validation loss from {number(validation[first])} to {number(validation[last])} in "
        f"{steps}, lowest {number(validation[best])} at step {history.best_step}"
    )
    if not math.isnan(history.validation_accuracy[last]):
        text += (
            f"; accuracy at the end {percent(history.train_accuracy[last])} on training and "
            f"{percent(history.validation_accuracy[last])} on validation data"
        )
    return text + (f"; {words}." if (words := ending(history)) else ".")
