"""How the learning rate changes through training: name -> the share of it that an update takes.

All are functions of the update's step s = 0, 1, ..., S − 1 and of their number S, written as PyTorch's schedulers.
"""

import math
from collections.abc import Callable

WARMUP_SHARE = 10  # the first tenth of the updates
STEP_FACTOR = 0.1
MILESTONES = 1 / 2, 3 / 4  # of the updates


def constant(step: int, steps: int) -> float:
    """1"""
    return 1.0


def warmup(step: int, steps: int) -> float:
    """(s + 1)/W up to 1, with W = ⌈S/10⌉.  Goyal et al. 2017; LinearLR from 1/W on."""
    return min(1.0, (step + 1) / -(-steps // WARMUP_SHARE))


def cosine(step: int, steps: int) -> float:
    """(1 + cos πs/S)/2.  Loshchilov & Hutter 2017, without restarts; CosineAnnealingLR."""
    return (1 + math.cos(math.pi * step / steps)) / 2


def step(step: int, steps: int) -> float:
    """1, from S/2 on .1, from 3S/4 on .01.  He et al. 2016; MultiStepLR."""
    return STEP_FACTOR ** sum(step >= milestone * steps for milestone in MILESTONES)


SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "constant": constant,
    "warmup": warmup,
    "cosine": cosine,
    "step": step,
}
