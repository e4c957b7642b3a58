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
LOUD, LOUDEST = 10.0, 100.0  # growth of the signal from input to output, as that of the error signal on its way back
DIVERGES = 1000.0  # times the first loss (SageMaker Debugger)
DEAD_SHARE = 0.5  # of a layer's units (SageMaker Debugger; TheDeepChecker)
SATURATED_SHARE, MOSTLY_SATURATED = 0.5, 0.8  # of a layer's values (DeepDiagnosis)
LARGE_UPDATE, SMALL_UPDATE = 0.1, 1e-3  # ‖ΔW‖/‖W‖ (TheDeepChecker; cs231n: about 1e-3 is right)
STAYED = 0.2  # ‖W_end − W_start‖/‖W_start‖: a network that learnt moved further, in some layer
JUMPED = 5.0  # highest loss over that of first and uninformed
STILL_PULLS = 0.05  # gradient norm at the end over that at the start: below, the run has arrived, wherever that is
ACCURACY_GAP = 0.10  # training against validation (AutoTrainer)
GENERALIZATION_LOSS = 5.0  # per cent (Prechelt 1998)
UNDERFITS = 0.5  # of the way from the unavoidable loss to the uninformed predictor's (TheDeepChecker)
BEHIND = 0.12  # share of error above the nearest neighbours'
PENALTY_RULES = 2.0  # ‖∂penalty‖/‖∂data loss‖ (TheDeepChecker)
HELD_BACK = 0.5  # the same, where the weights did shrink: at rest the two are in balance
SHRUNK = 0.7  # ‖W_end‖/‖W_start‖, median over the layers
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
    """R = rms δ_1 / rms δ_H before the first step is tiny."""
    ratio = _starting_ratio(run)
    if not ratio < VANISHES or _within_scatter(run, ratio):
        return None
    return Finding(
        "vanishing_gradients",
        "severe" if ratio < VANISHED else "warning",
        "cause",
        (0,),
        (0, 0),
        ratio,
        VANISHES,
        "R, the first layer's error signal over the last hidden layer's",
        f"Layer 1 receives {number(ratio)} of the error signal of layer {run.depth}, so it hardly learns. "
        f"Below {number(VANISHES)} the gradient counts as vanishing.",
        "AutoTrainer; Schoenholz et al. 2017",
        ("activation", "initializer", "normalization", "residual", "gain", "shallower", "optimizer"),
    )


def exploding_gradients(run: Examination) -> Finding | None:
    """Before the first step the error signal grows on its way back, R, or the signal on its way forward."""
    ratio, growth = _starting_ratio(run), _signal_growth(run)
    backward = ratio > EXPLODES and not _within_scatter(run, ratio)
    if not (backward or growth > LOUD):
        return None
    # A normalised layer takes a gradient of any size, as long as the step is short.
    if run.experiment.normalization != "none" and not (_update_ratios(run)[run.early_updates] > LARGE_UPDATE).any():
        return None
    if backward:
        measured, threshold, severe, layers = ratio, EXPLODES, EXPLODED, tuple(range(run.depth))
        metric = "R, the first layer's error signal over the last hidden layer's"
        said = (
            f"On its way back from layer {run.depth} to layer 1 the error signal grows {number(ratio)} times before "
            f"the first step. Beyond {number(EXPLODES)} times the gradient counts as exploding."
        )
    else:
        measured, threshold, severe, layers = growth, LOUD, LOUDEST, tuple(range(run.depth + 1))
        metric = "size of the output's pre-activation over that of the inputs"
        said = (
            f"Before the first step the signal grows {number(growth)} times from the inputs to the output, and every "
            f"gradient with it. Beyond {number(LOUD)} times it counts as exploding."
        )
    return Finding(
        "exploding_gradients",
        "severe" if measured > severe else "warning",
        "cause",
        layers,
        (0, 0),
        measured,
        threshold,
        metric,
        said,
        "AutoTrainer; TheDeepChecker; Glorot & Bengio 2010",
        ("initializer", "gain", "normalization", "clip", "learning_rate_down", "shallower", "residual"),
    )


