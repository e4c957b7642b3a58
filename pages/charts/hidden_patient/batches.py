"""How much do the batches of one epoch differ?"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.hidden_patient.one_run import END, HEIGHT, START, endings, sentence, whole_ticks
from pages.charts.one_run.batch_losses import batches
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.axes import axis, loss_axis
from pages.charts.style.figure import PATIENT, AnimatedFigure, Array, Json, merged
from pages.charts.style.traces import trace
from pages.text.labels import loss_unit, number

TITLE = "Batch losses within an epoch"
QUESTION = "How much do the batches of one epoch differ?"
HOW_TO_READ = (
    "Left to right: the batches of one epoch, in the order in which they are trained on. Height: the loss of each, "
    "hollow in the first epoch and filled in the last. Healthy: they scatter a little, without a pattern, and come "
    "down. A few batches far above the others are wrong every time; a scatter as large as the losses is noise."
)


def figure(history: RunHistory) -> AnimatedFigure:
    """Loss of each batch of the first and of the last whole epoch."""
    traces = [
        trace(
            "lines+markers", batch, losses, name, f"batch %{{x}}, {name}: %{{y:.3g}}", line=line,
            marker={"color": PATIENT.color, "symbol": "circle-open" if line is START else "circle", "size": 7},
        )
        for (name, (batch, losses)), line in zip(_epochs(history).items(), (START, END), strict=True)
    ]  # fmt: skip
    each = batches(history)
    layout: Json = {
        "height": HEIGHT,
        "xaxis": axis("batch of the epoch", range=[0.5, each + 0.5], **whole_ticks(each)),
        "yaxis": loss_axis(f"batch loss ({loss_unit(history)})", history.batch_loss),
    }
    notes = ["One batch holds all examples, and is a whole epoch."] if each == 1 else []
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, footnotes(notes + endings(history), HEIGHT))))


def alt(history: RunHistory) -> str:
    """Lowest, highest and mean batch loss of both epochs."""
    parts = []
    for name, (_, losses) in _epochs(history).items():
        finite = losses[np.isfinite(losses)]
        if finite.size:
            low, mean, high = (number(float(one)) for one in (finite.min(), finite.mean(), finite.max()))
            several = f"batch losses lie between {low} and {high}, {mean} on average"
            parts.append(f"in the {name} " + (several if batches(history) > 1 else f"its loss is {mean}"))
    count = f"{batches(history)} batches an epoch" if batches(history) > 1 else "One batch holds all examples"
    return sentence("; ".join([count, *parts]), history)


def table(history: RunHistory) -> pd.DataFrame:
    """One row an update on record."""
    epoch, batch = np.divmod(history.step, batches(history))
    return pd.DataFrame({"epoch": epoch + 1, "batch": batch + 1, "batch loss": history.batch_loss})


def _epochs(history: RunHistory) -> dict[str, tuple[Array, Array]]:
    """Number and loss of each batch on record, of the first and of the last whole epoch."""
    epoch, batch = np.divmod(history.step, batches(history))
    last = max((int(history.step[-1]) + 1) // batches(history) - 1, 0) if len(history.step) else 0
    rows = {"first epoch": epoch == 0, "last whole epoch": epoch == last}
    return {name: (batch[row] + 1, history.batch_loss[row]) for name, row in rows.items()}
