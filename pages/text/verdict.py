"""What a run shows, in sentences: its numbers are the run's, its words are fixed."""

import math

import numpy as np

from engine import RunHistory, diagnose
from engine.doctor.diagnosis import overcome
from engine.doctor.thresholds import ALIKE_ANSWERS, GREW
from engine.formatting import TIMES_TEN, plural
from engine.settings import Value
from pages.text.clock import latest
from pages.text.labels import PERCENT, label, layer_name, listed, meaning, number, percent, share
from pages.text.without_effect import telling_differences

# Settings whose values are adjectives.
NEED_THEIR_LABEL = (
    "normalization", "residual", "inputs", "validation_labels", "clip", "schedule", "output", "loss", "class_weights",
)  # fmt: skip
MOST_FACTORS = 3  # that the product of the chain rule writes out; more do not fit on a phone


def starting_ratio(history: RunHistory) -> float:
    """R at step 0, or NaN where the first step had no finite loss."""
    return float(history.gradient_ratio[0]) if len(history.step) else math.nan


def verdict(patient: RunHistory, treated: RunHistory) -> str:
    """How much of the gradient reaches the first layer, in the patient and in the treated network."""
    if patient.experiment == treated.experiment:
        return f"{_patient(patient)} Patient and treated are the same network: change one setting of the treated."
    endings = [_went_wrong("patient", patient), _went_wrong("treated network", treated)]
    return " ".join([_patient(patient), _treated(patient, treated), *filter(None, endings)])


def _patient(patient: RunHistory) -> str:
    ratio = starting_ratio(patient)
    if math.isnan(ratio):
        return _no_ratio(patient, "The patient")
    if patient.experiment.depth == 1:
        return "With one hidden layer there is nothing for the gradient to fade through."
    if ratio == 0:
        return "Before training, no gradient at all reaches the first layer."
    receives = f"the first layer receives {share(ratio)} the last hidden layer’s gradient"
    return f"Before training, {receives}{_judged(patient)}."


def _treated(patient: RunHistory, treated: RunHistory) -> str:
    ratio = starting_ratio(treated)
    if math.isnan(ratio):
        return _no_ratio(treated, "The treated network")
    if treated.experiment.depth == 1:
        return "The treated network has one hidden layer, so nothing can fade in it."
    much = share(ratio)
    if not starting_ratio(patient) >= 0 or patient.experiment.depth == 1:  # the patient's first layer was not spoken of
        receives = "nothing" if ratio == 0 else f"{much} the last hidden layer’s gradient"
        return f"{_with(patient, treated)} the first layer receives {receives} before training{_judged(treated)}."
    receives = "nothing" if ratio == 0 else f"{much} it" if much.endswith(" of") else f"{much} the last hidden layer’s"
    return f"{_with(patient, treated)} it receives {receives}{_judged(treated)}."


def _went_wrong(who: str, history: RunHistory) -> str:
    """What a look at R alone would miss: a run that diverged, or a loss that grew."""
    if history.status == "diverged" and len(history.step) and history.diverged_at:
        return f"The {who} diverged at step {history.diverged_at[0]}."
    first, last = history.train_loss[0], history.train_loss[-1]
    if last > GREW * first:
        return f"The {who}’s loss grew from {number(first)} to {number(last)}."
    return ""


def _with(patient: RunHistory, treated: RunHistory) -> str:
    """ "With ReLU and He normal", from the settings in which the treated network differs."""
    changes = [
        _in_a_sentence(setting, theirs)
        if isinstance(theirs, str) and theirs != "none" and setting != "precision"
        else None
        for setting, (_, theirs) in telling_differences(patient.experiment, treated.experiment).items()
    ]
    if changes and len(changes) <= 3 and all(changes):
        return f"With {listed([change for change in changes if change])}"
    return "In the treated network"


def _in_a_sentence(setting: str, value: Value) -> str:
    """A value as a noun: ReLU, batch normalization, scaled residual connections."""
    text = meaning(setting, value)
    needs_its_label = setting in NEED_THEIR_LABEL and not text.endswith(label(setting))  # Huber loss has it
    return f"{text} {label(setting)}" if needs_its_label else text


def _judged(history: RunHistory) -> str:
    """What the doctor says of R, and whether the network learns all the same."""
    healthy = overcome(history)
    for found in (healthy,) if healthy else diagnose(history):
        yet = ", and yet the network learns" if healthy else ""
        if found.code == "vanishing_gradients":
            return f": it vanishes{yet}"
        if found.code == "exploding_gradients" and starting_ratio(history) > found.threshold:
            return f": it grows on the way back{yet}"
    return ""


def _no_ratio(history: RunHistory, who: str) -> str:
    if history.status == "diverged" and not len(history.step):
        return f"{who} could not take one step: {_where(history)} not finite."
    return f"In {who[0].lower()}{who[1:]} no gradient reaches any hidden layer."


