"""Trains the zoo's runs, those of equal shape as one stack, and has every tool look at each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from engine import Experiment, Finding, diagnose, train_many
from engine.training import stacks
from tests.zoo.cases import Case, cases
from tests.zoo.outcome import AS_GOOD, HURT, data_of, error, reference
from tests.zoo.published import PUBLISHED

MAX_UPDATES, MAX_FRAMES = 200, 3  # of a run that are recorded


@dataclass(frozen=True)
class Look:
    """What a run did on test data, what the doctor says, and what the other tools say: name -> codes."""

    error: float
    findings: tuple[Finding, ...]
    published: dict[str, set[str]]


@dataclass(frozen=True)
class Judged:
    """A case with its look.  kind: "healthy", "fault", or why it is neither."""

    case: Case
    kind: str
    look: Look

    @property
    def flagged(self) -> bool:
        return any(finding.severity != "info" for finding in self.look.findings)

    @property
    def root(self) -> str:
        return self.look.findings[0].code if self.look.findings else ""

    @property
    def named(self) -> bool:
        return self.root in self.case.expected

    @property
    def found(self) -> bool:
        return any(finding.code in self.case.expected for finding in self.look.findings)


def looks(experiments: list[Experiment]) -> list[Look]:
    """Train a stack and look at each of its runs."""
    found = []
    for history in train_many(experiments, max_updates=MAX_UPDATES, max_frames=MAX_FRAMES):
        with np.errstate(all="ignore"):
            published = {name: rules(history) for name, rules in PUBLISHED.items()}
        found.append(Look(error(history), diagnose(history), published))
    return found


def judged(name: str, spread: Callable = map, chosen: Iterable[Case] | None = None) -> list[Judged]:
    """The runs of a set, or the chosen ones of it, trained and told apart.  spread: map over stacks, as of a pool."""
    rows = list(dict.fromkeys(cases(name) if chosen is None else chosen))
    experiments = list(dict.fromkeys(e for case in rows for e in (case.experiment, case.twin)))
    most = {data_of(e): e for e in sorted(experiments, key=lambda e: e.n_train)}  # as many examples as any run has
    experiments += [reference(e) for e in most.values()]
    groups = [[experiments[i] for i in group] for group in stacks(experiments)]
    groups.sort(key=lambda group: -sum(e.cost.seconds for e in group))
    look = {
        experiment: one
        for group, found in zip(groups, spread(looks, groups), strict=True)
        for experiment, one in zip(group, found, strict=True)
    }
    best: dict[tuple, float] = {}
    for experiment, one in look.items():
        best[data_of(experiment)] = min(one.error, best.get(data_of(experiment), np.inf))

    def healthy(experiment: Experiment) -> bool:
        return look[experiment].error <= best[data_of(experiment)] + AS_GOOD

    def kind(case: Case) -> str:
        if not case.fault:
            return "healthy" if healthy(case.experiment) else "sensible, but does not do well"
        if not healthy(case.twin):
            return "injected into a network that does not do well"
        return "fault" if look[case.experiment].error >= look[case.twin].error + HURT else "injected, but harmless"

    return [Judged(case, kind(case), look[case.experiment]) for case in rows]
