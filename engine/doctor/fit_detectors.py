"""Detectors of how well a network fits: too simple, held back by a remedy, overfitted or underfitted.

One small function each, which reads like its definition: whether a rule applies to a run, and what was measured.  See
rules.py, explanations.py for the sentences, and thresholds.py for sources.
"""

from dataclasses import replace

import numpy as np

from engine.doctor import explanations, rules
from engine.doctor.examination import Examination, finite_median
from engine.doctor.findings import Finding
from engine.doctor.thresholds import (
    BEHIND,
    FALLING,
    FEW_UNITS,
    GENERALIZATION_LOSS,
    HIGH_DROPOUT,
    JUMPS,
    LEARNT_NOTHING,
    OVERSHOOTS,
    PENALTY_PULLS,
    RISEN_GAP,
    SEVERELY_RISEN,
    SHRUNK,
    SURELY,
    UNDERFITS,
    WIDE_GAP,
)
from engine.measures import generalization_loss


def linear_network(run: Examination) -> Finding | None:
    """All its layers are linear, which makes one line of them, and the best line is far behind the neighbours."""
    if run.experiment.activation != "linear" or run.diverged:
        return None
    behind = run.line_share - run.neighbours_share
    if not behind > BEHIND:
        return None
    text = explanations.linear_network(run.line_share, run.neighbours_share)
    return rules.LINEAR_NETWORK.finding(behind, range(run.depth), run.steps(), text)


def too_few_units(run: Examination) -> Finding | None:
    """One or two units are all it has, each of which bends its answer once, and one straight line will not do."""
    units = run.depth * run.experiment.width
    behind = run.line_share - run.neighbours_share
    if units > FEW_UNITS or not behind > BEHIND or run.diverged or run.highest_rise > JUMPS:
        return None
    text = explanations.too_few_units(units, run.line_share, run.neighbours_share)
    return rules.TOO_FEW_UNITS.finding(
        units, range(run.depth), run.steps(), text, severe=run.loss_share > LEARNT_NOTHING
    )


def dropout_too_high(run: Examination) -> Finding | None:
    """Dropout of most of the hidden units: it comes before the first step, since masks change the gradients too."""
    dropout = run.experiment.dropout
    if not dropout > HIGH_DROPOUT:
        return None
    text = explanations.dropout_too_high(dropout)
    return rules.DROPOUT_TOO_HIGH.finding(dropout, range(run.depth), run.steps(), text)


def over_regularized(run: Examination) -> Finding | None:
    """A penalty that overshoots, or that counts beside the data as training starts and then shrinks the weights.

    A network that fits its training data better than new ones is not held back by what shrinks its weights.
    """
    return _overshooting_penalty(run) or _strong_penalty(run)


def _overshooting_penalty(run: Examination) -> Finding | None:
    e = run.experiment
    product = e.learning_rate * e.l2
    if not (e.optimizer in ("sgd", "adamw") and product > OVERSHOOTS):
        return None
    text = explanations.penalty_overshoots(product)
    return rules.PENALTY_OVERSHOOTS.finding(product, range(run.depth + 1), run.steps(), text)


def _strong_penalty(run: Examination) -> Finding | None:
    e, history = run.experiment, run.history
    if not (e.l1 > 0 or e.l2 > 0):
        return None
    pull, _ = run.first_and_last(history.penalty_gradient_norm / history.data_gradient_norm)
    kept = finite_median(history.weight_norm[-1:] / history.weight_norm[:1])
    if not (pull > PENALTY_PULLS and kept < SHRUNK) or overfitting(run):
        return None
    text = explanations.strong_penalty(pull, kept)
    return rules.STRONG_PENALTY.finding(
        pull, range(run.depth + 1), run.steps(), text, first={"l1": e.l1 > 0, "l2": e.l2 > 0}
    )


def overfitting(run: Examination) -> Finding | None:
    """It fits its training data, surely better than it does new ones, and on new ones it was better before."""
    losses = run.history.validation_loss[: run.result + 1]
    rise = generalization_loss(run.history.validation_loss)[: run.result + 1]
    apart = finite_median(run.gap[run.late])
    fell_apart = finite_median(rise[run.late]) > GENERALIZATION_LOSS
    threshold = (RISEN_GAP if fell_apart else WIDE_GAP) * run.widest_gap + SURELY * run.scatter
    if not apart > threshold or run.loss_share > UNDERFITS:
        return None
    best, risen = int(np.nanargmin(losses)), float(rise[-1])
    return replace(rules.OVERFITTING, threshold=threshold).finding(
        apart,
        (),
        run.steps(slice(best, run.result + 1)),
        explanations.overfitting(run, best, risen),
        severe=risen > SEVERELY_RISEN,
    )


def underfitting(run: Examination) -> Finding | None:
    """Neither its own training data nor new ones are fitted as they could be.

    A high loss does not count where its answers are about as often right as the neighbours': it is only unsure of them.
    """
    if run.diverged:
        return None
    error = min(run.error_share, run.train_error_share)
    behind = error - run.neighbours_share
    steps = run.steps(run.late)
    loss = run.history.train_loss[run.late]
    falling = bool(loss[-1] < (1 - FALLING) * loss[0])
    unsure = run.is_classification and behind < SURELY * run.scatter / run.widest_gap
    if run.loss_share > UNDERFITS and not unsure:
        rule = rules.HIGH_LOSS_WITH_LABEL_NOISE if run.experiment.label_noise > 0 else rules.HIGH_LOSS
        measured, text = run.loss_share, explanations.high_loss(steps[-1], run.loss_share, falling)
    elif behind > BEHIND:
        rule = rules.HIGH_ERROR
        measured, text = behind, explanations.high_error(steps[-1], error, run.neighbours_share, falling)
    else:
        return None
    first = {"steps": falling, "activation": run.experiment.activation == "linear"}
    return rule.finding(measured, (), steps, text, severe=run.loss_share > LEARNT_NOTHING, first=first)
