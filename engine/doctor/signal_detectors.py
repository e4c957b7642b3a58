"""Detectors of how signals and gradients travel, and of units that are equal, dead or saturated.

One small function each, which reads like its definition; see findings.py, and thresholds.py for sources.
"""

import numpy as np

from engine.activations import ACTIVATIONS
from engine.doctor.examination import Examination
from engine.doctor.findings import (
    TUNED,
    Finding,
    if_severe,
    layer_medians,
    layers_named,
    likeliest,
    steps_of,
    update_ratios,
)
from engine.doctor.thresholds import (
    DEAD_SHARE,
    EQUAL_SHARE,
    EQUAL_UNITS,
    EXPLODED,
    EXPLODES,
    FADES,
    LARGE_UPDATE,
    MOSTLY_SATURATED,
    PARTLY_SATURATED,
    SATURATED_SHARE,
    SCATTER,
    VANISHED,
    VANISHES,
)
from engine.formatting import number, percent
from engine.theory import BAND_DEVIATIONS

Array = np.ndarray


def symmetry(run: Examination) -> Finding | None:
    """Units of a layer that start equal in all their weights: they get equal gradients, and stay equal."""
    shares = np.array([equal_share(run, layer) for layer in range(run.depth)])
    layers = np.flatnonzero(shares >= EQUAL_SHARE)
    if not len(layers):
        return None
    if all((weights[0] == 0).all() for weights in run.history.weights):
        start = "All weights are 0 at the start"
    else:
        start = f"{layers_named(layers)}: {percent(shares.max())} of the units are equal at the start"
    return Finding(
        code="symmetry",
        severity="warning" if run.does_well else "severe",
        layers=tuple(layers.tolist()),
        steps=(0, 0),
        measured=float(shares.max()),
        threshold=EQUAL_SHARE,
        metric="share of a layer's units that equal another in all their weights",
        explanation=f"{start}, so the units of a layer get equal gradients and stay equal: together they do no more "
        "than one unit.",
        source="cs231n notes; NeuraLint",
        remedies=("initializer",),
    )


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
    return Finding(
        code="dead_units",
        severity="severe",
        layers=tuple(layers.tolist()),
        steps=(0, 0),
        measured=1.0,
        threshold=DEAD_SHARE,
        metric="share of a layer's units that give 0 for every example",
        explanation=f"{layers_named(layers)}: before the first step all units output 0 for every example, and neither "
        "signal nor gradient gets through.",
        source="Lu et al. 2019",
        remedies=("wider", "activation", "shallower", "normalization", "residual"),
    )


def saturated_units(run: Examination) -> Finding | None:
    """Before the first step most of a layer's values lie where the activation is flat."""
    return _saturated_at_the_start(run, SATURATED_SHARE)


def partly_saturated(run: Examination) -> Finding | None:
    """The same of a third, for a run in which nothing else explains that it did not learn."""
    return _saturated_at_the_start(run, PARTLY_SATURATED)


def saturated_at_the_end(run: Examination) -> Finding | None:
    """Most of a layer's values lie where it is flat, median over the last checks."""
    share = layer_medians(run.history.saturated_fraction[run.late, : run.depth])
    return _saturated(run, share, steps_of(run, run.late), SATURATED_SHARE)


def _saturated_at_the_start(run: Examination, threshold: float) -> Finding | None:
    if run.normalises_batches:
        return None
    return _saturated(run, run.history.saturated_fraction[0, : run.depth], (0, 0), threshold)


def _saturated(run: Examination, share: Array, steps: tuple[int, int], threshold: float) -> Finding | None:
    layers = np.flatnonzero(share > threshold)
    # Where the slope fades on one side only, large values of either sign saturate half of a layer, which still learns.
    if run.experiment.activation not in ("sigmoid", "tanh") or not len(layers):
        return None
    worst = int(np.nanargmax(share))
    steepest = ACTIVATIONS[run.experiment.activation].steepest
    when = "at the start" if steps == (0, 0) else "at the end"
    return Finding(
        code="saturated_units",
        severity="severe" if share[worst] > MOSTLY_SATURATED else "warning",
        layers=tuple(layers.tolist()),
        steps=steps,
        measured=float(share[worst]),
        threshold=threshold,
        metric="share of a layer's values where the slope is below a twentieth of the steepest",
        explanation=f"In layer {worst + 1} {when}, {percent(float(share[worst]))} of the values lie where the slope is "
        f"below a twentieth of its largest, {number(steepest)}: hardly any gradient gets through there.",
        source="DeepDiagnosis; TheDeepChecker" if threshold == SATURATED_SHARE else TUNED,
        remedies=likeliest(
            "initializer",
            "gain",
            "normalization",
            "activation",
            bias=run.experiment.bias > 0,
            gain=run.experiment.gain > 1,
        ),
    )


def dead_units(run: Examination) -> Finding | None:
    """More than half of a layer's ReLUs, or all but one, give 0 for every example, and so pass no gradient."""
    found = half_dead(run)
    width = run.experiment.width
    one_left = found is not None and width > 1 and found.measured * width >= width - 1
    return found if found and (found.measured > DEAD_SHARE or one_left) else None


