"""The doctor: from what a run left behind to what is wrong with it, the root cause first.

Detectors say what they see; here it is decided what came first.  One cause is named: the first in the order of CAUSES
that was found.  What lies downstream of it is its consequence, the rest is context.
"""

from dataclasses import replace

import numpy as np

from engine import detectors
from engine.detectors import Finding
from engine.examination import CustomData, Examination
from engine.history import RunHistory

WELL = 0.05  # validation error above the nearest neighbours' that counts as equal
WELL_SHARE = 0.25  # of the uninformed predictor's error: an excellent fit on new data

# In the order in which one leads to the next.
CAUSES = (
    detectors.symmetry,
    detectors.over_regularized,
    detectors.exploding_gradients,
    detectors.vanishing_gradients,
    detectors.learning_rate_too_high,
    detectors.not_finite,
    detectors.saturated_units,
    detectors.dead_units,
    detectors.learning_rate_too_low,
    detectors.overfitting,
    detectors.underfitting,
)
# Findings that say how a run ended: whatever the cause, they follow from it.
SYMPTOMS = {"not_finite", "dead_units", "saturated_units", "underfitting", "vanishing_gradients"}


def diagnose(history: RunHistory, data: CustomData | None = None) -> tuple[Finding, ...]:
    """What is wrong with a run: first the root cause, then its consequences, then context; () for a healthy run.

    data: inputs and targets of a custom data set, as for train; without them less is known of what was possible.
    """
    with np.errstate(all="ignore"):
        run = Examination(history, data)
        if not run.broke_off and _is_well(run):
            found = detectors.overfitting(run)
            return (found,) if found and run.error > run.neighbours + WELL else ()
        findings = [finding for detect in CAUSES if (finding := detect(run))]
    if not findings:
        return ()
    cause, *rest = findings
    consequences = [replace(finding, role="consequence") for finding in rest if finding.code in SYMPTOMS]
    context = [replace(finding, role="context", severity="info") for finding in rest if finding.code not in SYMPTOMS]
    return (cause, *consequences, *context)


def _is_well(run: Examination) -> bool:
    """Whether the result does on new data what these examples allow."""
    return bool(run.error <= max(run.neighbours + WELL, 0) or run.error < WELL_SHARE * run.uninformed_error)
