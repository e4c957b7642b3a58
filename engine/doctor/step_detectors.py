"""Detectors of steps: too few, too long, too short, or off to where numbers end.

One small function each, which reads like its definition; see findings.py, and thresholds.py for sources.
"""

import numpy as np

from engine.doctor.examination import Examination, finite_median
from engine.doctor.findings import (
    TUNED,
    Finding,
    if_severe,
    layer_medians,
    layer_named,
    likeliest,
    steps_of,
    update_ratios,
)
from engine.doctor.thresholds import (
    ALL_RISES,
    DIVERGES,
    FITTED,
    HARDLY_BEGUN,
    JUMPS,
    LARGE_UPDATE,
    LEARNT_NOTHING,
    OSCILLATES,
    SMALL_UPDATE,
    STAYED,
    STILL_PULLS,
    THROWN,
    UNDERFITS,
)
from engine.formatting import number, percent, plural


def too_few_steps(run: Examination) -> Finding | None:
    """It was given so few steps that it has hardly begun, and so little is known of their length."""
    steps = run.experiment.steps
    if steps >= HARDLY_BEGUN or run.diverged or run.highest_rise > DIVERGES:
        return None
    return Finding(
        code="underfitting",
        severity="severe" if run.loss_share > LEARNT_NOTHING else "warning",
        layers=(),
        steps=steps_of(run),
        measured=float(steps),
        threshold=HARDLY_BEGUN,
        metric="steps",
        explanation=f"It was trained for only {steps} step{'' if steps == 1 else 's'} and has hardly begun: too few to "
        "tell how it would learn.",
        source=TUNED,
        remedies=("steps",),
    )


def learning_rate_too_high(run: Examination) -> Finding | None:
    """Steps so long that they throw the weights about, or the loss far up."""
    early = update_ratios(run)[run.early_updates]
    # A unit that died in a step moves no more: only steps that moved the layer count.
    moves = [column[np.isfinite(column) & (column > 0)] for column in early.T]
    update = np.array([np.quantile(steps, 0.9) if len(steps) else np.nan for steps in moves])
    layers = np.flatnonzero(update > LARGE_UPDATE)
    if len(layers) and (run.loss_oscillation > OSCILLATES or run.diverged):
        worst = int(np.nanargmax(update))
        measured, threshold, steps = float(update[worst]), LARGE_UPDATE, steps_of(run, run.early)
        metric = "‖ΔW‖/‖W‖ of a layer, 90th percentile over the first steps"
        said = (
            f"One in ten of the first steps changes the weights of {layer_named(run, worst)} by {_times(measured)} or "
            f"more; a change of more than {percent(LARGE_UPDATE)} throws away what was learnt before."
        )
    elif run.highest_rise > JUMPS:
        measured, threshold, steps = run.highest_rise, JUMPS, steps_of(run)
        metric = "highest training loss over the first"
        said = f"The training loss jumps to {number(measured)} times what it was at the start: the steps overshoot."
    elif run.farthest > THROWN and run.loss_share > LEARNT_NOTHING:
        measured, threshold, steps = run.farthest, THROWN, steps_of(run)
        metric = "‖W_end − W_start‖/‖W_start‖ of the layer that moved most"
        said = (
            f"The weights of a layer ended {number(measured)} times their size away from where they started, and "
            "nothing was learnt."
        )
    elif run.all_rises > ALL_RISES and run.loss_share > UNDERFITS and not run.normalises_batches:
        measured, threshold, steps = run.all_rises, ALL_RISES, steps_of(run)
        metric = "all rises of the training loss together, over the best constant answer's loss"
        said = (
            f"The training loss goes up and down: all its rises together are {number(measured)} times what always "
            "giving the average answer costs, and it ends not far below that. The steps throw away what was learnt."
        )
    else:
        return None
    return Finding(
        code="learning_rate_too_high",
        severity="severe" if measured > 10 * threshold else "warning",
        layers=tuple(layers.tolist()),
        steps=steps,
        measured=measured,
        threshold=threshold,
        metric=metric,
        explanation=said,
        source="TheDeepChecker" if threshold == LARGE_UPDATE else TUNED,
        remedies=("learning_rate_down", "clip", "optimizer", "normalization"),
    )


def not_finite(run: Examination) -> Finding | None:
    """Something is not finite, or the loss grew a thousandfold."""
    history = run.history
    growth = history.train_loss / np.fmax(history.train_loss[0], run.uninformed)
    layers: tuple[int, ...] = ()
    if history.diverged_at is not None:
        step, layer, tensor = history.diverged_at
        layers = () if layer is None else (layer,)
        steps, measured, metric = (step, step), np.inf, "the first tensor that is not finite"
        place = "" if layer is None else f" of {layer_named(run, layer)}"
        verb = "are" if plural(tensor) else "is"
        said = f"At step {step} the {tensor}{place} {verb} no longer finite, and training ends."
    elif (growth > DIVERGES).any():
        steps = int(history.evaluation_step[np.argmax(growth > DIVERGES)]), int(history.evaluation_step[-1])
        measured, metric = float(np.nanmax(growth)), "highest training loss over the first"
        said = f"The training loss grows to {number(measured)} times what it was at the start."
    else:
        return None
    return Finding(
        code="not_finite",
        severity="severe",
        layers=layers,
        steps=steps,
        measured=measured,
        threshold=DIVERGES,
        metric=metric,
        explanation=said,
        source="a convention" if history.diverged_at is None else "TensorBoard Debugger; SageMaker Debugger",
        remedies=("learning_rate_down", "clip", "initializer", "gain"),
    )


def learning_rate_far_too_low(run: Examination) -> Finding | None:
    """Steps so short that the network is where it started: whatever else it has, it was not trained."""
    return if_severe(learning_rate_too_low(run))


def learning_rate_too_low(run: Examination) -> Finding | None:
    """Steps so short that the network as a whole gets nowhere, though there is something to learn and a gradient."""
    history = run.history
    update = float(np.fmax.reduce(layer_medians(update_ratios(run))))
    moved = run.distance
    first, last = run.first_and_last(history.data_gradient_norm)
    if not (0 < update < SMALL_UPDATE and moved < STAYED and last > STILL_PULLS * first):
        return None
    if run.train_error_share < FITTED:
        return None
    clipped = finite_median(history.clipped_norm / history.total_gradient_norm) < 0.5
    return Finding(
        code="learning_rate_too_low",
        severity="severe" if moved < STAYED / 10 else "warning",
        layers=tuple(range(run.depth + 1)),
        steps=steps_of(run),
        measured=moved,
        threshold=STAYED,
        metric="‖W_end − W_start‖/‖W_start‖ of all weights together",
        explanation=f"After {history.evaluation_step[-1]} steps the weights are only {number(moved)} of their size "
        f"away from where they started; a typical step is {number(update)} of a layer’s size"
        f"{', after clipping' if clipped else ''}.",
        source=TUNED,
        remedies=likeliest("learning_rate_up", "optimizer", "steps", clip=clipped),
    )


def _times(value: float) -> str:
    """A share of a size, in words that fit small and huge ones."""
    return percent(value) if value < 2 else f"{number(value)} times their size"
