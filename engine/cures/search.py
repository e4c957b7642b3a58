"""Which networks to train to find what helps: every remedy at one dose, more doses of what is likely, then pairs.

A dose that does worse than nothing over the first seeds is not worth the others: what is worth more is found out by
successive halving (Jamieson & Talwalkar 2016).  The order of the stages:

1. the untreated network over all seeds, every remedy at its middle dose over SCREENED of them;
2. the other doses of what is named for the root cause, of what promises, and of what diverged: it was too much;
3. around the best dose of what promises most, half a step weaker and stronger, unless it leaves nothing wrong;
4. the best dose of what promises most, over all seeds;
5. where none of these leaves nothing wrong, pairs over all seeds: what is named for the root cause and did best first.

All is chosen by validation loss.  Nothing here trains: whoever does asks again with what is known by then.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from engine.cures.changes import Change, Maker
from engine.cures.outcomes import (
    SCREENED,
    SEEDS,
    Outcome,
    Sizes,
    in_unit_of,
    judged_by_class,
    losses_of,
    relative_change,
    seconds_of,
    seeded,
)
from engine.experiment import Experiment

EFFECT = 0.05  # share of a loss: a smaller difference, in the median of the seeds, is no effect
CHANCE = 0.05  # how often chance alone may make as many of the seeds better, or worse
MOST_PROMISING = 6  # remedies that are tried at finer doses, and over all seeds
MOST_PAIRS, PAIRED = 4, 4  # pairs that are tried, and remedies that they are made of

Known = Mapping[Experiment, Outcome]
Plan = dict[str, tuple[Change, list[Experiment]]]  # name of a change -> what to train for it
Results = Sequence[tuple[Change, Sequence[Outcome]]]


@dataclass(frozen=True)
class Search:
    """The search for cures of one experiment.

    changes: the untreated network and every single change, as `changes_of` makes them; seconds: of one core that all
    may take, as estimated; the later stages leave out what does not fit.  sizes: as for seconds_of.
    """

    maker: Maker
    changes: tuple[Change, ...]
    seeds: int = SEEDS
    seconds: float = np.inf
    sizes: Sizes = None

    def runs(self, known: Known) -> list[Experiment]:
        """The experiments of `plan`, each once."""
        return list(dict.fromkeys(one for _, runs in self.plan(known).values() for one in runs))

    def plan(self, known: Known) -> Plan:
        """All that is to be trained as far as it can be said by now; when all of it is known, the search is over."""
        screened = min(SCREENED, self.seeds)
        plan: Plan = {}
        for change in middle_doses(self.changes):
            assert change.experiment
            plan[change.name] = change, seeded(change.experiment, self.seeds if not plan else screened)
        for stage in (self._other_doses, self._finer, self._in_full, self._pairs):
            if any(one not in known for _, runs in plan.values() for one in runs):
                break
            spent = sum(seconds_of(runs, self.sizes) for _, runs in plan.values())
            for change, seeds in stage(self.results(plan, known)):
                assert change.experiment
                runs = seeded(change.experiment, seeds)
                if (spent := spent + seconds_of(runs, self.sizes)) <= self.seconds:
                    plan[change.name] = change, runs
        return plan

    @property
    def classes_alike(self) -> bool:
        """Whether all are judged by a loss in which every class counts alike: where classes have weights, or may get.

        By the other loss the weights, which cost the frequent classes something, could only do harm.
        """
        weighs = any(change.code == "class_weights" and change.experiment for change in self.changes)
        return weighs or self.maker.experiment.class_weights == "balanced"

    def results(self, plan: Plan, known: Known) -> Results:
        """Changes with their outcomes, of those whose runs are all there, in what they are compared by.

        That is the unit of the untreated network's loss, and every class alike where they are judged so.
        """
        judged = judged_by_class if self.classes_alike else lambda outcome: outcome
        return [
            (change, [in_unit_of(self.maker.experiment, judged(known[one])) for one in runs])
            for change, runs in plan.values()
            if all(one in known for one in runs)
        ]

    def _other_doses(self, results: Results) -> list[tuple[Change, int]]:
        taken = {change.name for change, _ in results}
        likely = {change.remedy for change in promising(results)}
        likely |= {change.remedy for change, some in results if any(one.status == "diverged" for one in some)}
        named = _named(results[0][1])
        others = [one for one in self.changes if one.experiment and one.name not in taken]
        return [(one, min(SCREENED, self.seeds)) for one in others if one.code in named or one.remedy in likely]

    def _finer(self, results: Results) -> list[tuple[Change, int]]:
        taken = {change.name for change, _ in results}
        outcomes = {change.name: some for change, some in results}
        likely = promising(results)[:MOST_PROMISING]
        unhealed = [one for one in likely if any(outcome.findings for outcome in outcomes[one.name])]
        finer = [one for change in unhealed if change.dose is not None for one in self.maker.finer(change)]
        return [(one, min(SCREENED, self.seeds)) for one in finer if one.name not in taken]

    def _in_full(self, results: Results) -> list[tuple[Change, int]]:
        return [(change, self.seeds) for change in promising(results)[:MOST_PROMISING]]

    def _pairs(self, results: Results) -> list[tuple[Change, int]]:
        """Pairs of what is named for the root cause, what did best first; then of the rest.

        None where a single remedy leaves nothing wrong, so surely that it cannot be chance.
        """
        if any(leaves_nothing_wrong(outcomes, self.seeds) for _, outcomes in results[1:]):
            return []
        named = _named(results[0][1])
        best = best_doses(results)
        full = [change for change, outcomes in best if len(outcomes) == self.seeds]
        likely = [change for change in full if change.code in named]
        likely += sorted(
            (change for change, _ in best if change.code in named and change not in likely),
            key=lambda change: named.index(change.code),
        )
        likely += [change for change in full if change not in likely]
        # The first with the second, then the first with the third, and the second with it, ...
        couples = sorted(combinations(range(min(PAIRED, len(likely))), 2), key=sum)
        pairs = [self.maker.pair(likely[i], likely[j]) for i, j in couples]
        return [(pair, self.seeds) for pair in pairs if pair][:MOST_PAIRS]


def middle_doses(changes: Sequence[Change]) -> list[Change]:
    """Of every remedy one dose, of those that can be made; of two the first."""
    doses: dict[str, list[Change]] = {}
    for change in changes:
        if change.experiment:
            doses.setdefault(change.remedy, []).append(change)
    return [some[(len(some) - 1) // 2] for some in doses.values()]


def leaves_nothing_wrong(outcomes: Sequence[Outcome], seeds: int) -> bool:
    """Whether the doctor finds nothing in so many of the seeds, all of which were tried, that chance is ruled out."""
    return len(outcomes) == seeds and sum(not outcome.findings for outcome in outcomes) >= surely(seeds)


def surely(seeds: int) -> int:
    """In how many of the seeds at least, one way, chance is ruled out: P(X ≥ k) ≤ CHANCE for X ~ B(seeds, 1/2)."""
    ways = 0
    for k in range(seeds, -1, -1):
        ways += math.comb(seeds, k)
        if ways > CHANCE * 2**seeds:
            return k + 1
    return 0


def best_doses(results: Results) -> Results:
    """Of every remedy the dose that was tried over most seeds, and of several the one of the lowest validation loss.

    In the order of that loss, without the untreated network.
    """
    best: dict[str, tuple[Change, Sequence[Outcome]]] = {}
    ranked = sorted(results[1:], key=lambda tried: (-len(tried[1]), *_loss(tried[1])))
    for change, outcomes in ranked:
        best.setdefault(change.remedy, (change, outcomes))
    return list(best.values())


def promising(results: Results) -> list[Change]:
    """The best doses that do better than the untreated network by EFFECT, in the median seed; the best first."""
    untreated = losses_of(results[0][1], "result_validation_loss")
    found = []
    for change, outcomes in best_doses(results):
        losses = losses_of(outcomes, "result_validation_loss")
        if float(np.median(relative_change(untreated[: len(losses)], losses))) <= -EFFECT:
            found.append(change)
    return found


def _loss(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    losses = losses_of(outcomes, "result_validation_loss")
    return float(np.median(losses)), float(losses.min())


def _named(untreated: Sequence[Outcome]) -> tuple[str, ...]:
    """Remedies of the root cause that the doctor names in most seeds; none where the network is healthy."""
    causes = Counter(outcome.findings[0] if outcome.findings else "" for outcome in untreated)
    ((cause, _),) = causes.most_common(1)
    return next((one.remedies for one in untreated if cause and one.findings[:1] == (cause,)), ())
