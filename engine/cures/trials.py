"""Experiment -> cures that were really tried, ranked.

    trials = prescribe(Experiment(depth=10, activation="sigmoid"))
    trials[0].change.name, trials[0].verdict, trials[0].healed_seeds

Parts, so that training can happen anywhere: engine/cures/changes.py says what could be tried, engine/cures/search.py
what to train next, training makes outcomes (engine/cures/outcomes.py), and `trials_of` compares these.  `prescribe`
does it all in this process.

Validation loss ranks the trials and test loss judges them, so that the judgement is not made on the examples by which
the best was picked.  Every class counts alike in both where classes have weights, or may get: see Search.classes_alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from engine.cures.changes import UNTREATED, Change, Maker
from engine.cures.outcomes import FRAMES, SEEDS, UPDATE_ROWS, Outcome, losses_of, outcome_of, relative_change
from engine.cures.search import EFFECT, Search, best_doses, surely
from engine.data.custom import CustomData
from engine.experiment import Experiment
from engine.limits import Limits
from engine.training import stacks, train_many

CURES, HELPS, NO_EFFECT, HARMS, SET_ASIDE = VERDICTS = "cures", "helps", "no effect", "harms", "set aside"

ACCURACY_RISE, ACCURACY_SHORT, LOSS_RATIO = 0.20, 0.03, 1.25  # of a repair (RunSleuth)
ROUNDING = 1e-9  # of accuracies, which are shares of some hundred examples


class Spread(NamedTuple):
    """Over the seeds: a run that diverged has an infinite loss; accuracies are NaN for regression."""

    median: float
    low: float
    high: float


class Dose(NamedTuple):
    """One dose of a remedy, and what came of it over the seeds that all of its doses were tried over."""

    name: str
    dose: float
    validation_loss: float


@dataclass(frozen=True)
class Trial:
    """What came of one remedy over the seeds, at its best dose.  Losses and accuracies are those of the runs' results.

    rank: from 1, the same for those that chance may have put in this order; 0 for the untreated network and for what
    was set aside.  doses: all that were tried, from weak to strong; none where the remedy has no strength.  better,
    worse: seeds whose test loss is lower, higher than the untreated network's; effect: median over the seeds of the
    relative change of test loss, −0.5 where it halves; healed_seeds: in which the doctor finds nothing that is a
    warning or worse; repaired: whether it is by another published rule, see `repairs`, None where there is no healthy
    network to compare with; work: floating-point operations, relative to the untreated network; by_class: whether
    every class counts alike in losses and accuracies.
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
    doses: tuple[Dose, ...] = ()
    rank: int = 0
    repaired: bool | None = None
    by_class: bool = False

    @property
    def cost(self) -> str:
        """What it costs, in words: "2 times the work; ..."."""
        work = "as much work" if 0.95 < self.work < 1.05 else f"{self.work:.2g} times the work"
        return f"{work}; {self.change.price}" if self.change.price else work


Tried = tuple[Trial, Sequence[Outcome]]


def trials_of(results: Sequence[tuple[Change, Sequence[Outcome]]]) -> tuple[Trial, ...]:
    """One for each remedy, at its best dose, and the untreated network's.

    Ranked by validation loss: by its median, then the most seeds that did not diverge, then its lowest, then work.
    Those that were tried over all seeds stand before those that did no better than nothing in the first.  The median is
    infinite where half of the seeds or more diverged; a change whose every seed did stands last.
    results: changes with their outcomes over seeds 0, 1, 2, ...; the untreated network's first, over all of them.
    """
    untreated = results[0][1]

    def order(tried: Tried) -> tuple[int, float, int, float, float]:
        trial, outcomes = tried
        diverged = int(np.isinf(losses_of(outcomes, "result_validation_loss")).sum())
        return -trial.seeds, trial.validation_loss.median, diverged, trial.validation_loss.low, trial.work

    trials = [(_trial(change, some, untreated), some) for change, some in [results[0], *best_doses(results)]]
    trials = [(replace(trial, doses=_doses(trial, results)), some) for trial, some in sorted(trials, key=order)]
    healthy = next((trial for trial, _ in trials if trial.healed_seeds >= surely(len(untreated))), None)
    (before,) = (trial for trial, _ in trials if not trial.verdict)
    ranked = zip(trials, _ranks(trials), strict=True)
    return tuple(
        replace(trial, rank=rank, repaired=repairs(before, trial, healthy)) if trial.verdict else trial
        for (trial, _), rank in ranked
    )


def _doses(trial: Trial, results: Sequence[tuple[Change, Sequence[Outcome]]]) -> tuple[Dose, ...]:
    """Compared over the seeds that all doses have."""
    doses = [(c, some) for c, some in results if c.remedy == trial.change.remedy and c.dose is not None]
    common = min((len(some) for _, some in doses), default=0)
    found = [
        Dose(c.name, c.dose, float(np.median(losses_of(some[:common], "result_validation_loss"))))
        for c, some in doses
        if c.dose is not None
    ]
    return tuple(sorted(found, key=lambda dose: dose.dose))


