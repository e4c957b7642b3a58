"""Does it learn its own examples?

The training loss at every evaluation, beside that of always giving the average answer: the complaint's own curve.
"""

import numpy as np
import pandas as pd

from engine import RunHistory
from engine.data.baselines import AVERAGE, average_loss
from pages.charts.hidden_patient.one_run import END, curve, endings, sentence
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.axes import axis, loss_axis
from pages.charts.style.figure import NEUTRAL, AnimatedFigure, Json, merged
from pages.charts.style.traces import level, stroke
from pages.text.labels import loss_unit, number

TITLE = "Training loss"
QUESTION = "Does it learn its own examples?"
HOW_TO_READ = (
    "Left to right: training. Height: how wrong the network is on its own examples; lower is better. Healthy: it "
    "falls well below the line of always giving the average answer, and without jumps."
)

HEIGHT = 250
FLAT_WITHIN = 0.2  # of the average answer's loss: a curve that stays so near is drawn from 0, and looks flat
ROOM_ABOVE = 1.4  # so many times the average answer's loss: a flat curve has a number of the axis above it, too


def figure(history: RunHistory) -> AnimatedFigure:
    """Training loss at every evaluation, and that of always giving the average answer."""
    average, end = average_loss(history.experiment), int(history.evaluation_step[-1])
    flat = (np.abs(history.train_loss - average) < FLAT_WITHIN * average).all()
    levels = [average, 0.0, ROOM_ABOVE * average] if flat else [average]
    traces = [
        curve("training loss", history.evaluation_step, history.train_loss, "%{y:.3g}", END),
        level([0, end], average, AVERAGE, "%{y:.3g}", **stroke(NEUTRAL, 2, "dashdot")),  # on top of a flat curve
    ]
    layout: Json = {
        "height": HEIGHT,
        "xaxis": axis("training step (updates)", [0, end]),
        "yaxis": loss_axis(f"loss ({loss_unit(history)})", np.append(history.train_loss, levels)),
    }
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, footnotes(endings(history), HEIGHT))))


def alt(history: RunHistory) -> str:
    """Where the training loss began, ended and was highest."""
    loss = history.train_loss
    finite = loss[np.isfinite(loss)]
    average, last = f"{AVERAGE}: {number(average_loss(history.experiment))}", history.evaluation_step[-1]
    if not finite.size:
        return sentence(f"No finite training loss; {average}", history)
    if last == 0:
        return sentence(f"Training loss {number(float(loss[0]))} {loss_unit(history)} at step 0; {average}", history)
    return sentence(
        f"Training loss from {number(float(loss[0]))} to {number(float(loss[-1]))} {loss_unit(history)} in "
        f"{last} step{'' if last == 1 else 's'}, at most {number(float(finite.max()))}; {average}",
        history,
    )


def table(history: RunHistory) -> pd.DataFrame:
    """The training loss of every evaluation."""
    return pd.DataFrame(
        {
            "training step (updates)": history.evaluation_step,
            f"training loss ({loss_unit(history)})": history.train_loss,
        }
    )
