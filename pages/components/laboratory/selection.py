"""Which columns of a table are predicted from which, and the inputs and targets that they make.

Nothing here knows the screen.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pages.components.laboratory.tables import Column, Table, TableError
from pages.text.own_data import plain
from pages.walkthrough.user_input import as_code

Array = np.ndarray

FEWEST_ROWS, MOST_ROWS = 20, 5000  # 12 examples to train on, 4 to validate and 4 to test
MOST_INPUTS, MOST_CLASSES = 64, 20
MOST_VALUES = 12  # of a text column that becomes inputs, one for each value
FEW_VALUES = 10  # whole numbers of so many values are taken for classes
TARGETS = "target", "class", "label", "species", "outcome", "diagnosis"  # what the target's column is often called


@dataclass(frozen=True)
class Selection:
    """target, inputs: indices of columns; classes: whether the target's values are classes; fill: whether gaps are
    filled, by the median, of text by the most frequent value; else their rows are left out.
    """

    target: int
    inputs: tuple[int, ...]
    classes: bool
    fill: bool = False


@dataclass(frozen=True, eq=False)
class Examples:
    """What an experiment is given: inputs (n, n_in) float64; targets (n,) of text or integers (classes) or float64.

    notes: sentences about what was left out or filled.
    """

    inputs: Array
    targets: Array
    input_names: tuple[str, ...]
    target_name: str
    notes: tuple[str, ...]


def unusable(column: Column) -> str:
    """Why a column cannot be an input, in words; nothing for one that can."""
    if column.numbers is None and len(column.values) > MOST_VALUES:
        return (
            f"{column.quoted} is text of {len(column.values):,} different values, and up to {MOST_VALUES} become inputs"
        )
    return ""


def may_be_classes(column: Column) -> bool:
    """Whether its values can name classes: text, or whole numbers."""
    if column.numbers is None:
        return True
    known = column.numbers[~column.gaps]
    return bool((known == np.round(known)).all() and np.abs(known).max() < 2**53)


def guessed(table: Table, target: int | None = None) -> Selection:
    """The target that the names or the last column that can be one suggest, unless it is known; others are inputs."""
    columns = table.columns
    usable = {i for i, column in enumerate(columns) if not unusable(column)}
    if target is None:
        named = [i for i, column in enumerate(columns) if column.name.strip().lower() in TARGETS]
        able = [
            i for i, column in enumerate(columns)
            if usable - {i} and (column.numbers is not None or len(column.values) <= MOST_CLASSES)
        ]  # fmt: skip
        target = (named or able or [len(columns) - 1])[-1]
        if not named and not _few(columns[target]) and _few(columns[0]):
            target = 0
    return Selection(target, tuple(sorted(usable - {target})), columns[target].numbers is None or _few(columns[target]))


def _few(column: Column) -> bool:
    """Whether its values look like classes."""
    if column.numbers is None:
        return 2 <= len(column.values) <= MOST_CLASSES
    return may_be_classes(column) and 2 <= len(np.unique(column.numbers[~column.gaps])) <= FEW_VALUES


def examples_of(table: Table, chosen: Selection) -> Examples:
    """Inputs and targets as chosen.  TableError, with a sentence, where they are not what an experiment can use."""
    target = table.columns[chosen.target]
    inputs = [table.columns[i] for i in chosen.inputs if i != chosen.target]
    if not inputs:
        raise TableError("There is no input: choose at least one column beside the target.")
    for column in inputs:
        if reason := unusable(column):
            raise TableError(f"{reason}.")
    needed = [target] if chosen.fill else [target, *inputs]
    gaps = np.array([column.gaps for column in needed]).any(axis=0)
    rows = np.flatnonzero(~gaps)
    check_length(len(rows), f" without gaps; {gaps.sum():,} more have some" if gaps.any() else "")
    if len(rows) > MOST_ROWS:
        raise TableError(f"The table has {len(rows):,} rows; up to {MOST_ROWS:,} are taken.")
    made = [part for column in inputs for part in _inputs_of(column, rows)]
    if len(made) > MOST_INPUTS:
        raise TableError(
            f"The chosen columns make {len(made):,} inputs, each value of a text one; up to {MOST_INPUTS} are taken."
        )
    names, values = zip(*made, strict=True)
    notes = [column.remark for column in (target, *inputs) if column.remark]
    if left := [one.quoted for i, one in enumerate(table.columns) if i != chosen.target and unusable(one)]:
        notes.append(f"Left out, as text of more than {MOST_VALUES} different values: {', '.join(left)}.")
    filled = sum(int(column.gaps[rows].sum()) for column in inputs)
    if gaps.any():
        notes.append(f"{_count(gaps.sum(), 'row')} with gaps left out, {len(rows):,} are left{_gaps_of(*needed)}.")
    if filled:
        notes.append(
            f"{_count(filled, 'gap')} filled by the column’s median, of text by its most frequent "
            f"value{_gaps_of(*inputs)}."
        )
    return Examples(np.column_stack(values), _targets(target, chosen.classes, rows), names, target.name, tuple(notes))


def check_length(rows: int, which: str = "") -> None:
    """TableError for too few rows.  which: which ones they are, in words."""
    if rows < FEWEST_ROWS:
        raise TableError(f"The table has {_count(rows, 'row')}{which}; at least {FEWEST_ROWS} are needed.")


def _gaps_of(*columns: Column) -> str:
    """Gaps of each column that has some: "; gaps: 21 of year, 44 of garage"."""
    counts = [f"{column.gaps.sum():,} of {column.quoted}" for column in columns if column.gaps.any()]
    return f" (gaps: {', '.join(counts)})" if counts else ""


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _inputs_of(column: Column, rows: Array) -> Iterator[tuple[str, Array]]:
    """A column of numbers as it is; of text one of 0 and 1 for each value."""
    gaps = column.gaps[rows]
    if column.numbers is not None:
        numbers = column.numbers[rows]
        yield column.name, np.where(gaps, 0.0 if gaps.all() else np.median(numbers[~gaps]), numbers)
        return
    texts = column.texts[rows]
    if gaps.any() and not gaps.all():
        ((usual, _),) = Counter(texts[~gaps].tolist()).most_common(1)
        texts = np.where(gaps, usual, texts)
    for value in column.values:
        yield f"{column.name} = {value}", (texts == value).astype(float)


def _labels(column: Column, rows: Array) -> Array:
    """Classes of text, plain, since the doctor names them; those that would be called alike are numbered."""
    names: dict[str, str] = {}
    for value in column.values:
        name = plain(value)
        names[value] = name if name not in names.values() else f"{name} {len(names) + 1}"
    return np.array([names[text] for text in column.texts[rows]])


def _targets(column: Column, classes: bool, rows: Array) -> Array:
    if not classes:
        if column.numbers is None:
            raise TableError(
                f"{column.quoted} is text, not numbers to predict: predict classes, or choose another target."
            )
        return column.numbers[rows]
    if not may_be_classes(column):
        raise TableError(
            f"{column.quoted} has numbers that are not whole, and they name no classes; predict a number instead."
        )
    targets = _labels(column, rows) if column.numbers is None else column.numbers[rows].astype(np.int64)
    count, which = len(np.unique(targets)), f"{column.quoted}, the target, has"
    if count < 2:
        raise TableError(f"{which} one class in all rows, {as_code(str(targets[0]))}: nothing to tell apart.")
    if count > MOST_CLASSES:
        raise TableError(
            f"{which} {count:,} classes; up to {MOST_CLASSES} are taken: choose another target, or predict a number."
        )
    return targets
