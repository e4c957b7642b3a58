"""The networks of a map: one setting against another, first every second one of each axis, then all, then finer ones
where neighbours come out differently.

The map has cells, each a network at the values in its middle.  A coarse cell is 1 wide and high, in units of the axes'
steps; where it is refined, four cells of half its width take its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from engine import SETTINGS, Experiment, OutOfRange
from engine.cost import estimate
from engine.cures.outcomes import Outcome
from engine.data.sources import n_training
from engine.initializers import INITIALIZERS
from engine.limits import MAX_SECONDS
from engine.settings import Value
from engine.theory import mean_field
from pages.charts.style.figure import Array
from pages.text.own_data import own_data

Known = Mapping[Experiment, Outcome]

CELLS = 12  # coarse ones along an axis
FIRST = 2  # coarse cells along an axis, of which one is trained first: a quarter of the work of all
MOST_REFINED = 36  # coarse cells: as many networks more as the coarse map has
MOST_NETWORKS = CELLS**2 + 4 * MOST_REFINED
CLEARLY = np.log10(2)  # decades of the loss between neighbours that differ (tuned)
# Setting -> lowest and highest value of the axis; what is counted is rounded.
ENDS: dict[str, tuple[float, float]] = {
    "depth": (1, 23), "width": (2, 90.5), "gain": (0.2, 5), "bias": (0, 1.1), "learning_rate": (1e-3, 10),
    "n_train": (10, 640), "batch_size": (2, 90.5), "steps": (10, 1000), "l1": (1e-6, 0.1), "l2": (1e-5, 1),
    "dropout": (0, 0.88), "label_noise": (0, 0.44), "clip_threshold": (1e-3, 10),
}  # fmt: skip
LINEAR = "depth", "bias", "dropout", "label_noise"
WHOLE = "depth", "width", "n_train", "batch_size", "steps"
NEEDS = {"clip_threshold": {"clip": "norm"}}  # that a setting has an effect
BISECTIONS = 20


def value_at(name: str, position: float) -> Value:
    """A setting's value at a position on its axis, 0 to CELLS − 1, the first and the last coarse cell's."""
    low, high = ENDS[name]
    share = position / (CELLS - 1)
    value = low + share * (high - low) if name in LINEAR else low * (high / low) ** share
    setting = SETTINGS[name]
    value = float(f"{min(max(value, setting.low), setting.high):.3g}")
    return round(value) if name in WHOLE else value


@dataclass(frozen=True)
class Cell:
    """A network's place: middle and width, in coarse cells."""

    x: float
    y: float
    size: float
    experiment: Experiment


@dataclass(frozen=True)
class SettingsGrid:
    """A map's axes, and the network that all others differ from in these two settings alone."""

    base: Experiment
    x: str
    y: str

    def cell(self, x: float, y: float, size: float) -> Cell | None:
        """The cell there; None for a network that cannot be, or takes too long."""
        values = {self.x: value_at(self.x, x), self.y: value_at(self.y, y)}
        try:
            experiment = _with(self.base, **NEEDS.get(self.x, {}), **NEEDS.get(self.y, {}), **values)
        except OutOfRange:
            return None
        if not _possible(experiment):
            return None
        return Cell(x, y, size, experiment)

    def coarse(self) -> tuple[Cell, ...]:
        """Row by row."""
        return _coarse(self)

    def first(self) -> tuple[Cell, ...]:
        """Those of the coarse cells that make the first picture, as wide as the cells that they stand for."""
        shift = (FIRST - 1) / 2
        return tuple(
            Cell(cell.x + shift, cell.y + shift, FIRST, cell.experiment)
            for cell in self.coarse()
            if cell.x % FIRST == cell.y % FIRST == 0
        )

    def refined(self, known: Known) -> dict[Cell, tuple[Cell, ...]]:
        """Coarse cell -> the four that take its place, where that is worth it; nothing before all coarse are known."""
        cells = {(cell.x, cell.y): cell for cell in self.coarse()}
        if not all(cell.experiment in known for cell in cells.values()):
            return {}
        contrast = {
            cell: max(
                (
                    _difference(known[cell.experiment], known[cells[beside].experiment])
                    for beside in ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1))
                    if beside in cells
                ),
                default=0.0,
            )
            for (x, y), cell in cells.items()
        }
        worth = sorted((cell for cell in contrast if contrast[cell] > CLEARLY), key=lambda cell: -contrast[cell])
        corners = [(dx, dy) for dy in (-0.25, 0.25) for dx in (-0.25, 0.25)]
        return {
            one: tuple(cell for dx, dy in corners if (cell := self.cell(one.x + dx, one.y + dy, 0.5)))
            for one in worth[:MOST_REFINED]
        }

    def groups(self, known: Known) -> dict[str, list[Experiment]]:
        """What is to be trained, as far as what is known says."""
        first = [cell.experiment for cell in self.first()]
        coarse = [cell.experiment for cell in self.coarse()] if all(one in known for one in first) else []
        fine = [cell.experiment for cells in self.refined(known).values() for cell in cells]
        return {"first": first, "coarse": coarse, "fine": fine}

    def critical(self) -> list[tuple[float, float]]:
        """Where mean-field theory has χ₁ = 1: positions (x, y) along the line; none where it says nothing or never.

        On one side of it the error signal vanishes with depth, on the other it explodes.  Where one axis is the gain,
        a point for each position of the other.
        """
        return _critical(self) if "gain" in (self.x, self.y) else []


