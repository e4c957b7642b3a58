"""What the lesson on data faults says of two runs: what is wrong with the first and not with the second, how well each
does on test data, which class it misses, and whether validation told the truth."""

import math

import numpy as np

from engine import RunHistory, diagnose
from engine.doctor.diagnosis import taken_away
from engine.doctor.thresholds import LOW_RECALL
from pages.text.findings_text import HEADINGS
from pages.text.labels import in_a_sentence, listed, number, percent, share
from pages.text.three_sets import DISTORTED, class_names, result_recalls, scores
from pages.text.without_effect import telling_differences

SAID_OF_CHANGES = 2  # settings that a sentence can begin with
# What the doctor finds wrong with validation data -> what they are.
UNTRUE = {
    "leakage": "which holds training examples",
    "validation_shift": "whose inputs come from elsewhere",
    "label_mismatch": "whose labels are in another code",
}


def verdict(patient: RunHistory, treated: RunHistory) -> str:
    """The patient's trouble; how well both do, the class that they miss, and what an untrue validation set says."""
    first = f"{_named(patient, treated)} patient {_result(patient)}."
    if patient.experiment == treated.experiment:
        return f"{first} Patient and treated are the same network: change one setting of the treated."
    changed = _with(patient, treated)
    if again := _found_again(patient, treated):
        return f"{first} {changed}: {again}."
    return f"{first} {changed}{' the network' if changed.startswith('With') else ''} {_result(treated)}."


def _named(patient: RunHistory, treated: RunHistory) -> str:
    """ "Inputs are not scaled: the", unless it is said where validation is spoken of.

    The root cause, where the treatment takes it away; else the first of what it does take away.
    """
    found = taken_away(patient, treated) or diagnose(patient)
    return f"{HEADINGS[found[0].code]}: the" if found and found[0].code not in UNTRUE else "The"


def _result(history: RunHistory) -> str:
    if history.status == "diverged":
        at = history.diverged_at[0] if history.diverged_at else int(history.evaluation_step[-1])
        return f"diverged at step {at}, with numbers that are not finite"
    if _broken(history):
        return "has no finite loss on test data"
    test = scores(history)[-1].value
    if history.confusion is not None:
        return f"is right for {percent(test)} of test data{_missed(history)}{_validation(history)}"
    custom = history.experiment.dataset == "custom"
    loss = number(test) if custom else f"{share(test)} the average answer’s"
    return f"has a loss on test data of {loss}{_validation(history)}"


def _broken(history: RunHistory) -> bool:
    """Whether it came to no result."""
    return history.status == "diverged" or not math.isfinite(history.test_loss)


def _missed(history: RunHistory) -> str:
    """That class and its share; nothing where there is none."""
    worst = _missed_class(history)
    if worst is None:
        return ""
    return f" and recognises {percent(float(result_recalls(history)[worst]))} of class {class_names(history)[worst]}"


def _missed_class(history: RunHistory) -> int | None:
    """The class that is recognised least, where that is less than every other time; None where validation is untrue."""
    if history.confusion is None or _broken(history) or {one.code for one in diagnose(history)} & DISTORTED:
        return None
    found = result_recalls(history)
    worst = int(np.nanargmin(found))
    return worst if found[worst] < LOW_RECALL else None


def _found_again(patient: RunHistory, treated: RunHistory) -> str:
    """The treated network's shares where it recognises the class that the patient misses; else nothing."""
    missed = _missed_class(patient)
    comparable = not (_broken(treated) or _validation(treated)) and class_names(patient) == class_names(treated)
    if missed is None or not comparable or _missed_class(treated) is not None:
        return ""
    which = " of that class" if _validation(patient) else ""  # where the patient has a third number
    return f"{percent(scores(treated)[-1].value)} and {percent(float(result_recalls(treated)[missed]))}{which}"


def _validation(history: RunHistory) -> str:
    """What validation says, where the doctor does not believe it."""
    kinds = [UNTRUE[finding.code] for finding in diagnose(history) if finding.code in UNTRUE]
    if not kinds:
        return ""
    value = scores(history)[1].value
    return f"; validation, {kinds[0]}, says {number(value) if history.confusion is None else percent(value)}"


def _with(patient: RunHistory, treated: RunHistory) -> str:
    """ "With inputs standardised", from the settings in which the treated network differs."""
    changes = telling_differences(patient.experiment, treated.experiment)
    if len(changes) > SAID_OF_CHANGES:
        return "The treated network"
    return f"With {listed([in_a_sentence(field, theirs) for field, (_, theirs) in changes.items()])}"
