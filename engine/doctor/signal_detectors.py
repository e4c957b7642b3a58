"""Detectors of how signals and gradients travel, and of units that are equal, dead or saturated.

One small function each, which reads like its definition: whether a rule applies to a run, and what was measured.  See
rules.py, explanations.py for the sentences, and thresholds.py for sources.
"""

from dataclasses import replace

import numpy as np

from engine.activations import ACTIVATIONS
from engine.doctor import explanations, rules
from engine.doctor.examination import Examination
from engine.doctor.findings import Finding, if_severe
from engine.doctor.rule import Rule
from engine.doctor.thresholds import (
    BORDERLINE,
    BY_THEORY,
    DEAD_SHARE,
    EQUAL_SHARE,
    EQUAL_UNITS,
    EXPLODED,
    FAR_OFF,
    LARGE_UPDATE,
    LEARNT_NOTHING,
    MANY_INPUTS,
    PLATEAU,
    SCATTER,
    UNDERFITS,
    VANISHES,
)
from engine.doctor.trajectory import layer_medians
from engine.theory import BAND_DEVIATIONS

Array = np.ndarray


def symmetry(run: Examination) -> Finding | None:
    """Units of a layer that start equal in all their weights: they get equal gradients, and stay equal."""
    shares = np.array([equal_share(run, layer) for layer in range(run.depth)])
    layers = np.flatnonzero(shares >= EQUAL_SHARE)
    if not len(layers):
        return None
    share = float(shares.max())
    all_zero = all((weights[0] == 0).all() for weights in run.history.weights)
    text = explanations.symmetry(layers.tolist(), share, all_zero)
    return rules.SYMMETRY.finding(share, layers, (0, 0), text, severe=not run.does_well)


def equal_share(run: Examination, layer: int) -> float:
    """Share of a hidden layer's units that equal another in all weights in and out and in their bias, at step 0."""
    weights, biases = run.history.weights, run.history.biases
    units = np.concatenate([weights[layer][0], biases[layer][0][None], weights[layer + 1][0].T]).T.astype(float)
    if len(units) < 2:
        return 0.0
    # Equal units stand side by side in the order of any one projection.
    units = units[np.argsort(units @ np.cos(np.arange(units.shape[1])), kind="stable")]
    size = np.linalg.norm(units, axis=1)
    equal = np.linalg.norm(np.diff(units, axis=0), axis=1) <= EQUAL_UNITS * (size[:-1] + size[1:])
    return float((np.append(equal, False) | np.append(False, equal)).mean())


def born_dead(run: Examination) -> Finding | None:
    """Before the first step a whole layer of ReLUs gives 0 for every example, and nothing passes."""
    layers = np.flatnonzero(run.history.dead_fraction[0, : run.depth] == 1)
    if run.normalises_batches or not len(layers):
        return None
    return rules.BORN_DEAD.finding(1.0, layers, (0, 0), explanations.born_dead(layers.tolist()))


def saturated_units(run: Examination) -> Finding | None:
    """Before the first step most of a layer's values lie where the activation is flat."""
    return _saturated_at_the_start(run, rules.SATURATED_UNITS)


def partly_saturated(run: Examination) -> Finding | None:
    """A third of them, for a run in which nothing else explains that it did not learn."""
    return _saturated_at_the_start(run, rules.PARTLY_SATURATED_UNITS)


def saturated_at_the_end(run: Examination) -> Finding | None:
    """Most of a layer's values lie where it is flat, median over the last checks."""
    share = layer_medians(run.history.saturated_fraction[run.late, : run.depth])
    return _saturated(run, share, run.steps(run.late), rules.SATURATED_UNITS)


def _saturated_at_the_start(run: Examination, rule: Rule) -> Finding | None:
    if run.normalises_batches:
        return None
    return _saturated(run, run.history.saturated_fraction[0, : run.depth], (0, 0), rule)


def _saturated(run: Examination, shares: Array, steps: tuple[int, int], rule: Rule) -> Finding | None:
    layers = np.flatnonzero(shares > rule.threshold)
    # Where the slope fades on one side only, large values of either sign saturate half of a layer, which still learns.
    if run.experiment.activation not in ("sigmoid", "tanh") or not len(layers):
        return None
    worst = int(np.nanargmax(shares))
    share = float(shares[worst])
    steepest = ACTIVATIONS[run.experiment.activation].steepest
    at_the_start = steps == (0, 0)
    biases = _outweighing_biases(run, worst) if at_the_start else 0.0
    text = explanations.saturated_units(worst, share, at_the_start, steepest, biases)
    first = {"bias": run.experiment.bias > 0 or run.experiment.bias_mean != 0, "gain": run.experiment.gain > 1}
    return rule.finding(share, layers, steps, text, first=first)


