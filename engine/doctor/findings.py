"""What the doctor found: the evidence of one thing that is wrong with a run."""

from dataclasses import dataclass

SEVERITIES = ("info", "warning", "severe")


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor found in a run, with its evidence.

    severity: one of SEVERITIES.  layers count from 0 here, and from 1 in words.  steps: first and last at
    which it was measured.  measured and threshold are of `metric`.  remedies: settings of an Experiment, or changes
    (learning_rate_up, learning_rate_down, wider, deeper, shallower), the likeliest first.  role: "cause",
    "consequence" or "context".
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


def if_severe(found: Finding | None) -> Finding | None:
    return found if found and found.severity == "severe" else None
