"""Numbers and names as a sentence says them: two significant digits, units spelled out."""

import math
import re
from collections.abc import Sequence

from engine import SETTINGS, Experiment, RunHistory
from engine.formatting import PERCENT as PERCENT
from engine.formatting import counted
from engine.formatting import number as number
from engine.formatting import percent as percent
from engine.losses import LOSSES, chosen_loss
from engine.settings import OutOfRange, Setting, Value
from pages.text.without_effect import without_effect

_MILLIONTH = 1e-6
_NUMBER = re.compile(r"(-?)(\d+(?:\.\d+)?)(?:e([+-]\d+))?")  # as Python writes it
COUNTED = {"depth": "hidden layer", "n_train": "training example", "steps": "training step"}
SPEAK_FOR_THEMSELVES = ("activation", "initializer", "optimizer")
COMMON_WORDS = ("linear", "orthogonal", "constant", "zeros")  # values that need their setting's label all the same
_LEGEND_CHARACTERS = 36  # that fit beside a legend's line at 390 px


def share(value: float) -> str:
    """A share of something, in words where words are short: 3.2 times, 0.62 of, 0.00044 of, about 2.7 millionths of."""
    if not math.isfinite(value):
        return "an undefined share of"
    if value == 0:
        return "nothing of"
    rounded = float(f"{value:.1e}")  # first, so that 0.999 reads as the 1 that it is shown as
    if rounded >= 1:
        return f"{number(rounded)} times"
    if rounded >= 100 * _MILLIONTH:
        return f"{rounded:.2g} of"
    if rounded >= _MILLIONTH:
        multiple = number(rounded / _MILLIONTH)
        return "about a millionth of" if multiple == "1" else f"about {multiple} millionths of"
    return f"{number(value)} of"


def name(value: Value) -> str:
    """A value as people write it, whatever setting has it: he_normal is He normal, 0.1 is 0.1, 1e-05 is 1 × 10⁻⁵."""
    known = (setting for setting in SETTINGS.values() if value in setting.choices)
    return _in_words(next(known, SETTINGS["learning_rate"]), value)


def meaning(field: str, value: Value) -> str:
    """A setting's value as people write it; where it stands for something else, what it stands for."""
    return _in_words(SETTINGS[field], value)


def in_a_sentence(field: str, value: Value) -> str:
    """A setting and its value within a sentence: 4 hidden layers, ReLU, L2 penalty 0.02."""
    if field in COUNTED:
        return counted(int(value), COUNTED[field])
    alone = field in SPEAK_FOR_THEMSELVES and value not in COMMON_WORDS
    return meaning(field, value) if alone else f"{label(field)} {meaning(field, value)}"


def listed(parts: Sequence[str]) -> str:
    """Moons, ReLU and He normal."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def _in_words(setting: Setting, value: Value) -> str:
    text = setting.in_words(value)
    if not (found := _NUMBER.fullmatch(text)):
        return text
    sign, mantissa, exponent = found.groups()
    power = number(float(f"1e{exponent}")).removeprefix("1") if exponent else ""
    return f"{'−' if sign else ''}{mantissa}{power}"


def refusal(problem: OutOfRange) -> str:
    """Why an experiment cannot be: the engine's sentence with the names that stand on screen."""
    setting = SETTINGS.get(problem.field)
    if setting is None:
        return str(problem)
    value, allowed, reason = problem.value, problem.allowed, problem.reason
    for choice in sorted({*setting.choices, *SETTINGS["dataset"].choices}, key=len, reverse=True):
        words = (setting if choice in setting.choices else SETTINGS["dataset"]).in_words(choice)
        allowed, reason = (re.sub(rf"\b{choice}\b", words, text) for text in (allowed, reason))
    shown = setting.in_words(value) if isinstance(value, (bool, int, float, str)) else str(value)
    return f"{setting.label} is {shown}, but it must be {allowed}.{' ' + reason if reason else ''}"


def label(field: str) -> str:
    """A setting's label in the middle of a sentence."""
    text = SETTINGS[field].label
    return text if text[:2].isupper() else text[0].lower() + text[1:]


