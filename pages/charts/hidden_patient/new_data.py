"""Does it do as well on examples that it has never seen?"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import END, HEIGHT, START, curve, endings, sentence
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.axes import axis, loss_axis
from pages.charts.style.figure import AnimatedFigure, Json, merged
from pages.text.labels import loss_unit, number, percent

TITLE = "New data"
QUESTION = "Does it do as well on examples that it has never seen?"
HOW_TO_READ = (
    "Left to right: training. Dotted is the loss on its own examples, solid the loss on new ones; below, the share "
    "of right answers. Healthy: both stay together. Solid rising while dotted falls: it learns by heart."
)


def figure(history: RunHistory) -> AnimatedFigure:
    """Loss, and below it accuracy for classes, on training data (thin) and on new data (thick)."""
    steps, is_class = history.evaluation_step, history.confusion is not None
    losses = np.concatenate([history.train_loss, history.validation_loss])
    traces = [
        curve("training data", steps, history.train_loss, "%{y:.3g}", START),
        curve("new data", steps, history.validation_loss, "%{y:.3g}", END),
    ]
    place = {"domain": (0.42, 1.0)} if is_class else {}
    layout: Json = {
        "height": HEIGHT,
        "xaxis": axis("training step (updates)", [0, int(steps[-1])], anchor="y2" if is_class else "y"),
        "yaxis": loss_axis(f"loss ({loss_unit(history)})", losses, **place),
    }
    if is_class:
        on_lower = {"yaxis": "y2", "showlegend": False}
        traces += [
            curve("training data", steps, history.train_accuracy, "%{y:.0%}", START) | on_lower,
            curve("new data", steps, history.validation_accuracy, "%{y:.0%}", END) | on_lower,
        ]
        ticks = {"range": [-0.04, 1.04], "tickvals": [0, 0.5, 1], "tickformat": ".0%"}
        layout["yaxis2"] = axis("accuracy", domain=(0, 0.3), **ticks)
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, footnotes(endings(history), HEIGHT))))


def alt(history: RunHistory) -> str:
    """Loss on both at the end, where that on new data was lowest, and how many answers are right."""
    loss = history.validation_loss
    if not np.isfinite(loss).any():
        return sentence("No finite loss on new data", history)
    text = (
        f"Loss at the end {number(float(history.train_loss[-1]))} {loss_unit(history)} on training data and "
        f"{number(float(loss[-1]))} on new data, where it started from {number(float(loss[0]))} and was lowest, "
        f"{number(float(np.fmin.reduce(loss)))}, at step {history.best_step}"
    )
    if history.confusion is not None:
        text += (
            f"; it gets {percent(float(history.train_accuracy[-1]))} of its training data right and "
            f"{percent(float(history.validation_accuracy[-1]))} of new data"
        )
    return sentence(text, history)


def table(history: RunHistory) -> pd.DataFrame:
    """Loss and accuracy on both, one row an evaluation."""
    unit = loss_unit(history)
    return pd.DataFrame(
        {
            "training step (updates)": history.evaluation_step,
            f"loss on training data ({unit})": history.train_loss,
            f"loss on new data ({unit})": history.validation_loss,
            "accuracy on training data (share)": history.train_accuracy,
            "accuracy on new data (share)": history.validation_accuracy,
        }
    )