def _starting_ratio(run: Examination) -> float:
    """R before the first step, on the probe."""
    delta = run.history.probe_delta_rms[0]
    return float(delta[0] / delta[run.depth - 1])


def _signal_growth(run: Examination) -> float:
    """Root mean square of the output's pre-activation before the first step, as the weights make it from the last
    hidden layer's h and without the biases: rms h_H ‖W_L‖/√n_out.  Inputs are standardised, so it is a factor."""
    history, last = run.history, run.depth - 1
    weights = history.weights[-1][0].astype(float)
    rms = np.hypot(history.activation_mean[0, last], history.activation_std[0, last])
    return float(rms * np.linalg.norm(weights) / weights.shape[1] ** 0.5)


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
    early = _update_ratios(run)[run.early_updates]
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
            _early_steps(run),
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


def born_dead(run: Examination) -> Finding | None:
    """Before the first step a whole layer of ReLUs gives 0 for every example, and nothing passes."""
    layers = np.flatnonzero(run.history.dead_fraction[0, : run.depth] == 1)
    if not len(layers):
        return None
    return Finding(
        "dead_units",
        "severe",
        "cause",
        tuple(layers.tolist()),
        (0, 0),
        1.0,
        DEAD_SHARE,
        "share of a layer's units that give 0 for every example",
        f"{_layers(layers)}: all units give 0 for every example before the first step, so neither signal nor gradient "
        "passes. It happens to deep and narrow ReLU networks.",
        "Lu et al. 2019",
        ("wider", "activation", "shallower", "normalization", "residual"),
    )


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
    """Most of a layer's values lie where the activation is flat, before the first step."""
    share = run.history.saturated_fraction[0, : run.depth]
    two_sided = run.experiment.activation in ("sigmoid", "tanh")
    layers = np.flatnonzero(share > (SATURATED_SHARE if two_sided else MOSTLY_SATURATED))
    if not len(layers):
        return None
    worst = int(np.nanargmax(share))
    steepest = ACTIVATIONS[run.experiment.activation].steepest
    return Finding(
        "saturated_units",
        "severe" if share[worst] > MOSTLY_SATURATED else "warning",
        "cause",
        tuple(layers.tolist()),
        (0, 0),
        float(share[worst]),
        SATURATED_SHARE if two_sided else MOSTLY_SATURATED,
        "share of a layer's values where the slope is below a twentieth of the steepest",
        f"In layer {worst + 1}, {percent(float(share[worst]))} of the values lie where the slope is below a "
        f"twentieth of its largest value {number(steepest)}: hardly any gradient passes there.",
        "DeepDiagnosis",
        ("initializer", "gain", "normalization", "activation"),
    )


