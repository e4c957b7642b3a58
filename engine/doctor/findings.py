"""What the doctor found: the evidence of one thing that is wrong with a run."""

from dataclasses import dataclass, replace
from typing import Any

from engine.experiment import SETTINGS, Experiment
from engine.settings import Value

SEVERITIES = ("info", "warning", "severe")
MISLEADING = "leakage", "validation_shift", "label_mismatch"  # nothing is wrong but what validation says


@dataclass(frozen=True)
class Confirmation:
    """One cheap run that tells a cause from those whose curves look the same.

    settings: field -> new value; factors: field -> factor of the run's own value; shows: what it shows where the
    finding is right, and else.
    """

    shows: str
    settings: tuple[tuple[str, Value], ...] = ()
    factors: tuple[tuple[str, float], ...] = ()

    def experiment(self, experiment: Experiment) -> Experiment:
        """The run to make, every value within its setting's range."""
        changed: dict[str, Any] = dict(self.settings)
        for name, factor in self.factors:
            setting, value = SETTINGS[name], factor * getattr(experiment, name)
            value = min(max(value, setting.low), setting.high)
            changed[name] = round(value) if isinstance(setting.default, int) else value
        return replace(experiment, **changed)


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor found in a run, with its evidence.

    severity: one of SEVERITIES.  layers count from 0 here, and from 1 in words.  steps: first and last at
    which it was measured.  measured and threshold are of `metric`.  remedies: settings of an Experiment, or changes
    (learning_rate_up, learning_rate_down, wider, deeper, shallower), the likeliest first.  role: "cause",
    "consequence" or "context".  mistaken_for: codes whose curves look the same; confirm: a cheap run that tells them
    apart, where there is one.
    """

    code: str
    severity: str
    layers: tuple[int, ...]
    steps: tuple[int, int]
    measured: float
    threshold: float
    metric: str
    explanation: str
    source: str
    remedies: tuple[str, ...]
    role: str = "cause"
    mistaken_for: tuple[str, ...] = ()
    confirm: Confirmation | None = None


def if_severe(found: Finding | None) -> Finding | None:
    """The finding where it is severe, else None."""
    return found if found and found.severity == "severe" else None
