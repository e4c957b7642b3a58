"""Experiment -> cures that were really tried, ranked.

    trials = prescribe(Experiment(depth=10, activation="sigmoid"))
    trials[0].change.name, trials[0].verdict, trials[0].healed_seeds

Three parts, so that training can happen anywhere: `changes_of` says what to try (engine/cures/changes.py), training
over seeds makes outcomes (engine/cures/outcomes.py), and `trials_of` compares these.  `prescribe` does all three in
this process.

Validation loss ranks the trials and test loss judges them, so that the judgement is not made on the examples by which
the best was picked.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.cures.changes import UNTREATED, Change, changes_of
from engine.cures.outcomes import FRAMES, SEEDS, UPDATE_ROWS, Outcome, losses_of, outcome_of, seeded
from engine.data.custom import CustomData
from engine.experiment import Experiment
from engine.training import train_many

CURES, HELPS, NO_EFFECT, HARMS = VERDICTS = "cures", "helps", "no effect", "harms"

CHANCE = 0.05  # how often chance alone may make as many of the seeds better, or worse
EFFECT = 0.05  # share of the test loss: a smaller difference, in the median of the seeds, is no effect


class Spread(NamedTuple):
    """Over the seeds: a run that diverged has an infinite loss; accuracies are NaN for regression."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Trial:
    """What came of one change over the seeds.  Losses and accuracies are those of the runs' results.

    better, worse: seeds whose test loss is lower, higher than the untreated network's; effect: median over the seeds of
    the relative change of test loss, −0.5 where it halves; healed_seeds: in which the doctor finds nothing that is a
    warning or worse; work: floating-point operations, relative to the untreated network.
    """

    change: Change
    experiment: Experiment
    seeds: int
    validation_loss: Spread
    test_loss: Spread
    validation_accuracy: Spread
    test_accuracy: Spread
    better: int
    worse: int
    effect: float
    healed_seeds: int
    work: float
    verdict: str  # one of VERDICTS; empty for the untreated network

    @property
    def cost(self) -> str:
        """What it costs, in words: "2 times the work; ..."."""
        work = "as much work" if 0.95 < self.work < 1.05 else f"{self.work:.2g} times the work"
        return f"{work}; {self.change.price}" if self.change.price else work


def trials_of(results: Sequence[tuple[Change, Sequence[Outcome]]]) -> tuple[Trial, ...]:
    """Ranked by validation loss: by its median, then the most seeds that did not diverge, then its lowest, then work.

    The median is infinite where half of the seeds or more diverged; a change whose every seed did stands last.
    results: changes with their outcomes, the untreated network's first, all over the same seeds.
    """
    _, untreated = results[0]

    def rank(ranked: tuple[Trial, Sequence[Outcome]]) -> tuple[float, int, float, float]:
        trial, outcomes = ranked
        diverged = int(np.isinf(losses_of(outcomes, "result_validation_loss")).sum())
        return trial.validation_loss.median, diverged, trial.validation_loss.low, trial.work

    trials = [(_trial(change, outcomes, untreated), outcomes) for change, outcomes in results]
    return tuple(trial for trial, _ in sorted(trials, key=rank))


def _trial(change: Change, outcomes: Sequence[Outcome], untreated: Sequence[Outcome]) -> Trial:
    validation, test = (losses_of(outcomes, name) for name in ("result_validation_loss", "test_loss"))
    before = losses_of(untreated, "test_loss")
    healed, healthy = (sum(not outcome.findings for outcome in some) for some in (outcomes, untreated))
    better, worse = int((test < before).sum()), int((test > before).sum())
    effect = float(np.median(relative_change(before, test)))
    steps = float(np.median([outcome.steps / outcome.experiment.steps for outcome in outcomes]))
    operations = [some[0].experiment.cost.operations for some in (outcomes, untreated)]
    return Trial(
        change=change,
        experiment=change.experiment or outcomes[0].experiment,
        seeds=len(outcomes),
        validation_loss=_spread(validation),
        test_loss=_spread(test),
        validation_accuracy=_spread(np.array([outcome.result_validation_accuracy for outcome in outcomes])),
        test_accuracy=_spread(np.array([outcome.test_accuracy for outcome in outcomes])),
        better=better,
        worse=worse,
        effect=effect,
        healed_seeds=healed,
        work=steps * operations[0] / operations[1],
        verdict="" if change.code == UNTREATED else verdict(len(outcomes), better, worse, effect, healed, healthy),
    )


def verdict(seeds: int, better: int, worse: int, effect: float, healed: int, healthy: int) -> str:
    """What the differences between pairs of equal seed say.

    helps (harms): the test loss is lower (higher) in so many of the seeds that chance does it in at most CHANCE of all
    cases, by a sign test (7 of 8), and by at least EFFECT in the median.  cures: helps, and the doctor finds nothing in
    that many seeds, but in the untreated network in fewer.  Fewer than five seeds cannot be told from chance.
    """
    enough = surely(seeds)
    if better >= enough and effect <= -EFFECT:
        return CURES if healed >= enough > healthy else HELPS
    return HARMS if worse >= enough and effect >= EFFECT else NO_EFFECT


def surely(seeds: int) -> int:
    """In how many of the seeds at least, one way, chance is ruled out: P(X ≥ k) ≤ CHANCE for X ~ B(seeds, 1/2)."""
    ways = 0
    for k in range(seeds, -1, -1):
        ways += math.comb(seeds, k)
        if ways > CHANCE * 2**seeds:
            return k + 1
    return 0


def relative_change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """after/before − 1, pair by pair: −1 where only what was before diverged, infinite where only what came after did,
    0 where both or neither."""
    with np.errstate(all="ignore"):
        change = after / before - 1
    return np.where(after == before, 0.0, np.where(np.isinf(before), -1.0, change))


def _spread(values: np.ndarray) -> Spread:
    return Spread(float(np.median(values)), float(values.min()), float(values.max()))


def prescribe(
    experiment: Experiment,
    seeds: int = SEEDS,
    data: CustomData | None = None,
    max_seconds: float | None = None,
    max_bytes: float | None = None,
) -> tuple[Trial, ...]:
    """Train the experiment and every change that could help over so many seeds, and rank them, the untreated included.

    Raises OutOfRange where the experiment itself cannot be trained; changes that cannot are left out.
    data: inputs and targets where the data set is "custom".  Limits, where they are given, are those of each Training.
    """
    untreated, *others = changes_of(experiment, data, max_seconds, max_bytes)
    if untreated.experiment is None:
        train_many([experiment], data, max_seconds=max_seconds, max_bytes=max_bytes)
    results = []
    for change in (untreated, *others):
        if change.experiment:
            histories = train_many(seeded(change.experiment, seeds), data, UPDATE_ROWS, FRAMES)
            results.append((change, [outcome_of(history) for history in histories]))
    return trials_of(results)
