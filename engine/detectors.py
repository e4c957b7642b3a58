"""The doctor's detectors: one small function each, which reads like its definition, with the sources of its thresholds.

A detector gets an Examination and returns a Finding or None.  It says what is measured, not what came first: roles and
precedence are given in diagnosis.py.
"""

from dataclasses import dataclass

import numpy as np

from engine.activations import ACTIVATIONS
from engine.examination import Examination, middle
from engine.measures import generalization_loss
from engine.words import number, percent

Array = np.ndarray

EQUAL_UNITS = 1e-6  # relative distance of two units that are the same (NeuraLint; rounding in float32)
EQUAL_SHARE = 0.5  # of a layer's units
VANISHES, VANISHED = 1e-2, 1e-3  # R, warning and severe (AutoTrainer; Schoenholz et al. 2017)
EXPLODES, EXPLODED = 10.0, 100.0  # R, warning and severe (AutoTrainer; TheDeepChecker)
LOUD_START = 5.0  # first loss over the uninformed predictor's (TheDeepChecker: initial loss)
DIVERGES = 1000.0  # times the first loss (SageMaker Debugger)
DEAD_SHARE = 0.5  # of a layer's units (SageMaker Debugger; TheDeepChecker)
SATURATED_SHARE, MOSTLY_SATURATED = 0.5, 0.8  # of a layer's values (DeepDiagnosis)
LARGE_UPDATE, SMALL_UPDATE = 0.1, 1e-4  # ‖ΔW‖/‖W‖ (cs231n; TheDeepChecker)
JUMPED = 5.0  # highest loss over that of first and uninformed
ACCURACY_GAP, LOSS_RATIO = 0.10, 1.5  # training against validation (AutoTrainer)
GENERALIZATION_LOSS = 5.0  # per cent (Prechelt 1998)
CHECKS_IN_A_ROW = 5
UNDERFITS = 0.5  # of the way from the unavoidable loss to the uninformed predictor's (TheDeepChecker)
PENALTY_RULES = 2.0  # ‖∂penalty‖/‖∂data loss‖ (TheDeepChecker)
HELD_BACK = 0.5  # the same where the two are in balance
OVERSHOOTS = 2.0  # ηλ beyond which a step turns each weight round and makes it larger
MASKED_OUT = 0.5  # dropout from which it can be what holds a network back (Srivastava et al. 2014 use up to .5)


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor found in a run, with its evidence.

    severity: "info", "warning", "severe".  role: "cause", "consequence", "context".  layers count from 0, here alone in
    words from 1.  steps: first and last at which it was measured.  measured and threshold are of `metric`.  remedies:
    settings of an Experiment, or changes (learning_rate_up, learning_rate_down, wider, deeper, shallower).
    """

    code: str
    severity: str
    role: str
    layers: tuple[int, ...]
    steps: tuple[int, int]
    measured: float
    threshold: float
    metric: str
    explanation: str
    source: str
    remedies: tuple[str, ...]


def symmetry(run: Examination) -> Finding | None:
    """Units of a layer that started equal in all their weights: they get equal gradients, and stay equal."""
    shares = np.array([_equal_share(run, layer) for layer in range(run.depth)])
    layers = np.flatnonzero(shares >= EQUAL_SHARE)
    if not len(layers):
        return None
    last = int(run.history.frame_step[-1])
    zero = all((weights[0] == 0).all() for weights in run.history.weights)
    why = (
        "All weights are 0 at the start"
        if zero
        else f"{_layers(layers)}: {percent(shares.max())} of the units are equal at the start"
    )
    return Finding(
        "symmetry",
        "severe",
        "cause",
        tuple(layers.tolist()),
        (0, last),
        float(shares.max()),
        EQUAL_SHARE,
        "share of a layer's units that equal another",
        f"{why}, so they get equal gradients and stay equal: a layer of them can do no more than one unit.",
        "cs231n notes; NeuraLint",
        ("initializer",),
    )


def _equal_share(run: Examination, layer: int) -> float:
    """Share of a hidden layer's units that equal another in all weights in and out and in their bias."""
    weights, biases = run.history.weights, run.history.biases
    units = np.concatenate([weights[layer][0], biases[layer][0][None], weights[layer + 1][0].T]).T.astype(float)
    if len(units) < 2:
        return 0.0
    # Equal units stand side by side in the order of any one projection.
    units = units[np.argsort(units @ np.cos(np.arange(units.shape[1])), kind="stable")]
    size = np.linalg.norm(units, axis=1)
    equal = np.linalg.norm(np.diff(units, axis=0), axis=1) <= EQUAL_UNITS * (size[:-1] + size[1:])
    return float((np.append(equal, False) | np.append(False, equal)).mean())


