"""The doctor's rules, a row each: what is the same in every finding of one kind.

A detector decides whether a rule applies to a run, and adds what it measured there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

from engine.doctor.findings import Finding
from engine.doctor.thresholds import (
    ALL_RISES,
    BEHIND,
    DEAD_SHARE,
    DIVERGES,
    EQUAL_SHARE,
    EXPLODED,
    EXPLODES,
    FADES,
    FEW_UNITS,
    HARDLY_BEGUN,
    HIGH_DROPOUT,
    JUMPS,
    LARGE_UPDATE,
    MOSTLY_SATURATED,
    OVERSHOOTS,
    PARTLY_SATURATED,
    PENALTY_PULLS,
    PENALTY_RULES,
    SATURATED_SHARE,
    STAYED,
    THROWN,
    UNDERFITS,
    VANISHED,
    VANISHES,
    WIDE_GAP,
)

TUNED = "tuned on small networks"  # the source of a rule that no other tool or paper states
ALWAYS = -inf  # every measured value is above it


@dataclass(frozen=True)
class Rule:
    """One row.

    code, metric, threshold, source and remedies are those of its findings.  A finding is a warning, but severe where
    what was measured is above severe_above or below severe_below.
    """

    code: str
    metric: str
    threshold: float
    source: str
    remedies: tuple[str, ...]
    severe_above: float = inf
    severe_below: float = -inf

    def finding(
        self,
        measured: float,
        layers: Iterable[int],
        steps: tuple[int, int],
        explanation: str,
        severe: bool | None = None,
        first: Mapping[str, bool] | None = None,
    ) -> Finding:
        """The finding of this rule in a run.

        severe: where more than the measured value decides on it.  first: remedies that go before the others if
        something in the run speaks for them.
        """
        if severe is None:
            severe = measured > self.severe_above or measured < self.severe_below
        ahead = [remedy for remedy, speaks in (first or {}).items() if speaks]
        return Finding(
            code=self.code,
            severity="severe" if severe else "warning",
            layers=tuple(int(layer) for layer in layers),
            steps=steps,
            measured=measured,
            threshold=self.threshold,
            metric=self.metric,
            explanation=explanation,
            source=self.source,
            remedies=(*ahead, *(remedy for remedy in self.remedies if remedy not in ahead)),
        )


# --- signals and gradients ---

SYMMETRY = Rule(
    "symmetry",
    "share of a layer's units that equal another in all their weights",
    EQUAL_SHARE,
    "cs231n notes; NeuraLint",
    ("initializer",),
)
_R = "R, the first layer's error signal over the last hidden layer's"
VANISHING_GRADIENTS = Rule(
    "vanishing_gradients",
    _R,
    VANISHES,
    TUNED,
    ("activation", "initializer", "normalization", "residual", "shallower", "optimizer"),
    severe_below=VANISHED,
)
FADING_GRADIENTS = replace(VANISHING_GRADIENTS, threshold=FADES)
EXPLODING_BACKWARD = Rule(
    "exploding_gradients",
    _R,
    EXPLODES,
    TUNED,
    ("initializer", "gain", "normalization", "clip", "learning_rate_down", "shallower"),
    severe_above=EXPLODED,
)
EXPLODING_FORWARD = replace(EXPLODING_BACKWARD, metric="size of the output's pre-activation over that of the inputs")

# --- units ---

DEAD_UNITS = Rule(
    "dead_units",
    "share of a layer's units that give 0 for every example",
    DEAD_SHARE,
    "SageMaker Debugger; TheDeepChecker",
    ("activation", "learning_rate_down", "initializer", "normalization", "wider"),
)
BORN_DEAD = replace(
    DEAD_UNITS,
    source="Lu et al. 2019",
    remedies=("wider", "activation", "shallower", "normalization", "residual"),
    severe_above=ALWAYS,
)
SATURATED_UNITS = Rule(
    "saturated_units",
    "share of a layer's values where the slope is below a twentieth of the steepest",
    SATURATED_SHARE,
    "DeepDiagnosis; TheDeepChecker",
    ("initializer", "gain", "normalization", "activation"),
    severe_above=MOSTLY_SATURATED,
)
PARTLY_SATURATED_UNITS = replace(SATURATED_UNITS, threshold=PARTLY_SATURATED, source=TUNED)

# --- steps ---

TOO_FEW_STEPS = Rule("underfitting", "steps", HARDLY_BEGUN, TUNED, ("steps",))
LONG_STEPS = Rule(
    "learning_rate_too_high",
    "‖ΔW‖/‖W‖ of a layer, 90th percentile over the first steps",
    LARGE_UPDATE,
    "TheDeepChecker",
    ("learning_rate_down", "clip", "optimizer", "normalization"),
    severe_above=10 * LARGE_UPDATE,
)
LOSS_JUMPS = replace(
    LONG_STEPS,
    metric="highest training loss over the first",
    threshold=JUMPS,
    source=TUNED,
    severe_above=10 * JUMPS,
)
WEIGHTS_THROWN = replace(
    LONG_STEPS,
    metric="‖W_end − W_start‖/‖W_start‖ of the layer that moved most",
    threshold=THROWN,
    source=TUNED,
    severe_above=10 * THROWN,
)
LOSS_OSCILLATES = replace(
    LONG_STEPS,
    metric="all rises of the training loss together, over the best constant answer's loss",
    threshold=ALL_RISES,
    source=TUNED,
    severe_above=10 * ALL_RISES,
)
LEARNING_RATE_TOO_LOW = Rule(
    "learning_rate_too_low",
    "‖W_end − W_start‖/‖W_start‖ of all weights together",
    STAYED,
    TUNED,
    ("learning_rate_up", "optimizer", "steps"),
    severe_below=STAYED / 10,
)
LOSS_DIVERGES = Rule(
    "not_finite",
    "highest training loss over the first",
    DIVERGES,
    "a convention",
    ("learning_rate_down", "clip", "initializer", "gain"),
    severe_above=ALWAYS,
)
TENSOR_NOT_FINITE = replace(
    LOSS_DIVERGES,
    metric="the first tensor that is not finite",
    source="TensorBoard Debugger; SageMaker Debugger",
)

# --- fit ---

LINEAR_NETWORK = Rule(
    "underfitting",
    "error of the least squares line above the nearest neighbours', over the best constant answer's",
    BEHIND,
    TUNED,
    ("activation",),
)
TOO_FEW_UNITS = Rule("underfitting", "hidden units", FEW_UNITS, TUNED, ("wider", "deeper"))
HIGH_LOSS = Rule(
    "underfitting",
    "training loss over the best constant answer's",
    UNDERFITS,
    TUNED,
    ("wider", "deeper", "activation", "learning_rate_up", "optimizer", "steps"),
)
HIGH_LOSS_WITH_LABEL_NOISE = replace(
    HIGH_LOSS, metric=f"{HIGH_LOSS.metric}, both above what label noise makes unavoidable"
)
HIGH_ERROR = replace(
    HIGH_LOSS, metric="error above the nearest neighbours', over the best constant answer's", threshold=BEHIND
)
DROPOUT_TOO_HIGH = Rule(
    "over_regularized", "share of hidden units dropped", HIGH_DROPOUT, "Srivastava et al. 2014", ("dropout", "wider")
)
PENALTY_OVERSHOOTS = Rule(
    "over_regularized",
    "ηλ of the L2 penalty",
    OVERSHOOTS,
    "arithmetic: beyond 2, |1 − ηλ| is above 1",
    ("l2", "learning_rate_down"),
    severe_above=ALWAYS,
)
STRONG_PENALTY = Rule(
    "over_regularized",
    "‖∂penalty‖/‖∂data loss‖ in the first tenth of the steps",
    PENALTY_PULLS,
    TUNED,
    (),  # less of those penalties that the run has
    severe_above=PENALTY_RULES,
)
OVERFITTING = Rule(
    "overfitting",
    "how much better it does on its training data than it would on new ones, median of the last checks",
    WIDE_GAP,  # times the widest possible gap, and more where chance may account for it
    f"generalization loss of Prechelt 1998; gap {TUNED}",
    ("patience", "l2", "n_train", "dropout", "l1", "shallower"),
)
