"""The doctor: from what a run left behind to what is wrong with it, the root cause first.

Detectors say what they see; here it is decided what came first.  A result as good as the data allow is healthy,
whatever its gradients look like, unless it is overfitted or its units are all one.  Else one cause is named, the first
in the order of CAUSES that was found; what follows from it is a consequence, and what is left is context.
"""

from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from engine.data.custom import CustomData
from engine.doctor import data_detectors, explanations, fit_detectors, rules, signal_detectors, step_detectors
from engine.doctor.examination import Examination
from engine.doctor.findings import MISLEADING, SEVERITIES, Finding
from engine.doctor.thresholds import FEW_IN_BATCH, OSCILLATES, SURELY, TWICE, UNEXPLAINED
from engine.history import RunHistory

# What is so before the first step, but for a mild explosion, which does nothing to a network that is not moved; then
# what training does, then how it ended.  A wrong scale goes before sorted examples: of 384 runs that had both, putting
# the scale alone right did clearly better than shuffling alone in 260, and clearly worse in 15.
CAUSES = (
    signal_detectors.symmetry,
    data_detectors.leakage,
    data_detectors.validation_shift,
    data_detectors.label_mismatch,
    data_detectors.unscaled_targets,
    data_detectors.unscaled_inputs,
    data_detectors.unshuffled,
    data_detectors.wrong_output,
    data_detectors.dead_output,
    data_detectors.batch_too_small,
    fit_detectors.linear_network,
    signal_detectors.born_dead,
    signal_detectors.saturated_units,
    fit_detectors.dropout_too_high,
    signal_detectors.vanishing_gradients,
    step_detectors.too_few_steps,
    signal_detectors.exploded_gradients,
    step_detectors.learning_rate_far_too_low,
    signal_detectors.borderline_vanishing,
    signal_detectors.small_start,
    signal_detectors.exploding_gradients,
    signal_detectors.large_start,
    fit_detectors.costly_dropout,
    fit_detectors.over_regularized,
    fit_detectors.overfitting,
    fit_detectors.too_few_units,
    step_detectors.learning_rate_too_high,
    data_detectors.noisy_batches,
    step_detectors.not_finite,
    signal_detectors.dead_units,
    signal_detectors.partly_saturated,
    step_detectors.learning_rate_too_low,
    signal_detectors.fading_gradients,
    data_detectors.label_noise,
    data_detectors.one_answer,
    fit_detectors.underfitting,
)
# Causes that count in a run that does well, too: where validation is not what it seems, nobody knows how well.
EVEN_SO = (
    signal_detectors.symmetry,
    data_detectors.leakage,
    data_detectors.validation_shift,
    fit_detectors.overfitting,
)
SYMPTOMS = (signal_detectors.saturated_at_the_end, signal_detectors.half_dead)  # never a cause

_BREAKDOWN = {"not_finite", "dead_units", "saturated_units", "underfitting", "one_answer"}
CONSEQUENCES = {  # cause -> what it leads to
    "validation_shift": {"overfitting", "underfitting"},
    "label_mismatch": {"overfitting", "underfitting"},
    "unshuffled": {"learning_rate_too_high", "underfitting", "one_answer"},
    "unscaled_targets": _BREAKDOWN | {"learning_rate_too_high", "learning_rate_too_low"},
    "unscaled_inputs": _BREAKDOWN
    | {"learning_rate_too_high", "learning_rate_too_low", "exploding_gradients", "vanishing_gradients"},
    "wrong_output": _BREAKDOWN | {"learning_rate_too_high", "learning_rate_too_low"},
    "batch_too_small": {"vanishing_gradients", "learning_rate_too_high", "underfitting", "one_answer"},
    "small_start": {"learning_rate_too_low", "underfitting", "one_answer"},
    "large_start": _BREAKDOWN | {"learning_rate_too_high", "learning_rate_too_low", "overfitting"},
    "symmetry": _BREAKDOWN | {"vanishing_gradients", "exploding_gradients", "learning_rate_too_high"},
    "dead_units": {"vanishing_gradients", "underfitting", "one_answer"},
    "saturated_units": {"vanishing_gradients", "underfitting", "one_answer"},
    "dropout_too_high": _BREAKDOWN | {"learning_rate_too_high", "over_regularized"},
    "over_regularized": _BREAKDOWN | {"learning_rate_too_high"},
    "exploding_gradients": _BREAKDOWN | {"learning_rate_too_high", "overfitting"},
    "vanishing_gradients": {"learning_rate_too_low", "underfitting", "one_answer"},
    "learning_rate_too_high": _BREAKDOWN,
    "learning_rate_too_low": {"underfitting", "one_answer"},
    "cannot_tell": _BREAKDOWN,
}


Judgement = tuple[tuple[Finding, ...], Finding | None]  # findings, and what was overcome

_judged: WeakKeyDictionary[RunHistory, dict[bool, Judgement]] = WeakKeyDictionary()  # with and without own data


def diagnose(history: RunHistory, data: CustomData | None = None) -> tuple[Finding, ...]:
    """What is wrong with a run: first the root cause, then its consequences, then context; () for a healthy run.

    data: inputs and targets of a custom data set, as for train; without them less is known of what was possible.
    """
    return _judgement(history, data)[0]


