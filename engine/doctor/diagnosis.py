"""The doctor: from what a run left behind to what is wrong with it, the root cause first.

Detectors say what they see; here it is decided what came first.  A result as good as the data allow is healthy,
whatever its gradients look like, unless it is overfitted or its units are all one.  Else one cause is named, the first
in the order of CAUSES that was found; what follows from it is a consequence, and what is left is context.
"""

from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from engine.doctor import fit_detectors, signal_detectors, step_detectors
from engine.doctor.examination import CustomData, Examination
from engine.doctor.findings import SEVERITIES, Finding
from engine.history import RunHistory

# What is so before the first step, but for a mild explosion, which does nothing to a network that is not moved; then
# what training does, then how it ended.
CAUSES = (
    signal_detectors.symmetry,
    fit_detectors.linear_network,
    signal_detectors.born_dead,
    signal_detectors.saturated_units,
    fit_detectors.dropout_too_high,
    signal_detectors.vanishing_gradients,
    step_detectors.too_few_steps,
    signal_detectors.exploded_gradients,
    step_detectors.learning_rate_far_too_low,
    signal_detectors.exploding_gradients,
    fit_detectors.over_regularized,
    fit_detectors.overfitting,
    fit_detectors.too_few_units,
    step_detectors.learning_rate_too_high,
    step_detectors.not_finite,
    signal_detectors.dead_units,
    signal_detectors.partly_saturated,
    step_detectors.learning_rate_too_low,
    signal_detectors.fading_gradients,
    fit_detectors.underfitting,
)
EVEN_SO = (signal_detectors.symmetry, fit_detectors.overfitting)  # causes that count in a run that does well, too
SYMPTOMS = (signal_detectors.saturated_at_the_end, signal_detectors.half_dead)  # never a cause

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


_judged: WeakKeyDictionary[RunHistory, tuple[tuple[Finding, ...], Finding | None]] = WeakKeyDictionary()


def diagnose(history: RunHistory, data: CustomData | None = None) -> tuple[Finding, ...]:
    """What is wrong with a run: first the root cause, then its consequences, then context; () for a healthy run.

    data: inputs and targets of a custom data set, as for train; without them less is known of what was possible.
    """
    return _judgement(history, data)[0]


def overcome(history: RunHistory) -> Finding | None:
    """What would be found in the gradient before the first step, had the network not learnt; None where nothing would.

    `diagnose` is silent about it in a network that does well.
    """
    return _judgement(history, None)[1]


def _judgement(history: RunHistory, data: CustomData | None) -> tuple[tuple[Finding, ...], Finding | None]:
    """Findings, and what was overcome; without data worked out once, since notes and headlines ask again and again."""
    if data is None and history in _judged:
        return _judged[history]
    judgement = _judge(history, data)
    if data is None:
        _judged[history] = judgement
    return judgement


def _judge(history: RunHistory, data: CustomData | None) -> tuple[tuple[Finding, ...], Finding | None]:
    with np.errstate(all="ignore"):
        run = Examination(history, data)
        if not run.does_well:
            return _findings(run), None
        return _findings(run), signal_detectors.vanishing_gradients(run) or signal_detectors.exploding_gradients(run)


def _findings(run: Examination) -> tuple[Finding, ...]:
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
    severity = max((found.severity for found in (cause, *consequences)), key=SEVERITIES.index)
    return (replace(cause, severity=severity), *consequences, *context)
