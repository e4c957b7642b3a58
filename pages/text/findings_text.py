"""What the doctor's notes say of a finding: a heading, its evidence, what the doctor looks at."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine import SETTINGS, Finding, RunHistory, diagnose
from engine.doctor.confirming import NOT_CONFIRMED, PARTLY, UNDECIDED, bear_out_both, bears_out
from engine.doctor.diagnosis import falls_short, gap_of_fit, overcome, unsteady
from engine.doctor.thresholds import NOTABLY_RISEN, SAME_ACCURACY
from engine.measures import generalization_loss
from pages.text.labels import PERCENT, label, layer_name, meaning, number, percent
from pages.text.own_data import arrays_of, average_loss, own_data

HEADINGS = {
    "symmetry": "Units that stay equal",
    "vanishing_gradients": "The gradient vanishes",
    "exploding_gradients": "The gradient explodes",
    "not_finite": "Numbers grow beyond all bounds",
    "learning_rate_too_high": "Steps are too long",
    "learning_rate_too_low": "Steps are too short",
    "dead_units": "Units are dead",
    "saturated_units": "Units are saturated",
    "over_regularized": "A remedy holds it back",
    "dropout_too_high": "Too many units are dropped",
    "small_start": "Weights start too small",
    "large_start": "Weights start too large",
    "unscaled_inputs": "Inputs are not scaled",
    "unscaled_targets": "Targets are not scaled",
    "unshuffled": "Examples come sorted",
    "leakage": "Training examples are among the new ones",
    "validation_shift": "Validation data come from elsewhere",
    "label_mismatch": "Validation labels are in another code",
    "wrong_output": "The output cannot reach the targets",
    "one_answer": "It never names the rare class",
    "label_noise": "Labels are wrong",
    "batch_too_small": "Batches are too small",
    "cannot_tell": "The evidence does not suffice",
    "overfitting": "It learns its examples by heart",
    "underfitting": "It does not even fit its training data",
}
LOOKED_AT = (
    "units that stay equal, the gradient’s size from layer to layer, numbers that are not finite, the length of the "
    "steps, dead and saturated units, penalties, and the losses on training and on validation data"
)
REMEDIES = {
    "learning_rate_up": "a higher learning rate", "learning_rate_down": "a lower learning rate",
    "wider": "wider layers", "deeper": "more layers", "shallower": "fewer layers", "steps": "more steps",
    "inputs": "standardised inputs", "target_scale": "targets of size 1", "shuffle": "shuffled examples",
    "output": "an output that reaches the targets", "batch_size": "larger batches", "schedule": "warmup",
    "optimizer": "another optimizer", "initializer": "another initializer", "activation": "another activation",
    "class_weights": "balanced class weights",
    "leakage": "validation data without training examples", "gain": "another gain",
    "validation_shift": "validation data from where the training data come",
    "validation_labels": "validation labels in the code of the training data",
    "n_train": "more examples", "patience": "early stopping", "l1": "L1", "l2": "L2",
}  # fmt: skip

ONE_SENTENCE, ONE_CLAUSE = r"\. ", r"[.;:] | \("  # where an explanation is cut off


def found_in(history: RunHistory) -> tuple[Finding, ...]:
    """What the doctor finds in a run, of own data too where they are at hand, with their names."""
    own = own_data(history.experiment)
    if own is None:
        return diagnose(history)
    return tuple(replace(one, explanation=own.named(one.explanation)) for one in diagnose(history, own.arrays))


def evidence(finding: Finding, history: RunHistory) -> str:
    """What was measured, against which threshold, in which layers, at which steps."""
    parts = [finding.metric]
    if math.isfinite(finding.threshold) and math.isfinite(finding.measured):
        parts[0] += f": {number(finding.measured)}, threshold {number(finding.threshold)}"
    first, last = finding.steps
    parts += [layers_named(finding.layers, history)] if finding.layers else []
    parts.append(f"step {first}" if first == last else f"steps {first} to {last}")
    text = " · ".join(parts)
    return text if text[0] in "ηλ" else text[0].upper() + text[1:]  # a capital η looks like an H


def layers_named(layers: Sequence[int], history: RunHistory) -> str:
    """Layers as people count them: "layer 3", "layers 1 to 4, output layer"."""
    hidden = spans([layer for layer in layers if layer < history.layers - 1])
    named = [f"{first}" if first == last else f"{first} to {last}" for first, last in hidden]
    several = len(hidden) > 1 or any(first < last for first, last in hidden)
    text = [f"layer{'s' if several else ''} {', '.join(named)}"] if named else []
    return ", ".join(text + [layer_name(history, layer) for layer in layers if layer == history.layers - 1])


def spans(layers: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of neighbouring layers, first and last, counted from 1."""
    runs: list[tuple[int, int]] = []
    for layer in sorted(layers):
        if runs and runs[-1][1] == layer:
            runs[-1] = (runs[-1][0], layer + 1)
        else:
            runs.append((layer + 1, layer + 1))
    return runs