def vanishing_gradients(run: Examination) -> Finding | None:
    """R = rms δ_1 / rms δ_H, median over the first checks, is tiny."""
    ratio = _early_ratio(run)
    if not ratio < VANISHES or _within_scatter(run, ratio):
        return None
    return Finding(
        "vanishing_gradients",
        "severe" if ratio < VANISHED else "warning",
        "cause",
        (0,),
        _early_steps(run),
        ratio,
        VANISHES,
        "R, the first layer's error signal over the last hidden layer's",
        f"Layer 1 receives {number(ratio)} of the error signal of layer {run.depth}, so it hardly learns. "
        f"Below {number(VANISHES)} the gradient counts as vanishing.",
        "AutoTrainer; Schoenholz et al. 2017",
        (
            "activation",
            "initializer",
            "normalization",
            "residual",
            "gain",
            "shallower",
            "optimizer",
            "learning_rate_up",
        ),
    )


def exploding_gradients(run: Examination) -> Finding | None:
    """R at step 0 is huge, or the signal is so large that the first loss is many times the uninformed predictor's."""
    delta = run.history.probe_delta_rms[0]
    with np.errstate(all="ignore"):
        ratio = float(delta[0] / delta[run.depth - 1])
        loud = float(run.history.train_loss[0] / run.uninformed)
    remedies = ("initializer", "gain", "normalization", "clip", "learning_rate_down", "shallower", "residual")
    if ratio > EXPLODES and not _within_scatter(run, ratio):
        return Finding(
            "exploding_gradients",
            "severe" if ratio > EXPLODED else "warning",
            "cause",
            (0,),
            (0, 0),
            ratio,
            EXPLODES,
            "R, the first layer's error signal over the last hidden layer's",
            f"On its way back from layer {run.depth} to layer 1 the error signal grows {number(ratio)} times before "
            f"the first step. Beyond {number(EXPLODES)} times the gradient counts as exploding.",
            "AutoTrainer; TheDeepChecker",
            remedies,
        )
    if loud > LOUD_START or not np.isfinite(loud):
        return Finding(
            "exploding_gradients",
            "severe" if loud > 10 * LOUD_START else "warning",
            "cause",
            (run.depth,),
            (0, 0),
            loud,
            LOUD_START,
            "first loss over that of the best constant answer",
            f"Before the first step the loss is {number(loud)} times that of always giving the average answer: the "
            "signal grows on its way through the layers, and every gradient with it.",
            "TheDeepChecker",
            remedies,
        )
    return None


def not_finite(run: Examination) -> Finding | None:
    """Something is no finite number, or the loss grew a thousandfold."""
    history = run.history
    if history.diverged_at is not None:
        step, layer, tensor = history.diverged_at
        place = "" if layer is None else f" of {_layer(run, layer)}"
        return Finding(
            "not_finite",
            "severe",
            "cause",
            () if layer is None else (layer,),
            (step, step),
            float("inf"),
            float("inf"),
            "first tensor that is not finite",
            f"At step {step} the {tensor}{place} is no finite number any more, and training ends.",
            "TensorBoard Debugger; SageMaker Debugger",
            ("learning_rate_down", "clip", "initializer", "gain"),
        )
    with np.errstate(all="ignore"):
        growth = history.train_loss / max(float(history.train_loss[0]), run.uninformed)
    if not (growth > DIVERGES).any():
        return None
    first = int(np.argmax(growth > DIVERGES))
    return Finding(
        "not_finite",
        "severe",
        "cause",
        (),
        (int(history.evaluation_step[first]), int(history.evaluation_step[-1])),
        float(growth.max()),
        DIVERGES,
        "loss over the first loss",
        f"The training loss grows to {number(float(growth.max()))} times what it was at the start.",
        "SageMaker Debugger",
        ("learning_rate_down", "clip", "initializer", "gain"),
    )


