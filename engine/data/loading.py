"""The examples of an experiment: drawn or read, split, standardised.

Inputs are standardised with constants that do not depend on the number of training examples: of the formula for drawn
data, of all the examples that training may use for real data.
Validation and test examples come from streams of their own and the training set grows by appending, so that learning
curves compare like with like.
"""

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from engine.data.custom import CustomData, checked, digest_of, problem_of
from engine.data.sources import DATASETS, Source, read_table
from engine.experiment import Experiment
from engine.randomness import DATA, generator
from engine.settings import OutOfRange

Array = np.ndarray

N_VALIDATION, N_TEST = 300, 1000  # drawn data
HELD_OUT = 0.2  # share of a real set for validation, and again for test
SMALLEST = 1e-100  # size of an input, so that squares of ratios do not underflow


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


def load_dataset(experiment: Experiment, data: CustomData | None = None) -> Dataset:
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
        raise OutOfRange("loss", experiment.loss, "auto or mse", "The targets are numbers, not classes.")
    return _split(
        source, inputs, numbers, experiment.n_train, experiment.noise, experiment.label_noise, _data_seed(experiment)
    )


def _data_seed(experiment: Experiment) -> int:
    return experiment.seed if experiment.data_seed == -1 else experiment.data_seed


@lru_cache(maxsize=32)
def _load(name: str, n_train: int, noise: float, label_noise: float, seed: int) -> Dataset:
    source = DATASETS[name]
    if source.file:
        inputs, targets = read_table(source.file)
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