def outcome(history: RunHistory) -> str:
    """What came of the training: loss and accuracy at the end, and how it ended."""
    first, last = history.train_loss[0], history.train_loss[-1]
    step = int(history.evaluation_step[-1])
    fell = f"training loss {number(first)} → {number(last)} in {step} {'step' if step == 1 else 'steps'}"
    fell = fell if step else f"training loss {number(first)} at step 0"
    accuracy = history.validation_accuracy[-1]
    reached = "" if math.isnan(accuracy) else f", validation accuracy {percent(accuracy)}{_all_alike(history)}"
    if history.status == "diverged":
        at = history.diverged_at[0] if history.diverged_at else step
        diverged = f"diverged at step {at}, where {_where(history)} no longer finite"
        return f"{diverged}; {fell}" if math.isfinite(first) else diverged
    if history.status == "stopped_early":
        best = latest(history.evaluation_step, history.best_step)
        accuracy = history.validation_accuracy[best]
        kept = "" if math.isnan(accuracy) else f" with validation accuracy {percent(accuracy)}"
        return f"{fell}{reached}; stopped early, and its result is the weights of step {history.best_step}{kept}"
    return fell + reached


def _all_alike(history: RunHistory) -> str:
    """What the accuracy of a network that learnt nothing is of: which side an answer is on is decided by a hair."""
    if history.predictions is None or history.confusion is None:
        return ""
    answers, given = history.predictions[-1], history.confusion[-1].sum(axis=0)
    spread = np.ptp(answers.reshape(-1, answers.shape[-1]), axis=0).max()
    if not spread < ALIKE_ANSWERS or (given > 0).sum() == 1:
        return ""
    return f", though all its answers lie within {number(100 * ALIKE_ANSWERS)}{PERCENT} of each other"


def _where(history: RunHistory) -> str:
    """The tensor that first was not finite, and its verb: "the weights of layer 3 were", "the loss was"."""
    _, layer, tensor = history.diverged_at or (0, None, "loss")
    verb = "were" if plural(tensor) else "was"
    if layer is None:
        return f"the {tensor} {verb}"
    where = layer_name(history, layer)
    return f"the {tensor} of {'the ' if where == 'output layer' else ''}{where} {verb}"


def chain_product(history: RunHistory) -> str:
    """The chain rule from the last hidden layer to the first at step 0, in LaTeX with this network's numbers.

    R = ∏ w_l s_l over the hidden layers l below the last; long products are shortened in the middle.
    """
    n_hidden = history.experiment.depth
    if n_hidden == 1 or not math.isfinite(starting_ratio(history)):
        return ""
    weights, slopes = history.weight_factor[0, : n_hidden - 1], history.slope_factor[0, : n_hidden - 1]
    factors = [rf"({_latex(w)} \cdot {_latex(s)})" for w, s in zip(weights, slopes, strict=True)]
    if len(factors) > MOST_FACTORS:
        factors = [factors[0], r"\cdots", factors[-1]]
    ratio = rf"\frac{{\text{{rms}}\,\delta_{{1}}}}{{\text{{rms}}\,\delta_{{{n_hidden}}}}}"
    product = rf"\prod_{{l=1}}^{{{n_hidden - 1}}} (w_l \cdot s_l)"
    return (
        rf"\begin{{array}}{{l}} \displaystyle R = {ratio} = {product} \\[1.5em] "
        rf"= {' '.join(factors)} \\ = {_latex(starting_ratio(history))} \end{{array}}"
    )


def average_factor(history: RunHistory) -> str:
    """The same product as one average factor a layer: its power is R exactly."""
    ratio, n = starting_ratio(history), history.experiment.depth - 1
    if n < 1 or not ratio > 0 or not math.isfinite(ratio):
        return ""
    slope = history.slope_factor[0, :n]
    weight = history.weight_factor[0, :n]
    with np.errstate(all="ignore"):
        typical = [float(np.exp(np.log(factor).mean())) for factor in (weight, slope)]
    residual = history.experiment.residual
    weights = "weights" if residual == "none" else "weights and the skip connections"
    slopes = "slope and the scale of the branches" if residual == "scaled" else "slope"
    return (
        f"On average one layer multiplies the gradient by {number(ratio ** (1 / n))}: {number(typical[0])} from the "
        f"{weights} times {number(typical[1])} from the {slopes}. Over {n} {'layer' if n == 1 else 'layers'} that "
        f"makes {number(ratio)}."
    )


def _latex(value: float) -> str:
    text = number(value)
    if TIMES_TEN in text:
        mantissa, _ = text.split(TIMES_TEN)
        exponent = math.floor(math.log10(abs(float(f"{value:.1e}"))))
        return rf"{mantissa} \cdot 10^{{{exponent}}}"
    return text if text[-1].isdigit() else rf"\text{{{text}}}"