def _outweighing_biases(run: Examination, layer: int) -> float:
    """rms of a layer's biases at the start, where it is above what its weights make of inputs of size 1; else 0."""
    weights, biases = (kept[layer][0] for kept in (run.history.weights, run.history.biases))
    size = float(np.sqrt(np.mean(biases**2)))
    return size if size > np.sqrt(np.mean(np.sum(weights**2, axis=0))) else 0.0


def dead_units(run: Examination) -> Finding | None:
    """More than half of a layer's ReLUs, or all but one, give 0 for every example, and so pass no gradient."""
    found = half_dead(run)
    width = run.experiment.width
    one_left = found is not None and width > 1 and found.measured * width >= width - 1
    return found if found and (found.measured > DEAD_SHARE or one_left) else None


def half_dead(run: Examination) -> Finding | None:
    """Half or more, which need not be the cause: where one of two units dies, two may have been too few anyway."""
    dead = run.history.dead_fraction[:, : run.depth]
    shares = layer_medians(dead[run.late])
    layers = np.flatnonzero(shares >= DEAD_SHARE)
    if not len(layers):
        return None
    worst = int(np.nanargmax(shares))
    share = float(shares[worst])
    steps = run.steps(slice(int(np.argmax(dead[:, worst] >= DEAD_SHARE)), run.result + 1))
    text = explanations.dead_units(worst, share, steps[0])
    return rules.DEAD_UNITS.finding(share, layers, steps, text, severe=share == 1)


def exploding_gradients(run: Examination) -> Finding | None:
    """Before the first step the error signal grows on its way back, or the signal on its way forward."""
    ratio, growth = starting_ratios(run), signal_growth(run)
    # A normalised layer takes a larger gradient, as long as the step is short.
    normalised = run.experiment.normalization != "none"
    if normalised and not (run.update_ratios[run.early_updates] > LARGE_UPDATE).any():
        return None
    threshold = EXPLODED if normalised else rules.EXPLODING_BACKWARD.threshold
    residual = run.experiment.residual
    # A scaled branch divides the δ of every layer but the first by H: where nothing grows, R is H.
    usual = run.depth if residual == "scaled" else 1
    first = {"gain": run.experiment.gain > 1, "residual": residual == "plain"}
    if ratio[0] > usual * threshold and not _within_scatter(run, float(ratio[0]) / usual):
        rule, measured, layers = rules.EXPLODING_BACKWARD, float(ratio[0]), np.flatnonzero(ratio > threshold)
        rule = replace(rule, threshold=usual * threshold, severe_above=usual * rule.severe_above)
        text = explanations.exploding_backward(measured, run.depth, rule.threshold)
    elif growth > threshold:
        rule, measured, layers = rules.EXPLODING_FORWARD, growth, np.arange(run.depth + 1)
        rule = replace(rule, threshold=threshold)
        text = explanations.exploding_forward(measured, threshold)
    else:
        return None
    return rule.finding(measured, layers, (0, 0), text, first=first)


def exploded_gradients(run: Examination) -> Finding | None:
    """The same, a hundredfold and more."""
    return if_severe(exploding_gradients(run))


def vanishing_gradients(run: Examination) -> Finding | None:
    """Before the first step R = rms δ_1 / rms δ_H is tiny."""
    return _vanishing(run, rules.VANISHING_GRADIENTS)


def borderline_vanishing(run: Examination) -> Finding | None:
    """The same within the scatter of R over draws of the weights, so that all seeds of one start get one cause."""
    return _vanishing(run, rules.BORDERLINE_VANISHING)


def small_start(run: Examination) -> Finding | None:
    """Weights start so small that for most of the training nothing is learnt, though R does not show it."""
    if run.experiment.normalization != "none" or run.diverged or fading_gradients(run):
        return None
    size = float(np.median(run.starting_sizes))
    plateau = float((run.loss_shares > LEARNT_NOTHING).mean())
    if not (0 < size < rules.TINY_WEIGHTS.threshold and plateau > PLATEAU):
        return None
    text = explanations.small_start(size, plateau)
    return rules.TINY_WEIGHTS.finding(size, range(run.depth + 1), (0, 0), text, first={"gain": run.experiment.gain < 1})


