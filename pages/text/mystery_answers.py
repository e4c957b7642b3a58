"""The mystery patient's game: what may be diagnosed and prescribed at each level, and how points come about.

What is offered depends on the level alone and never on the patient, whose settings it would give away.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine import Experiment, Finding, RunHistory
from engine.cures.changes import Change, Maker, changes_of
from engine.doctor.cases import DATA_LEVEL, EASY, FAULTS_OF, FLAT, HARD, MEDIUM, MysteryCase, recovered
from engine.doctor.findings import MISLEADING
from engine.limits import APP_LIMITS, MAX_BYTES, MAX_SECONDS
from engine.settings import Value
from pages.text.findings_text import HEADINGS

POINTS_OF_LOOKS, COST_OF_LOOK = 30, 5  # the first look is free: who looks at nothing guesses
POINTS_OF_CAUSE, POINTS_OF_CONSEQUENCE = 40, 15
POINTS_OF_PRESCRIPTION = 30
RIGHT_DIRECTION = 0.5  # of what the best dose of a prescription earns, which a wrong dose earns at least
CURED = 0.7  # share of the harm: what takes away less has not cured
MOST_POINTS = POINTS_OF_LOOKS + POINTS_OF_CAUSE + POINTS_OF_PRESCRIPTION

DEFINITIONS = {
    "symmetry": "units of a layer start equal, and stay equal",
    "vanishing_gradients": "hardly any error signal reaches the first layers",
    "exploding_gradients": "from layer to layer the signal grows out of hand, even before the first step",
    "learning_rate_too_high": "each step overshoots",
    "learning_rate_too_low": "it moves the right way but gets hardly anywhere",
    "dead_units": "they give 0 for every example, and nothing passes",
    "saturated_units": "their values lie where the activation is flat",
    "over_regularized": "a penalty pulls harder than the data",
    "overfitting": "right on its own examples, wrong on new ones",
    "underfitting": "it is too simple for its data",
    "not_finite": "something overflows, and that is where it begins",
    "unscaled_inputs": "inputs of a size, or of sizes, that the first layer is not made for",
    "unscaled_targets": "targets of a size that the first steps are not made for",
    "wrong_output": "some targets lie beyond what the output can say",
    "one_answer": "too few examples of one class, which it never names",
    "unshuffled": "each batch holds examples of one kind, and undoes what the others taught",
    "batch_too_small": "what a batch says of all examples is mostly chance",
    "leakage": "validation promises more than new data will keep",
    "validation_shift": "validation examples come from elsewhere",
    "label_mismatch": "validation calls the classes by each other’s names",
}
LEVEL_NAMES = {EASY: "Easy", MEDIUM: "Medium", HARD: "Hard", DATA_LEVEL: "Data", FLAT: "One flat curve"}

NEVER_THE_CAUSE = {HARD: ("not_finite",), DATA_LEVEL: ("overfitting",)}
TELLING = {
    "symmetry": "weights", "vanishing_gradients": "gradients", "learning_rate_too_high": "steps",
    "learning_rate_too_low": "steps", "dead_units": "units", "saturated_units": "units", "over_regularized": "steps",
    "overfitting": "new_data", "underfitting": "answers", "unscaled_inputs": "inputs", "unscaled_targets": "answers",
    "wrong_output": "answers", "one_answer": "classes", "unshuffled": "batches", "batch_too_small": "batches",
    "leakage": "sets", "validation_shift": "inputs", "label_mismatch": "sets",
}  # fmt: skip


def diagnoses(level: str) -> tuple[str, ...]:
    """Codes to choose from; on two levels also one that is never the cause."""
    return *FAULTS_OF[level], *NEVER_THE_CAUSE.get(level, ())


def companions(level: str, seed: int) -> str:
    """What is said of other patients who have the same curve; nothing of those who are by themselves."""
    if level != FLAT:
        return ""
    first = seed - seed % len(FAULTS_OF[FLAT])
    return (
        f"Patients {first} to {first + len(FAULTS_OF[FLAT]) - 1} have the same data and nearly the same flat curve, "
        "and each another root cause: look at what there was before the first step."
    )


def named(code: str) -> str:
    """A diagnosis in plain words."""
    return HEADINGS[code]


def telling(cause: Finding) -> str:
    """Key of the chart that shows this root cause best."""
    if cause.code == "exploding_gradients":
        return "gradients" if cause.metric.startswith("R,") else "units"
    return TELLING[cause.code]


# --- what may be prescribed ---


@dataclass(frozen=True)
class Prescription:
    """One thing to change, in words that give no setting away.

    codes: of the changes that it stands for, whichever of them the patient can have; takes_away: they put a setting
    back to having no such thing; settings: what it sets, where it is no cure of the network and not among the changes.
    """

    key: str
    name: str
    codes: tuple[str, ...] = ()
    takes_away: bool = False
    settings: tuple[tuple[str, Value], ...] = ()

    def doses(self, experiment: Experiment) -> tuple[Change, ...]:
        """The changes that it comes to for this network, each with an experiment; none where it has that already."""
        if self.settings:
            change = Maker(experiment, limits=APP_LIMITS).change(self.key, self.name, "", dict(self.settings))
            return (change,) if change.settings and change.experiment else ()
        return tuple(
            change
            for change in changes_of(experiment, max_seconds=MAX_SECONDS, max_bytes=MAX_BYTES)
            if change.code in self.codes and change.experiment and _takes_away(change) == self.takes_away
        )


def _takes_away(change: Change) -> bool:
    """Or takes some of it away: less of a penalty."""
    lighter = change.code in ("l1", "l2") and all(float(new) < float(old) for old, new in change.settings.values())
    return lighter or all(new in (0, "none") for _, new in change.settings.values())


PRESCRIPTIONS = (
    Prescription("learning_rate_down", "A lower learning rate", ("learning_rate_down",)),
    Prescription("learning_rate_up", "A higher learning rate", ("learning_rate_up",)),
    Prescription("activation", "Another activation, with the initialization that suits it", ("activation",)),
    Prescription("start", "Initial weights of the size that suits the units", ("gain", "initializer")),
    Prescription("patience", "Early stopping", ("patience",)),
    Prescription("wider", "More units a layer", ("wider",)),
    Prescription("steps", "Twice as many steps", ("steps",)),
    Prescription("n_train", "More training examples", ("n_train",)),
    Prescription("clip", "Clipping of long gradients", ("clip",)),
    Prescription("no_penalty", "No penalty on the weights", ("l2", "l1"), takes_away=True),
    Prescription("l2", "A penalty on the weights", ("l2",)),
    Prescription("normalization", "Normalization of every layer", ("normalization",)),
    Prescription("residual", "Residual connections", ("residual",)),
    Prescription("shallower", "Fewer layers", ("shallower",)),
    Prescription("deeper", "More layers", ("deeper",)),
    Prescription("bias", "Initial biases of 0", ("bias",), takes_away=True),
    Prescription("optimizer", "Another optimizer", ("optimizer",)),
    Prescription("dropout", "Dropout", ("dropout",)),
    Prescription("label_noise", "Have every label checked", ("label_noise",), takes_away=True),
)
OF_DATA = (
    Prescription("inputs", "Inputs of size 1", ("inputs",)),
    Prescription("target_scale", "Targets of size 1", ("target_scale",)),
    Prescription("output", "An output that can say all targets", ("output",)),
    Prescription("class_weights", "The same weight for every class", ("class_weights",)),
    Prescription("shuffle", "Examples in a random order", ("shuffle",)),
    Prescription("batch_size", "Larger batches", ("batch_size",)),
    Prescription(
        "validation",
        "Validation data drawn and labelled anew",
        settings=(("leakage", 0.0), ("validation_shift", 0.0), ("validation_labels", "right")),
    ),
)
# What takes away the harm of a fault: of several, what suits the patient, as its validation data say.
CANONICAL = {
    "symmetry": ("start",),
    "vanishing_gradients": ("start", "activation"),
    "exploding_gradients": ("start",),
    "learning_rate_too_high": ("learning_rate_down",),
    "learning_rate_too_low": ("learning_rate_up",),
    "dead_units": ("wider", "bias"),
    "saturated_units": ("bias",),
    "over_regularized": ("no_penalty",),
    "overfitting": ("patience",),
    "underfitting": ("activation", "wider"),
    **dict.fromkeys(MISLEADING, ("validation",)),
    "unscaled_inputs": ("inputs",),
    "unscaled_targets": ("target_scale",),
    "wrong_output": ("output",),
    "one_answer": ("class_weights",),
    "unshuffled": ("shuffle",),
    "batch_too_small": ("batch_size",),
}
DOSES = {
    "best": "Best on validation data",
    "weak": "The weakest",
    "strong": "The strongest",
}
FEW, SOME = 8, 13  # of the list, on the first levels
SCALED_INPUTS = OF_DATA[:1]
OFFERED = {
    EASY: PRESCRIPTIONS[:FEW],
    MEDIUM: PRESCRIPTIONS[:SOME],
    HARD: PRESCRIPTIONS,
    DATA_LEVEL: OF_DATA + PRESCRIPTIONS[:FEW],
    FLAT: SCALED_INPUTS + tuple(one for one in PRESCRIPTIONS[:-2] if not one.takes_away or one.key == "bias"),
}


def prescriptions(level: str) -> tuple[Prescription, ...]:
    """What may be prescribed."""
    return OFFERED[level]


def prescription(key: str) -> Prescription:
    return next(one for one in PRESCRIPTIONS + OF_DATA if one.key == key)


def measure(case: MysteryCase) -> str:
    """What the harm of a fault is measured by."""
    if case.fault in MISLEADING:
        return "Distance of validation and test loss"
    return "Share of the rarest class that it misses" if case.fault == "one_answer" else "Test loss"


def canonical(case: MysteryCase) -> tuple[Change, ...]:
    """All doses of what takes away the fault's harm."""
    return tuple(dose for key in CANONICAL[case.fault] for dose in prescription(key).doses(case.patient))


