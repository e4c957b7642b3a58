"""What the data of an experiment are like, in a few sentences: size, classes, scales, yardsticks, and what is odd."""

import math
from collections.abc import Sequence

import numpy as np

from engine import Dataset
from engine.data import baselines
from engine.losses import chosen_loss
from pages.text.labels import number, percent

Array = np.ndarray

NAMED = 6  # classes, and odd columns, that are named one by one
SIGN_OF_TEXT = " = "  # in the name of an input that says whether a column has this text
SAME = 0.9999  # correlation from which an input is the target in other units
REPEATED = 0.01  # share of the validation examples that may be among those of training without a word


def size(dataset: Dataset, rows: int) -> str:
    """Rows, inputs with their scales, and classes with their shares; of a data set in its own units."""
    inputs, _, targets = _together(dataset)
    parts = [
        f"**{rows:,} rows**: {len(dataset.train_inputs):,} to train on, {len(dataset.validation_inputs):,} to "
        f"validate, {len(dataset.test_inputs):,} to test",
        f"**{dataset.n_in} input{'s' if dataset.n_in > 1 else ''}**{_spans(dataset.input_names, inputs)}",
    ]
    if dataset.class_names:
        counts = np.bincount(targets.ravel().astype(int), minlength=len(dataset.class_names))
        shares = [
            f"{name} {percent(float(n / counts.sum()))}" for name, n in zip(dataset.class_names, counts, strict=True)
        ]
        more = f" and {len(shares) - NAMED} more" if len(shares) > NAMED else ""
        parts.append(f"**{len(shares)} classes**: {', '.join(shares[:NAMED])}{more}")
    else:
        parts.append(
            f"**a number to predict**, from {amount(targets.min())} to {amount(targets.max())}, mean "
            f"{amount(targets.mean())}, standard deviation {amount(targets.std())}"
        )
    return "; ".join(parts) + "."


def yardsticks(dataset: Dataset) -> str:
    """What has to be beaten on validation data: the same answer for all, a straight line, nearest neighbours."""
    loss = chosen_loss("auto", dataset.task)
    regression = not dataset.class_names
    kind = loss if regression else "mse"
    line = baselines.straight_line(dataset, dataset.n_out, kind)
    neighbours = float(baselines.nearest_neighbours(dataset, kind).mean())
    targets = dataset.target_rows("validation")
    if regression:
        always = baselines.constant_loss(targets, kind)
        return (
            f"Typical error on validation data (root of the mean squared one): {baselines.AVERAGE} "
            f"{amount(always**0.5)}, a straight line {amount(line**0.5)}, nearest neighbours {amount(neighbours**0.5)}."
        )
    answers = targets if targets.shape[1] > 1 else np.column_stack([1 - targets, targets])
    always = float(answers.mean(axis=0).max())
    return (
        f"Right answers on validation data: always the most frequent class {percent(always)}, a straight line "
        f"{percent(1 - line)}, nearest neighbours {percent(1 - neighbours)}."
    )


def oddities(dataset: Dataset) -> list[str]:
    """Sentences about constant inputs, an input that is the target, and examples that are in two of the splits."""
    inputs, numbers, _ = _together(dataset)
    sentences = []
    if constant := _named(dataset, np.ptp(inputs, axis=0) == 0):
        sentences.append(f"Constant in all rows, and no help: {constant}.")
    if giving_away := _named(dataset, [_is_target(column, numbers) for column in inputs.T]):
        sentences.append(f"Gives the target away: {giving_away}. Is it known when the network is to be used?")
    known = {row.tobytes() for row in dataset.train_inputs}
    twice = float(np.mean([row.tobytes() in known for row in dataset.validation_inputs]))
    if twice > REPEATED:
        sentences.append(
            f"{percent(twice)} of the validation examples have the inputs of a training example: rows that stand in "
            "the table twice make a network look better than it is."
        )
    return sentences


def _together(dataset: Dataset) -> tuple[Array, Array, Array]:
    """Inputs, targets in rows and targets as they are, of all three splits."""
    splits = "train", "validation", "test"
    return (
        np.concatenate([getattr(dataset, f"{split}_inputs") for split in splits]),
        np.concatenate([dataset.target_rows(split) for split in splits]),
        np.concatenate([getattr(dataset, f"{split}_targets") for split in splits]),
    )


def _named(dataset: Dataset, which: Array | list[bool]) -> str:
    names = [name for name, yes in zip(dataset.input_names, which, strict=True) if yes]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _is_target(column: Array, targets: Array) -> bool:
    """Whether a target follows from one input by a straight line, but for rounding."""
    if np.ptp(column) == 0:
        return False
    with np.errstate(all="ignore"):
        return any(abs(np.corrcoef(column, target)[0, 1]) > SAME for target in targets.T)


def _spans(names: Sequence[str], inputs: Array) -> str:
    """How many inputs stand for values of text, and from where to where the others reach."""
    text = np.array([SIGN_OF_TEXT in name for name in names]) & ((inputs == 0) | (inputs == 1)).all(axis=0)
    spans = [
        f"{name} {amount(column.min())} to {amount(column.max())}"
        for name, column, is_text in zip(names, inputs.T, text, strict=True)
        if not is_text
    ]
    said = f", {text.sum()} of them 0 or 1, one for each value of a text column" if text.any() else ""
    more = f" and {len(spans) - NAMED} more" if len(spans) > NAMED else ""
    return f"{said}: {', '.join(spans[:NAMED])}{more}" if spans else said


def amount(value: float, digits: int = 4) -> str:
    """A number as a table has it: 490,000; 2021; 0.5; up to so many digits that count."""
    value = float(value)
    if value == 0 or not 1e-3 <= abs(value) < 1e12:
        return number(value)
    rounded = float(f"{value:.{digits}g}")
    commas = "," if abs(rounded) >= 10_000 else ""  # 1905 may be a year
    text = f"{abs(rounded):{commas}.{max(digits - 1 - math.floor(math.log10(abs(rounded))), 0)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"−{text}" if value < 0 else text