def differences(patient: Experiment, treated: Experiment) -> str:
    """In words, what the treated network does differently, and which of its settings change nothing."""
    changes = patient.differences(treated)
    if not changes:
        return "Patient and treated are the same network."
    vain = {field: f" (no difference: {why})" for field, why in without_effect(patient, treated).items()}
    parts = (
        f"{label(field)} {meaning(field, a)} → {meaning(field, b)}{vain.get(field, '')}"
        for field, (a, b) in changes.items()
    )
    return "Treated differs in: " + ", ".join(parts) + "."


def network(history: RunHistory) -> str:
    """A network in a few words: 10 hidden layers of 16, sigmoid, Xavier normal."""
    e = history.experiment
    layers = "1 hidden layer" if e.depth == 1 else f"{e.depth} hidden layers"
    return f"{layers} of {e.width}, {meaning('activation', e.activation)}, {meaning('initializer', e.initializer)}"


def legends(*histories: RunHistory) -> tuple[str, ...]:
    """What tells the networks apart, for legends: ("sigmoid, Xavier normal", "ReLU, He normal").

    Activation and initializer, or else the settings in which they differ, as many as fit on a phone.
    """
    fields = ["activation", "initializer"]
    first, *others = (history.experiment for history in histories)
    different = {field for other in others for field in first.differences(other)}
    changed = [field for field in SETTINGS if field in different]
    if changed and not different & set(fields):
        fields = changed
    of_all = [_entries(fields, history.experiment) for history in histories]
    count = len(of_all[0])
    while count > 1 and max(len(", ".join(entries[:count])) for entries in of_all) > _LEGEND_CHARACTERS:
        count -= 1
    return tuple(", ".join(entries[:count]) for entries in of_all)


def _entries(fields: list[str], experiment: Experiment) -> list[str]:
    """One an item of the legend; depth and width together are one."""
    if {"depth", "width"} <= set(fields):
        layers = f"{experiment.depth} {'layer' if experiment.depth == 1 else 'layers'} of {experiment.width}"
        return [layers, *_entries([field for field in fields if field not in ("depth", "width")], experiment)]
    return [_entry(field, getattr(experiment, field)) for field in fields]


def _entry(field: str, value: Value) -> str:
    speaks_for_itself = field in ("activation", "initializer", "optimizer", "dataset")
    return meaning(field, value) if speaks_for_itself else f"{label(field)} {meaning(field, value)}"


def loss_unit(*histories: RunHistory) -> str:
    """The unit of the loss, and of its gradients with respect to numbers without a unit; both where they differ."""
    return " or ".join(dict.fromkeys(unit_of_loss(one.experiment, one.confusion is None) for one in histories))


def unit_of_loss(experiment: Experiment, regression: bool) -> str:
    """The same, of an experiment that has not run."""
    unit = LOSSES[chosen_loss(experiment.loss, "regression" if regression else "classes", experiment.output)].unit
    scale = experiment.target_scale if regression else 1
    return unit if scale == 1 else f"{unit} of targets × {number(scale)}"


def input_unit(experiment: Experiment) -> str:
    """What the network's inputs are in: "standardised", "raw", or either of them "× 100", "+ 3"."""
    e = experiment
    scale = "" if e.input_scale == 1 else f" × {number(e.input_scale)}"
    shift = "" if e.input_shift == 0 else f" {'+' if e.input_shift > 0 else '−'} {number(abs(e.input_shift))}"
    return f"{meaning('inputs', e.inputs)}{scale}{shift}"


def ending(history: RunHistory) -> str:
    """How a run ended that did not complete: "stopped early at step 120"; nothing for one that did."""
    if history.status == "stopped_early":
        return f"stopped early at step {history.evaluation_step[-1]}"
    if history.diverged_at is None:
        return ""
    step, layer, tensor = history.diverged_at
    if layer is None:
        return f"not finite at step {step} ({tensor})"
    return f"not finite at step {step} ({tensor}, {layer_name(history, layer)})"


def layer_name(history: RunHistory, layer: int) -> str:
    """A layer as people count it: "layer 3", "output layer"."""
    return "output layer" if layer == history.layers - 1 else f"layer {layer + 1}"