def disease(patient: RunHistory, treated: RunHistory, complains_of: str = "") -> str:
    """The root cause of the patient's trouble and what becomes of it in the treated network; "" for a healthy one.

    For patients whose trouble is not what the lesson's own verdict speaks of.  complains_of: code of a consequence
    that is to be named, too.
    """
    found = found_in(patient)
    if not found:
        return ""
    cause, *others = found
    shown = next((one for one in others if one.code == complains_of), None)
    ends = ONE_CLAUSE if shown else ONE_SENTENCE
    hence = f" Hence {_lower(shown)}: {_first(shown, ends)}." if shown else ""
    return f"{HEADINGS[cause.code]}: {_first(cause, ends)}.{hence} {_became(patient, treated)}"


def _first(finding: Finding, ends: str) -> str:
    """The beginning of its explanation, within a sentence."""
    text = re.split(ends, finding.explanation, maxsplit=1)[0].rstrip(".")
    return f"{text[0].lower()}{text[1:]}"


def _became(patient: RunHistory, treated: RunHistory) -> str:
    """How the treated network's training loss ends, beside the patient's, and what is still found in it."""
    if treated.status == "diverged":
        return "The treated network diverged."
    before, after = (number(history.train_loss[-1]) for history in (patient, treated))
    left = found_in(treated)
    still = f"; there the doctor still finds: {_lower(left[0])}" if left else ""
    if patient.status == "diverged":
        return f"The treated network’s training loss ends at {after}{still}."
    return f"Its training loss ends at {before}; treated, at {after}{still}."


def remedies(finding: Finding) -> str:
    """What could help, in words."""
    named = {code: REMEDIES.get(code) or (label(code) if code in SETTINGS else code) for code in finding.remedies}
    if finding.code in ("over_regularized", "dropout_too_high"):
        named |= {code: f"less {named[code]}" for code in ("l1", "l2", "dropout") if code in named}
    return ", ".join(named.values())


def mistaken_for(finding: Finding) -> str:
    """Findings whose curves look the same."""
    others = [f"{HEADINGS[code][0].lower()}{HEADINGS[code][1:]}" for code in finding.mistaken_for]
    return f"Its curves look like those of others: {'; '.join(others)}."


def source(finding: Finding) -> str:
    """Where its threshold comes from, in words."""
    return f"Where the threshold comes from: {finding.source}."


def confirmation(finding: Finding, before: RunHistory, after: RunHistory, further: Sequence[RunHistory] = ()) -> str:
    """What came of the confirming run, what it changes and should show, its results beside those of before.

    further: where another cause shows behind, the run without both, and the run without that one alone.
    """
    assert finding.confirm is not None
    own = arrays_of(before.experiment)
    same_unit = len({one.experiment.target_scale for one in (before, after)}) == 1
    text = (
        f"**What would confirm it:** {finding.confirm.shows} **Tried:** {_changes(before, after)}. "
        f"Before: {_results(before, same_unit)}. After: {_results(after, same_unit)}. "
        f"There the doctor finds {_named(after, finding)}."
    )
    if finding.code == UNDECIDED:
        return text
    judged = bears_out(finding, before, after, own)
    if not further:
        return f"**{judged.capitalize()}.**{_still(finding, after, judged)} {text}"
    both, alone = further
    first, second = (_lower(one) for one in (finding, found_in(after)[0]))
    together = bear_out_both(finding, before, further, own)
    if together == PARTLY:
        told = f"It takes both changes, since there are two causes: first, {first}; behind that, {second}."
    elif not found_in(alone):
        told = f"The second change is enough without the first: {second}."
    else:
        together, told = judged, "Both changes together are not enough."
    return (
        f"**{together.capitalize()}.** {told} {text} "
        f"**There may be a second cause behind it, so it was also tried:** {_changes(before, both)}: "
        f"{_results(both, same_unit)}; the doctor finds {_named(both, finding)}. "
        f"Only {_changes(before, alone)}: {_results(alone, same_unit)}; the doctor finds {_named(alone, finding)}."
    )


def _still(finding: Finding, after: RunHistory, judged: str) -> str:
    """What it means that the confirming run is not well."""
    if judged == PARTLY:
        return " It does better, but is not well."
    if judged == NOT_CONFIRMED and any(one.code == finding.code for one in found_in(after)):
        return " The same is found still: this change was too small, or the cause is another."
    return ""


def _lower(finding: Finding) -> str:
    """Its heading, within a sentence."""
    heading = HEADINGS[finding.code]
    return f"{heading[0].lower()}{heading[1:]}"