def learning_rate_too_high(run: Examination) -> Finding | None:
    """Steps so long that they throw the weights about, or the loss far up."""
    steps, ratio = _update_ratios(run)
    early = ratio[run.early_updates]
    large = np.nanquantile(early, 0.9, axis=0) if np.isfinite(early).any() else np.full(run.depth + 1, np.nan)
    losses = run.history.train_loss[np.isfinite(run.history.train_loss)]
    start = max(float(run.history.train_loss[0]), run.uninformed)
    jump = float(losses.max() / start) if len(losses) and start > 0 else np.nan
    remedies = ("learning_rate_down", "clip", "optimizer", "normalization")
    layers = np.flatnonzero(large > LARGE_UPDATE)
    if len(layers):
        worst = float(large[layers].max())
        return Finding(
            "learning_rate_too_high",
            "severe" if worst > 10 * LARGE_UPDATE else "warning",
            "cause",
            tuple(layers.tolist()),
            (int(steps[0]), int(steps[run.early_updates][-1])),
            worst,
            LARGE_UPDATE,
            "‖ΔW‖/‖W‖, 90th percentile over the first steps",
            f"One step changes the weights of {_layer(run, int(np.nanargmax(large)))} by {percent(worst)}; "
            f"more than {percent(LARGE_UPDATE)} throws away what was learnt before.",
            "cs231n; TheDeepChecker",
            remedies,
        )
    if jump > JUMPED:
        return Finding(
            "learning_rate_too_high",
            "severe",
            "cause",
            (),
            (0, int(run.history.evaluation_step[-1])),
            jump,
            JUMPED,
            "highest loss over the first",
            f"The training loss jumps to {number(jump)} times what it was at the start: the steps overshoot.",
            "cs231n; TheDeepChecker",
            remedies,
        )
    return None


def dead_units(run: Examination) -> Finding | None:
    """More than half of a layer's ReLUs give 0 for every example, and so pass no gradient."""
    dead = run.history.dead_fraction[run.late, : run.depth]
    share = np.array([middle(column) for column in dead.T])
    layers = np.flatnonzero(share > DEAD_SHARE)
    if not len(layers):
        return None
    worst = int(np.nanargmax(share))
    everywhere = run.history.dead_fraction[:, worst] > DEAD_SHARE
    since = int(run.history.evaluation_step[np.argmax(everywhere)])
    cut = " Nothing passes through it any more." if share[worst] == 1 else ""
    return Finding(
        "dead_units",
        "severe" if share[worst] == 1 else "warning",
        "cause",
        tuple(layers.tolist()),
        (since, int(run.history.evaluation_step[run.result])),
        float(share[worst]),
        DEAD_SHARE,
        "share of a layer's units that give 0 for every example",
        f"In layer {worst + 1}, {percent(float(share[worst]))} are 0 for all examples since step {since}: "
        f"they get no gradient and cannot come back.{cut}",
        "SageMaker Debugger; TheDeepChecker",
        ("activation", "learning_rate_down", "initializer", "normalization", "wider"),
    )


