"""What the app lets a run cost, and what it advises whoever asks for more."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from engine.cost import RECORD_BYTES, estimate
from engine.experiment import Experiment
from engine.settings import OutOfRange

MAX_SECONDS = 5.0  # of one core, a run
MAX_BYTES = RECORD_BYTES  # of history, a run
USEFUL_STEPS = 100  # that an advice leaves at least


@dataclass(frozen=True)
class Limits:
    """What a run may cost: estimated seconds on one core, and bytes of its history; None is no limit."""

    max_seconds: float | None = None
    max_bytes: float | None = None


APP_LIMITS, UNLIMITED = Limits(MAX_SECONDS, MAX_BYTES), Limits()


def check_budget(experiment: Experiment, n_in: int, n_out: int, limits: Limits = APP_LIMITS) -> None:
    """Raise OutOfRange for a run that would take too long or leave too much behind, with a value that is accepted."""
    seconds = math.inf if limits.max_seconds is None else limits.max_seconds
    size = math.inf if limits.max_bytes is None else limits.max_bytes
    cost = estimate(experiment, n_in, n_out)
    too_long, too_large = cost.seconds > seconds, cost.bytes > size
    if not (too_long or too_large):
        return

    def fits(**changes: Any) -> bool:
        cost = estimate(replace(experiment, **changes), n_in, n_out)
        return cost.seconds <= seconds and cost.bytes <= size

    reason = ""
    if too_long:
        reason += f"The run would take about {math.ceil(cost.seconds):,} seconds; {seconds:g} are allowed. "
    if too_large:
        megabytes = math.ceil(cost.bytes / 1e6)
        reason += f"The record of the run would take {megabytes} MB; {size / 1e6:g} are allowed. "
    reason += f"Fewer {'examples, layers or units' if too_long else 'layers'} help as well."
    steps, few = experiment.steps, min(experiment.steps, USEFUL_STEPS) if too_long else experiment.steps
    if not too_large and (most := _most(steps, lambda n: fits(steps=n))):
        raise OutOfRange("steps", steps, f"at most {most:,} for this network and data set", reason)
    width = max(1, _most(experiment.width, lambda n: fits(width=n, steps=few)))
    if fits(width=width):
        raise OutOfRange("width", experiment.width, f"at most {width} with this many layers", reason)
    most = _most(steps, lambda n: fits(width=width, steps=n))
    if not most:  # a limit that nothing keeps
        name, limit = ("max_seconds", seconds) if too_long else ("max_bytes", size)
        raise OutOfRange(name, limit, "larger", reason)
    raise OutOfRange("steps", steps, f"at most {most:,}, and width at most {width}, with this many layers", reason)


def _most(too_many: int, fits: Callable[[int], bool]) -> int:
    """The largest number below that fits, rounded down to two digits where that fits too; 0 where 1 does not."""
    if too_many == 1 or not fits(1):
        return 0
    low, high = 1, too_many
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    step = 10 ** max(len(str(low)) - 2, 0)
    rounded = low // step * step
    return rounded if fits(rounded) else low