def _changes(before: RunHistory, after: RunHistory) -> str:
    changes = before.experiment.differences(after.experiment).items()
    return ", ".join(f"{label(field)} {meaning(field, old)} → {meaning(field, new)}" for field, (old, new) in changes)


def _named(history: RunHistory, finding: Finding) -> str:
    """The root cause that the doctor finds in a run, "again" where it is the same."""
    found = [one for one in found_in(history) if one.role == "cause"]
    again = " again" if found and found[0].code == finding.code else ""
    return f"“{HEADINGS[found[0].code]}”{again}" if found else "nothing"


def _results(history: RunHistory, in_unit: bool) -> str:
    """The losses of a run's result, and how many new examples it has right.

    in_unit: else as multiples of the average answer's, which are comparable where the targets are scaled differently.
    """
    at = history.result_evaluation
    train, valid = history.train_loss[at], history.validation_loss[at]
    average = np.nan if in_unit else average_loss(history.experiment)
    if np.isfinite(average):
        return (
            f"training loss {number(train / average)} times the average answer’s, "
            f"on validation data {number(valid / average)}"
        )
    losses = f"training loss {number(train)}, on validation data {number(valid)}"
    right = history.validation_accuracy[at]
    return losses if np.isnan(right) else f"{losses}, {percent(right)} of them right"


def even_so(history: RunHistory) -> str:
    """What is remarkable about a network that is well; often nothing."""
    return _overcome(history) + _unsteady(history) + risen(history) + _falls_short(history)


def _overcome(history: RunHistory) -> str:
    """What the doctor's detectors see in its gradient before the first step, which did not keep it from learning."""
    found = overcome(history, arrays_of(history.experiment))
    if not found:
        return ""
    comma = "," if "," in found.metric else ""  # the end of an insertion
    kind = found.code.replace("_", " ")
    return (
        f" {found.metric[:1].upper()}{found.metric[1:]}{comma} is {number(found.measured)} at step 0, beyond the "
        f"threshold of {number(found.threshold)}: had it not learnt, that would be called {kind}."
    )


def _unsteady(history: RunHistory) -> str:
    """That its training loss goes up and down, as everybody sees."""
    rises = unsteady(history, arrays_of(history.experiment))
    if not rises:
        return ""
    return (
        f" On its way its training loss goes up again and again, together by {percent(rises)} of its whole range, as "
        "it does where steps are nearly too long. It gets there all the same."
    )


def _falls_short(history: RunHistory) -> str:
    """That a simple method makes less than half of its errors, which it could as well."""
    shares = falls_short(history, arrays_of(history.experiment))
    if not shares:
        return ""
    return (
        f" It makes {number(shares[0])} of the average answer’s error on validation data, a simple method "
        f"{number(shares[1])}: another start, other steps or more of them may do clearly better."
    )


def risen(history: RunHistory) -> str:
    """That the loss of a network that is well has risen on new data, and what became of its accuracy; else nothing."""
    loss = history.validation_loss
    rise = float(generalization_loss(loss)[-1])
    if history.experiment.patience > 0 or not rise > NOTABLY_RISEN:
        return ""
    best = int(np.nanargmin(loss))
    lowest = f"its lowest, which was at step {history.evaluation_step[best]}"
    before, after = history.validation_accuracy[[best, -1]]
    text = f" Its loss on validation data ends {number(rise)}{PERCENT} above {lowest}"
    if after > before - SAME_ACCURACY:
        moved = "as before" if percent(before) == percent(after) else f"from {percent(before)}"
        text += f", its accuracy there at {percent(after)}, {moved}: it has grown surer of its mistakes"
    return f"{text}.{_not_overfitted(history)}"


def _not_overfitted(history: RunHistory) -> str:
    """Why that is not called overfitting."""
    reason = gap_of_fit(history, arrays_of(history.experiment))
    if reason is None:
        return ""
    gap, threshold, examples = reason
    if gap > threshold:
        return " It is not called overfitting, since it hardly fits its training data either."
    takes = f"part of that margin is what {examples} new examples make by chance"
    if history.confusion is None:
        return (
            f" It is not called overfitting: the difference to its loss on training data is {number(max(gap, 0.0))} of "
            f"the average answer’s loss, and overfitting takes more than {number(threshold)}; {takes}."
        )
    apart = f"{points(gap)} more often right" if gap > 0 else "no more often right"
    return (
        f" It is not called overfitting: it is {apart} on training data than on validation data, and overfitting "
        f"takes more than {points(threshold)}; {takes}."
    )


def points(share: float) -> str:
    """A difference of shares in percentage points."""
    return f"{number(100 * share)} percentage points"