def saturated_units(run: Examination) -> Finding | None:
    """Most of a layer's values lie where the activation is flat, from the beginning."""
    saturated = run.history.saturated_fraction[run.early, : run.depth]
    share = np.array([middle(column) for column in saturated.T])
    layers = np.flatnonzero(share > SATURATED_SHARE)
    if not len(layers):
        return None
    worst = int(np.nanargmax(share))
    steepest = ACTIVATIONS[run.experiment.activation].steepest
    return Finding(
        "saturated_units",
        "severe" if share[worst] > MOSTLY_SATURATED else "warning",
        "cause",
        tuple(layers.tolist()),
        _early_steps(run),
        float(share[worst]),
        SATURATED_SHARE,
        "share of a layer's values where the slope is below a twentieth of the steepest",
        f"In layer {worst + 1}, {percent(float(share[worst]))} of the values lie where the slope is below a "
        f"twentieth of its largest value {number(steepest)}: hardly any gradient passes there.",
        "DeepDiagnosis",
        ("initializer", "gain", "normalization", "activation"),
    )


def learning_rate_too_low(run: Examination) -> Finding | None:
    """Steps so short that no layer gets anywhere."""
    steps, ratio = _update_ratios(run)
    typical = np.array([middle(column) for column in ratio[run.early_updates].T])
    largest = float(np.nanmax(typical)) if np.isfinite(typical).any() else np.nan
    if not largest < SMALL_UPDATE:
        return None
    clipped = middle(run.history.clipped_norm / run.history.total_gradient_norm) < 0.5
    return Finding(
        "learning_rate_too_low",
        "severe" if largest < SMALL_UPDATE / 10 else "warning",
        "cause",
        tuple(range(run.depth + 1)),
        (int(steps[0]), int(steps[run.early_updates][-1])),
        largest,
        SMALL_UPDATE,
        "‖ΔW‖/‖W‖ of the layer that moves most, median over the first steps",
        f"In one step even the layer that moves most changes by only {number(largest)} of its size, less than "
        f"{number(SMALL_UPDATE)}: at this pace nothing is learnt in {run.experiment.steps} steps.",
        "TheDeepChecker",
        (*(("clip",) if clipped else ()), "learning_rate_up", "optimizer", "steps"),
    )