def _ranks(trials: Sequence[Tried]) -> list[int]:
    """Of sorted trials: one that the first of those before it does not surely beat on validation data shares its rank.

    Surely: in so many of the seeds that chance is ruled out, and by EFFECT in the median.
    """
    ranks, leader, place = [], None, 0
    for trial, outcomes in trials:
        if trial.verdict in ("", SET_ASIDE):
            ranks.append(0)
            continue
        place += 1
        losses = losses_of(outcomes, "result_validation_loss")
        if leader is None or _surely_worse(losses, leader):
            leader, rank = losses, place
        ranks.append(rank)
    return ranks


def _surely_worse(losses: np.ndarray, than: np.ndarray) -> bool:
    worse = int((losses > than).sum())
    return worse >= surely(len(losses)) and float(np.median(relative_change(than, losses))) >= EFFECT


def repairs(before: Trial, after: Trial, healthy: Trial | None) -> bool | None:
    """RunSleuth's rule for a repair, by medians of the test data; None without a healthy network to compare with.

    Accuracy rises by at least 20 points and comes within 3 points of the healthy network's, and the loss is at most
    1.25 times its loss.  Regression has no accuracy: there the loss decides, which must have been above that before.
    """
    if healthy is None:
        return None
    most = LOSS_RATIO * healthy.test_loss.median
    if not after.test_loss.median <= most:
        return False
    accuracy = after.test_accuracy.median
    if math.isnan(accuracy):
        return not before.test_loss.median <= most
    rise, short = accuracy - before.test_accuracy.median, healthy.test_accuracy.median - accuracy
    return rise >= ACCURACY_RISE - ROUNDING and short <= ACCURACY_SHORT + ROUNDING


def _trial(change: Change, outcomes: Sequence[Outcome], untreated: Sequence[Outcome]) -> Trial:
    in_full = len(outcomes) == len(untreated)
    untreated = untreated[: len(outcomes)]
    validation, test = (losses_of(outcomes, name) for name in ("result_validation_loss", "test_loss"))
    before = losses_of(untreated, "test_loss")
    healed, healthy = (sum(not outcome.findings for outcome in some) for some in (outcomes, untreated))
    better, worse = int((test < before).sum()), int((test > before).sum())
    effect = float(np.median(relative_change(before, test)))
    steps = float(np.median([outcome.steps / outcome.experiment.steps for outcome in outcomes]))
    operations = [some[0].experiment.cost.operations for some in (outcomes, untreated)]
    judged = verdict(len(outcomes), better, worse, effect, healed, healthy) if in_full else SET_ASIDE
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
        verdict="" if change.code == UNTREATED else judged,
        by_class=outcomes[0].by_class,
    )


def verdict(seeds: int, better: int, worse: int, effect: float, healed: int, healthy: int) -> str:
    """What the differences between pairs of equal seed say.

    helps (harms): the test loss is lower (higher) in so many of the seeds that chance does it in at most CHANCE of all
    cases, by a sign test (7 of 8), and by at least EFFECT in the median.  cures: helps, and the doctor finds nothing in
    that many seeds, but in the untreated network in fewer.  Fewer than five seeds cannot be told from chance.  What the
    first seeds speak against is "set aside", and not judged.
    """
    enough = surely(seeds)
    if better >= enough and effect <= -EFFECT:
        return CURES if healed >= enough > healthy else HELPS
    return HARMS if worse >= enough and effect >= EFFECT else NO_EFFECT


def _spread(values: np.ndarray) -> Spread:
    return Spread(float(np.median(values)), float(values.min()), float(values.max()))


def prescribe(
    experiment: Experiment,
    seeds: int = SEEDS,
    data: CustomData | None = None,
    max_seconds: float | None = None,
    max_bytes: float | None = None,
) -> tuple[Trial, ...]:
    """Try every remedy, at more doses and in pairs as in engine/cures/search.py; the untreated network included.

    Raises OutOfRange where the experiment itself cannot be trained; changes that cannot are left out.
    data: inputs and targets where the data set is "custom".  Limits, where they are given, are those of each Training.
    """
    maker = Maker(experiment, data, Limits(max_seconds, max_bytes))
    search = Search(maker, maker.singles(), seeds)
    if search.changes[0].experiment is None:
        train_many([experiment], data, max_seconds=max_seconds, max_bytes=max_bytes)
    known: dict[Experiment, Outcome] = {}
    while missing := [one for one in search.runs(known) if one not in known]:
        for group in stacks(missing, data):
            histories = train_many([missing[i] for i in group], data, UPDATE_ROWS, FRAMES)
            known |= {history.experiment: outcome_of(history, data) for history in histories}
    return trials_of(search.results(search.plan(known), known))
