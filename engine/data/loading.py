"""The problems that a network is asked to learn: seeded generators and bundled real data.

Inputs are standardised with constants that do not depend on the number of training examples: of the formula for drawn
data, of all the examples that training may use for real data.
Validation and test examples come from streams of their own and the training set grows by appending, so that learning
curves compare like with like.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.randomness import DATA, generator
from engine.settings import OutOfRange

if TYPE_CHECKING:
    from engine.experiment import Experiment

Array = np.ndarray

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "data"
N_VALIDATION, N_TEST = 300, 1000  # drawn data
HELD_OUT = 0.2  # share of a real set for validation, and again for test
CUSTOM_EXAMPLES, CUSTOM_INPUTS, CUSTOM_OUTPUTS = 20_000, 256, 20  # the most that an own data set may have
FEWEST_CUSTOM = 9  # leaves the five training examples that the setting asks for
SMALLEST, LARGEST = 1e-100, 1e100  # sizes of an own input, so that squares of ratios neither under- nor overflow


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples in rows.  inputs (n, n_in) float64, standardised; all arrays read-only.

    task "binary": targets (n, 1) of 0 and 1; "classes": integer targets (n,); "regression": targets (n, n_out).
    class_names: of targets 0, 1, 2, ...; empty for regression.
    """

    train_inputs: Array
    train_targets: Array
    validation_inputs: Array
    validation_targets: Array
    test_inputs: Array
    test_targets: Array
    task: str
    input_names: tuple[str, ...]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for row in fields(self):
            value = getattr(self, row.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # pickling loses the read-only flag

    @property
    def n_in(self) -> int:
        return self.train_inputs.shape[1]

    @property
    def n_out(self) -> int:
        if self.task == "classes":
            return len(self.class_names)
        return self.train_targets.shape[1]

    def target_rows(self, split: str) -> Array:
        """Targets of "train", "validation" or "test" in rows, (n, n_out): classes one-hot."""
        targets = getattr(self, f"{split}_targets")
        return np.eye(self.n_out)[targets] if self.task == "classes" else targets


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    draw(u, noise) makes clean points from uniform numbers u (n, 3) in [0, 1), and standard normal numbers noise (n, 2)
    that are already scaled by the noise level; it returns inputs and targets.  mean and variance are those of the
    noise-free inputs.  A real set has a file instead.
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
    n_train_max: int = 0  # 0: as many as the setting allows
    pixels: bool = False  # one mean and one deviation for all inputs, so that an image keeps its contrast


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
        input_names=CELL_NUCLEI, n_in=30, n_train_max=341,  # 569 less 2 x 114
    ),
    "digits": Source(
        "Handwritten digits", "classes", file="digits.csv", class_names=tuple("0123456789"), input_names=PIXELS,
        n_in=64, n_out=10, n_train_max=1079, pixels=True,  # 1797 less 2 x 359
    ),
    "custom": Source("Your own data", "custom"),
}
# fmt: on


def load_dataset(experiment: "Experiment", data: tuple[Array, Array] | None = None) -> Dataset:
    """The examples of an experiment.

    data: inputs (n, n_in) and targets (n,) or (n, n_out) where `dataset` is custom.  Integers, truth values and text
    are class labels, real numbers are for regression.  Label noise flips class labels only.
    Raises OutOfRange for data that do not fit the experiment, with a sentence that says what does.
    """
    if experiment.dataset != "custom":
        return _load(
            experiment.dataset, experiment.n_train, experiment.noise, experiment.label_noise, _data_seed(experiment)
        )
    if data is None:
        raise OutOfRange("dataset", "custom", "accompanied by its arrays", "Hand them to train(experiment, data=...).")
    inputs, targets = _checked(*data)
    if (digest := _digest(inputs, targets)) != experiment.data_digest:
        raise OutOfRange(
            "data_digest",
            experiment.data_digest,
            "the digest of the arrays that were handed in",
            f"Theirs is {digest}.",
        )
    source, numbers = _custom(inputs, targets)
    if experiment.loss == "cross_entropy" and source.task == "regression":
        raise OutOfRange("loss", experiment.loss, "auto or mse", "The targets are numbers, not classes.")
    return _split(
        source, inputs, numbers, experiment.n_train, experiment.noise, experiment.label_noise, _data_seed(experiment)
    )


