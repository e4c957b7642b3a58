"""Is the network too small, or too large?

Training and validation loss against width or depth, 8 seeds each: underfitting and overfitting are the two ends of one
curve, where the measurement shows them.
"""

import numpy as np
import pandas as pd

from engine import Experiment
from pages.charts.style.annotations import captioned
from pages.charts.style.figure import AnimatedFigure
from pages.charts.sweeps.losses_by_size import (
    Curve,
    Results,
    alt_of,
    clearly_more,
    figure_of,
    own_of,
    paragraphs,
    table_of,
)
from pages.text.labels import number

TITLE = "Capacity curve"
QUESTION = "Is the network too small or too large? Loss on training and validation data against its size, over 8 seeds."
HOW_TO_READ = (
    "Left to right: larger networks. Thin is the loss on training data, thick on new data; lines are medians of 8 "
    "seeds, bands reach from the lowest to the highest. Both high at the left: too small. Thick rising at the right "
    "while thin falls: too large. The ring is the network above."
)
NEEDS = ""


def figure(
    results: Results, patient: Experiment, treated: Experiment | None = None, field: str = "width"
) -> AnimatedFigure:
    """Medians and ranges over the seeds against the field, width or depth; the networks above are ringed."""
    return captioned(TITLE, figure_of(results, field, own_of(patient, treated)), patient, treated)


def says(results: Results, patient: Experiment, treated: Experiment | None = None, field: str = "width") -> str:
    """Whether validation loss rises beyond its minimum, again where it fell before: a paragraph a network.

    It rises if the median at the largest size is above the smallest median by the factor CLEARLY, and the loss there
    above that at the best size in MOST_SEEDS of the seeds.  If training loss rises by the same rule, the larger network
    is not overfitted but harder to train.
    """
    return "\n\n".join(_paragraphs(results, field))


def alt(results: Results, patient: Experiment, treated: Experiment | None = None, field: str = "width") -> str:
    """What the sweep shows, and the medians."""
    return " ".join([*_paragraphs(results, field), alt_of(results, field)])


def table(
    results: Results, patient: Experiment, treated: Experiment | None = None, field: str = "width"
) -> pd.DataFrame:
    """One row a run."""
    return table_of(results, field)


def rises_again(curve: Curve) -> tuple[bool, int]:
    """Whether validation loss at the largest size is clearly above that at the best one, and in how many seeds."""
    best = int(np.argmin(curve.median_validation))
    return clearly_more(curve.validation[-1], curve.validation[best])


def _paragraphs(results: Results, field: str) -> list[str]:
    return paragraphs(results, field, lambda _, curve: _says(curve, field))


def _says(curve: Curve, field: str) -> str:
    medians = curve.median_validation
    best, last = int(np.argmin(medians)), len(medians) - 1
    if not np.isfinite(medians[best]):
        return "at no size does validation loss end finite in half of the seeds."
    lowest = f"lowest at {field} {curve.sizes[best]} ({number(medians[best])})"
    rises, seeds = rises_again(curve)
    end = f"{number(medians[last])} at {field} {curve.sizes[last]}"
    if last == 0:
        return f"validation loss is {number(medians[0])} at {field} {curve.sizes[0]}."
    if rises and not np.isfinite(medians[last]):
        return (
            f"validation loss is {lowest}; at {field} {curve.sizes[last]} it does not end finite in half of the seeds: "
            "the larger network is harder to train."
        )
    if rises:
        harder, _ = clearly_more(curve.train[last], curve.train[best])
        train = number(curve.median_train[last])
        why = (
            f"Training loss rises with it, to {train}: the larger network is harder to train."
            if harder
            else f"Training loss, {train}, does not rise with it: that is overfitting."
        )
        return (
            f"validation loss is {lowest}{', the smallest tried,' if best == 0 else ''} and rises"
            f"{' again' if best else ''}, to {end}, in {seeds} of {curve.validation.shape[1]} seeds. {why}"
        )
    if best == last:
        return f"validation loss does not rise with {field}: it is {lowest}, the largest tried."
    return f"validation loss does not clearly rise with {field}: it is {lowest}, and still {end}, the largest tried."
