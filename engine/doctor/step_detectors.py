"""Detectors of steps: too few, too long, too short, or off to where numbers end.

One small function each, which reads like its definition: whether a rule applies to a run, and what was measured.  See
rules.py, explanations.py for the sentences, and thresholds.py for sources.
"""

from dataclasses import replace

import numpy as np

from engine.doctor import explanations, rules
from engine.doctor.examination import Examination
from engine.doctor.findings import Finding, if_severe
from engine.doctor.thresholds import (
    ALL_RISES,
    DIVERGES,
    FITTED,
    HARDLY_BEGUN,
    JUMPS,
    LARGE_INPUTS,
    LARGE_UPDATE,
    LEARNT_NOTHING,
    LENGTHENING_INPUTS,
    OSCILLATES,
    SMALL_START,
    SMALL_UPDATE,
    STAYED,
    STILL_PULLS,
    THROWN,
    UNDERFITS,
)
from engine.doctor.trajectory import finite_median, layer_medians


def too_few_steps(run: Examination) -> Finding | None:
    """It was given so few steps that it has hardly begun, and so little is known of their length."""
    steps = run.experiment.steps
    if steps >= HARDLY_BEGUN or run.diverged or run.highest_rise > DIVERGES:
        return None
    return rules.TOO_FEW_STEPS.finding(
        float(steps), (), run.steps(), explanations.too_few_steps(steps), severe=run.loss_share > LEARNT_NOTHING
    )


def learning_rate_too_high(run: Examination) -> Finding | None:
    """Steps so long that they throw the weights about, or the loss far up; inputs above the usual size lengthen them.

    Inputs far above it are a cause of their own.
    """
    found = _long_steps(run)
    if not found or run.normalises_batches or not LENGTHENING_INPUTS < run.input_size <= LARGE_INPUTS:
        return found
    text = f"{found.explanation} {explanations.lengthening_inputs(run.input_size)}"
    return replace(found, explanation=text, remedies=("inputs", *found.remedies))


def _long_steps(run: Examination) -> Finding | None:
    history = run.history
    size = np.maximum(history.weight_norm, run.sizes_to_move * (run.starting_sizes < SMALL_START))
    early = (history.update_norm / size)[run.early_updates]
    # A unit that died in a step moves no more: only steps that moved the layer count.
    moves = [column[np.isfinite(column) & (column > 0)] for column in early.T]
    update = np.array([np.quantile(steps, 0.9) if len(steps) else np.nan for steps in moves])
    layers = np.flatnonzero(update > LARGE_UPDATE)
    if len(layers) and (run.loss_oscillation > OSCILLATES or run.diverged):
        worst = int(np.nanargmax(update))
        largest = float(update[worst])
        text = explanations.long_steps(run, worst, largest)
        return rules.LONG_STEPS.finding(largest, layers, run.steps(run.early), text)
    if run.highest_rise > JUMPS:
        text = explanations.loss_jumps(run.highest_rise)
        return rules.LOSS_JUMPS.finding(run.highest_rise, layers, run.steps(), text)
    if run.farthest > THROWN and run.loss_share > LEARNT_NOTHING:
        text = explanations.weights_thrown(run.farthest)
        return rules.WEIGHTS_THROWN.finding(run.farthest, layers, run.steps(), text)
    if run.all_rises > ALL_RISES and run.loss_share > UNDERFITS and not run.normalises_batches:
        text = explanations.loss_oscillates(run.all_rises)
        return rules.LOSS_OSCILLATES.finding(run.all_rises, layers, run.steps(), text)
    return None


def not_finite(run: Examination) -> Finding | None:
    """Something is not finite, or the loss grew a thousandfold."""
    history = run.history
    if history.diverged_at is not None:
        step, layer, tensor = history.diverged_at
        text = explanations.tensor_not_finite(run, step, layer, tensor)
        return rules.TENSOR_NOT_FINITE.finding(np.inf, () if layer is None else (layer,), (step, step), text)
    growth = history.train_loss / np.fmax(history.train_loss[0], run.uninformed)
    if not (growth > DIVERGES).any():
        return None
    highest = float(np.nanmax(growth))
    steps = run.steps(slice(int(np.argmax(growth > DIVERGES)), None))
    return rules.LOSS_DIVERGES.finding(highest, (), steps, explanations.loss_diverges(highest))


def learning_rate_far_too_low(run: Examination) -> Finding | None:
    """Steps so short that the network is where it started: whatever else it has, it was not trained."""
    return if_severe(learning_rate_too_low(run))


def learning_rate_too_low(run: Examination) -> Finding | None:
    """Steps so short that the network as a whole gets nowhere, though there is something to learn and a gradient."""
    history = run.history
    update = float(np.fmax.reduce(layer_medians(run.update_ratios)))
    first, last = run.first_and_last(history.data_gradient_norm)
    if not (0 < update < SMALL_UPDATE and run.distance < STAYED and last > STILL_PULLS * first):
        return None
    if run.train_error_share < FITTED:
        return None
    clipped = finite_median(history.clipped_norm / history.total_gradient_norm) < 0.5
    text = explanations.learning_rate_too_low(int(history.evaluation_step[-1]), run.distance, update, clipped)
    return rules.LEARNING_RATE_TOO_LOW.finding(
        run.distance, range(run.depth + 1), run.steps(), text, first={"clip": clipped}
    )
