"""The problems that a network is asked to learn: generators of drawn data, and bundled real data."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

Array = np.ndarray

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "data"
HELD_OUT = 0.2  # share of a set that is split for validation, and again for test, unless an experiment asks for another


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    draw(u, noise) makes clean points from uniform numbers u (n, 3) in [0, 1), and standard normal numbers noise (n, 2)
    that are already scaled by the noise level; it returns inputs and targets.  Of two classes u[:, 0] decides: half a
    turn of it, (u + ½) mod 1, leads to the same place in the other class, which classes of unequal size are drawn by.
    mean and variance are those of the noise-free inputs.  A real set has a file instead.
    """

    label: str
    task: str
    noise: float = 0.0
    input_names: tuple[str, ...] = ("x₁", "x₂")
    class_names: tuple[str, ...] = ()
    draw: Callable[[Array, Array], tuple[Array, Array]] | None = None
    mean: tuple[float, ...] = ()
    variance: tuple[float, ...] = ()
    noisy_inputs: bool = True  # else the noise is on the targets
    file: str = ""
    n_in: int = 2
    n_out: int = 1
    rows: int = 0  # of a file
    pixels: bool = False  # one mean and one deviation for all inputs, so that an image keeps its contrast

    def level(self, noise: float) -> float:
        """The noise of an experiment's setting: this data set's own for -1."""
        return self.noise if noise == -1 else noise

    def deviation(self, level: float) -> Array:
        """Standard deviation of every input of drawn data with this noise, (n_in,)."""
        return np.sqrt(np.array(self.variance) + (level**2 if self.noisy_inputs else 0))

    def n_train_max(self, held_out: float = HELD_OUT) -> int:
        """Training examples that a file has; 0: as many as the setting allows."""
        return n_training(self.rows, held_out)


def n_training(rows: int, held_out: float) -> int:
    """Rows of a set that is split which are left to train on, beside a share for validation and one for test."""
    return rows - 2 * round(held_out * rows)


def moons(u: Array, noise: Array) -> tuple[Array, Array]:
    """Two half circles of radius 1, one upside down and shifted by (1, ½)."""
    label = (u[:, 0] < 0.5).astype(float)
    angle = np.pi * u[:, 1]
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    return np.where(label[:, None] == 1, lower, upper) + noise, label


def circles(u: Array, noise: Array) -> tuple[Array, Array]:
    """A circle of radius ½ (class 1) inside one of radius 1."""
    label = (u[:, 0] < 0.5).astype(float)
    angle, radius = 2 * np.pi * u[:, 1], np.where(label == 1, 0.5, 1.0)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]) + noise, label


def spirals(u: Array, noise: Array) -> tuple[Array, Array]:
    """Two interleaved spirals of 1½ turns; the radius grows with the angle from 0 to 1."""
    label = (u[:, 0] < 0.5).astype(float)
    radius = np.sqrt(u[:, 1])  # points spread evenly over the disc
    angle = 3 * np.pi * radius + np.pi * label
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]) + noise, label


def xor(u: Array, noise: Array) -> tuple[Array, Array]:
    """Points of the square [−1, 1]²; class 1 where exactly one coordinate is positive."""
    points = 2 * u[:, :2] - 1
    return points + noise, (points[:, 0] * points[:, 1] < 0).astype(float)


def blobs(u: Array, noise: Array) -> tuple[Array, Array]:
    """Three Gaussian clouds whose centres are the corners of a triangle on the unit circle."""
    label = np.minimum((3 * u[:, 0]).astype(int), 2)
    angle = np.pi / 2 + 2 * np.pi * label / 3
    return np.column_stack([np.cos(angle), np.sin(angle)]) + noise, label


def sine(u: Array, noise: Array) -> tuple[Array, Array]:
    """y = sin x with x uniform on [−2π, 2π], noise on y."""
    x = 2 * np.pi * (2 * u[:, :1] - 1)
    return x, np.sin(x) + noise[:, :1]


_FEATURES = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
    "fractal dimension",
)  # fmt: skip
CELL_NUCLEI = (
    *(f"mean {feature}" for feature in _FEATURES),
    *(f"{feature} error" for feature in _FEATURES),  # standard error
    *(f"worst {feature}" for feature in _FEATURES),  # mean of the three largest
)
PIXELS = tuple(f"pixel {row},{column}" for row in range(1, 9) for column in range(1, 9))

# Means and variances are those of the noise-free formulas above.  Moons: E[sin] = 2/π over a half turn.  Spirals:
# E[r² cos² 3πr] with density 2r on [0, 1] is 1/4 + 3/(6π)².
_SPIRAL = 3 / (6 * np.pi) ** 2
# fmt: off
DATASETS = {
    "moons": Source(
        "Two moons", "binary", 0.15, class_names=("upper moon", "lower moon"), draw=moons,
        mean=(0.5, 0.25), variance=(0.75, 0.625 - 1 / np.pi - 0.0625),
    ),
    "circles": Source(
        "Circles", "binary", 0.08, class_names=("outer circle", "inner circle"), draw=circles,
        mean=(0, 0), variance=(0.3125, 0.3125),
    ),
    "spirals": Source(
        "Spirals", "binary", 0.03, class_names=("first arm", "second arm"), draw=spirals,
        mean=(0, 0), variance=(0.25 + _SPIRAL, 0.25 - _SPIRAL),
    ),
    "xor": Source(
        "XOR", "binary", 0.05, class_names=("same sign", "different sign"), draw=xor,
        mean=(0, 0), variance=(1 / 3, 1 / 3),
    ),
    "blobs": Source(
        "Three blobs", "classes", 0.35, class_names=("top", "left", "right"), draw=blobs, n_out=3,
        mean=(0, 0), variance=(0.5, 0.5),
    ),
    "sine": Source(
        "Sine", "regression", 0.1, input_names=("x",), draw=sine, n_in=1, noisy_inputs=False,
        mean=(0,), variance=((2 * np.pi) ** 2 / 3,),
    ),
    "breast_cancer": Source(
        "Breast cancer (Wisconsin)", "binary", file="breast_cancer.csv", class_names=("malignant", "benign"),
        input_names=CELL_NUCLEI, n_in=30, rows=569,
    ),
    "digits": Source(
        "Handwritten digits", "classes", file="digits.csv", class_names=tuple("0123456789"), input_names=PIXELS,
        n_in=64, n_out=10, rows=1797, pixels=True,
    ),
    "custom": Source("Your own data", "custom"),
}
# fmt: on


@lru_cache(maxsize=4)
def read_table(file: str) -> tuple[Array, Array]:
    """A bundled table: lines that begin with # are about it; the last column is the class."""
    table = np.loadtxt(ASSETS / file, delimiter=",", comments="#", encoding="utf-8")
    return table[:, :-1], table[:, -1]
