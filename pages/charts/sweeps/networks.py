"""Which of several networks is better, and by more than luck?

What each network's result achieves on test data under the same 8 seeds: one dot a seed.  A seed draws weights, batches
and which rows are held out, the same ones for every network, so that networks are compared seed by seed.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd

from engine import Experiment
from engine.cures.outcomes import SEEDS, Outcome, judged_by_class, losses_of, unit_of
from engine.losses import chosen_loss
from pages.charts.style.annotations import captioned, footnotes, off_the_axis, words
from pages.charts.style.axes import axis, loss_axis
from pages.charts.style.figure import LOOKS, AnimatedFigure, Json, Look, merged
from pages.charts.style.traces import MARGINS, ROW_HEIGHT, TEXT_ABOVE, over_seeds
from pages.text.data_summary import amount
from pages.text.labels import percent

TITLE = "Over 8 seeds"
QUESTION = "Which network is better, and by more than luck?"
HOW_TO_READ = (
    "A row a network: each dot is one of 8 seeds, the stroke their median. A seed draws weights, batches and which "
    "rows are held out, the same for every network. One network is better by more than luck where it is so in nearly "
    "all seeds; dots that lie apart within a row are what luck does."
)
NEEDS = ""
ALIKE = "every class counting alike"
EDGE = 0.02  # beyond 0 and 100 %, for half of a dot

Results = Mapping[str, Sequence[Outcome]]


def figure(results: Results, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """One row a network: a thin line from the least to the largest, a dot a seed, a bar at the median."""
    results = _comparable(results)
    rows = [(look, outcomes) for look, outcomes in zip(looks, results.values(), strict=True) if outcomes]
    traces: list[Json] = []
    headings = []
    for row, (look, outcomes) in enumerate(rows):
        seeds = [outcome.experiment.seed for outcome in outcomes]
        written = ".1%" if _of_classes(results) else ".3~g"
        scores = _scores(outcomes)
        traces += over_seeds(look, -row, look.name, scores, seeds, written)
        broken = int((~np.isfinite(scores)).sum())
        text = f"<b>{look.name}</b>" + (f"   {broken} of {len(scores)} diverged" if broken else "")
        headings.append(words(text, 0, TEXT_ABOVE - row, "left", "middle", yref="y"))
        if broken == len(scores):
            headings.append(off_the_axis(-row))
    layout: Json = {
        "xaxis": _axis(results),
        "yaxis": {"range": [0.5 - max(len(rows), 1), 0.6], "visible": False},
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"t": 8},
    }
    notes = footnotes(_remarks(results), MARGINS + ROW_HEIGHT * max(len(rows), 1), others=headings)
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, notes)))


def says(results: Results, looks: Sequence[Look] = LOOKS) -> str:
    """Median and range of each network, and of each pair in how many seeds one is better."""
    results = _comparable(results)
    sentences = [f"**{name}**: {_summary(outcomes, results)}." for name, outcomes in results.items() if outcomes]
    for (one, mine), (other, theirs) in combinations(results.items(), 2):
        better, worse, both = better_in(mine, theirs)
        equal = both - better - worse
        if both and equal == both:
            sentences.append(f"**{one}** and **{other}** are equally good in all {both}.")
        elif both:
            name, than, count = (one, other, better) if better >= worse else (other, one, worse)
            text = f"**{name}** is better than **{than}** in {count} of {both}"
            sentences.append(text + (f", and as good in {equal}." if equal else "."))
    return "  \n".join(sentences)


def alt(results: Results, looks: Sequence[Look] = LOOKS) -> str:
    """The same without marks."""
    return says(results, looks).replace("**", "").replace("  \n", " ")


def table(results: Results, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a run."""
    results = _comparable(results)
    counted = f" ({ALIKE})" if _by_class(results) else ""
    rows = [
        {
            "network": name,
            "seed": outcome.experiment.seed,
            "ended": outcome.status.replace("_", " "),
            f"test loss of the result ({unit_of(outcome)}){counted}": outcome.test_loss,
            f"test accuracy of the result (share){counted}": outcome.test_accuracy,
            f"training loss ({unit_of(outcome)})": outcome.train_loss,
            f"validation loss ({unit_of(outcome)})": outcome.validation_loss,
        }
        for name, outcomes in results.items()
        for outcome in outcomes
    ]
    return pd.DataFrame(rows)