def large_start(run: Examination) -> Finding | None:
    """Weights start so large that the first answers are far off, though nothing explodes and no layer is saturated.

    It fits its own data, which from so far off takes no features that would serve new ones (lazy training: Chizat,
    Oyallon & Bach 2019).  With one or two inputs it takes large weights to bend at all.  The first layer does not
    count: how large its weights are by each initializer depends on how few inputs there are.
    """
    if run.experiment.normalization != "none" or exploding_gradients(run) or partly_saturated(run):
        return None
    if len(run.history.weights[0][0]) < MANY_INPUTS or run.loss_share > UNDERFITS:
        return None
    steepest = ACTIVATIONS[run.experiment.activation].steepest
    size, loss = steepest * float(np.median(run.starting_sizes[1:])), float(run.history.train_loss[0] / run.uninformed)
    if not (size > rules.HUGE_WEIGHTS.threshold and loss > FAR_OFF):
        return None
    text = explanations.large_start(size, loss)
    return rules.HUGE_WEIGHTS.finding(
        size, range(1, run.depth + 1), (0, 0), text, first={"gain": run.experiment.gain > 1}
    )


def fading_gradients(run: Examination) -> Finding | None:
    """A small R, by a looser threshold, for a run in which nothing else explains that it did not learn."""
    return _vanishing(run, rules.FADING_GRADIENTS)


def _vanishing(run: Examination, rule: Rule) -> Finding | None:
    ratio = starting_ratios(run)
    measured = decides = float(ratio[0])
    # Draws of the same weights lie on both sides of a threshold: near it all get the cause that is theirs by theory.
    if VANISHES / BY_THEORY < measured < BY_THEORY * BORDERLINE * VANISHES and run.predicted_ratios is not None:
        ratio, rule = run.predicted_ratios, replace(rule, metric=f"{rule.metric}, as predicted")
        decides = float(ratio[0])
    # From the only hidden layer to itself nothing can vanish, and what vanishes breaks nothing.
    if run.depth < 2 or not decides < rule.threshold or _within_scatter(run, decides) or run.diverged:
        return None
    layers = np.flatnonzero(ratio < rule.threshold)
    text = explanations.vanishing_gradients(measured, decides, run.depth, rule.threshold)
    first = {"gain": run.experiment.gain < 1, "initializer": run.experiment.activation != "sigmoid"}
    return rule.finding(decides, layers, (0, 0), text, first=first)


def starting_ratios(run: Examination) -> Array:
    """rms δ_l / rms δ_H of each hidden layer before the first step; R is the first.

    Of the first update, as RunHistory.gradient_ratio has it; on the probe, up to 256 examples, where no update was
    recorded, or where nothing gets through for the few examples of its batch.
    """
    history = run.history
    delta = (history.delta_rms if len(history.step) else history.probe_delta_rms)[0, : run.depth]
    if delta[-1] == 0:
        delta = history.probe_delta_rms[0, : run.depth]
    return np.where(delta == 0, 0.0, delta / delta[-1])  # nothing is nothing, even where the last layer has no more


def signal_growth(run: Examination) -> float:
    """Size of the output's pre-activation before the first step, as its weights make it: rms h_H ‖W_L‖/√n_out.

    Inputs are standardised, so it is a factor; biases of the output do not count.
    """
    if run.normalises_batches:
        return np.nan
    history, last = run.history, run.depth - 1
    weights = history.weights[-1][0].astype(float)
    size = np.hypot(history.activation_mean[0, last], history.activation_std[0, last])
    return float(size * np.linalg.norm(weights) / weights.shape[1] ** 0.5)


def _within_scatter(run: Examination, ratio: float) -> bool:
    """Whether a well initialised network of this size may have such an R by chance: |ln R²| ≤ β/2 + 3√β."""
    beta = SCATTER.get(run.experiment.activation, 0.0) * (run.depth - 1) / run.experiment.width
    return ratio > 0 and bool(abs(np.log(ratio**2)) <= beta / 2 + BAND_DEVIATIONS * beta**0.5)