@lru_cache(16)
def _coarse(grid: SettingsGrid) -> tuple[Cell, ...]:
    cells = (grid.cell(x, y, 1) for y in range(CELLS) for x in range(CELLS))
    return tuple(cell for cell in cells if cell)


@lru_cache(16)
def _critical(grid: SettingsGrid) -> list[tuple[float, float]]:
    other = grid.y if grid.x == "gain" else grid.x
    points = []
    for position in np.linspace(-0.5, CELLS - 0.5, CELLS + 1).tolist():
        crossing = _critical_gain(_with(grid.base, **{other: value_at(other, position)}))
        if crossing is not None:
            points.append((crossing, position) if grid.x == "gain" else (position, crossing))
    return points


def _possible(experiment: Experiment) -> bool:
    """Whether its run is within limits, and own data that are at hand have so many examples."""
    own = own_data(experiment)
    if own is None:
        return experiment.cost.seconds <= MAX_SECONDS
    enough = experiment.n_train <= n_training(len(own.inputs), experiment.held_out)
    return enough and estimate(experiment, *own.sizes).seconds <= MAX_SECONDS


def _with(experiment: Experiment, **values: Any) -> Experiment:
    return replace(experiment, **values)


def _difference(one: Outcome, other: Outcome) -> float:
    """How differently two runs came out: decades between their losses; without bound where one alone diverged, or the
    doctor calls them something else."""
    if one.status != other.status or one.findings[:1] != other.findings[:1]:
        return 10.0
    losses = np.array([one.validation_loss, other.validation_loss])
    if not (np.isfinite(losses) & (losses > 0)).all():
        return 0.0
    return float(abs(np.diff(np.log10(losses))[0]))


def chi(experiment: Experiment) -> float | None:
    """χ₁ deep in the network, see engine/theory.py; None where the theory says nothing."""
    variance = INITIALIZERS[experiment.initializer].variance
    plain = experiment.normalization == "none" and experiment.residual == "none" and not experiment.bias_mean
    if variance is None or not plain:
        return None
    kept, width = 1 - experiment.dropout, experiment.width
    weight_variance = width * (experiment.gain**2) * variance(width, width) / kept
    return _chi(experiment.activation, weight_variance, experiment.bias**2)


@lru_cache(4096)
def _chi(activation: str, weight_variance: float, bias_variance: float) -> float:
    return mean_field(activation, weight_variance, bias_variance)[1]


def _critical_gain(experiment: Experiment) -> float | None:
    """The position on the axis of the gain where χ₁ crosses 1, if it does once."""
    positions: Array = np.linspace(-0.5, CELLS - 0.5, CELLS + 1)

    def excess(position: float) -> float | None:
        value = chi(replace(experiment, gain=float(value_at("gain", position))))
        return None if value is None else value - 1

    values = [excess(position) for position in positions.tolist()]
    found = [value for value in values if value is not None]
    if len(found) < len(values):
        return None
    crossings = [i for i in range(len(found) - 1) if (found[i] > 0) != (found[i + 1] > 0)]
    if len(crossings) != 1:
        return None
    low, high = positions[crossings[0]].item(), positions[crossings[0] + 1].item()
    rising = found[crossings[0]] <= 0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        there = excess(middle)
        assert there is not None
        low, high = (middle, high) if (there <= 0) == rising else (low, middle)
    return low


def position_of(name: str, value: float) -> float:
    """Where on its axis a setting's value lies, in coarse cells; within the axis."""
    low, high = ENDS[name]
    if name in LINEAR:
        share = (value - low) / (high - low)
    else:
        share = np.log(max(value, low / 100) / low) / np.log(high / low)
    return float(np.clip(share * (CELLS - 1), -0.5, CELLS - 0.5))


def ticks_of(name: str) -> tuple[list[float], list[float]]:
    """Positions of labelled coarse cells, and the values there."""
    positions: Sequence[int] = range(0, CELLS, 1 if name == "depth" else 2)
    return [float(position) for position in positions], [float(value_at(name, position)) for position in positions]
