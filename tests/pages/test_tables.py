"""Files as people have them, good, odd and hostile: each read rightly, or refused with the sentence that is due."""

import gzip
import random
from dataclasses import dataclass

import numpy as np
import pytest

from engine import Experiment, OutOfRange, load_dataset
from pages.components.laboratory.points import points_in, table_of
from pages.components.laboratory.samples import SAMPLES, sample
from pages.components.laboratory.selection import (
    MOST_CLASSES,
    MOST_INPUTS,
    MOST_ROWS,
    Examples,
    Selection,
    examples_of,
    guessed,
)
from pages.components.laboratory.tables import MOST_BYTES, MOST_COLUMNS, Table, TableError, read_file, read_text
from pages.text.data_summary import oddities, size, yardsticks
from pages.text.own_data import OwnData, plain

ROWS = 30


def lines(*head: str, row: str = "{i},{x},{c}", count: int = ROWS) -> list[str]:
    """A table of so many rows; {i} counts, {x} and {y} are numbers, {c} is one of two classes."""
    draw = random.Random(0)
    made = [
        row.format(i=i, x=f"{draw.gauss(0, 1):.3f}", y=f"{draw.gauss(5, 2):.3f}", c="ab"[i % 2]) for i in range(count)
    ]
    return [*head, *made]


def text(*head: str, end: str = "\n", **look) -> str:
    return end.join(lines(*head, **look)) + end


def with_line(number: int, line: str, *head: str, **look) -> bytes:
    """The same with another line in the place of one, counted from 1."""
    made = lines(*head, **look)
    made[number - 1] = line
    return "\n".join(made).encode()


def decimal_commas(table: str) -> str:
    return table.replace(".", ",")


@dataclass(frozen=True)
class Good:
    """What is to be understood: rows and inputs of the examples, what is predicted, and a part of how it was read."""

    rows: int
    inputs: int
    classes: int  # 0: a number
    understood: str = ""
    note: str = ""


HEAD = "height,width,kind"
GOOD = {
    "commas and names": (text(HEAD), Good(30, 2, 2, "commas between cells, the first line has the names")),
    "no names": (text(), Good(30, 2, 2, "no line of names")),
    "semicolons": (text("i;x;kind", row="{i};{x};{c}"), Good(30, 2, 2, "semicolons")),
    "tabs": (text("i\tx\tkind", row="{i}\t{x}\t{c}"), Good(30, 2, 2, "tabs")),
    "spaces, as copied from a terminal": (text(" i   x  kind", row=" {i}  {x}  {c}"), Good(30, 2, 2, "spaces")),
    "decimal commas": (decimal_commas(text("i;x;y", row="{i};{x};{y}")), Good(30, 2, 0, "decimal comma")),
    "thousands in groups": (
        text("x;y;kind", row="1.234,5;{i},25;{c}").replace("1.234,5", "2.000,5", 3), Good(30, 2, 2, "decimal comma"),
    ),
    "quoted thousands": (text("price,x,kind", row='"1,{i:0>3}.50",{x},{c}'), Good(30, 2, 2)),
    "Windows line ends": (text(HEAD, end="\r\n"), Good(30, 2, 2)),
    "UTF-8 with its mark": ("\ufeff" + text("größe,breite,art"), Good(30, 2, 2, "UTF-8")),
    "Latin-1": (text("größe,breite,art").encode("latin-1"), Good(30, 2, 2, "Latin-1")),
    "UTF-16, a spreadsheet’s text": (
        text("i\tx\tkind", row="{i}\t{x}\t{c}").encode("utf-16"), Good(30, 2, 2, "UTF-16"),
    ),
    "a spreadsheet’s first line": (text("sep=;", "i;x;kind", row="{i};{x};{c}"), Good(30, 2, 2, "semicolons")),
    "blank lines within": (text("", HEAD, "", end="\n\n"), Good(30, 2, 2)),
    "quotation marks with commas and line ends": (
        text(HEAD, row='"{i}",{x},"{c}, of\ntwo"'), Good(30, 2, 2),
    ),
    "a number to predict": (text("x,y", row="{x},{y}"), Good(30, 1, 0)),
    "whole numbers as classes": (text("x,grade", row="{x},{i}").replace(",2", ",1"), Good(30, 1, 0)),
    "the target in the first column": (text("kind,x,y", row="{c},{x},{y}"), Good(30, 2, 2)),
    "a target that is named so": (text("x,class,y", row="{x},{c},{y}"), Good(30, 2, 2)),
    "a column of text": (text("color,x,kind", row="{c}-red,{x},{c}"), Good(30, 3, 2)),
    "an empty column": (text("x,y,,kind", row="{x},{y},,{c}"), Good(30, 2, 2, "1 empty column")),
    "rows with gaps": (with_line(5, "NA,1.5,a", HEAD), Good(29, 2, 2, note="1 row with gaps left out")),
    "a number with a unit": (
        with_line(7, "12 kg,1.5,a", HEAD), Good(29, 2, 2, note="1 cell that is no number (line 7: `12 kg`)"),
    ),
    "dates are left out": (text("day,x,kind", row="2024-01-{i:0>2},{x},{c}"), Good(30, 1, 2)),
    "formulas are text": (text("sum,x,kind", row="=A{i}+B{i},{x},{c}"), Good(30, 1, 2)),
    "true and false": (text("x,yes", row="{x},{c}").replace("a", "true"), Good(30, 1, 2)),
    "names with markup in them": (text("<b>x</b>,[y](http://z),$k$"), Good(30, 2, 2)),
    "names that repeat in capitals": (text("x,X,kind"), Good(30, 2, 2)),
}  # fmt: skip

