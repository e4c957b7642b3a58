"""Which cures of overfitting help, and how reliably?

Test loss of each cure's resulting weights, one dot a seed, against the untreated network's last weights under the same
seed.  One lucky seed proves nothing, so each row says in how many of the seeds the cure helped.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from engine.cures.outcomes import Outcome, losses_of, unit_of
from pages.charts.style.annotations import captioned, footnotes, off_the_axis, words
from pages.charts.style.axes import loss_axis
from pages.charts.style.figure import PATIENT, TREATED, AnimatedFigure, Json, merged
from pages.charts.style.traces import MARGINS, TEXT_ABOVE, over_seeds, stroke, upright
from pages.charts.sweeps.groups import UNTREATED
from pages.text.labels import number

TITLE = "Every cure, over 8 seeds"
QUESTION = "Which cures of overfitting help, and in how many of 8 seeds? Each is tried on the patient, one at a time."
HOW_TO_READ = (
    "A row a cure: each dot is one of 8 seeds, the stroke their median; further left is better. The dotted line is "
    "the untreated median. A cure is reliable when nearly all of its dots lie to the left of that line."
)
NEEDS = ""
UNFINISHED = "most untreated runs diverge"
ROW_HEIGHT = 46  # px: a line of text, and the dots below it

Results = Mapping[str, Sequence[Outcome]]


def figure(results: Results) -> AnimatedFigure:
    """One row a cure, the untreated network on top; a thin line from the least to the largest, a bar at the median."""
    rows = [label for label, outcomes in results.items() if outcomes]
    losses = {label: _losses(results[label], label) for label in rows}
    every = np.concatenate([*losses.values(), np.array([])])
    medians = np.array([np.median(some) for some in losses.values()])
    traces: list[Json] = []
    for row, label in enumerate(rows):
        look = PATIENT if label == UNTREATED else TREATED
        seeds = [outcome.experiment.seed for outcome in results[label]]
        traces += over_seeds(look, -row, label, losses[label], seeds)
    layout: Json = {
        "xaxis": loss_axis(f"test loss ({_unit(results)})", every, medians=medians),
        "yaxis": {"range": [0.5 - max(len(rows), 1), 0.6], "visible": False},
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"t": 8},
    }
    if UNTREATED in losses and math.isfinite(middle := float(np.median(losses[UNTREATED]))):
        layout["shapes"] = [upright(middle, **stroke(PATIENT.color, 2, "dot"))]
    headings = [_heading(-row, label, results) for row, label in enumerate(rows)]
    headings += [off_the_axis(-row) for row, label in enumerate(rows) if not np.isfinite(losses[label]).any()]
    notes = footnotes(_remarks(results), MARGINS + ROW_HEIGHT * max(len(rows), 1), others=headings)
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, notes)))


def helped(results: Results, label: str) -> tuple[int, int]:
    """In how many seeds the cure's test loss is below the untreated one's, and of how many.

    Compared are the cure's result and the untreated network's last weights, under seeds that both have; a loss that is
    not finite, or of a run that broke off, is worse than every other.
    """
    untreated, cured = _by_seed(results, UNTREATED), _by_seed(results, label)
    pairs = [(loss, untreated[seed]) for seed, loss in cured.items() if seed in untreated]
    return sum(bool(loss < before) for loss, before in pairs), len(pairs)


def says(results: Results) -> str:
    """The most reliable cure, and those that do not help in most seeds."""
    tried = {label: helped(results, label) for label in results if label != UNTREATED and results[label]}
    tried = {label: counts for label, counts in tried.items() if counts[1]}
    if not tried:
        return "There is no cure to compare."
    before = float(np.median(_losses(results[UNTREATED], UNTREATED)))

    def rank(label: str) -> tuple[float, float]:
        return -tried[label][0] / tried[label][1], float(np.median(_losses(results[label], label)))

    best, *others = sorted(tried, key=rank)
    n, seeds = tried[best]
    if 2 * n <= seeds:
        without = f"untreated, the median test loss is {number(before)}" if math.isfinite(before) else UNFINISHED
        return f"No cure helps in more than half of the seeds; {without}."
    after = float(np.median(_losses(results[best], best)))
    without = f"the untreated network has {number(before)}" if math.isfinite(before) else UNFINISHED
    text = (
        f"**{best}** helps in {n} of {seeds} seeds, with a median test loss of {number(after)} where "
        f"{without}. No other cure helps in more."
    )
    failing = [label for label in others if 2 * tried[label][0] <= tried[label][1]]
    if failing:
        counts = ", ".join(f"{label} ({tried[label][0]} of {tried[label][1]})" for label in failing)
        text += f" In half of the seeds or fewer: {counts}."
    return text


def alt(results: Results) -> str:
    """Median and range of every row, and how often it helped."""
    sentences = []
    for label, outcomes in results.items():
        if not outcomes:
            continue
        losses = _losses(outcomes, label)
        text = (
            f"{label}: median test loss {number(float(np.median(losses)))}, from {number(float(losses.min()))} to "
            f"{number(float(losses.max()))}"
        )
        if label != UNTREATED:
            text += ", helped in {} of {}".format(*helped(results, label))
        sentences.append(text + ".")
    return " ".join(sentences)


def table(results: Results) -> pd.DataFrame:
    """One row a run; test_loss is that of the result (of the best step where training stopped early)."""
    rows = [
        {
            "cure": label,
            "seed": outcome.experiment.seed,
            "ended": outcome.status.replace("_", " "),
            "steps (updates)": outcome.steps,
            f"test loss of the result ({unit_of(outcome)})": outcome.test_loss,
            f"test loss of the last weights ({unit_of(outcome)})": outcome.last_test_loss,
            "test accuracy of the result (share)": outcome.test_accuracy,
            f"training loss ({unit_of(outcome)})": outcome.train_loss,
            f"validation loss ({unit_of(outcome)})": outcome.validation_loss,
        }
        for label, outcomes in results.items()
        for outcome in outcomes
    ]
    return pd.DataFrame(rows)


def _losses(outcomes: Sequence[Outcome], label: str) -> np.ndarray:
    """What is compared, (runs,): the untreated network's last weights, a cure's result; infinite where it broke off."""
    return losses_of(outcomes, "last_test_loss" if label == UNTREATED else "test_loss")


def _by_seed(results: Results, label: str) -> dict[int, float]:
    outcomes = results.get(label, ())
    return dict(zip([outcome.experiment.seed for outcome in outcomes], _losses(outcomes, label).tolist(), strict=True))


def _unit(results: Results) -> str:
    units = dict.fromkeys(unit_of(outcome) for outcomes in results.values() for outcome in outcomes)
    return " or ".join(units) or "nats"


def _heading(y: float, label: str, results: Results) -> Json:
    """The row's name and how often it helped, over its dots."""
    text = f"<b>{label}</b>"
    if label != UNTREATED:
        n, seeds = helped(results, label)
        text += f"   helped in {n} of {seeds}" if seeds else ""
    return words(text, 0, y + TEXT_ABOVE, "left", "middle", yref="y")


def _remarks(results: Results) -> list[str]:
    missing = {
        label: n for label, outcomes in results.items() if (n := int((~np.isfinite(_losses(outcomes, label))).sum()))
    }
    return [
        "Dots: one a seed; bars: medians; dotted: the untreated median.",
        *(f"{label}: {n} diverged, not drawn, and counted as worst." for label, n in missing.items()),
    ]
