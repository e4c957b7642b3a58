"""The doctor's detectors: one small function each, which reads like its definition, with the sources of its thresholds.

A detector gets an Examination and returns a Finding or None.  It says what is measured, not what came first: precedence
and roles are given in diagnosis.py.
"""

from dataclasses import dataclass

import numpy as np

from engine.activations import ACTIVATIONS
from engine.examination import Examination, middle
from engine.measures import generalization_loss
from engine.words import number, percent

Array = np.ndarray

# Thresholds.  Where a source is named, the rule is its; where it says "tuned", the number is from the zoo's tuning set
# (tests/zoo), and what the source proposes does not carry over to small networks.
EQUAL_UNITS = 1e-6  # relative distance of two units that are the same (NeuraLint; float32 rounds at 1e-7)
EQUAL_SHARE = 0.5  # of a layer's units
VANISHES, VANISHED = 1e-2, 1e-3  # R, warning and severe (AutoTrainer; Schoenholz et al. 2017)
FADES = 0.05  # R, where nothing else explains that a run did not learn (tuned)
EXPLODES, EXPLODED = 10.0, 100.0  # R, and growth of the signal on its way forward (AutoTrainer; TheDeepChecker)
SCATTER = {"relu": 5.0, "leaky_relu": 5.0, "linear": 2.0}  # β of ln R², times width, a layer (Hanin & Nica 2018)
DIVERGES = 1000.0  # times the first loss (SageMaker Debugger)
DEAD_SHARE = 0.5  # of a layer's units (SageMaker Debugger; TheDeepChecker)
SATURATED_SHARE, MOSTLY_SATURATED = 0.5, 0.8  # of a layer's values (DeepDiagnosis)
PARTLY_SATURATED = 0.3  # the same at the start, where nothing else explains that a run did not learn (tuned)
LARGE_UPDATE = 0.1  # ‖ΔW‖/‖W‖ (TheDeepChecker; cs231n)
JUMPS = 5.0  # highest loss over first and uninformed (tuned)
UNREST = 0.1  # all rises of the training loss together, over its span (tuned)
FEW_STEPS = 20  # with fewer a run has hardly begun: what lasts shows in ten, and there must be as many before
FEW_UNITS = 2  # to enclose a region of a plane takes three
SMALL_UPDATE = 3e-3  # ‖ΔW‖/‖W‖ (tuned; cs231n: about 1e-3 is right)
STAYED, THROWN = 0.2, 5.0  # ‖W_end − W_start‖/‖W_start‖, all weights together and the layer that moved most (tuned)
STILL_PULLS = 0.02  # gradient norm at the end over that at the start: below, the run has arrived (tuned)
FITTED = 0.1  # share of error on its training data: below, there is hardly anything left to learn from them (tuned)
OVERSHOOTS = 2.0  # ηλ beyond which a step turns each weight round and makes it larger
PENALTY_PULLS, PENALTY_RULES = 0.15, 2.0  # ‖∂penalty‖/‖∂data loss‖ as it starts (tuned); TheDeepChecker
SHRUNK = 0.8  # ‖W_end‖/‖W_start‖, median over the layers (tuned)
MASKED_OUT = 0.5  # dropout (Srivastava et al. 2014 use up to .5)
GAP, WIDE_GAP = 0.10, 0.20  # training against validation where that grew (AutoTrainer), in any case (tuned), × widest
SURELY = 3.0  # standard errors of the validation accuracy: a gap within them may be chance
GENERALIZATION_LOSS, RISEN = 5.0, 100.0  # per cent, warning (Prechelt 1998) and severe
UNDERFITS, LEARNT_NOTHING = 0.5, 0.9  # of the uninformed predictor's loss (TheDeepChecker)
FALLING = 0.02  # share of the training loss over the last checks (TheDeepChecker)
BEHIND = 0.12  # share of error above the nearest neighbours' (tuned)

