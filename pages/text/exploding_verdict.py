"""How large the gradient got, how it was cut back, and how training ended, in sentences."""

import math

import numpy as np

from engine import RunHistory
from engine.data.baselines import average_loss
from engine.doctor.thresholds import FAR, SAME_LOSS
from pages.text.labels import ending, meaning, number, percent


def verdict(patient: RunHistory, treated: RunHistory) -> str:
    """Largest gradient norm, clipping and end of both networks."""
    if patient.experiment == treated.experiment:
        message = _sentence("The patient’s", "The patient", patient)
        return f"{message} Patient and treated are the same network: change one setting of the treated."
    return (
        f"{_sentence('The patient’s', 'The patient', patient)} "
        f"{_sentence('The treated network’s', 'The treated network', treated)}"
    )


def largest_gradient(history: RunHistory) -> float:
    """The largest finite norm on record of the gradient over all parameters, before clipping; NaN without any."""
    norms = history.total_gradient_norm[np.isfinite(history.total_gradient_norm)]
    return float(norms.max()) if norms.size else math.nan


def clipped(history: RunHistory) -> np.ndarray:
    """Which updates' gradients clipping made shorter, (S,)."""
    return history.clipped_norm < history.total_gradient_norm


def _sentence(whose: str, who: str, history: RunHistory) -> str:
    largest = largest_gradient(history)
    diverged = history.status == "diverged"
    if math.isnan(largest):
        return f"{who} diverged before it had a finite gradient: {ending(history)}."
    if largest == 0 and not diverged:
        return f"{who} has no gradient at all, and {_end(history)}."
    reached = f"{whose} gradient norm reaches {number(largest)}{_cut_back(history)}"
    return f"{reached} {'before the run diverges:' if diverged else 'and'} {_end(history)}."


def _cut_back(history: RunHistory) -> str:
    """What clipping did, as an insertion between commas; nothing where there is none."""
    experiment = history.experiment
    if experiment.clip == "none":
        return ""
    limit = meaning("clip_threshold", experiment.clip_threshold)
    rows = np.isfinite(history.total_gradient_norm)
    share = float(np.mean(clipped(history)[rows]))
    by_norm = experiment.clip == "norm"
    if share == 0:
        return f", never above its threshold of {limit}," if by_norm else f", no entry above its threshold of {limit},"
    how = f"is cut back to {limit}" if by_norm else f"has its entries cut off at {limit}"
    return f", {how} in {percent(share)} of the updates,"


def _end(history: RunHistory) -> str:
    if history.status == "diverged":
        return ending(history)
    loss, average = float(history.train_loss[-1]), average_loss(history.experiment)
    stopped = f" ({ending(history)})" if ending(history) else ""
    compared = "far worse" if loss > FAR * average else "no better"
    judged = f", {compared} than the average answer" if 0 < (1 - SAME_LOSS) * average <= loss else ""
    return f"its training loss ends at {number(loss)}{stopped}{judged}"
