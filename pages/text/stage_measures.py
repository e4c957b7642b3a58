"""What the strip of cells on a lesson's stage shows: one number a layer, and one in words a network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine import RunHistory
from pages.text.clock import latest_at, rows_at
from pages.text.labels import number, percent, share
from pages.text.three_sets import recalls

NOTHING_TO_FADE_THROUGH = "–"  # with one hidden layer
NO_SIGNAL = "no signal"  # 0 / 0; a word of the glossary
NOT_FINITE = "not finite"


@dataclass(frozen=True)
class StageMeasure:
    """The measure that tells what a lesson is about, at each of the timeline's steps.

    name: of what a cell's brightness stands for; cells: (steps, L); caption: to the readout; short: the same on the
    stage, where there is little room; readout: a text a step; at_start: whether the cells are the error signal, which
    can be measured before training.
    """

    name: str
    cells: Callable[[RunHistory, Sequence[int]], np.ndarray]
    caption: str
    short: str
    readout: Callable[[RunHistory, Sequence[int]], list[str]]
    at_start: bool = False


def _error_signal(history: RunHistory, steps: Sequence[int]) -> np.ndarray:
    return rows_at(history.step, history.delta_rms, steps)


def _gradient(history: RunHistory, steps: Sequence[int]) -> np.ndarray:
    return rows_at(history.step, history.gradient_norm, steps)


def _weight_growth(history: RunHistory, steps: Sequence[int]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return rows_at(history.step, history.weight_norm / history.weight_norm[:1], steps)


def _signal_size(history: RunHistory, steps: Sequence[int]) -> np.ndarray:
    """rms of what each layer puts out: √(mean² + variance)."""
    with np.errstate(all="ignore"):
        return rows_at(history.evaluation_step, np.hypot(history.activation_mean, history.activation_std), steps)


def _received(history: RunHistory, steps: Sequence[int]) -> list[str]:
    return [ratio_in_words(signal) for signal in _error_signal(history, steps)]


def ratio_in_words(signal: np.ndarray) -> str:
    """R of an error signal (L,) at one step, or why there is none."""
    if len(signal) == 2:
        return NOTHING_TO_FADE_THROUGH
    if signal[-2] == 0:
        return NO_SIGNAL
    return number(_ratio(signal)) if np.isfinite(signal[[0, -2]]).all() else NOT_FINITE


def starting_sentence(who: str, signal: np.ndarray) -> str:
    """What stands for the verdict on a network while it has only been initialised.  signal: (L,), before training."""
    if len(signal) == 2:
        return f"{who} has one hidden layer, so nothing can fade in it."
    if signal[-2] == 0:
        return f"{who}’s last hidden layer has no error signal to pass on."
    return f"{who}’s first layer receives {share(_ratio(signal))} its last hidden layer’s gradient."


def _ratio(signal: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(signal[0] / signal[-2])


def _known_and_new(history: RunHistory, steps: Sequence[int]) -> list[str]:
    regression = history.confusion is None
    known, new = (
        (history.train_loss, history.validation_loss)
        if regression
        else (history.train_accuracy, history.validation_accuracy)
    )
    written = number if regression else percent
    shown = latest_at(history.evaluation_step, steps)
    ended = np.asarray(steps) >= history.evaluation_step[-1]
    shown[ended] = history.result_evaluation  # where training may stop early, what it kept
    rows = np.stack([known, new], axis=1)[shown]
    return [f"{written(mine)} / {written(theirs)}" for mine, theirs in rows]


def _worst_class(history: RunHistory, steps: Sequence[int]) -> list[str]:
    """Recall of the class that is recognised least; of a network that answers with numbers, its training loss."""
    if history.confusion is None:
        return _loss(history, steps)
    rows = rows_at(history.frame_step, recalls(history), steps)
    return [percent(float(np.nanmin(row))) for row in rows]


def _loss(history: RunHistory, steps: Sequence[int]) -> list[str]:
    return [number(one) for one in rows_at(history.evaluation_step, history.train_loss, steps)]


_SIGNAL = StageMeasure(
    "error signal, rms δ",
    _error_signal,
    "R at this step: the first layer’s signal over the last hidden layer’s",
    "R now",
    _received,
    True,
)

ELSEWHERE = replace(_SIGNAL, at_start=False)  # on a page that is no lesson
# By the lesson's page.
STAGE_MEASURES = {
    "vanishing_gradients": _SIGNAL,
    "exploding_gradients": _SIGNAL,
    "overfitting": StageMeasure(
        "weights, against their start",
        _weight_growth,
        "training data / validation data",
        "training / validation",
        _known_and_new,
    ),
    "underfitting": StageMeasure("gradient, ‖∂L/∂W‖", _gradient, "training loss", "training loss", _loss),
    "data_faults": StageMeasure(
        "signal, rms of each layer’s output",
        _signal_size,
        "share of the worst class that is recognised (regression: training loss)",
        "worst class (or loss)",
        _worst_class,
    ),
}
