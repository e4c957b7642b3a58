"""Rules of four other tools, re-implemented from their documentation and code with their default thresholds.

Each gets a run as it was recorded, at the cadence of evaluations (about an epoch), and returns the codes that its
alarms stand for.  Where a rule asks for what is not recorded, what is nearest stands in for it, said on the spot.

AutoTrainer: Zhang et al., ICSE 2021, and utils/monitor.py of its repository.  SageMaker Debugger: "List of Debugger
built-in rules" of its documentation.  TheDeepChecker: Ben Braiek & Khomh 2022, and the defaults of its configuration.
UMLAUT: Schoop et al., CHI 2021, and umlaut/heuristics.py of its repository.
"""

import numpy as np

from engine import RunHistory, load_dataset
from engine.activations import ACTIVATIONS

LEARNS_BADLY = {"learning_rate_too_low", "underfitting", "symmetry", "over_regularized"}


def _finite(history: RunHistory) -> bool:
    return history.status != "diverged" and bool(np.isfinite(history.train_loss).all())


def _sizes(history: RunHistory) -> np.ndarray:
    return np.array([weights[0].size for weights in history.weights])


def autotrainer(history: RunHistory) -> set[str]:
    """β₁ = 1e-3, β₂ = 1e-4, β₃ = 70, γ = 70 %, ζ = .03, η = .2, δ = .01, Θ = .7.  Accuracy is needed: on regression it
    sees what is not finite alone.  Zero gradients: of the units that are dead."""
    theta, delta, zeta, eta, judged_from = 0.7, 0.01, 0.03, 0.2, 0.3
    if not _finite(history):
        return {"not_finite", "exploding_gradients", "learning_rate_too_high"}
    train, validation = history.train_accuracy, history.validation_accuracy
    if np.isnan(train).any():
        return set()
    ratio = history.gradient_norm[:, 0] / history.gradient_norm[:, -1]
    for seen in range(int(judged_from * len(train)), len(train) + 1):
        a, b = train[:seen], validation[:seen]
        slow = len(a) > 1 and max(np.diff(a).max(), np.diff(b).max()) < delta
        if len(a) > 1 and (slow or max(a) < theta or max(b) < theta):
            if ACTIVATIONS[history.experiment.activation].dies and history.dead_fraction[seen - 1, :-1].mean() >= 0.7:
                return {"dead_units"}
            if (ratio > 70).any():
                return {"exploding_gradients"}
            if ((ratio < 1e-3) & (history.gradient_norm[:, 0] < 1e-4)).any():
                return {"vanishing_gradients"}
            if slow:
                return LEARNS_BADLY
        elif len(a) > 2:
            inner, left, right = a[1:-1], a[:-2], a[2:]
            high, low = inner[(inner >= left) & (inner >= right)], inner[(inner <= left) & (inner <= right)]
            n = min(len(high), len(low))
            if (high[:n] - low[:n] >= zeta).sum() >= eta * len(a):
                return {"learning_rate_too_high"}
    return set()


def sagemaker_debugger(history: RunHistory) -> set[str]:
    """VanishingGradient, ExplodingTensor, DeadRelu, Overfit, Overtraining, LossNotDecreasing, WeightUpdateRatio.

    The mean of |gradient| is taken as its root mean square, which is larger.
    """
    found = set()
    if not _finite(history):
        found |= {"not_finite", "exploding_gradients", "learning_rate_too_high"}
    mean = history.gradient_norm / np.sqrt(_sizes(history))
    if (mean < 1e-7).any():
        found |= {"vanishing_gradients"}
    if (history.dead_fraction > 0.5).any():
        found |= {"dead_units"}
    train, validation = history.train_loss, history.validation_loss
    apart = (validation - train) / train > 0.1
    if (apart[1:] & apart[:-1]).any() or _stopped_improving(validation, 10):
        found |= {"overfitting"}
    if _stopped_improving(train, 5):
        found |= LEARNS_BADLY
    if (train[10:] > train[:-10] * (1 - 0.1 / 100)).any():
        found |= LEARNS_BADLY | {"learning_rate_too_high"}
    update = history.update_norm / history.weight_norm
    if (update > 10).any():
        found |= {"learning_rate_too_high"}
    if (update < 1e-8).any():
        found |= {"learning_rate_too_low"}
    return found