SEVERITIES = ("info", "warning", "severe")


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor found in a run, with its evidence.

    severity: one of SEVERITIES.  layers count from 0 here, and from 1 in words.  steps: first and last at
    which it was measured.  measured and threshold are of `metric`.  remedies: settings of an Experiment, or changes
    (learning_rate_up, learning_rate_down, wider, deeper, shallower), the likeliest first.  role: "cause",
    "consequence" or "context".
    """

    code: str
    severity: str
    layers: tuple[int, ...]
    steps: tuple[int, int]
    measured: float
    threshold: float
    metric: str
    explanation: str
    source: str
    remedies: tuple[str, ...]
    role: str = "cause"


# --- before the first step ---


def symmetry(run: Examination) -> Finding | None:
    """Units of a layer that start equal in all their weights: they get equal gradients, and stay equal."""
    shares = np.array([equal_share(run, layer) for layer in range(run.depth)])
    layers = np.flatnonzero(shares >= EQUAL_SHARE)
    if not len(layers):
        return None
    if all((weights[0] == 0).all() for weights in run.history.weights):
        start = "All weights are 0 at the start"
    else:
        start = f"{_layers(layers)}: {percent(shares.max())} of the units are equal at the start"
    return Finding(
        code="symmetry",
        severity="warning" if run.does_well else "severe",
        layers=tuple(layers.tolist()),
        steps=(0, 0),
        measured=float(shares.max()),
        threshold=EQUAL_SHARE,
        metric="share of a layer's units that equal another in all their weights",
        explanation=f"{start}, so they get equal gradients and stay equal: together they do no more than one unit.",
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
        explanation=f"{_layers(layers)}: all units give 0 for every example before the first step, and neither signal "
        "nor gradient passes.",
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
    share = _medians(run.history.saturated_fraction[run.late, : run.depth])
    return _saturated(run, share, _steps(run, run.late), SATURATED_SHARE)


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
        f"below a twentieth of its largest, {number(steepest)}: hardly any gradient passes there.",
        source="DeepDiagnosis",
        remedies=_likeliest(
            "initializer",
            "gain",
            "normalization",
            "activation",
            bias=run.experiment.bias > 0,
            gain=run.experiment.gain > 1,
        ),
    )


def masked_out(run: Examination) -> Finding | None:
    """Dropout of most of the hidden units: it comes before the first step, since masks change the gradients too."""
    dropout = run.experiment.dropout
    if not dropout > MASKED_OUT:
        return None
    return Finding(
        code="over_regularized",
        severity="warning",
        layers=tuple(range(run.depth)),
        steps=_steps(run),
        measured=dropout,
        threshold=MASKED_OUT,
        metric="share of hidden units dropped",
        explanation=f"Every update drops {percent(dropout)} of the hidden units, and what is left cannot fit the data.",
        source="Srivastava et al. 2014",
        remedies=("dropout", "wider"),
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
    if normalised and not (_update_ratios(run)[run.early_updates] > LARGE_UPDATE).any():
        return None
    if backward:
        measured, layers = float(ratio[0]), np.flatnonzero(ratio > threshold)
        metric = "R, the first layer's error signal over the last hidden layer's"
        path = f"On its way back from layer {run.depth} to layer 1 the error signal grows"
    else:
        measured, layers = growth, np.arange(run.depth + 1)
        metric = "size of the output's pre-activation over that of the inputs"
        path = "On its way from the inputs to the output the signal, and every gradient with it, grows"
    return Finding(
        code="exploding_gradients",
        severity="severe" if measured > EXPLODED else "warning",
        layers=tuple(layers.tolist()),
        steps=(0, 0),
        measured=measured,
        threshold=threshold,
        metric=metric,
        explanation=f"{path} {number(measured)} times before the first step. More than {number(threshold)} times is "
        "too much.",
        source="AutoTrainer; TheDeepChecker",
        remedies=_likeliest(
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
    return _if_severe(exploding_gradients(run))


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
    if not measured < threshold or _within_scatter(run, measured) or run.broke_off:
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
        explanation=f"Before the first step layer 1 receives {arrives}. With less than {number(threshold)} of that of "
        "the last hidden layer it hardly learns.",
        source="AutoTrainer; Schoenholz et al. 2017",
        remedies=_likeliest(
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
    return ratio > 0 and bool(abs(np.log(ratio**2)) <= beta / 2 + 3 * beta**0.5)


def straight(run: Examination) -> Finding | None:
    """All its layers are linear, which makes one line of them, and the best line is far behind the neighbours."""
    if run.experiment.activation != "linear" or run.broke_off:
        return None
    behind = run.line_share - run.neighbours_share
    if not behind > BEHIND:
        return None
    return Finding(
        code="underfitting",
        severity="warning",
        layers=tuple(range(run.depth)),
        steps=_steps(run),
        measured=behind,
        threshold=BEHIND,
        metric="error of the least squares line above the nearest neighbours', over the best constant answer's",
        explanation="Its layers are all linear, and together they are no more than one straight line. The best line "
        f"has {number(run.line_share)} of the error of always giving the average answer; asking the nearest examples "
        f"has {number(run.neighbours_share)} of it.",
        source="cs231n notes",
        remedies=("activation",),
    )


# --- while it trains ---


def cut_short(run: Examination) -> Finding | None:
    """It was given so few steps that it has hardly begun, and so little is known of their length."""
    steps = run.experiment.steps
    if steps >= FEW_STEPS or run.broke_off or run.highest_rise > DIVERGES:
        return None
    return Finding(
        code="underfitting",
        severity="severe" if run.loss_share > LEARNT_NOTHING else "warning",
        layers=(),
        steps=_steps(run),
        measured=float(steps),
        threshold=FEW_STEPS,
        metric="steps",
        explanation=f"It was trained for {steps} steps only and has hardly begun: too few to tell how it would learn.",
        source="tests/zoo",
        remedies=("steps",),
    )


def too_few_units(run: Examination) -> Finding | None:
    """One or two units are all it has, each of which bends its answer once, and one straight line will not do."""
    units = run.depth * run.experiment.width
    behind = run.line_share - run.neighbours_share
    if units > FEW_UNITS or not behind > BEHIND or run.broke_off or run.highest_rise > JUMPS:
        return None
    return Finding(
        code="underfitting",
        severity="severe" if run.loss_share > LEARNT_NOTHING else "warning",
        layers=tuple(range(run.depth)),
        steps=_steps(run),
        measured=units,
        threshold=FEW_UNITS,
        metric="hidden units",
        explanation=f"Its answer has no more than {units} bend{'s' if units > 1 else ''}, one for each hidden unit. "
        f"Without any, a straight line has {number(run.line_share)} of the error of always giving the average answer; "
        f"asking the nearest examples has {number(run.neighbours_share)} of it.",
        source="cs231n notes",
        remedies=("wider", "deeper"),
    )


def over_regularized(run: Examination) -> Finding | None:
    """A penalty that overshoots, or that counts beside the data as training starts and then shrinks the weights."""
    return _overshooting_penalty(run) or _ruling_penalty(run)


def _overshooting_penalty(run: Examination) -> Finding | None:
    e = run.experiment
    if not (e.optimizer == "sgd" and e.learning_rate * e.l2 > OVERSHOOTS):
        return None
    return Finding(
        code="over_regularized",
        severity="severe",
        layers=tuple(range(run.depth + 1)),
        steps=_steps(run),
        measured=e.learning_rate * e.l2,
        threshold=OVERSHOOTS,
        metric="ηλ of the L2 penalty",
        explanation=f"Every step multiplies the weights by 1 − ηλ = {number(1 - e.learning_rate * e.l2)}: where ηλ is "
        "above 2, the penalty makes them grow.",
        source="Loshchilov & Hutter 2019",
        remedies=("l2", "learning_rate_down"),
    )


def _ruling_penalty(run: Examination) -> Finding | None:
    e, history = run.experiment, run.history
    if not (e.l1 > 0 or e.l2 > 0):
        return None
    pull, _ = run.first_and_last(history.penalty_gradient_norm / history.data_gradient_norm)
    kept = middle(history.weight_norm[-1:] / history.weight_norm[:1])
    if not (pull > PENALTY_PULLS and kept < SHRUNK):
        return None
    return Finding(
        code="over_regularized",
        severity="severe" if pull > PENALTY_RULES else "warning",
        layers=tuple(range(run.depth + 1)),
        steps=_steps(run),
        measured=pull,
        threshold=PENALTY_PULLS,
        metric="‖∂penalty‖/‖∂data loss‖ in the first tenth of the steps",
        explanation=f"In the first steps the penalty pulls {number(pull)} times as hard as the data, and in the end "
        f"the weights of a typical layer have shrunk to {number(kept)} of their size.",
        source="TheDeepChecker",
        remedies=_likeliest(l1=e.l1 > 0, l2=e.l2 > 0),
    )


def overfitting(run: Examination) -> Finding | None:
    """It fits its training data, surely better than it does new ones, and on new ones it was better before."""
    history, end = run.history, run.result
    rise = generalization_loss(history.validation_loss)[: end + 1]
    apart = middle(run.gap[run.late])
    fell_apart = middle(rise[run.late]) > GENERALIZATION_LOSS
    threshold = (GAP if fell_apart else WIDE_GAP) * run.widest_gap + SURELY * run.scatter
    if not apart > threshold or run.loss_share > UNDERFITS:
        return None
    best = int(np.nanargmin(history.validation_loss[: end + 1]))
    if run.is_classification:
        noisy = "" if run.experiment.label_noise == 0 else ", some of which are labelled wrong,"
        said = (
            f"It is right for {percent(float(history.train_accuracy[end]))} of its training data{noisy} and for "
            f"{percent(float(history.validation_accuracy[end]))} of new ones"
        )
    else:
        said = (
            f"Its loss on new data is {number(float(history.validation_loss[end]))}, on its training data "
            f"{number(float(history.train_loss[end]))}"
        )
    return Finding(
        code="overfitting",
        severity="severe" if rise[-1] > RISEN else "warning",
        layers=(),
        steps=(int(history.evaluation_step[best]), int(history.evaluation_step[end])),
        measured=apart,
        threshold=threshold,
        metric="how much better it does on its training data than it would on new ones, median of the last checks",
        explanation=f"{said}. On new data its loss is {number(float(rise[-1]))} % above its lowest, at step "
        f"{history.evaluation_step[best]}.",
        source="AutoTrainer; Prechelt 1998",
        remedies=("patience", "l2", "n_train", "dropout", "l1", "shallower"),
    )


def learning_rate_too_high(run: Examination) -> Finding | None:
    """Steps so long that they throw the weights about, or the loss far up."""
    early = _update_ratios(run)[run.early_updates]
    # A unit that died in a step moves no more: only steps that moved the layer count.
    moves = [column[np.isfinite(column) & (column > 0)] for column in early.T]
    update = np.array([np.quantile(steps, 0.9) if len(steps) else np.nan for steps in moves])
    layers = np.flatnonzero(update > LARGE_UPDATE)
    if len(layers) and (run.unrest > UNREST or run.broke_off):
        worst = int(np.nanargmax(update))
        measured, threshold, steps = float(update[worst]), LARGE_UPDATE, _steps(run, run.early)
        metric = "‖ΔW‖/‖W‖ of a layer, 90th percentile over the first steps"
        said = (
            f"Among the first steps, one in ten changes the weights of {_layer(run, worst)} by {_times(measured)} or "
            f"more; beyond {percent(LARGE_UPDATE)} a step throws away what was learnt before."
        )
    elif run.highest_rise > JUMPS:
        measured, threshold, steps = run.highest_rise, JUMPS, _steps(run)
        metric = "highest training loss over the first"
        said = f"The training loss jumps to {number(measured)} times what it was at the start: the steps overshoot."
    elif run.farthest > THROWN and run.loss_share > LEARNT_NOTHING:
        measured, threshold, steps = run.farthest, THROWN, _steps(run)
        metric = "‖W_end − W_start‖/‖W_start‖ of the layer that moved most"
        said = f"A layer was thrown {number(measured)} times its size away from its start, and nothing was learnt."
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
        source="TheDeepChecker; cs231n notes",
        remedies=("learning_rate_down", "clip", "optimizer", "normalization"),
    )


def not_finite(run: Examination) -> Finding | None:
    """Something is no finite number, or the loss grew a thousandfold."""
    history = run.history
    growth = history.train_loss / np.fmax(history.train_loss[0], run.uninformed)
    layers: tuple[int, ...] = ()
    if history.diverged_at is not None:
        step, layer, tensor = history.diverged_at
        layers = () if layer is None else (layer,)
        steps, measured, metric = (step, step), np.inf, "the first tensor that is not finite"
        place = "" if layer is None else f" of {_layer(run, layer)}"
        said = f"At step {step} the {tensor}{place} is no finite number any more, and training ends."
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
        source="TensorBoard Debugger; SageMaker Debugger",
        remedies=("learning_rate_down", "clip", "initializer", "gain"),
    )


def standing_still(run: Examination) -> Finding | None:
    """Steps so short that the network is where it started: whatever else it has, it was not trained."""
    return _if_severe(learning_rate_too_low(run))


def learning_rate_too_low(run: Examination) -> Finding | None:
    """Steps so short that the network as a whole gets nowhere, though there is something to learn and a gradient."""
    history = run.history
    update = float(np.fmax.reduce(_medians(_update_ratios(run))))
    moved = run.distance
    first, last = run.first_and_last(history.data_gradient_norm)
    if not (0 < update < SMALL_UPDATE and moved < STAYED and last > STILL_PULLS * first):
        return None
    if run.train_error_share < FITTED:
        return None
    clipped = middle(history.clipped_norm / history.total_gradient_norm) < 0.5
    return Finding(
        code="learning_rate_too_low",
        severity="severe" if moved < STAYED / 10 else "warning",
        layers=tuple(range(run.depth + 1)),
        steps=_steps(run),
        measured=moved,
        threshold=STAYED,
        metric="‖W_end − W_start‖/‖W_start‖ of all weights together",
        explanation=f"After {history.evaluation_step[-1]} steps the weights are only {number(moved)} of their size "
        f"away from their start; a typical step is {number(update)} of a layer's size{', clipped' if clipped else ''}.",
        source="TheDeepChecker; cs231n notes",
        remedies=_likeliest("learning_rate_up", "optimizer", "steps", clip=clipped),
    )


# --- how it ended ---


def dead_units(run: Examination) -> Finding | None:
    """More than half of a layer's ReLUs, or all but one, give 0 for every example, and so pass no gradient."""
    found = half_dead(run)
    width = run.experiment.width
    one_left = found is not None and width > 1 and found.measured * width >= width - 1
    return found if found and (found.measured > DEAD_SHARE or one_left) else None


