"""Does the network need more data, or more capacity?

Training and validation loss against the number of training examples, 8 seeds each.  The training set grows by
appending, so the curve compares like with like.
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

TITLE = "Learning curve over examples"
QUESTION = (
    "Does the network need more data or more capacity? Loss on training and validation data against the number of "
    "training examples, over 8 seeds."
)
HOW_TO_READ = (
    "Left to right: more training examples. Thin is the loss on training data, thick on new data; lines are medians "
    "of 8 seeds, bands reach from the lowest to the highest. A gap that still closes at the right: more data helps. "
    "Both level and high: it needs more capacity."
)
NEEDS = ""
FIELD = "n_train"


def figure(results: Results, patient: Experiment, treated: Experiment | None = None) -> AnimatedFigure:
    """Medians and ranges over the seeds against training examples; the networks above are ringed."""
    return captioned(TITLE, figure_of(results, FIELD, own_of(patient, treated)), patient, treated)


def says(results: Results, patient: Experiment, treated: Experiment | None = None) -> str:
    """Whether more data helps, and what the gap says that remains: a paragraph a network.

    More data helps if validation loss at the most examples is clearly below that at the network's own number.
    """
    return "\n\n".join(_paragraphs(results, patient, treated))


def alt(results: Results, patient: Experiment, treated: Experiment | None = None) -> str:
    """What the sweep shows, and the medians."""
    return " ".join([*_paragraphs(results, patient, treated), alt_of(results, FIELD)])


def table(results: Results, patient: Experiment, treated: Experiment | None = None) -> pd.DataFrame:
    """One row a run."""
    return table_of(results, FIELD)


def data_helps(curve: Curve, size: int) -> tuple[bool, int]:
    """Whether validation loss at the most examples is clearly below that at this number, and in how many seeds."""
    place = curve.at(size)
    return (False, 0) if place is None else clearly_more(curve.validation[place], curve.validation[-1])


def gap_remains(curve: Curve) -> bool:
    """Whether validation loss is clearly above training loss at the most examples."""
    return clearly_more(curve.validation[-1], curve.train[-1])[0]


def _paragraphs(results: Results, patient: Experiment, treated: Experiment | None) -> list[str]:
    own = own_of(patient, treated)
    return paragraphs(results, FIELD, lambda name, curve: _says(curve, getattr(own.get(name, patient), FIELD)))


def _says(curve: Curve, size: int) -> str:
    place, last = curve.at(size), len(curve.sizes) - 1
    if place is None:
        return f"{size} examples are not measured yet."
    train, validation = curve.median_train, curve.median_validation
    if not np.isfinite(validation[place]):
        return f"No finite loss at {size} examples in half of the seeds."
    here = (
        f"With {size} examples training loss is {number(train[place])} and validation loss {number(validation[place])}"
    )
    seeds = curve.validation.shape[1]
    helps, n_helped = data_helps(curve, size)
    if place == last:
        return f"{here}, the most that were tried. {_what_remains(curve, True)}"
    verdict = "More data helps" if helps else "More data does not clearly help"
    return (
        f"{here}. {verdict}: with {curve.sizes[last]} examples validation loss is {number(validation[last])}, lower in "
        f"{n_helped} of {seeds} seeds. {_what_remains(curve, helps)}"
    )


def _what_remains(curve: Curve, by_data: bool) -> str:
    """At the most examples: a gap, which more data may or may not close, or a loss that only the network can lower."""
    if gap_remains(curve):
        text = f"It is still above the training loss, {number(curve.median_train[-1])}"
        if by_data:
            return f"{text}: still more data may narrow that."
        return f"{text}; whether still more data would narrow that is not shown here."
    return (
        "It is not clearly above the training loss: more data would change little; more capacity or better training "
        "may lower both, unless what remains is noise."
    )
