"""Whether a network underfits, in a sentence: its training loss beside that of always giving the average answer."""

import math

from engine import RunHistory, diagnose
from engine.data.baselines import average_loss
from engine.doctor import rules
from engine.doctor.thresholds import FAR, SAME_LOSS
from pages.text.labels import ending, number
from pages.text.outcome_measures import MEASURES


def verdict(patient: RunHistory, treated: RunHistory) -> str:
    """Training loss at the end of both networks, the average answer's, and the treated one’s on validation data."""
    if patient.experiment == treated.experiment:
        return f"{_patient(patient)} Patient and treated are the same network: change one setting of the treated."
    return f"{_patient(patient)} {_treated(patient, treated)}"


def underfits(history: RunHistory) -> bool:
    """Whether the doctor finds it underfitted; not if it diverged or ends far above the average answer."""
    if _diverged(history) or _far_above_average(history):
        return False
    return any(finding.code == "underfitting" for finding in diagnose(history))


def _patient(patient: RunHistory) -> str:
    if _diverged(patient):
        return f"The patient diverged: {ending(patient)}."
    return f"The patient’s training loss ends at {_compared(patient)}."


def _treated(patient: RunHistory, treated: RunHistory) -> str:
    if _diverged(treated):
        return f"The treated network diverged: {ending(treated)}."
    if _diverged(patient):
        return f"The treated network’s training loss ends at {_compared(treated)}."
    text = f"The treated network’s ends at {number(float(treated.train_loss[-1]))}"
    average = number(average_loss(treated.experiment))
    if average != number(average_loss(patient.experiment)):
        text += f" (its average answer: {average})"
    if _far_above_average(treated):
        return f"{text}, far worse than always giving the average answer."
    if underfits(treated):
        return f"{text}: {_still(patient, treated)}."
    return f"{text}, and on validation data at {number(float(treated.validation_loss[-1]))}."


def _still(patient: RunHistory, treated: RunHistory) -> str:
    """That the treated network underfits, and whether the treatment helped all the same."""
    if not underfits(patient):
        return "it underfits"
    helps = MEASURES["loss_share"].direction(patient, treated) == "less"
    return "better, though it still underfits" if helps else "it underfits too"


def _compared(history: RunHistory) -> str:
    """The training loss at the end beside the average answer's, where the data are known."""
    loss, average = float(history.train_loss[-1]), average_loss(history.experiment)
    if not average > 0:
        return f"{number(loss)}, from {number(float(history.train_loss[0]))} at the start"
    if abs(loss - average) <= SAME_LOSS * average:
        return f"{number(loss)}: no better than always giving the average answer{_limit(history)}"
    if loss > average:
        how = "far worse" if _far_above_average(history) else "worse"
        return f"{number(loss)}, {how} than always giving the average answer, which would cost {number(average)}"
    judged = f": it underfits{_limit(history)}" if underfits(history) else ""
    return f"{number(loss)}; always giving the average answer would cost {number(average)}{judged}"


def _limit(history: RunHistory) -> str:
    """What the best weights cannot do, where that is the root cause."""
    for cause in diagnose(history)[:1]:
        if cause.metric == rules.LINEAR_NETWORK.metric:
            return " (linear layers make no more than one straight line)"
        if cause.metric == rules.TOO_FEW_UNITS.metric:
            bends = int(cause.measured)
            return f" (it has no more than {bends} bend{'s' if bends > 1 else ''})"
    return ""


def _far_above_average(history: RunHistory) -> bool:
    """Whether its training loss ends so high that something drove it there: no lack of units or steps does."""
    return bool(history.train_loss[-1] > FAR * average_loss(history.experiment) > 0)


def _diverged(history: RunHistory) -> bool:
    return history.status == "diverged" or not math.isfinite(history.train_loss[-1])