def half_dead(run: Examination) -> Finding | None:
    """Half or more, which need not be the cause: where one of two units dies, two may have been too few anyway."""
    dead = run.history.dead_fraction[:, : run.depth]
    share = _medians(dead[run.late])
    layers = np.flatnonzero(share >= DEAD_SHARE)
    if not len(layers):
        return None
    worst = int(np.nanargmax(share))
    since = int(run.history.evaluation_step[np.argmax(dead[:, worst] >= DEAD_SHARE)])
    cut = " Nothing passes through this layer." if share[worst] == 1 else ""
    return Finding(
        code="dead_units",
        severity="severe" if share[worst] == 1 else "warning",
        layers=tuple(layers.tolist()),
        steps=(since, int(run.history.evaluation_step[run.result])),
        measured=float(share[worst]),
        threshold=DEAD_SHARE,
        metric="share of a layer's units that give 0 for every example",
        explanation=f"In layer {worst + 1}, {percent(float(share[worst]))} of the units give 0 for every example, half "
        f"or more since step {since}; they get no gradient.{cut}",
        source="SageMaker Debugger; TheDeepChecker",
        remedies=("activation", "learning_rate_down", "initializer", "normalization", "wider"),
    )


def underfitting(run: Examination) -> Finding | None:
    """Neither its own training data nor new ones are fitted as they could be.

    A high loss does not count where its answers are about as often right as the neighbours': it is only unsure of them.
    """
    if run.broke_off:
        return None
    behind = min(run.error_share, run.train_error_share) - run.neighbours_share
    first, last = _steps(run, run.late)
    loss = run.history.train_loss[run.late]
    falling = bool(loss[-1] < (1 - FALLING) * loss[0])
    unsure = run.is_classification and behind < SURELY * run.scatter / run.widest_gap
    if run.loss_share > UNDERFITS and not unsure:
        measured, threshold, metric = run.loss_share, UNDERFITS, "training loss over the best constant answer's"
        if run.experiment.label_noise > 0:
            metric += ", both above what label noise makes unavoidable"
        much = "no less than" if measured > 0.995 else f"still {number(measured)} of"
        said = f"After {last} steps the training loss is {much} what always giving the average answer costs"
    elif behind > BEHIND:
        measured, threshold = behind, BEHIND
        metric = "error above the nearest neighbours', over the best constant answer's"
        said = (
            f"After {last} steps its error is {number(run.error_share)} of that of always giving the average answer, "
            f"and no less on its training data; asking the nearest examples has {number(run.neighbours_share)} of it"
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
        explanation=f"{said}; the loss is still falling." if falling else f"{said}.",
        source="TheDeepChecker",
        remedies=_likeliest(
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


# --- what they share ---


def _update_ratios(run: Examination) -> Array:
    """‖ΔW_l‖/‖W_l‖ of the recorded updates, (S, L)."""
    return run.history.update_norm / run.history.weight_norm


def _medians(rows: Array) -> Array:
    """Median of each column of (rows, layers), over what is finite."""
    return np.array([middle(column) for column in rows.T])


def _steps(run: Examination, part: slice = slice(None)) -> tuple[int, int]:
    """First and last step of some evaluations."""
    steps = run.history.evaluation_step[part]
    return int(steps[0]), int(steps[-1])


def _likeliest(*remedies: str, **first: bool) -> tuple[str, ...]:
    """Remedies in their order, after those that something in the run speaks for."""
    ahead = [remedy for remedy, speaks in first.items() if speaks]
    return (*ahead, *(remedy for remedy in remedies if remedy not in ahead))


def _times(value: float) -> str:
    """A share of a size, in words that fit small and huge ones."""
    return percent(value) if value < 2 else f"{number(value)} times their size"


def _if_severe(found: Finding | None) -> Finding | None:
    return found if found and found.severity == "severe" else None


def _layer(run: Examination, layer: int) -> str:
    return "the output layer" if layer == run.depth else f"layer {layer + 1}"


def _layers(layers: Array) -> str:
    """Layers as people count them."""
    if len(layers) == 1:
        return f"Layer {layers[0] + 1}"
    return f"Layers {layers[0] + 1} to {layers[-1] + 1}"
