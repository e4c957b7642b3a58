"""Which networks to train to find what helps: every remedy at a few doses, then what promises, then pairs.

A dose that does worse than nothing over the first seeds is not worth the others: what is worth more is found out by
successive halving (Jamieson & Talwalkar 2016).  The order of the stages:

1. the untreated network over all seeds, every remedy at its first doses over SCREENED of them;
2. around the best dose of what promises, half a step weaker and stronger, unless it leaves nothing wrong;
3. the best dose of what promises, over all seeds;
4. over all seeds, pairs of remedies: those that are named for the root cause and did best first.

All is chosen by validation loss.  Nothing here trains: whoever does asks again with what is known by then.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from engine.cures.changes import Change, Maker
from engine.cures.outcomes import SCREENED, SEEDS, Outcome, losses_of, relative_change, seconds_of, seeded
from engine.experiment import Experiment

EFFECT = 0.05  # share of a loss: a smaller difference, in the median of the seeds, is no effect
MOST_PROMISING = 8  # remedies that are tried over all seeds
MOST_PAIRS, PAIRED = 4, 4  # pairs that are tried, and remedies that they are made of

Known = Mapping[Experiment, Outcome]
Plan = dict[str, tuple[Change, list[Experiment]]]  # name of a change -> what to train for it
Results = Sequence[tuple[Change, Sequence[Outcome]]]


@dataclass(frozen=True)
class Search:
    """The search for cures of one experiment.

    changes: the untreated network and every single change, as `changes_of` makes them; seconds: of one core that all
    may take, as estimated; the later stages leave out what does not fit.
    """

    maker: Maker
    changes: tuple[Change, ...]
    seeds: int = SEEDS
    seconds: float = np.inf

    def runs(self, known: Known) -> list[Experiment]:
        """The experiments of `plan`, each once."""
        return list(dict.fromkeys(one for _, runs in self.plan(known).values() for one in runs))

    def plan(self, known: Known) -> Plan:
        """All that is to be trained as far as it can be said by now; when all of it is known, the search is over."""
        screened = min(SCREENED, self.seeds)
        plan: Plan = {}
        for change in self.changes:
            if change.experiment:
                plan[change.name] = change, seeded(change.experiment, self.seeds if not plan else screened)
        for stage in (self._finer, self._in_full, self._pairs):
            if any(one not in known for _, runs in plan.values() for one in runs):
                break
            spent = sum(seconds_of(runs) for _, runs in plan.values())
            for change, seeds in stage(results_of(plan, known)):
                assert change.experiment
                runs = seeded(change.experiment, seeds)
                if (spent := spent + seconds_of(runs)) <= self.seconds:
                    plan[change.name] = change, runs
        return plan

    def _finer(self, results: Results) -> list[tuple[Change, int]]:
        taken = {change.name for change, _ in results}
        outcomes = {change.name: some for change, some in results}
        unhealed = [one for one in promising(results) if any(outcome.findings for outcome in outcomes[one.name])]
        finer = [one for change in unhealed if change.dose is not None for one in self.maker.finer(change)]
        return [(one, min(SCREENED, self.seeds)) for one in finer if one.name not in taken]

    def _in_full(self, results: Results) -> list[tuple[Change, int]]:
        return [(change, self.seeds) for change in promising(results)[:MOST_PROMISING]]

    def _pairs(self, results: Results) -> list[tuple[Change, int]]:
        """Pairs of what is named for the root cause, what did best first; then of the rest."""
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


def results_of(plan: Plan, known: Known) -> Results:
    """Changes with their outcomes, of those whose runs are all there."""
    return [
        (change, [known[one] for one in runs]) for change, runs in plan.values() if all(one in known for one in runs)
    ]


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
