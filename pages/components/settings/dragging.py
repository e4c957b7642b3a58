"""Numbers of the first screen that are dragged as well as typed: a thin range on the lower edge of their field.

assets/components/dragging.js draws it.  While it is dragged the field shows the number, and the server hears of it when
it is let go.
"""

import math
from collections.abc import Sequence

from engine import SETTINGS
from pages.components.shell.component import component

# From where to where one drags, tuned to where something happens; any other number can be typed.
RANGES = {
    "gain": (0.1, 10.0),
    "learning_rate": (1e-3, 10.0),
    "clip_threshold": (0.01, 100.0),
    "l1": (1e-5, 1.0),
    "l2": (1e-5, 1.0),
    "dropout": (0.0, 0.9),
    "label_noise": (0.0, 0.5),
    "leakage": (0.0, 1.0),
    "validation_shift": (-3.0, 3.0),
    "n_train": (5, 1000),
    "width": (1, 256),
    "steps": (10, 2000),
}
A_DECADE = 20  # stops, of a setting that moves in factors
STEP = 0.05  # of one that does not
DIGITS = 3  # significant

_dragging = component("dragging", styled=False)


def stops(name: str) -> tuple[float, ...]:
    """What a setting is dragged over, ascending; 0 comes first where that is how it starts."""
    setting, (low, high) = SETTINGS[name], RANGES[name]
    count = round(A_DECADE * math.log10(high / low) if setting.log else (high - low) / STEP)
    shares = [k / count for k in range(count + 1)]
    values = [low * (high / low) ** share if setting.log else low + (high - low) * share for share in shares]
    rounded = [setting.kind(round(value) if setting.kind is int else float(f"{value:.{DIGITS}g}")) for value in values]
    return tuple(sorted({0.0, *rounded} if setting.log and not setting.default else set(rounded)))


def dragging(names: Sequence[str]) -> None:
    """Let these settings be dragged, the treated network's own too, within the container in which this is called."""
    _dragging(key="dragging", data={name: stops(name) for name in names if name in RANGES})