def data_digest(inputs: Array, targets: Array) -> str:
    """SHA-256 over shape, type and bytes of both arrays, in hexadecimal: the `data_digest` of a custom experiment.

    Equal values have equal digests, whether they come as lists, as integers of 8 or of 64 bits, or as Python objects.
    Raises OutOfRange for arrays that no experiment can use.
    """
    return _digest(*_checked(inputs, targets))


def _digest(inputs: Array, targets: Array) -> str:
    digest = hashlib.sha256()
    for array in (inputs, targets):
        digest.update(f"{array.shape} {array.dtype.str}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _data_seed(experiment: "Experiment") -> int:
    return experiment.seed if experiment.data_seed == -1 else experiment.data_seed


@lru_cache(maxsize=32)
def _load(name: str, n_train: int, noise: float, label_noise: float, seed: int) -> Dataset:
    source = DATASETS[name]
    if source.file:
        inputs, targets = _read(source.file)
        return _split(source, inputs, targets, n_train, noise, label_noise, seed)
    assert source.draw is not None
    level = source.noise if noise == -1 else noise
    mean = np.array(source.mean)
    deviation = np.sqrt(np.array(source.variance) + (level**2 if source.noisy_inputs else 0))
    examples = []
    for split, n in enumerate((N_VALIDATION, N_TEST, n_train)):
        uniform = generator(seed, DATA, split, 0).random((n, 3))
        normal = generator(seed, DATA, split, 1).standard_normal((n, 2))
        inputs, targets = source.draw(uniform, level * normal)
        examples.append(((inputs - mean) / deviation, targets))
    validation, test, train = examples
    return _dataset(source, train, validation, test, label_noise, seed)


@lru_cache(maxsize=4)
def _read(file: str) -> tuple[Array, Array]:
    """A bundled table: lines that begin with # are about it; the last column is the class."""
    table = np.loadtxt(ASSETS / file, delimiter=",", comments="#", encoding="utf-8")
    return table[:, :-1], table[:, -1]


def _split(
    source: Source, inputs: Array, targets: Array, n_train: int, noise: float, label_noise: float, seed: int
) -> Dataset:
    """A real set, shuffled, cut into validation, test and training examples.

    noise is in standard deviations of the inputs, which are standardised again afterwards; -1 and 0 add none.
    """
    held_out = round(HELD_OUT * len(inputs))
    available = len(inputs) - 2 * held_out
    if n_train > available:
        raise OutOfRange("n_train", n_train, f"a whole number from 5 to {available}",
                         "That is what the data have beside their validation and test examples.")  # fmt: skip
    order = generator(seed, DATA, 3).permutation(len(inputs))
    inputs = _standardised(inputs, order[2 * held_out :], None if source.pixels else 0)
    if noise > 0:
        normal = generator(seed, DATA, 4).standard_normal(inputs.shape)
        inputs = (inputs + noise * normal) / (1 + noise**2) ** 0.5
    parts = np.split(order[: 2 * held_out + n_train], [held_out, 2 * held_out])
    validation, test, train = [(inputs[part], targets[part]) for part in parts]
    return _dataset(source, train, validation, test, label_noise, seed)


def _standardised(inputs: Array, pool: Array, axis: int | None) -> Array:
    """Inputs with mean 0 and variance 1 over the rows in `pool`: of each column, or of all together (axis None).

    A constant column becomes 0.
    """
    largest = np.abs(inputs[pool]).max(axis=axis)
    inputs = inputs / np.where(largest > SMALLEST, largest, 1)  # a constant becomes exactly 1, without rounding
    mean, deviation = inputs[pool].mean(axis=axis), inputs[pool].std(axis=axis)
    return (inputs - mean) / np.where(deviation > 0, deviation, 1)


def _dataset(
    source: Source,
    train: tuple[Array, Array],
    validation: tuple[Array, Array],
    test: tuple[Array, Array],
    label_noise: float,
    seed: int,
) -> Dataset:
    train_targets = train[1]
    if label_noise > 0 and source.task != "regression":
        # Example by example, so that more training examples, or more noise, flip the same labels and others beside.
        draws = generator(seed, DATA, 5).random((len(train_targets), 2))
        n_classes = len(source.class_names)
        wrong = (train_targets + 1 + np.floor(draws[:, 1] * (n_classes - 1))) % n_classes
        train_targets = np.where(draws[:, 0] < label_noise, wrong, train_targets)

    def shaped(targets: Array) -> Array:
        if source.task == "classes":
            return targets.astype(np.int64)
        return np.array(targets, dtype=np.float64).reshape(len(targets), -1)

    return Dataset(
        train[0], shaped(train_targets), validation[0], shaped(validation[1]), test[0], shaped(test[1]),
        source.task, source.input_names, source.class_names,
    )  # fmt: skip


def _refusal(value: str, allowed: str, reason: str = "") -> OutOfRange:
    return OutOfRange("data", value, allowed, reason)


def _checked(inputs: Array, targets: Array) -> tuple[Array, Array]:
    """Custom arrays in plain form: float64 inputs (n, n_in); targets of truth values, integers, float64 or text."""
    try:
        inputs = np.asarray(inputs)
        if inputs.dtype.kind not in "biufOUT":
            raise TypeError
        inputs = inputs.astype(np.float64)
    except (TypeError, ValueError):
        raise _refusal("inputs that are not numbers", "a table of numbers") from None
    if inputs.ndim != 2 or not 1 <= inputs.shape[1] <= CUSTOM_INPUTS:
        raise _refusal(f"inputs of shape {inputs.shape}", f"a table: examples in rows, 1 to {CUSTOM_INPUTS} columns")
    n = len(inputs)
    if not FEWEST_CUSTOM <= n <= CUSTOM_EXAMPLES:
        raise _refusal(f"{n:,} examples", f"{FEWEST_CUSTOM} to {CUSTOM_EXAMPLES:,} examples")
    if not np.isfinite(inputs).all():
        raise _refusal("inputs with gaps or infinities", "finite numbers throughout")
    if np.abs(inputs).max() > LARGEST:
        raise _refusal(f"inputs as large as {np.abs(inputs).max():g}", f"numbers of at most {LARGEST:g}")
    try:
        values = np.asarray(targets, dtype=object)
        shape, flat = values.shape, values.ravel().tolist()
        gaps = any(value is None or value != value for value in flat)  # a NaN differs from itself
        plain = np.array(flat)
    except (TypeError, ValueError):  # what cannot be compared, such as pandas' NA, is a gap as well
        raise _refusal("targets that are neither numbers nor text", "one target for each example") from None
    if len(shape) not in (1, 2) or shape[0] != n or not 1 <= len(flat) // n <= CUSTOM_OUTPUTS:
        allowed = f"one target, or a row of 1 to {CUSTOM_OUTPUTS} numbers, for each of the {n:,} examples"
        raise _refusal(f"targets of shape {shape}", allowed)
    if gaps:
        raise _refusal("targets with gaps", "one target for each example")
    if plain.dtype.kind not in "biufU":
        raise _refusal("targets that are neither numbers nor text", "numbers, truth values or text")
    return inputs, plain.astype(np.float64 if plain.dtype.kind == "f" else plain.dtype).reshape(shape)


def _custom(inputs: Array, targets: Array) -> tuple[Source, Array]:
    """What kind of problem checked custom arrays pose, and their targets as numbers (n,) or (n, n_out)."""
    names = tuple(f"x{i + 1}" for i in range(inputs.shape[1]))
    if targets.dtype.kind == "f":
        if not np.isfinite(targets).all():
            raise _refusal("targets with infinities", "finite numbers throughout")
        return Source("", "regression", input_names=names), targets
    labels, numbers = np.unique(targets, return_inverse=True)
    if targets.size != len(targets) or not 2 <= len(labels) <= CUSTOM_OUTPUTS:
        raise _refusal(
            f"targets of {len(labels):,} classes in {targets.size // len(targets)} column(s)",
            f"one column of 2 to {CUSTOM_OUTPUTS} classes",
            "Whole numbers and text are classes; for regression hand in real numbers (1.0, not 1).",
        )  # fmt: skip
    task = "binary" if len(labels) == 2 else "classes"
    class_names = tuple(str(label) for label in labels)
    return Source("", task, input_names=names, class_names=class_names), numbers.ravel().astype(np.float64)
