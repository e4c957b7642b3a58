"""The timeline's clock: which steps two runs share, and what a run shows at a step that it has no row for."""

from collections.abc import Sequence

import numpy as np

from engine import RunHistory

MOST_STEPS = 60  # of those that have a frame
BEGINNING = 5  # updates: where a run explodes, it does so between the first two frames


def timeline_steps(*histories: RunHistory) -> list[int]:
    """Steps that the timeline moves over: the frames of all runs, at most 60, each run's first, best and last kept.

    The first few updates are among them though they have no frame: charts over updates have all there is to see there.
    """
    steps = np.unique(np.concatenate([history.frame_step for history in histories]))
    if len(steps) > MOST_STEPS:
        needed = [
            step for history in histories for step in (history.frame_step[0], history.best_step, history.frame_step[-1])
        ]
        chosen = np.linspace(0, len(steps) - 1, MOST_STEPS - len(set(needed))).round().astype(int)
        steps = np.unique([*steps[chosen], *needed])
    beginning = {int(step) for history in histories for step in history.step[: BEGINNING + 1] if step <= BEGINNING}
    return sorted(beginning | {int(step) for step in steps})


def latest(clock: np.ndarray, step: int) -> int:
    """Index of the last entry of an ascending clock that is not after the step; the first one before that."""
    return int(latest_at(clock, step))


def latest_at(clock: np.ndarray, steps: Sequence[int] | int) -> np.ndarray:
    """The same for many steps."""
    return np.maximum(np.searchsorted(clock, steps, side="right") - 1, 0)


def thinned(steps: Sequence[int], most: int) -> list[int]:
    """At most `most` of the steps (two or more), spread evenly, the first and the last kept: for heavy frames."""
    if len(steps) <= most:
        return list(steps)
    return [steps[index] for index in np.linspace(0, len(steps) - 1, most).round().astype(int)]


def rows_at(clock: np.ndarray, values: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    """What a run shows at each of the timeline's steps: the latest row of values; NaN where it has no row at all.

    values: (rows, ...) along the clock.  Returns (len(steps), ...).
    """
    if not len(clock):
        return np.full((len(steps), *values.shape[1:]), np.nan)
    return values[latest_at(clock, steps)]
