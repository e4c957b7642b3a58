"""Detectors of how well a network fits: too simple, held back by a remedy, overfitted or underfitted.

One small function each, which reads like its definition: whether a rule applies to a run, and what was measured.  See
rules.py, explanations.py for the sentences, and thresholds.py for sources.
"""

import numpy as np

from engine.doctor import explanations, rules
from engine.doctor.examination import Examination
from engine.doctor.findings import Finding
from engine.doctor.thresholds import (
    BEHIND,
    FALLING,
    FEW_UNITS,
    GENERALIZATION_LOSS,
    HIGH_DROPOUT,
    JUMPS,
    LEARNT_NOTHING,
    LEAST_WIDE,
    MASK_COSTS,
    OVERSHOOTS,
    PENALTY_PULLS,
    RISEN_GAP,
    SEVERELY_RISEN,
    SHRUNK,
    SURELY,
    UNDERFITS,
    WELL,
    WIDE_GAP,
)
from engine.doctor.trajectory import finite_median
from engine.measures import generalization_loss


def linear_network(run: Examination) -> Finding | None:
    """All its layers are linear, which makes one line of them, and the best line is far behind the reference."""
    if run.experiment.activation != "linear" or run.diverged:
        return None
    behind = run.line_share - run.reference_share
    if not behind > BEHIND:
        return None
    text = explanations.linear_network(run.line_share, run.reference_share)
    return rules.LINEAR_NETWORK.finding(behind, range(run.depth), run.steps(), text)


def too_few_units(run: Examination) -> Finding | None:
    """One or two units are all it has, each of which bends its answer once, and one straight line will not do."""
    units = run.depth * run.experiment.width
    behind = run.line_share - run.reference_share
    if units > FEW_UNITS or not behind > BEHIND or run.diverged or run.highest_rise > JUMPS:
        return None
    text = explanations.too_few_units(units, run.line_share, run.reference_share)
    return rules.TOO_FEW_UNITS.finding(
        units, range(run.depth), run.steps(), text, severe=run.loss_share > LEARNT_NOTHING
    )


def dropout_too_high(run: Examination) -> Finding | None:
    """Dropout of most of the hidden units: it comes before the first step, since masks change the gradients too."""
    dropout = run.experiment.dropout
    if not dropout > HIGH_DROPOUT:
        return None
    text = explanations.most_dropped(dropout)
    return rules.MOST_DROPPED.finding(dropout, range(run.depth), run.steps(), text)


def costly_dropout(run: Examination) -> Finding | None:
    """What is left of the network while units are dropped fits the data much worse than the whole network does.

    The loss with masks is that of the last updates, the loss without is that of the last evaluations.
    """
    e, history = run.experiment, run.history
    late = history.step >= run.steps(run.late)[0]
    weighted = run.is_classification and e.class_weights != "none"  # losses of batches, and not those without masks
    if not e.dropout > 0 or run.diverged or run.normalises_batches or weighted or not late.any():
        return None
    with_mask, without = (finite_median(losses) for losses in (history.batch_loss[late], history.train_loss[run.late]))
    cost = (with_mask - without) / (run.uninformed - run.unavoidable)
    if not (cost > MASK_COSTS and run.loss_share < LEARNT_NOTHING):
        return None
    text = explanations.costly_dropout(e.dropout, e.width, with_mask, without)
    return rules.COSTLY_DROPOUT.finding(cost, range(run.depth), run.steps(run.late), text)


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
    """It fits its training data, surely better than it does new ones.

    These were fitted better before, or both are far apart, or the training data are known by heart.
    """
    losses = run.history.validation_loss[: run.result + 1]
    rise = generalization_loss(run.history.validation_loss)[: run.result + 1]
    apart, threshold, fell_apart = gap_and_threshold(run)
    if not apart > threshold or run.loss_share > UNDERFITS:
        return None
    best, risen = int(np.nanargmin(losses)), float(rise[-1])
    no_better = bool(run.error_share <= run.reference_share + WELL)
    return rules.OVERFITTING.finding(
        apart,
        (),
        run.steps(slice(best, run.result + 1)),
        explanations.overfitting(run, best, risen, no_better),
        severe=risen > SEVERELY_RISEN,
        first={"n_train": no_better and not fell_apart},
        threshold=threshold,
    )


def gap_and_threshold(run: Examination) -> tuple[float, float, bool]:
    """How much better it does on its training data, median of the last checks; and what overfitting takes.

    The threshold grows with what so few new examples make by chance.  Last: whether these were fitted better before.
    """
    rise = generalization_loss(run.history.validation_loss)
    fell_apart = finite_median(rise[run.late]) > GENERALIZATION_LOSS
    every_one_right = finite_median(run.history.train_accuracy[run.late]) == 1  # wrong labels too: known by heart
    by_heart = run.is_classification and run.experiment.patience == 0 and every_one_right
    # Where one class is rare, the widest gap is no more than chance and a few examples make.
    widest = run.widest_gap if fell_apart else np.fmax(run.widest_gap, LEAST_WIDE)
    share = (RISEN_GAP if fell_apart or by_heart else WIDE_GAP) * widest
    return finite_median(run.gap[run.late]), float(share + SURELY * run.scatter), fell_apart


def underfitting(run: Examination) -> Finding | None:
    """Neither its own training data nor new ones are fitted as they could be.

    A high loss does not count where its answers are about as often right as the reference': it is only unsure of them.
    """
    if run.diverged:
        return None
    error = min(run.error_share, run.train_error_share)
    behind = error - run.reference_share
    steps = run.steps(run.late)
    loss = run.history.train_loss[run.late]
    falling = bool(loss[-1] < (1 - FALLING) * loss[0])
    unsure = run.is_classification and behind < SURELY * run.scatter / run.widest_gap
    if run.loss_share > UNDERFITS and not unsure:
        rule = rules.HIGH_LOSS_WITH_LABEL_NOISE if run.experiment.label_noise > 0 else rules.HIGH_LOSS
        measured, text = run.loss_share, explanations.high_loss(steps[-1], run.loss_share, falling)
    elif behind > BEHIND:
        rule = rules.HIGH_ERROR
        measured, text = behind, explanations.high_error(steps[-1], error, run.reference_share, falling)
    else:
        return None
    first = {"steps": falling, "activation": run.experiment.activation == "linear"}
    return rule.finding(measured, (), steps, text, severe=run.loss_share > LEARNT_NOTHING, first=first)