REFUSED = {
    "empty": (b" \n ", "The file is empty"),
    "nothing but separators": (b",,\n,,\n", "every line is empty"),
    "too large": (b"1,2,3\n" * (MOST_BYTES // 6 + 1), "up to 5 MB are read"),
    "binary": (bytes(range(256)) * 40, "binary file"),
    "a workbook": (b"PK\x03\x04" + bytes(100), "Excel workbook"),
    "compressed": (gzip.compress(text(HEAD).encode()), "compressed: unpack it"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture"),
    "one column": (text("x", row="{x}"), "one column"),
    "ten thousand columns": ((",".join("x" * 10_000) + "\n") * 30, f"10,000 columns; up to {MOST_COLUMNS}"),
    "one row": (b"1,2,3", "1 row"),
    "names alone": (b"x,y,kind\n", "no rows below"),
    "a line too short": (with_line(9, "1,2", HEAD), "Line 9 has 2 cells where most lines have 3"),
    "a line too long": (with_line(9, "1,2,3,4", HEAD), "Line 9 has 4 cells"),
    "an open quotation mark": (with_line(9, '"1,2,a', HEAD), "Line 9: a quotation mark"),
    "a number of a million digits": (with_line(9, f"{'7' * 1_000_000},2,a", HEAD), "Line 9: a cell of more than"),
    "a number of two thousand digits": (with_line(9, f"{'7' * 2_000},2,a", HEAD), "Line 9, column 1: a cell of 2,000"),
    "a number too large": (with_line(9, "1e300,2,a", HEAD), "Line 9, column `height`: `1e300` is too large"),
    "infinity": (with_line(9, "-inf,2,a", HEAD), "Line 9, column `height`: `-inf` is not finite"),
    "the same name twice": (text("x,y,x"), "Columns 1 and 3 have the same name, `x`"),
    "all gaps": (text("x,y", row="NA,?"), "anything in them but gaps") ,
    "one class": (text(HEAD, row="{i},{x},same"), "one class in all rows, `same`"),
    "too many classes": (text("x,name", row="{x},person {i}"), f"30 classes; up to {MOST_CLASSES}"),
    "too few rows": (text(HEAD, count=12), "12 rows; at least 20"),
    "too many rows": (text(HEAD, count=MOST_ROWS + 1), f"up to {MOST_ROWS:,} are taken"),
    "far too many lines": (text("x,y", row="1,2", count=25_000), "more than 20,000 lines"),
    "every row has a gap": (text("x,y,z", row="{x},,{y}") + "1,2,3\n" * 5, "5 rows without gaps; 30 more have some"),
    "too many inputs": (
        (",".join(f"x{i}" for i in range(70)) + ",y\n") + (",".join(["1.5"] * 70) + ",2.5\n") * 30,
        f"70 inputs, each value of a text one; up to {MOST_INPUTS}",
    ),
    "no input that can be one": (text("id,kind", row="n{i},{c}"), "There is no input"),
}  # fmt: skip


def made(content: str | bytes) -> tuple[Table, Examples]:
    table = read_file(content if isinstance(content, bytes) else content.encode())
    return table, examples_of(table, guessed(table))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_or_odd_file_is_read_rightly(name):
    content, good = GOOD[name]
    table, examples = made(content)
    classes = len(np.unique(examples.targets)) if examples.targets.dtype.kind != "f" else 0
    assert (*examples.inputs.shape, classes) == (good.rows, good.inputs, good.classes)
    assert good.understood in table.understood
    assert good.note in " ".join(examples.notes)
    own = OwnData(examples.inputs, examples.targets, examples.input_names, examples.target_name)
    dataset = own.dataset(Experiment(dataset="custom", n_train=10, data_digest=own.digest, inputs="raw"))
    said = " ".join([size(dataset, len(own.inputs)), yardsticks(dataset), *oddities(dataset)])
    assert not set("<>[]$`") & set(said), "names from a file are no markup"


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_with_what_is_wrong_and_where(name):
    content, sentence = REFUSED[name]
    with pytest.raises(TableError) as refusal:
        made(content)
    assert sentence in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_the_target_is_the_last_column_that_can_be_one():
    table = read_file(text("size,colour,price,note", row="{x},{c},{y},remark {i}").encode())
    assert [column.name for column in table.columns][guessed(table).target] == "price"
    assert len(examples_of(table, guessed(table)).input_names) >= 2


def test_there_are_forty_of_them():
    assert len(GOOD) + len(REFUSED) >= 40


def test_values_are_those_of_the_file():
    _, examples = made(decimal_commas(text("i;x;y", row="{i};{x};{y}")))
    expected = np.array([line.split(",") for line in lines(row="{i},{x},{y}")], float)
    np.testing.assert_array_equal(np.column_stack([examples.inputs, examples.targets]), expected)
    _, examples = made(GOOD["thousands in groups"][0])
    assert examples.inputs[:4, 0].tolist() == [2000.5, 2000.5, 2000.5, 1234.5]
    _, examples = made(GOOD["quoted thousands"][0])
    assert examples.inputs[:2, 0].tolist() == [1000.5, 1001.5]
    _, examples = made(GOOD["a column of text"][0])
    assert examples.input_names == ("color = a-red", "color = b-red", "x")
    assert examples.inputs[:2, :2].tolist() == [[1, 0], [0, 1]]


def test_gaps_are_filled_by_the_median_and_the_most_frequent_value():
    table = read_text(text("x,color,y", row="{i},{c},{y}").replace("\n4,a", "\n,").replace("\n6,a,", "\n6,,"))
    chosen = guessed(table)
    filled = examples_of(table, Selection(chosen.target, chosen.inputs, chosen.classes, fill=True))
    assert filled.inputs[4].tolist() == [15, 0, 1]  # of 0 to 29 without 4; b is left more often
    assert "3 gaps filled" in " ".join(filled.notes)
    assert len(examples_of(table, chosen).inputs) == ROWS - 2


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_what_they_are_called(name):
    table = sample(name)
    examples = examples_of(table, guessed(table))
    expected = {
        "iris": (150, 4, 3),
        "wine": (178, 13, 3),
        "diabetes": (442, 10, 0),
        "moons": (250, 2, 2),
        "sine": (250, 1, 0),
    }
    classes = 0 if examples.targets.dtype.kind == "f" else len(np.unique(examples.targets))
    assert (*examples.inputs.shape, classes) == expected[name]
    sklearn = pytest.importorskip("sklearn.datasets")
    if load := getattr(sklearn, f"load_{name}", None):
        bunch = load(**({"scaled": False} if name == "diabetes" else {}))
        np.testing.assert_array_equal(examples.inputs, bunch.data)
        theirs = bunch.target if classes == 0 else np.unique(examples.targets)[bunch.target]
        np.testing.assert_array_equal(examples.targets, theirs)


def test_what_is_odd_is_said():
    rows = lines("constant,copy,x,y", row="7,{y},{x},{y}")
    rows[10:20] = rows[1:11]
    _, examples = made("\n".join(rows))
    own = OwnData(examples.inputs, examples.targets, examples.input_names, examples.target_name)
    dataset = own.dataset(Experiment(dataset="custom", n_train=18, data_digest=own.digest, inputs="raw"))
    constant, copy, twice = oddities(dataset)
    assert "constant" in constant
    assert "copy" in copy
    shared = {row.tobytes() for row in dataset.train_inputs} & {row.tobytes() for row in dataset.validation_inputs}
    assert shared
    assert "validation examples" in twice


def test_names_are_plain_everywhere():
    assert plain("<b>x</b>") == "‹b›x‹/b›"
    assert plain("=cmd|' /C calc'!A0") == "'=cmd|' /C calc'!A0"
    assert plain("-1.5") == "-1.5"
    assert plain("a\nb\0c") == "a b c"
    assert len(plain("x" * 1000)) == 24
    long, markup = "very " * 5, "[a](http://b)"
    _, examples = made("\n".join(["x,kind", *(f"{i},{[long + 'a', long + 'b', markup][i % 3]}" for i in range(ROWS))]))
    assert len(set(examples.targets)) == 3
    assert not set("".join(examples.targets)) & set("[]:")
    own = OwnData(examples.inputs, examples.targets, ("*a*",), "")
    assert own.named("The largest input, x1, is not x2.") == "The largest input, ∗a∗, is not x2."
    assert not set(plain("[a](http://b) *c* $d$ :red[e] `f` %{x}")) & set("[]*$:`{")


def test_data_of_ones_own_are_the_engines():
    _, examples = made(text(HEAD))
    own = OwnData(examples.inputs, examples.targets, examples.input_names, examples.target_name)
    experiment = Experiment(dataset="custom", n_train=10, data_digest=own.digest, seed=3)
    mine, theirs = own.dataset(experiment), load_dataset(experiment, own.arrays)
    assert mine.input_names == ("height", "width")
    assert mine.class_names == ("a", "b")
    np.testing.assert_array_equal(mine.train_inputs, theirs.train_inputs)
    np.testing.assert_array_equal(mine.test_targets, theirs.test_targets)


def test_points_in_a_link_are_rows_of_a_table():
    table = table_of("draw", "0AA1__0gf")
    assert table.columns[0].numbers.tolist() == pytest.approx([-2, 2, 4 * 32 / 63 - 2], abs=1e-3)
    assert table.columns[1].numbers.tolist() == pytest.approx([-2, 2, 4 * 31 / 63 - 2], abs=1e-3)
    assert table.columns[2].texts.tolist() == ["A", "B", "A"]
    assert [len(column.texts) for column in table_of("curve", "AA__").columns] == [2, 2]
    assert table_of("draw", "") is table_of("draw", "0AA1") is None
    assert points_in(["0AA1__"]) == "0AA1__"
    for text in ("0A!", "0AA" * 151, "x\0y"):
        with pytest.raises(OutOfRange):
            points_in([text])
