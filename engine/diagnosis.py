"""The doctor: from what a run left behind to what is wrong with it, the root cause first.

Detectors say what they see; here it is decided what came first.  A result as good as the data allow is healthy,
whatever its gradients look like, unless it is overfitted or its units are all one.  Else one cause is named, the first
in the order of CAUSES that was found; what follows from it is a consequence, and what is left is context.
"""

from dataclasses import replace

import numpy as np

from engine import detectors
from engine.detectors import Finding
from engine.examination import CustomData, Examination
from engine.history import RunHistory

# What is so before the first step, but for a mild explosion, which does nothing to a network that is not moved; then
# what training does, then how it ended.
CAUSES = (
    detectors.symmetry,
    detectors.straight,
    detectors.born_dead,
    detectors.saturated_units,
    detectors.masked_out,
    detectors.vanishing_gradients,
    detectors.cut_short,
    detectors.exploded_gradients,
    detectors.standing_still,
    detectors.exploding_gradients,
    detectors.over_regularized,
    detectors.overfitting,
    detectors.too_few_units,
    detectors.learning_rate_too_high,
    detectors.not_finite,
    detectors.dead_units,
    detectors.partly_saturated,
    detectors.learning_rate_too_low,
    detectors.fading_gradients,
    detectors.underfitting,
)
EVEN_SO = (detectors.symmetry, detectors.overfitting)  # causes that count in a run that does well, too
SYMPTOMS = (detectors.saturated_at_the_end, detectors.half_dead)  # never a cause

_BREAKDOWN = {"not_finite", "dead_units", "saturated_units", "underfitting"}
CONSEQUENCES = {  # cause -> what it leads to
    "symmetry": _BREAKDOWN | {"vanishing_gradients", "exploding_gradients", "learning_rate_too_high"},
    "dead_units": {"vanishing_gradients", "underfitting"},
    "saturated_units": {"vanishing_gradients", "underfitting"},
    "over_regularized": _BREAKDOWN | {"learning_rate_too_high"},
    "exploding_gradients": _BREAKDOWN | {"learning_rate_too_high", "overfitting"},
    "vanishing_gradients": {"learning_rate_too_low", "underfitting"},
    "learning_rate_too_high": _BREAKDOWN,
    "learning_rate_too_low": {"underfitting"},
}


def diagnose(history: RunHistory, data: CustomData | None = None) -> tuple[Finding, ...]:
    """What is wrong with a run: first the root cause, then its consequences, then context; () for a healthy run.

    data: inputs and targets of a custom data set, as for train; without them less is known of what was possible.
    """
    with np.errstate(all="ignore"):
        run = Examination(history, data)
        causes = [found for detect in (EVEN_SO if run.does_well else CAUSES) if (found := detect(run))]
        symptoms = [found for detect in SYMPTOMS if not run.does_well and (found := detect(run))]
    if not causes:
        return ()
    findings: dict[str, Finding] = {}
    for found in causes + symptoms:
        findings.setdefault(found.code, found)
    cause, *rest = findings.values()
    follows = CONSEQUENCES.get(cause.code, set())
    consequences = [replace(found, role="consequence") for found in rest if found.code in follows]
    context = [replace(found, role="context", severity="info") for found in rest if found.code not in follows]
    # What leads to something severe is severe itself.
    severity = max((found.severity for found in (cause, *consequences)), key=detectors.SEVERITIES.index)
    return (replace(cause, severity=severity), *consequences, *context)