def at_dose(doses: Sequence[Change], dose: str) -> tuple[Change, ...]:
    """Those of a prescription's changes that are of this dose, a key of DOSES: one of each remedy, or all."""
    if dose == "best":
        return tuple(doses)
    in_order = doses if dose == "strong" else reversed(doses)  # the last stays
    return tuple({change.remedy: change for change in in_order}.values())


# --- what it is worth ---


def left_after(looks: int) -> int:
    """Points that are left of those for looks; there are none before the first."""
    return max(0, POINTS_OF_LOOKS - COST_OF_LOOK * (looks - 1)) if looks else 0


@dataclass(frozen=True)
class Score:
    """Points, and what they are for.  role: of the chosen diagnosis among the findings, "" where it is none of them;
    share: of the harm, that the prescription took away, or of what its best dose would have, if that is more."""

    looks: int
    role: str
    share: float

    @property
    def for_looks(self) -> int:
        """None for who did not look, or names what is not there."""
        return left_after(self.looks) if self.for_diagnosis else 0

    @property
    def for_diagnosis(self) -> int:
        return {"cause": POINTS_OF_CAUSE, "consequence": POINTS_OF_CONSEQUENCE}.get(self.role, 0)

    @property
    def for_prescription(self) -> int:
        return round(POINTS_OF_PRESCRIPTION * self.share)

    @property
    def points(self) -> int:
        return self.for_looks + self.for_diagnosis + self.for_prescription


def score(
    case: MysteryCase,
    looks: int,
    diagnosis: str,
    findings: Sequence[Finding],
    patient: RunHistory,
    healthy: RunHistory,
    treated: RunHistory | None,
    best: RunHistory | None = None,
) -> Score:
    """treated: the run of the prescription; None where there was nothing to change.  best: that of its best dose."""
    role = next((finding.role for finding in findings if finding.code == diagnosis), "")
    share = recovered(case, patient, healthy, treated) if treated else 0.0
    if best is not None:
        share = max(share, RIGHT_DIRECTION * recovered(case, patient, healthy, best))
    return Score(looks, role, share)


def best_dose(histories: Sequence[RunHistory]) -> int:
    """Which of a prescription's runs has the lowest validation loss; that of one that diverged is infinite."""

    def loss(run: int) -> float:
        history = histories[run]
        result = -1 if not history.experiment.patience else list(history.evaluation_step).index(history.best_step)
        return math.inf if history.status == "diverged" else float(history.validation_loss[result])

    return min(range(len(histories)), key=loss)
