"""Detectors of how well a network fits: too simple, held back by a remedy, overfitted or underfitted.

One small function each, which reads like its definition; see findings.py, and thresholds.py for sources.
"""

import numpy as np

from engine.doctor.examination import Examination, finite_median
from engine.doctor.findings import TUNED, Finding, likeliest, steps_of
from engine.doctor.thresholds import (
    BEHIND,
    FALLING,
    FEW_UNITS,
    GAP,
    GENERALIZATION_LOSS,
    HIGH_DROPOUT,
    JUMPS,
    LEARNT_NOTHING,
    OVERSHOOTS,
    PENALTY_PULLS,
    PENALTY_RULES,
    SEVERELY_RISEN,
    SHRUNK,
    SURELY,
    UNDERFITS,
    WIDE_GAP,
)
from engine.formatting import PERCENT, number, percent
from engine.measures import generalization_loss


def linear_network(run: Examination) -> Finding | None:
    """All its layers are linear, which makes one line of them, and the best line is far behind the neighbours."""
    if run.experiment.activation != "linear" or run.diverged:
        return None
    behind = run.line_share - run.neighbours_share
    if not behind > BEHIND:
        return None
    return Finding(
        code="underfitting",
        severity="warning",
        layers=tuple(range(run.depth)),
        steps=steps_of(run),
        measured=behind,
        threshold=BEHIND,
        metric="error of the least squares line above the nearest neighbours', over the best constant answer's",
        explanation="All its layers are linear, so together they make no more than one straight line. The best line "
        f"makes {number(run.line_share)} of the error of always giving the average answer; a vote of the nearest "
        f"examples makes {number(run.neighbours_share)} of it.",
        source=TUNED,
        remedies=("activation",),
    )


def too_few_units(run: Examination) -> Finding | None:
    """One or two units are all it has, each of which bends its answer once, and one straight line will not do."""
    units = run.depth * run.experiment.width
    behind = run.line_share - run.neighbours_share
    if units > FEW_UNITS or not behind > BEHIND or run.diverged or run.highest_rise > JUMPS:
        return None
    return Finding(
        code="underfitting",
        severity="severe" if run.loss_share > LEARNT_NOTHING else "warning",
        layers=tuple(range(run.depth)),
        steps=steps_of(run),
        measured=units,
        threshold=FEW_UNITS,
        metric="hidden units",
        explanation=f"Its answer has no more than {units} bend{'s' if units > 1 else ''}, one for each hidden unit. "
        f"Without any, a straight line makes {number(run.line_share)} of the error of always giving the average "
        f"answer; a vote of the nearest examples makes {number(run.neighbours_share)} of it.",
        source=TUNED,
        remedies=("wider", "deeper"),
    )


def dropout_too_high(run: Examination) -> Finding | None:
    """Dropout of most of the hidden units: it comes before the first step, since masks change the gradients too."""
    dropout = run.experiment.dropout
    if not dropout > HIGH_DROPOUT:
        return None
    return Finding(
        code="over_regularized",
        severity="warning",
        layers=tuple(range(run.depth)),
        steps=steps_of(run),
        measured=dropout,
        threshold=HIGH_DROPOUT,
        metric="share of hidden units dropped",
        explanation=f"{percent(dropout)} of the hidden units are dropped at a time, and the rest cannot fit the data.",
        source="Srivastava et al. 2014",
        remedies=("dropout", "wider"),
    )


def over_regularized(run: Examination) -> Finding | None:
    """A penalty that overshoots, or that counts beside the data as training starts and then shrinks the weights.

    A network that fits its training data better than new ones is not held back by what shrinks its weights.
    """
    return _overshooting_penalty(run) or _ruling_penalty(run)


def _overshooting_penalty(run: Examination) -> Finding | None:
    e = run.experiment
    if not (e.optimizer == "sgd" and e.learning_rate * e.l2 > OVERSHOOTS):
        return None
    return Finding(
        code="over_regularized",
        severity="severe",
        layers=tuple(range(run.depth + 1)),
        steps=steps_of(run),
        measured=e.learning_rate * e.l2,
        threshold=OVERSHOOTS,
        metric="ηλ of the L2 penalty",
        explanation=f"Every step multiplies the weights by 1 − ηλ = {number(1 - e.learning_rate * e.l2)}: where ηλ is "
        "above 2, the penalty makes them grow.",
        source="arithmetic: beyond 2, |1 − ηλ| is above 1",
        remedies=("l2", "learning_rate_down"),
    )