def over_regularized(run: Examination) -> Finding | None:
    """A penalty that rules training, or dropout that leaves too little of the network."""
    e, history = run.experiment, run.history
    steps = (0, int(history.evaluation_step[-1]))
    if e.optimizer == "sgd" and e.learning_rate * e.l2 > OVERSHOOTS:
        return Finding(
            "over_regularized",
            "severe",
            "cause",
            (),
            steps,
            e.learning_rate * e.l2,
            OVERSHOOTS,
            "ηλ of the L2 penalty",
            f"Every step multiplies the weights by 1 − ηλ = {number(1 - e.learning_rate * e.l2)}: where ηλ is above 2 "
            "the penalty makes them grow.",
            "Loshchilov & Hutter 2019",
            ("l2", "learning_rate_down"),
        )
    if (e.l1 > 0 or e.l2 > 0) and len(history.step):
        with np.errstate(all="ignore"):
            ratio = history.penalty_gradient_norm / history.data_gradient_norm
        late = middle(ratio[-max(1, len(ratio) // 10) :])
        if late > HELD_BACK and run.loss_share > UNDERFITS:
            return Finding(
                "over_regularized",
                "severe" if late > PENALTY_RULES else "warning",
                "cause",
                (),
                steps,
                late,
                HELD_BACK,
                "‖∂penalty‖/‖∂data loss‖ at the end",
                f"At the end the penalty pulls {number(late)} times as hard as the data, and the training loss is "
                f"{number(run.loss_share)} of what always giving the average answer costs.",
                "TheDeepChecker",
                tuple(name for name in ("l1", "l2") if getattr(e, name) > 0),
            )
    if e.dropout >= MASKED_OUT and run.loss_share > UNDERFITS:
        return Finding(
            "over_regularized",
            "warning",
            "cause",
            tuple(range(run.depth)),
            steps,
            e.dropout,
            MASKED_OUT,
            "share of hidden units dropped",
            f"Every update drops {percent(e.dropout)} of the hidden units, and what is left cannot fit the data.",
            "Srivastava et al. 2014",
            ("dropout", "wider"),
        )
    return None


def overfitting(run: Examination) -> Finding | None:
    """Better and better on its training data, and worse on new ones."""
    history, end = run.history, run.result + 1
    rise = generalization_loss(history.validation_loss)[:end]
    if run.is_classification:
        gap, threshold = (history.train_accuracy - history.validation_accuracy)[:end], ACCURACY_GAP
    else:
        with np.errstate(all="ignore"):
            gap, threshold = (history.validation_loss / history.train_loss)[:end], LOSS_RATIO
    apart = (gap > threshold) & (rise > GENERALIZATION_LOSS)
    if len(apart) < CHECKS_IN_A_ROW or not apart[-CHECKS_IN_A_ROW:].all():
        return None
    since, last = int(history.best_step), int(history.evaluation_step[run.result])
    measured = float(gap[-1])
    if run.is_classification:
        said = (
            f"It is right for {percent(float(history.train_accuracy[run.result]))} of its training data and for "
            f"{percent(float(history.validation_accuracy[run.result]))} of new ones"
        )
        metric = "training accuracy less validation accuracy"
    else:
        said = f"On new data its loss is {number(measured)} times that on its training data"
        metric = "validation loss over training loss"
    return Finding(
        "overfitting",
        "severe" if rise[-1] > 100 else "warning",
        "cause",
        (),
        (since, last),
        measured,
        threshold,
        metric,
        f"{said}, and on new data the loss is {number(float(rise[-1]))} % above its lowest, at step {since}.",
        "AutoTrainer; Prechelt 1998",
        ("patience", "l2", "n_train", "dropout", "l1", "shallower"),
    )


def underfitting(run: Examination) -> Finding | None:
    """Not even the training data are fitted, and none of the causes above is to blame."""
    if not run.loss_share > UNDERFITS:
        return None
    last = int(run.history.evaluation_step[run.result])
    first = int(run.history.evaluation_step[run.late][0])
    return Finding(
        "underfitting",
        "severe" if run.loss_share > 0.9 else "warning",
        "cause",
        (),
        (first, last),
        run.loss_share,
        UNDERFITS,
        "training loss over that of the best constant answer",
        f"After {last} steps the training loss is still {number(run.loss_share)} of what always giving the average "
        "answer would cost.",
        "TheDeepChecker",
        ("wider", "deeper", "activation", "steps", "learning_rate_up", "optimizer"),
    )


# --- what they share ---


def _early_ratio(run: Examination) -> float:
    """R, median over E, measured on the probe."""
    delta = run.history.probe_delta_rms[run.early]
    with np.errstate(all="ignore"):
        return middle(delta[:, 0] / delta[:, run.depth - 1])


def _within_scatter(run: Examination, ratio: float) -> bool:
    """Whether a well initialised network of this size may have such an R by chance: |ln R²| ≤ β/2 + 3√β."""
    spread = {"relu": 5.0, "leaky_relu": 5.0, "linear": 2.0}.get(run.experiment.activation)
    if spread is None or not ratio > 0:
        return False
    beta = spread * (run.depth - 1) / run.experiment.width
    return bool(abs(np.log(ratio**2)) <= beta / 2 + 3 * beta**0.5)


def _update_ratios(run: Examination) -> tuple[Array, Array]:
    """Steps (S,) and ‖ΔW_l‖/‖W_l‖ (S, L) of the recorded updates."""
    with np.errstate(all="ignore"):
        return run.history.step, run.history.update_norm / run.history.weight_norm


def _early_steps(run: Examination) -> tuple[int, int]:
    steps = run.history.evaluation_step[run.early]
    return int(steps[0]), int(steps[-1])


def _layer(run: Examination, layer: int) -> str:
    return "the output layer" if layer == run.depth else f"layer {layer + 1}"


def _layers(layers: Array) -> str:
    """Layers as people count them."""
    if len(layers) == 1:
        return f"Layer {layers[0] + 1}"
    return f"Layers {layers[0] + 1} to {layers[-1] + 1}"
