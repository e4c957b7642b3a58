"""What a rule of the doctor is: all that findings of one kind have in common."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

from engine.doctor.findings import Confirmation, Finding

TUNED = "tuned on small networks"  # the source of a rule that no other tool or paper states
ALWAYS = -inf  # every measured value is above it


@dataclass(frozen=True)
class Rule:
    """One row.

    code, metric, threshold, source, remedies, mistaken_for and confirm are those of its findings.  A finding is a
    warning, but severe where what was measured is above severe_above or below severe_below.
    """

    code: str
    metric: str
    threshold: float
    source: str
    remedies: tuple[str, ...]
    severe_above: float = inf
    severe_below: float = -inf
    mistaken_for: tuple[str, ...] = ()
    confirm: Confirmation | None = None

    def finding(
        self,
        measured: float,
        layers: Iterable[int],
        steps: tuple[int, int],
        explanation: str,
        severe: bool | None = None,
        first: Mapping[str, bool] | None = None,
        threshold: float | None = None,
        factor: float | None = None,
    ) -> Finding:
        """The finding of this rule in a run.

        severe: where more than the measured value decides on it.  first: remedies that go before the others if
        something in the run speaks for them.  threshold: where it depends on the run; factor: of the setting that
        confirms it, likewise.
        """
        confirm = self.confirm
        if confirm and factor is not None:
            confirm = replace(confirm, factors=tuple((name, factor) for name, _ in confirm.factors))
        if severe is None:
            severe = measured > self.severe_above or measured < self.severe_below
        ahead = [remedy for remedy, speaks in (first or {}).items() if speaks]
        return Finding(
            code=self.code,
            severity="severe" if severe else "warning",
            layers=tuple(int(layer) for layer in layers),
            steps=steps,
            measured=measured,
            threshold=self.threshold if threshold is None else threshold,
            metric=self.metric,
            explanation=explanation,
            source=self.source,
            remedies=(*ahead, *(remedy for remedy in self.remedies if remedy not in ahead)),
            mistaken_for=tuple(code for code in self.mistaken_for if code != self.code),
            confirm=confirm,
        )
