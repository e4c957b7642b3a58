"""What the lesson on overfitting says of two runs: how well each does on its training data, and on test data."""

import math
from typing import NamedTuple

from engine import RunHistory, diagnose
from engine.doctor.thresholds import RISEN_GAP, SAME_ACCURACY, SMALL_GAP
from pages.text.clock import latest
from pages.text.labels import in_a_sentence, listed, loss_unit, number, percent
from pages.text.three_sets import DISTORTED
from pages.text.without_effect import telling_differences

SAID_OF_CHANGES = 2  # settings that a sentence can begin with


class Result(NamedTuple):
    """What a run achieved: accuracies, or losses for regression, on its training data and on test data."""

    known: float
    new: float


def result(history: RunHistory) -> Result:
    """Of the weights that the run results in: those of the best step where it may stop early, else the last."""
    row = _row(history)
    if history.confusion is None:
        return Result(float(history.train_loss[row]), history.test_loss)
    return Result(float(history.train_accuracy[row]), history.test_accuracy)


def overfitted(history: RunHistory) -> bool:
    """Whether the doctor finds it overfitted, and that not by validation data that are none."""
    codes = {finding.code for finding in diagnose(history)}
    return "overfitting" in codes and not codes & DISTORTED


def verdict(patient: RunHistory, treated: RunHistory) -> str:
    """How well the patient does on its training data and on test data, and how well the treated network does."""
    if patient.experiment == treated.experiment:
        return f"{_patient(patient)} Patient and treated are the same network: change one setting of the treated."
    return f"{_patient(patient)} {_treated(patient, treated)}"


def note(patient: RunHistory, treated: RunHistory) -> str:
    """Which data the verdict's two numbers are of."""
    wrong = any(one.experiment.label_noise > 0 and one.confusion is not None for one in (patient, treated))
    return f"First number: training data{', wrong labels included' if wrong else ''}; second: test data."


def _patient(patient: RunHistory) -> str:
    if broken := _broken("The patient", patient):
        return broken
    known, new = result(patient)
    if patient.confusion is None:
        return (
            f"On its training data the patient’s loss is {number(known)} ({loss_unit(patient)}), on test data "
            f"{number(new)}{_judged(patient)}."
        )
    return (
        f"The patient gets {percent(known)} of its training data right, and {percent(new)} of test data"
        f"{_judged(patient)}."
    )


def _treated(patient: RunHistory, treated: RunHistory) -> str:
    if broken := _broken("The treated network", treated):
        return broken
    known, new = result(treated)
    written = number if treated.confusion is None else percent
    numbers = f"{written(known)} and {written(new)}"
    if _comparable(patient, treated):
        kept = f" it keeps step {treated.best_step}" if treated.experiment.patience > 0 else ""
        return f"{_with(patient, treated)}{kept}: {numbers}{_compared(patient, treated)}."
    measure = f"loss ({loss_unit(treated)})" if treated.confusion is None else "accuracy"
    return f"{_with(patient, treated)} the {measure} on training and on test data is {numbers}."


def _judged(history: RunHistory) -> str:
    """What the patient's two numbers mean, by the doctor's rules."""
    if overfitted(history):
        return f": it has learnt {_learnt(history)} by heart"
    if history.confusion is None:
        return ""
    known, new = result(history)
    if known - new > RISEN_GAP:
        allowed = "" if diagnose(history) else f", about as small as {history.experiment.n_train:,} examples allow"
        return f": a gap of {100 * (known - new):.0f} points{allowed}"
    return ": next to no gap" if abs(known - new) <= SMALL_GAP else ""


def _learnt(history: RunHistory) -> str:
    """What an overfitted network knows by heart: where a share p of the labels is wrong, it should get 1 − p right."""
    wrong = history.experiment.label_noise
    if wrong == 0 or history.confusion is None:
        return "its examples"
    return "the noise" if result(history).known > 1 - wrong / 2 else "some of the noise"


def _comparable(patient: RunHistory, treated: RunHistory) -> bool:
    """Whether both have numbers of the same kind."""
    kinds = {loss_unit(history) if history.confusion is None else "classes" for history in (patient, treated)}
    return len(kinds) == 1 and not _broken("", patient)


def _compared(patient: RunHistory, treated: RunHistory) -> str:
    """Where the treatment does not help on test data, that it does not."""
    before, after = result(patient).new, result(treated).new
    if patient.confusion is None:  # of losses, less is better
        before, after = -1.0, -after / before if before > 0 else -1.0
    if after > before + SAME_ACCURACY:
        return ""
    return ", worse on test data" if after < before - SAME_ACCURACY else ", no better on test data"


def _with(patient: RunHistory, treated: RunHistory) -> str:
    """ "With L2 penalty 0.015", from the settings in which the treated network differs."""
    changes = telling_differences(patient.experiment, treated.experiment)
    if len(changes) > SAID_OF_CHANGES:
        return "In the treated network"
    return f"With {listed([in_a_sentence(field, theirs) for field, (_, theirs) in changes.items()])}"


def _broken(who: str, history: RunHistory) -> str:
    """That the run came to no result, if so."""
    if history.status == "diverged":
        at = history.diverged_at[0] if history.diverged_at else int(history.evaluation_step[-1])
        return f"{who} diverged at step {at}, with numbers that are not finite."
    return "" if math.isfinite(history.test_loss) else f"{who} has no finite loss on test data."


def _row(history: RunHistory) -> int:
    """The evaluation of the weights that the run results in."""
    last = len(history.evaluation_step) - 1
    return latest(history.evaluation_step, history.best_step) if history.experiment.patience > 0 else last