def half_dead(run: Examination) -> Finding | None:
    """Half or more, which need not be the cause: where one of two units dies, two may have been too few anyway."""
    dead = run.history.dead_fraction[:, : run.depth]
    share = layer_medians(dead[run.late])
    layers = np.flatnonzero(share >= DEAD_SHARE)
    if not len(layers):
        return None
    worst = int(np.nanargmax(share))
    since = int(run.history.evaluation_step[np.argmax(dead[:, worst] >= DEAD_SHARE)])
    cut = " Nothing gets through this layer." if share[worst] == 1 else ""
    return Finding(
        code="dead_units",
        severity="severe" if share[worst] == 1 else "warning",
        layers=tuple(layers.tolist()),
        steps=(since, int(run.history.evaluation_step[run.result])),
        measured=float(share[worst]),
        threshold=DEAD_SHARE,
        metric="share of a layer's units that give 0 for every example",
        explanation=f"In layer {worst + 1}, {percent(float(share[worst]))} of the units output 0 for every example "
        f"(median of the last evaluations), half or more since step {since}; they get no gradient.{cut}",
        source="SageMaker Debugger; TheDeepChecker",
        remedies=("activation", "learning_rate_down", "initializer", "normalization", "wider"),
    )


def exploding_gradients(run: Examination) -> Finding | None:
    """Before the first step the error signal grows on its way back, or the signal on its way forward."""
    ratio, growth = starting_ratios(run), signal_growth(run)
    # A normalised layer takes a larger gradient, as long as the step is short.
    normalised = run.experiment.normalization != "none"
    threshold = EXPLODED if normalised else EXPLODES
    backward = bool(ratio[0] > threshold) and not _within_scatter(run, float(ratio[0]))
    if not (backward or growth > threshold):
        return None
    if normalised and not (update_ratios(run)[run.early_updates] > LARGE_UPDATE).any():
        return None
    if backward:
        measured, layers = float(ratio[0]), np.flatnonzero(ratio > threshold)
        metric = "R, the first layer's error signal over the last hidden layer's"
        path = f"the error signal grows {number(measured)} times on its way back from layer {run.depth} to layer 1"
    else:
        measured, layers = growth, np.arange(run.depth + 1)
        metric = "size of the output's pre-activation over that of the inputs"
        path = (
            f"the signal grows {number(measured)} times on its way from the inputs to the output, and gradients with it"
        )
    return Finding(
        code="exploding_gradients",
        severity="severe" if measured > EXPLODED else "warning",
        layers=tuple(layers.tolist()),
        steps=(0, 0),
        measured=measured,
        threshold=threshold,
        metric=metric,
        explanation=f"Before the first step {path}. More than {number(threshold)} times is too much.",
        source=TUNED,
        remedies=likeliest(
            "initializer",
            "gain",
            "normalization",
            "clip",
            "learning_rate_down",
            "shallower",
            gain=run.experiment.gain > 1,
        ),
    )


def exploded_gradients(run: Examination) -> Finding | None:
    """The same, a hundredfold and more."""
    return if_severe(exploding_gradients(run))


def vanishing_gradients(run: Examination) -> Finding | None:
    """Before the first step R = rms δ_1 / rms δ_H is tiny."""
    return _vanishing(run, VANISHES)


def fading_gradients(run: Examination) -> Finding | None:
    """The same, with a looser threshold, for a run in which nothing else explains that it did not learn."""
    return _vanishing(run, FADES)


def _vanishing(run: Examination, threshold: float) -> Finding | None:
    ratio = starting_ratios(run)
    measured = float(ratio[0])
    # What vanishes breaks nothing.
    if not measured < threshold or _within_scatter(run, measured) or run.diverged:
        return None
    arrives = (
        f"{number(measured)} of the error signal of layer {run.depth}" if measured > 0 else "no error signal at all"
    )
    return Finding(
        code="vanishing_gradients",
        severity="severe" if measured < VANISHED else "warning",
        layers=tuple(np.flatnonzero(ratio < threshold).tolist()),
        steps=(0, 0),
        measured=measured,
        threshold=threshold,
        metric="R, the first layer's error signal over the last hidden layer's",
        explanation=f"Before the first step layer 1 receives {arrives}. A layer that receives less than "
        f"{number(threshold)} of the last hidden layer’s hardly learns.",
        source=TUNED,
        remedies=likeliest(
            "activation",
            "initializer",
            "normalization",
            "residual",
            "shallower",
            "optimizer",
            gain=run.experiment.gain < 1,
            initializer=run.experiment.activation != "sigmoid",
        ),
    )


def starting_ratios(run: Examination) -> Array:
    """rms δ_l / rms δ_H of each hidden layer before the first step; R is the first.

    Of the first update, as RunHistory.gradient_ratio has it; on the probe where no update was recorded.
    """
    history = run.history
    delta = (history.delta_rms if len(history.step) else history.probe_delta_rms)[0, : run.depth]
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