def _ruling_penalty(run: Examination) -> Finding | None:
    e, history = run.experiment, run.history
    if not (e.l1 > 0 or e.l2 > 0):
        return None
    pull, _ = run.first_and_last(history.penalty_gradient_norm / history.data_gradient_norm)
    kept = finite_median(history.weight_norm[-1:] / history.weight_norm[:1])
    if not (pull > PENALTY_PULLS and kept < SHRUNK) or overfitting(run):
        return None
    return Finding(
        code="over_regularized",
        severity="severe" if pull > PENALTY_RULES else "warning",
        layers=tuple(range(run.depth + 1)),
        steps=steps_of(run),
        measured=pull,
        threshold=PENALTY_PULLS,
        metric="‖∂penalty‖/‖∂data loss‖ in the first tenth of the steps",
        explanation=f"In the first steps the penalty pulls {number(pull)} times as hard as the data, and in the end "
        f"the weights of a typical layer have shrunk to {number(kept)} of their size.",
        source=TUNED,
        remedies=likeliest(l1=e.l1 > 0, l2=e.l2 > 0),
    )


def overfitting(run: Examination) -> Finding | None:
    """It fits its training data, surely better than it does new ones, and on new ones it was better before."""
    history, end = run.history, run.result
    rise = generalization_loss(history.validation_loss)[: end + 1]
    apart = finite_median(run.gap[run.late])
    fell_apart = finite_median(rise[run.late]) > GENERALIZATION_LOSS
    threshold = (GAP if fell_apart else WIDE_GAP) * run.widest_gap + SURELY * run.scatter
    if not apart > threshold or run.loss_share > UNDERFITS:
        return None
    best = int(np.nanargmin(history.validation_loss[: end + 1]))
    if run.is_classification:
        noisy = "" if run.experiment.label_noise == 0 else ", though some of them are labelled wrong,"
        said = (
            f"It gets {percent(float(history.train_accuracy[end]))} of its training data right{noisy} and "
            f"{percent(float(history.validation_accuracy[end]))} of new data (validation)"
        )
    else:
        said = (
            f"Its loss on new data (validation) is {number(float(history.validation_loss[end]))}, on its training data "
            f"{number(float(history.train_loss[end]))}"
        )
    return Finding(
        code="overfitting",
        severity="severe" if rise[-1] > SEVERELY_RISEN else "warning",
        layers=(),
        steps=(int(history.evaluation_step[best]), int(history.evaluation_step[end])),
        measured=apart,
        threshold=threshold,
        metric="how much better it does on its training data than it would on new ones, median of the last checks",
        explanation=f"{said}. On new data its loss ends {number(float(rise[-1]))}{PERCENT} above its lowest, which was "
        f"at step {history.evaluation_step[best]}.",
        source=f"generalization loss of Prechelt 1998; gap {TUNED}",
        remedies=("patience", "l2", "n_train", "dropout", "l1", "shallower"),
    )


def underfitting(run: Examination) -> Finding | None:
    """Neither its own training data nor new ones are fitted as they could be.

    A high loss does not count where its answers are about as often right as the neighbours': it is only unsure of them.
    """
    if run.diverged:
        return None
    behind = min(run.error_share, run.train_error_share) - run.neighbours_share
    first, last = steps_of(run, run.late)
    loss = run.history.train_loss[run.late]
    falling = bool(loss[-1] < (1 - FALLING) * loss[0])
    unsure = run.is_classification and behind < SURELY * run.scatter / run.widest_gap
    if run.loss_share > UNDERFITS and not unsure:
        measured, threshold, metric = run.loss_share, UNDERFITS, "training loss over the best constant answer's"
        if run.experiment.label_noise > 0:
            metric += ", both above what label noise makes unavoidable"
        much = "no less than" if measured > 0.995 else f"{number(measured)} of"
        said = f"After {last} steps the training loss is {much} what always giving the average answer costs"
    elif behind > BEHIND:
        measured, threshold = behind, BEHIND
        metric = "error above the nearest neighbours', over the best constant answer's"
        said = (
            f"After {last} steps its error, on new data and on its training data, is at least "
            f"{number(min(run.error_share, run.train_error_share))} of that of always giving the average answer; a "
            f"vote of the nearest training examples makes {number(run.neighbours_share)} of it"
        )
    else:
        return None
    return Finding(
        code="underfitting",
        severity="severe" if run.loss_share > LEARNT_NOTHING else "warning",
        layers=(),
        steps=(first, last),
        measured=measured,
        threshold=threshold,
        metric=metric,
        explanation=f"{said}. The loss is still falling." if falling else f"{said}.",
        source=TUNED,
        remedies=likeliest(
            "wider",
            "deeper",
            "activation",
            "learning_rate_up",
            "optimizer",
            "steps",
            steps=falling,
            activation=run.experiment.activation == "linear",
        ),
    )