def overcome(history: RunHistory, data: CustomData | None = None) -> Finding | None:
    """What would be found in the gradient before the first step, had the network not learnt; None where nothing would.

    `diagnose` is silent about it in a network that does well.
    """
    return _judgement(history, data)[1]


def taken_away(patient: RunHistory, treated: RunHistory) -> tuple[Finding, ...]:
    """What is found in a patient and no longer in a treated network, in the order of its findings.

    What a detector measures as the same in both was not taken away: a network that does well in spite of it has no
    findings.
    """
    found, left = diagnose(patient), {finding.code for finding in diagnose(treated)}
    with np.errstate(all="ignore"):
        run = Examination(treated)
        same = {(seen.code, seen.measured) for detect in CAUSES if (seen := detect(run))}
    return tuple(one for one in found if one.code not in left and (one.code, one.measured) not in same)


def falls_short(history: RunHistory, data: CustomData | None = None) -> tuple[float, float] | None:
    """Of a run that does well enough, its error and that of the better reference, where that is surely less than half.

    Shares of the best constant answer's; None where there is nothing to remark, and for custom data that are not given.
    """
    if history.experiment.dataset == "custom" and data is None:
        return None
    with np.errstate(all="ignore"):
        run = Examination(history, data)
        return (run.error_share, run.reference_share) if run.does_well and run.surely_behind else None


def unsteady(history: RunHistory, data: CustomData | None = None) -> float | None:
    """Of a run that does well, all rises of its training loss over the span that it covers, where these are many.

    None, too, where every step goes by other examples or masks, which makes any loss go up and down.
    """
    e = history.experiment
    if e.examples_per_update < e.n_train or e.dropout > 0 or diagnose(history, data):
        return None
    rises = Examination(history, data).loss_oscillation
    return rises if rises > OSCILLATES else None


def gap_of_fit(history: RunHistory, data: CustomData | None = None) -> tuple[float, float, int] | None:
    """How much better a run does on its training data than on new data, what overfitting takes, number of new examples.

    The gap is a share of all answers, or of the average answer's loss; of the threshold a part is what that number of
    validation examples makes by chance; a run with a wider gap hardly fits its training data.  None for custom data
    that are not given.
    """
    with np.errstate(all="ignore"):
        run = Examination(history, data)
        if run.dataset is None:
            return None
        gap, threshold, _ = fit_detectors.gap_and_threshold(run)
    return gap, threshold, len(run.dataset.validation_inputs)


def _judgement(history: RunHistory, data: CustomData | None) -> Judgement:
    """Worked out once, since notes and headlines ask again and again; a history has one set of data."""
    known = _judged.setdefault(history, {})
    if (data is None) not in known:
        known[data is None] = _judge(history, data)
    return known[data is None]


def _judge(history: RunHistory, data: CustomData | None) -> Judgement:
    with np.errstate(all="ignore"):
        run = Examination(history, data)
        if not run.does_well:
            return _findings(run), None
        return _findings(run), signal_detectors.vanishing_gradients(run) or signal_detectors.exploding_gradients(run)


def _findings(run: Examination) -> tuple[Finding, ...]:
    causes = [found for detect in (EVEN_SO if run.does_well else CAUSES) if (found := detect(run))]
    symptoms = [found for detect in SYMPTOMS if not run.does_well and (found := detect(run))]
    if not causes:
        far = run.error_share > run.reference_share + UNEXPLAINED and run.behind_by > SURELY
        unexplained = not run.does_well and (run.dataset is None or far)
        return (_cannot_tell(run),) if unexplained else ()
    findings: dict[str, Finding] = {}
    for found in causes + symptoms:
        same = found.confirm is not None and found.confirm.experiment(run.experiment) == run.experiment
        findings.setdefault(found.code, replace(found, confirm=None) if same else found)
    # What misleads validation alone is never why a run breaks down.
    broken = "not_finite" in findings or not run.loss_share < TWICE
    ordered = sorted(findings.values(), key=lambda found: broken and found.code in MISLEADING)
    cause, *rest = _undecided(run, *ordered)
    follows = CONSEQUENCES.get(cause.code, set())
    consequences = [replace(found, role="consequence") for found in rest if found.code in follows]
    context = [replace(found, role="context", severity="info") for found in rest if found.code not in follows]
    # What leads to something severe is severe itself.
    severity = max((found.severity for found in (cause, *consequences)), key=SEVERITIES.index)
    return (replace(cause, severity=severity), *consequences, *context)


def _undecided(run: Examination, cause: Finding, *rest: Finding) -> tuple[Finding, ...]:
    """Findings, led by "cannot tell" where steps that go too far may be too long, or go by too few examples."""
    e = run.experiment
    batch = e.examples_per_update
    if cause.code != "learning_rate_too_high" or batch > FEW_IN_BATCH or batch == e.n_train:
        return cause, *rest
    text = explanations.rate_or_batch(batch)
    undecided = rules.RATE_OR_BATCH.finding(batch, (), cause.steps, text, severe=cause.severity == "severe")
    return undecided, cause, *rest


def _cannot_tell(run: Examination) -> Finding:
    """It does not do well, or nobody knows, and nothing that was measured explains it."""
    error, reference = run.error_share, run.reference_share
    text = explanations.cannot_tell(error, reference)
    threshold = reference if np.isfinite(reference) else np.inf
    return rules.CANNOT_TELL.finding(error, (), run.steps(run.late), text, threshold=float(threshold))
