"""The examples of an experiment: drawn or read, split, standardised or in their own units, spoilt where that is asked.

Inputs are standardised with constants that do not depend on the number of training examples: of the formula for drawn
data, of all the examples that training may use for real data.
Validation and test examples come from streams of their own and the training set grows by appending, so that learning
curves compare like with like.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from engine.data import faults
from engine.data.custom import CustomData, checked, digest_of, problem_of
from engine.data.faults import Examples
from engine.data.sources import DATASETS, Source, n_training, read_table
from engine.experiment import SETTINGS, Experiment
from engine.losses import NUMERIC
from engine.randomness import DATA, generator
from engine.settings import OutOfRange

Array = np.ndarray

N_VALIDATION, N_TEST = 300, 1000  # drawn data
FEWEST = int(SETTINGS["n_train"].low)  # rows to train on
SMALLEST = 1e-100  # size of an input, so that squares of ratios do not underflow
OFF_CENTRE = 10.0  # standard deviations from 0 to the targets: a multiple of them is nearly a constant (tuned)
LARGEST_SEEN = 1e30  # size of an input or a scaled target as the network gets it: a number in float32 too


class DataSettings(NamedTuple):
    """What the examples follow from: the settings of an Experiment that bear their names, and the seed of its data."""

    dataset: str
    n_train: int
    noise: float
    label_noise: float
    inputs: str
    input_scale: float
    input_shift: float
    target_scale: float
    target_shift: float
    imbalance: float
    held_out: float
    split: str
    leakage: float
    validation_shift: float
    validation_labels: str
    seed: int


def data_settings(experiment: Experiment) -> DataSettings:
    """Experiments with equal ones have the same examples, but for those handed in."""
    seed = experiment.seed if experiment.data_seed == -1 else experiment.data_seed
    return DataSettings._make([*(getattr(experiment, name) for name in DataSettings._fields[:-1]), seed])


class Units(NamedTuple):
    """What a standardised input of 0, and a difference of 1, are in the units that the network gets: (n_in,) each."""

    zero: Array
    one: Array


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples in rows.  inputs (n, n_in) float64, as the network gets them; all arrays read-only.

    task "binary": targets (n, 1) of 0 and 1; "classes": integer targets (n,); "regression": targets (n, n_out).
    class_names: of targets 0, 1, 2, ...; empty for regression.  units: of the inputs.
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
    units: Units

    def __post_init__(self) -> None:
        for row in fields(self):
            value = getattr(self, row.name)
            for array in value if isinstance(value, Units) else (value,):
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # pickling loses the read-only flag

    @property
    def n_in(self) -> int:
        """Inputs of an example."""
        return self.train_inputs.shape[1]

    @property
    def n_out(self) -> int:
        """Outputs of a network on these data: one a class where there are several, else one a column of targets."""
        if self.task == "classes":
            return len(self.class_names)
        return self.train_targets.shape[1]

    def target_rows(self, split: str) -> Array:
        """Targets of "train", "validation" or "test" in rows, (n, n_out): classes one-hot."""
        targets = getattr(self, f"{split}_targets")
        return np.eye(self.n_out)[targets] if self.task == "classes" else targets

    def class_weights(self, kind: str, split: str = "train") -> Array | None:
        """What an example of each class counts in training, (classes,); None where all count alike.

        balanced: n/(C n_c), where n_c of n examples are of class c, of C classes that occur; 0 for others.
        Every class then counts as much as any other.  King & Zeng 2001; regression has no classes, so none.
        split: "train", or "validation" or "test", whose examples are counted.
        """
        if kind == "none" or not self.class_names:
            return None
        labels = getattr(self, f"{split}_targets").ravel().astype(int)
        counts = np.bincount(labels, minlength=len(self.class_names))
        return np.where(counts > 0, len(labels) / ((counts > 0).sum() * np.maximum(counts, 1)), 0.0)


def stacked_class_weights(experiments: Sequence[Experiment], datasets: Sequence[Dataset]) -> Array | None:
    """The class weights of a stack, (networks, classes), or None; experiments that stack have the same setting."""
    weights = [
        dataset.class_weights(experiment.class_weights)
        for experiment, dataset in zip(experiments, datasets, strict=True)
    ]
    return None if weights[0] is None else np.array(weights, experiments[0].precision)


def load_dataset(experiment: Experiment, data: CustomData | None = None) -> Dataset:
    """The examples of an experiment.

    data: inputs (n, n_in) and targets (n,) or (n, n_out) where `dataset` is custom.  Integers, truth values and text
    are class labels, real numbers are for regression.  Label noise and another code are for class labels only, scale
    and shift of targets for regression only.
    Raises OutOfRange for data that do not fit the experiment, with a sentence that says what does.
    """
    settings = data_settings(experiment)
    if experiment.dataset != "custom":
        return _load(settings)
    if data is None:
        raise OutOfRange("dataset", "custom", "accompanied by its arrays", "Hand them to train(experiment, data=...).")
    inputs, targets = checked(*data)
    if (digest := digest_of(inputs, targets)) != experiment.data_digest:
        raise OutOfRange(
            "data_digest",
            experiment.data_digest,
            "the digest of the arrays that were handed in",
            f"Theirs is {digest}.",
        )
    source, numbers = problem_of(inputs, targets)
    if experiment.loss == "cross_entropy" and source.task == "regression":
        raise OutOfRange("loss", experiment.loss, NUMERIC, "The targets are numbers, not classes.")
    return _split(settings, source, inputs, numbers)


def standardising(experiment: Experiment, targets: Array) -> dict[str, float]:
    """Target scale, to two digits, and target shift that give targets mean 0 and standard deviation 1.

    targets: as the network of the experiment gets them.  Both are within the settings' ends.
    """
    deviation, (scale, shift) = float(targets.std()), (SETTINGS["target_scale"], SETTINGS["target_shift"])
    factor = experiment.target_scale / (deviation or 1.0)
    factor = min(max(float(f"{factor:.2g}"), scale.low), scale.high)
    moved = round(factor / experiment.target_scale * (experiment.target_shift - float(targets.mean())), 2)
    return {"target_scale": factor, "target_shift": min(max(moved, shift.low), shift.high)}


@lru_cache(maxsize=32)
def _load(settings: DataSettings) -> Dataset:
    source = DATASETS[settings.dataset]
    if source.file:
        return _split(settings, source, *read_table(source.file))
    assert source.draw is not None
    level = source.level(settings.noise)
    mean, deviation = np.array(source.mean), source.deviation(level)
    examples = []
    for split, n in enumerate((N_VALIDATION, N_TEST, settings.n_train)):
        uniform = generator(settings.seed, DATA, split, 0).random((n, 3))
        normal = generator(settings.seed, DATA, split, 1).standard_normal((n, 2))
        if settings.imbalance != 0.5:  # the mean and deviation stay those of equal classes: so does every point
            uniform = faults.imbalanced(source.draw, uniform, settings.imbalance)
        inputs, targets = source.draw(uniform, level * normal)
        examples.append((inputs if settings.inputs == "raw" else (inputs - mean) / deviation, targets))
    validation, test, train = examples
    return _dataset(settings, source, train, validation, test, Units(mean, deviation))


def _split(settings: DataSettings, source: Source, inputs: Array, targets: Array) -> Dataset:
    """A real set, shuffled, cut into validation, test and training examples.

    noise is in standard deviations of the inputs; -1 and 0 add none.  Inputs that are standardised are so again
    afterwards.
    """
    n_train, noise, raw = settings.n_train, max(settings.noise, 0), settings.inputs == "raw"
    available = n_training(len(inputs), settings.held_out)
    held_out = (len(inputs) - available) // 2
    if not held_out or available < FEWEST:
        raise OutOfRange(
            "held_out", settings.held_out, f"{'smaller' if held_out else 'larger'} for {len(inputs):,} rows",
            f"It leaves {available} to train on, of at least {FEWEST}, and {held_out} each for validation and test.",
        )  # fmt: skip
    if n_train > available:
        raise OutOfRange("n_train", n_train, f"a whole number from 5 to {available}",
                         "That is what the data have beside their validation and test examples.")  # fmt: skip
    order = generator(settings.seed, DATA, 3).permutation(len(inputs))
    if settings.split == "stratified" and source.class_names:
        order = _stratified(order, targets.astype(int))
        _check_parts(settings, source, [targets[part] for part in np.split(order, [held_out, 2 * held_out])])
    standardised, units = _standardised(inputs, order[2 * held_out :], None if source.pixels else 0)
    inputs = inputs if raw else standardised
    grown = (1 + noise**2) ** 0.5  # by which the noise makes the deviation larger
    if noise > 0:
        normal = generator(settings.seed, DATA, 4).standard_normal(inputs.shape)
        inputs = inputs + noise * units.one * normal if raw else (inputs + noise * normal) / grown
    parts = np.split(order[: 2 * held_out + n_train], [held_out, 2 * held_out])
    validation, test, train = [(inputs[part], targets[part]) for part in parts]
    return _dataset(settings, source, train, validation, test, Units(units.zero, units.one * grown))


def _stratified(order: Array, labels: Array) -> Array:
    """Rows in an order of which every stretch has its share of each class, to within a row or two.

    Row k of the n_c of a class, counted in the given order, comes at (k + ½)/n_c of the way.
    """
    way = np.empty(len(order))
    for label in np.unique(labels):
        positions = np.flatnonzero(labels[order] == label)
        way[positions] = (np.arange(len(positions)) + 0.5) / len(positions)
    return order[np.argsort(way, kind="stable")]


def _check_parts(settings: DataSettings, source: Source, parts: Sequence[Array]) -> None:
    """OutOfRange where a class is missing in one of the parts, so that they have not the same shares."""
    counts = [np.bincount(part.astype(int), minlength=len(source.class_names)) for part in parts]
    rows, fewest = np.sum(counts, axis=0), np.min(counts, axis=0)
    if not fewest.all():
        scarce = int(np.where(fewest == 0, rows, rows.max() + 1).argmin())
        n = "1 row" if rows[scarce] == 1 else f"{rows[scarce]} rows"
        raise OutOfRange(
            "split", "stratified", "random", f"Class {source.class_names[scarce]} has {n}, too few for training, "
            f"validation and test with a share of {settings.held_out:g}.",
        )  # fmt: skip


def _standardised(inputs: Array, pool: Array, axis: int | None) -> tuple[Array, Units]:
    """Inputs with mean 0 and variance 1 over the rows in `pool`: of each column, or of all together (axis None).

    A constant column becomes 0.  Units: those that the inputs came in.
    """
    largest = np.abs(inputs[pool]).max(axis=axis)
    largest = np.where(largest > SMALLEST, largest, 1)
    inputs = inputs / largest  # a constant becomes exactly 1, without rounding
    mean, deviation = inputs[pool].mean(axis=axis), inputs[pool].std(axis=axis)
    deviation = np.where(deviation > 0, deviation, 1)
    came_in = (np.broadcast_to(largest * part, inputs.shape[1:]) for part in (mean, deviation))
    return (inputs - mean) / deviation, Units(*came_in)


def _dataset(
    settings: DataSettings, source: Source, train: Examples, validation: Examples, test: Examples, raw: Units
) -> Dataset:
    """The data set of clean examples, which are in their raw units or standardised: spoilt, then scaled."""
    n_classes, seed = len(source.class_names), settings.seed
    units = raw if settings.inputs == "raw" else Units(np.zeros_like(raw.zero), np.ones_like(raw.one))
    if settings.label_noise > 0 and n_classes:
        train = train[0], faults.with_label_noise(train[1], n_classes, settings.label_noise, seed)
    if settings.validation_shift:
        validation = validation[0] + settings.validation_shift * units.one, validation[1]
    if settings.validation_labels == "permuted" and n_classes:
        validation = validation[0], faults.in_another_code(validation[1], n_classes, seed)
    if settings.leakage > 0:  # last: what leaks is as it is in the training set
        validation = faults.with_leakage(validation, train, settings.leakage, seed)

    @np.errstate(over="ignore")  # _check_size says so
    def shaped(targets: Array) -> Array:
        if source.task == "classes":
            return targets.astype(np.int64)
        targets = np.array(targets, dtype=np.float64).reshape(len(targets), -1)
        if n_classes or (settings.target_scale, settings.target_shift) == (1, 0):
            return targets
        return settings.target_scale * targets + settings.target_shift

    def scaled(inputs: Array) -> Array:
        if (settings.input_scale, settings.input_shift) == (1, 0):
            return inputs
        return settings.input_scale * inputs + settings.input_shift

    dataset = Dataset(
        scaled(train[0]), shaped(train[1]), scaled(validation[0]), shaped(validation[1]),
        scaled(test[0]), shaped(test[1]), source.task, source.input_names, source.class_names,
        Units(scaled(units.zero), settings.input_scale * units.one),
    )  # fmt: skip
    _check_size(settings, dataset)
    return dataset


def _check_size(settings: DataSettings, dataset: Dataset) -> None:
    """OutOfRange where numbers that were handed in are too large in the units that the settings ask for."""
    for name, harmless, part in (("inputs", "standardised", "inputs"), ("target_scale", 1, "targets")):
        parts = [getattr(dataset, f"{split}_{part}") for split in ("train", "validation", "test")]
        largest = max(float(np.abs(values).max()) for values in parts)
        value = getattr(settings, name)
        if value != harmless and largest > LARGEST_SEEN:
            reason = (
                f"In these units the {part} are as large as {largest:.3g}, and at most {LARGEST_SEEN:g} is a number"
            )
            raise OutOfRange(name, value, str(harmless), f"{reason} for training.")