def _stopped_improving(losses: np.ndarray, patience: int, delta: float = 0.01) -> bool:
    best, waited = np.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best - delta else (best, waited + 1)
        if waited > patience:
            return True
    return False


def thedeepchecker(history: RunHistory) -> set[str]:
    """Dead, saturated and badly scaled activations, updates outside 1e-4 to 1e-1, loss that stagnates (5 checks below
    5 %), diverges (doubles 5 times) or fluctuates (smoothness below .5 over 50), a penalty that rules (twice, 5 times).

    Every tenth of the evaluations' clock is a check, as its period is 10.
    """
    found = set()
    if not _finite(history):
        found |= {"not_finite", "exploding_gradients", "learning_rate_too_high"}
    if (history.dead_fraction > 0.5).any():
        found |= {"dead_units"}
    if (history.saturated_fraction > 0.5).any():
        found |= {"saturated_units"}
    deviation = history.activation_std[:, :-1]
    if (deviation < 0.5).any():
        found |= {"vanishing_gradients"}
    if (deviation > 2).any():
        found |= {"exploding_gradients"}
    update = np.log10(history.update_norm / history.weight_norm)
    if len(update):
        windows = [part.mean(axis=0) for part in np.array_split(update, max(1, len(update) // 10))]
        if (np.array(windows) > -1).any():
            found |= {"learning_rate_too_high"}
        if (np.array(windows) < -4).any():
            found |= {"learning_rate_too_low", "symmetry"}
    losses = history.train_loss
    fall = 1 - losses[1:] / losses[:-1]
    if len(fall) >= 4 and any((fall[i : i + 4] < 0.05).all() for i in range(len(fall) - 3)):
        found |= LEARNS_BADLY
    rise = losses[1:] / losses[:-1]
    if len(rise) >= 4 and any((rise[i : i + 4] >= 2).all() for i in range(len(rise) - 3)):
        found |= {"learning_rate_too_high", "exploding_gradients"}
    if len(losses) >= 50 and _smoothness(losses[-50:]) < 0.5:
        found |= {"learning_rate_too_high"}
    ruled = history.penalty_gradient_norm / history.data_gradient_norm >= 2
    if len(ruled) >= 5 and any(ruled[i : i + 5].all() for i in range(len(ruled) - 4)):
        found |= {"over_regularized"}
    return found


def _smoothness(losses: np.ndarray) -> float:
    """Share of the steps that go the way of the step before."""
    steps = np.sign(np.diff(losses))
    return float((steps[1:] == steps[:-1]).mean())


def umlaut(history: RunHistory) -> set[str]:
    """Loss not a number, validation loss up while training loss falls from one epoch to the next; also inputs outside
    [−1, 1], and validation accuracy above .95 or above training accuracy, which stand for none of the zoo's faults."""
    found = set()
    if not _finite(history):
        found |= {"not_finite", "exploding_gradients", "learning_rate_too_high"}
    if ((np.diff(history.validation_loss) > 0) & (np.diff(history.train_loss) <= 0)).any():
        found |= {"overfitting"}
    if np.abs(load_dataset(history.experiment).train_inputs).max() > 1:
        found |= {"inputs_not_normalized"}
    if (history.validation_accuracy > np.minimum(0.95, history.train_accuracy)).any():
        found |= {"validation_accuracy_too_high"}
    return found


PUBLISHED = {
    "AutoTrainer": autotrainer,
    "SageMaker Debugger": sagemaker_debugger,
    "TheDeepChecker": thedeepchecker,
    "UMLAUT": umlaut,
}