def better_in(mine: Sequence[Outcome], theirs: Sequence[Outcome]) -> tuple[int, int, int]:
    """In how many seeds the first is better on test data, in how many the second, and how many seeds both have.

    For classes the share of right answers counts, for numbers the error; a run that diverged is worse than any other.
    """
    scored = [
        {outcome.experiment.seed: score for outcome, score in zip(outcomes, _ranks(outcomes), strict=True)}
        for outcomes in (mine, theirs)
    ]
    pairs = [(scored[0][seed], scored[1][seed]) for seed in scored[0].keys() & scored[1].keys()]
    return sum(a > b for a, b in pairs), sum(a < b for a, b in pairs), len(pairs)


def _comparable(results: Results) -> Results:
    """The results; where a network weighs its classes, of all networks with every class counting alike on new data.

    Such a network gives up right answers in a frequent class for some in a rare one, which a plain share calls worse.
    """
    every = [outcome for outcomes in results.values() for outcome in outcomes]
    weighed = any(outcome.experiment.class_weights == "balanced" for outcome in every)
    if not weighed or not all(outcome.classes_alike for outcome in every):
        return results
    return {name: [judged_by_class(outcome) for outcome in outcomes] for name, outcomes in results.items()}


def _by_class(results: Results) -> bool:
    return any(outcome.by_class for outcomes in results.values() for outcome in outcomes)


def _ranks(outcomes: Sequence[Outcome]) -> list[float]:
    """Larger is better."""
    scores = _scores(outcomes)
    accuracy = np.isfinite([outcome.train_accuracy for outcome in outcomes]).all()
    signed = scores if accuracy else -scores
    return np.where(np.isnan(signed), -np.inf, signed).tolist()


def _scores(outcomes: Sequence[Outcome]) -> np.ndarray:
    """Test accuracies (NaN where the run diverged) or, for numbers, errors (infinite there), (runs,).

    Errors are typical ones in the unit that the targets came in, since networks may have them in other units; of the
    Huber loss, which has none, they are the losses.
    """
    accuracies = np.array([outcome.test_accuracy for outcome in outcomes])
    if np.isnan([outcome.train_accuracy for outcome in outcomes]).all():
        losses = losses_of(outcomes, "test_loss")
        return np.array([_error(one.experiment, loss) for one, loss in zip(outcomes, losses, strict=True)])
    return np.where(np.isfinite(losses_of(outcomes, "test_loss")), accuracies, np.nan)


def _error(experiment: Experiment, loss: float) -> float:
    kind = chosen_loss(experiment.loss, "regression", experiment.output)
    if kind == "huber":
        return loss
    return (math.sqrt(loss) if kind == "mse" else loss) / experiment.target_scale


def _of_classes(results: Results) -> bool:
    return not any(np.isnan(outcome.train_accuracy) for outcomes in results.values() for outcome in outcomes)


def _axis(results: Results) -> Json:
    every = np.concatenate([_scores(outcomes) for outcomes in results.values() if outcomes] or [np.zeros(1)])
    if _of_classes(results):
        name = f"right answers on test data{f', {ALIKE}' if _by_class(results) else ''}"
        shown = axis(name, every, tickformat=".0%")
        low, high = shown.get("range", (0.0, 1.0))
        return shown | {"range": [max(low, 0.0 - EDGE), min(high, 1.0 + EDGE)]}
    return loss_axis(_what(results), every, medians=[np.median(every)])


def _what(results: Results) -> str:
    """What the scores of numbers are."""
    losses = {outcome.experiment.loss for outcomes in results.values() for outcome in outcomes}
    return "test loss" if "huber" in losses else "typical error on test data"


def _summary(outcomes: Sequence[Outcome], results: Results) -> str:
    """Median and range, as in "median 92 %, 88 % to 95 %"."""
    scores = _scores(outcomes)
    written = percent if _of_classes(results) else partial(amount, digits=3)
    finite = scores[np.isfinite(scores)]
    broken = f", {len(scores) - len(finite)} of {len(scores)} diverged" if len(finite) < len(scores) else ""
    if not len(finite):
        return f"all {len(scores)} diverged"
    median, low, high = (float(value) for value in (np.median(finite), finite.min(), finite.max()))
    what = "right on test data" if _of_classes(results) else _what(results)
    what += f", {ALIKE}," if _by_class(results) else ""
    return f"{what} {written(median)} in the median, {written(low)} to {written(high)}{broken}"


def _remarks(results: Results) -> list[str]:
    n = max((len(outcomes) for outcomes in results.values()), default=0)
    left = "" if n >= SEEDS else f" {n} of {SEEDS} seeds so far."
    return [f"Dots: one a seed; bars: medians.{left}"]