def learning_rate_too_low(run: Examination) -> Finding | None:
    """Steps so short that no layer gets anywhere, though there is a gradient to follow."""
    history = run.history
    typical = np.array([middle(column) for column in _update_ratios(run)[run.early_updates].T])
    largest = float(np.nanmax(typical)) if np.isfinite(typical).any() else np.nan
    moved = max(
        float(np.linalg.norm(weights[-1] - weights[0]) / np.linalg.norm(weights[0])) for weights in history.weights
    )
    norms = history.data_gradient_norm
    part = max(1, len(norms) // 10)
    still = middle(norms[-part:]) / middle(norms[:part])
    if not (0 < largest < SMALL_UPDATE and moved < STAYED and still > STILL_PULLS):
        return None
    clipped = middle(history.clipped_norm / history.total_gradient_norm) < 0.5
    return Finding(
        "learning_rate_too_low",
        "severe" if moved < STAYED / 10 else "warning",
        "cause",
        tuple(range(run.depth + 1)),
        (0, int(history.frame_step[-1])),
        moved,
        STAYED,
        "‖W_end − W_start‖/‖W_start‖ of the layer that moved most",
        f"In {int(history.frame_step[-1])} steps even the layer that moved most got only {number(moved)} of its size "
        f"away from where it started; a typical step is {number(largest)} of it.",
        "TheDeepChecker; cs231n",
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
        ratio = history.penalty_gradient_norm / history.data_gradient_norm
        part = max(1, len(ratio) // 10)
        pull = float(np.nanmax([middle(ratio[:part]), middle(ratio[-part:])]))
        kept = middle(history.weight_norm[-1] / history.weight_norm[0])
        if pull > HELD_BACK and kept < SHRUNK:
            return Finding(
                "over_regularized",
                "severe" if pull > PENALTY_RULES else "warning",
                "cause",
                (),
                steps,
                pull,
                HELD_BACK,
                "‖∂penalty‖/‖∂data loss‖",
                f"The penalty pulls {number(pull)} times as hard as the data, and has shrunk the weights of a typical "
                f"layer to {number(kept)} of their size.",
                "TheDeepChecker",
                tuple(name for name in ("l1", "l2") if getattr(e, name) > 0),
            )
    if e.dropout > MASKED_OUT:
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
    """It fits its training data, better than it does new ones, and on new ones it was better before."""
    history, end = run.history, run.result + 1
    if not run.loss_share < UNDERFITS:
        return None
    rise = generalization_loss(history.validation_loss)[:end]
    if run.is_classification:
        gap = history.train_accuracy[:end] - run.expected_accuracy
        threshold, metric = ACCURACY_GAP, "training accuracy above what validation accuracy lets expect"
        expected = (
            "" if run.experiment.label_noise == 0 else f", {percent(run.expected_accuracy)} of them with this noise"
        )
        said = (
            f"It is right for {percent(float(history.train_accuracy[run.result]))} of its training data and for "
            f"{percent(float(history.validation_accuracy[run.result]))} of new ones{expected}"
        )
    else:
        gap = (history.validation_loss - history.train_loss)[:end] / run.uninformed
        threshold, metric = ACCURACY_GAP, "validation less training loss, over that of the best constant answer"
        said = f"On new data its loss is {number(float(history.validation_loss[run.result]))}, on its training data "
        said += number(float(history.train_loss[run.result]))
    if not (middle(gap[run.late]) > threshold and middle(rise[run.late]) > GENERALIZATION_LOSS):
        return None
    best = int(history.evaluation_step[int(np.nanargmin(history.validation_loss[:end]))])
    return Finding(
        "overfitting",
        "severe" if rise[-1] > 100 else "warning",
        "cause",
        (),
        (best, int(history.evaluation_step[run.result])),
        float(gap[-1]),
        threshold,
        metric,
        f"{said}. Its loss on new data is {number(float(rise[-1]))} % above its lowest, at step {best}.",
        "AutoTrainer; Prechelt 1998",
        ("patience", "l2", "n_train", "dropout", "l1", "shallower"),
    )


def underfitting(run: Examination) -> Finding | None:
    """Neither new data nor its own training data are fitted as the nearest neighbours fit them."""
    behind = min(run.error_share, run.train_error_share) - run.neighbours_share
    if not (run.loss_share > UNDERFITS or behind > BEHIND):
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


def _within_scatter(run: Examination, ratio: float) -> bool:
    """Whether a well initialised network of this size may have such an R by chance: |ln R²| ≤ β/2 + 3√β."""
    spread = {"relu": 5.0, "leaky_relu": 5.0, "linear": 2.0}.get(run.experiment.activation)
    if spread is None or not ratio > 0:
        return False
    beta = spread * (run.depth - 1) / run.experiment.width
    return bool(abs(np.log(ratio**2)) <= beta / 2 + 3 * beta**0.5)


def _update_ratios(run: Examination) -> Array:
    """‖ΔW_l‖/‖W_l‖ of the recorded updates, (S, L)."""
    return run.history.update_norm / run.history.weight_norm


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
