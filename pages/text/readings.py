"""Numbers of a run that the scenes of a lecture quote, and that its claims are about."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

from engine import RunHistory
from engine.data.baselines import average_loss
from pages.text.labels import number, percent
from pages.text.outcome_measures import accuracy_gap
from pages.text.verdict import starting_ratio

NETWORKS = "patient", "treated"
RATIO = "treated/patient"  # of both networks' readings, in a claim


@dataclass(frozen=True)
class Reading:
    """A number of a run, and how a sentence says it."""

    value: Callable[[RunHistory], float]
    said: Callable[[float], str] = number


READINGS = {
    "ratio": Reading(starting_ratio),
    "training_loss": Reading(lambda history: float(history.train_loss[-1])),
    "validation_loss": Reading(lambda history: float(history.validation_loss[-1])),
    "lowest_validation_loss": Reading(lambda history: float(min(history.validation_loss))),
    "training_share": Reading(
        lambda history: float(history.train_loss[-1]) / average_loss(history.experiment), percent
    ),
    "training_accuracy": Reading(lambda history: float(history.train_accuracy[-1]), percent),
    "test_loss": Reading(lambda history: history.test_loss),
    "test_accuracy": Reading(lambda history: history.test_accuracy, percent),
    "accuracy_gap": Reading(accuracy_gap, percent),
    "best_step": Reading(lambda history: history.best_step, lambda step: f"{step:.0f}"),
    "best_share": Reading(lambda history: history.best_step / history.experiment.steps, percent),
    "weight_growth": Reading(lambda history: float(history.weight_norm[-1].sum() / history.weight_norm[0].sum())),
}
"""By the names that assets/lectures/*.toml use."""


@dataclass(frozen=True)
class Claim:
    """What a scene says, as a test can check it: a reading of one network, or the ratio of both, and a bound."""

    network: str
    reading: str
    side: str
    bound: float

    def __post_init__(self) -> None:
        for value, known in (
            (self.network, (*NETWORKS, RATIO)),
            (self.reading, READINGS),
            (self.side, ("below", "above")),
        ):
            if value not in known:
                raise ValueError(f"A claim says {value!r}, which is none of {', '.join(known)}.")

    def measured(self, patient: RunHistory, treated: RunHistory) -> float:
        read = READINGS[self.reading].value
        if self.network == RATIO:
            return read(treated) / read(patient)
        return read(patient if self.network == "patient" else treated)

    def holds(self, patient: RunHistory, treated: RunHistory) -> bool:
        value = self.measured(patient, treated)
        return math.isfinite(value) and (value < self.bound if self.side == "below" else value > self.bound)


def fields_of(template: str) -> Sequence[tuple[str, str]]:
    """Network and reading of each {network.reading} in a sentence.  ValueError for what is neither."""
    found = []
    for _, name, _, _ in Formatter().parse(template):
        if name is None:
            continue
        network, _, reading = name.partition(".")
        if network not in NETWORKS or reading not in READINGS:
            raise ValueError(f"{{{name}}} names no reading of the patient or the treated network.")
        found.append((network, reading))
    return found


def filled(template: str, patient: RunHistory, treated: RunHistory) -> str:
    """A sentence with the numbers of these runs in place of its {network.reading}."""
    runs: Mapping[str, RunHistory] = {"patient": patient, "treated": treated}
    for network, reading in fields_of(template):
        row = READINGS[reading]
        template = template.replace(f"{{{network}.{reading}}}", row.said(row.value(runs[network])))
    return template
