"""A table from outside: read and understood, or refused, with a sentence.

Nothing here knows the screen.  Lines are counted from 1 as an editor counts them, with the line of names; so are
columns.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.export.tables import safe
from pages.walkthrough.user_input import as_code

Array = np.ndarray

MOST_BYTES = 5 * 1024**2  # as maxUploadSize of .streamlit/config.toml
MOST_CHARACTERS = 1000  # of a cell
READ_OF_CELL = f"up to {MOST_CHARACTERS:,} are read"
MOST_LINES = 20_000  # that are read at all
MOST_COLUMNS = 256  # the same
NUMERIC = 0.8  # share of a column's cells that must be numbers for it to be one of numbers
SAME_WIDTH = 0.9  # share of the lines that a delimiter must cut into equally many cells
LARGEST = 1e100  # size of a number; as in engine/data/custom.py
LONGEST_NAME = 40  # characters of a name in a sentence

DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "spaces"}
GAPS = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "missing", "?", "-", "."})
SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook or another archive: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"%PDF": "a PDF: copy the table and paste it",
    b"\x1f\x8b": "compressed: unpack it first",
    b"PAR1": "a Parquet file: save it as CSV",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, which spreadsheets call Unicode text

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
INFINITE = r"[+-]?inf(?:inity)?"
GROUPED = {".": r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", ",": r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?"}
SEPARATOR_LINE = re.compile(r"sep=(.)", re.IGNORECASE)  # by which a spreadsheet says what separates its cells
SPACES = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009", None) | {"−": "-"})  # within numbers, and the true minus


class TableError(ValueError):
    """What is wrong with a table, and where, in a sentence of Markdown."""


@dataclass(frozen=True, eq=False)
class Column:
    """texts: its cells, "" for a gap; numbers: the same as float64, NaN for a gap, or None for a column of text.

    remark: a sentence about cells that count as gaps, where there are any that are not empty.
    """

    name: str
    texts: Array
    numbers: Array | None
    remark: str = ""

    @property
    def gaps(self) -> Array:
        """Where it has none, (n,)."""
        return self.texts == "" if self.numbers is None else np.isnan(self.numbers)

    @property
    def values(self) -> list[str]:
        """Different values of a column of text, without gaps."""
        return sorted(set(self.texts[~self.gaps].tolist()))

    @property
    def quoted(self) -> str:
        return as_code(self.name, LONGEST_NAME)


@dataclass(frozen=True, eq=False)
class Table:
    """columns: all that have a cell that is no gap; lines: where each row begins; understood: how it was read.

    named: whether its first line was taken for names.
    """

    columns: tuple[Column, ...]
    lines: tuple[int, ...]
    understood: str
    named: bool

    def __len__(self) -> int:
        return len(self.lines)

    def preview(self, rows: int) -> pd.DataFrame:
        """The first rows, as they were read."""
        shown = {safe(column.name): _cells(column)[:rows] for column in self.columns}
        return pd.DataFrame(shown, index=pd.Index(self.lines[:rows], name="line"))


def _cells(column: Column) -> Array:
    if column.numbers is not None:
        return column.numbers
    return np.array([safe(text) for text in column.texts], dtype=object)  # a preview can be saved, and opened elsewhere


def read_file(content: bytes, header: bool | None = None) -> Table:
    """The table in a file; header: whether its first line has the names, None: as it looks.  TableError if none."""
    if not content.strip():
        raise TableError("The file is empty.")
    if len(content) > MOST_BYTES:
        raise TableError(f"The file has {len(content) / 1024**2:.1f} MB; up to {MOST_BYTES // 1024**2} MB are read.")
    for signature, what in SIGNATURES.items():
        if content.startswith(signature):
            raise TableError(f"This is no text with a table but {what}.")
    if content.startswith(BYTE_ORDER_MARKS):
        encodings = {"utf-16": "UTF-16"}
    elif b"\0" in content:
        raise TableError("This is a binary file, not a text with a table.")
    else:
        encodings = {"utf-8-sig": "UTF-8", "cp1252": "Latin-1", "latin-1": "Latin-1"}
    for encoding, name in encodings.items():
        try:
            return read_text(content.decode(encoding), header, name)
        except UnicodeDecodeError:
            continue
    raise TableError("The file’s characters cannot be read; save it as UTF-8.")


def read_text(text: str, header: bool | None = None, encoding: str = "") -> Table:
    """The table in a text; see `read_file`."""
    if len(text) > MOST_BYTES:
        raise TableError(f"The table has {len(text):,} characters; up to {MOST_BYTES:,} are read.")
    lines, rows, delimiter = _rows(text)
    if not rows:
        raise TableError("There is no table: every line is empty.")
    width = _width(rows, lines)
    if width > MOST_COLUMNS:
        raise TableError(f"The table has {width:,} columns; up to {MOST_COLUMNS} are read.")
    if width == 1:
        raise TableError(
            "The table has one column; it needs a target and at least one input, with commas, semicolons or tabs "
            "between them."
        )
    cells = pd.DataFrame(rows, dtype=object)
    decimal = _decimal(cells, delimiter)
    cells = cells.map(lambda cell: "" if cell.lower() in GAPS else cell)
    plain = cells.apply(_as_numbers, decimal=decimal)
    named = _has_names(cells, plain) if header is None else header
    names = _names(cells.iloc[0].tolist() if named else [""] * width)
    if named:
        cells, plain, lines = cells.iloc[1:], plain.iloc[1:], lines[1:]
    if len(cells) == 0:
        raise TableError("The table has one line, of names; there are no rows below it that have anything in them.")
    columns = [_column(name, cells[i], plain[i], lines) for i, name in enumerate(names)]
    kept = tuple(column for column in columns if not column.gaps.all())
    if len(kept) < 2:
        raise TableError("Fewer than two columns of the table have anything in them but gaps.")
    understood = [
        encoding,
        f"{DELIMITERS.get(delimiter, delimiter)} between cells",
        "decimal comma" if decimal == "," else "",
        "the first line has the names" if named else "no line of names",
        f"{width - len(kept)} empty columns left out" if len(kept) < width else "",
    ]
    return Table(kept, tuple(lines), ", ".join(filter(None, understood)), named)


def _rows(text: str) -> tuple[list[int], list[list[str]], str]:
    """Lines at which rows begin, their cells, without spaces around them, and what stands between cells."""
    first, _, rest = text.partition("\n")
    skipped = 0
    if said := SEPARATOR_LINE.fullmatch(first.strip()):
        delimiter, text, skipped = said[1], rest, 1
    else:
        delimiter = _delimiter(text)
    lines, rows = [], []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    begin = 1 + skipped
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if delimiter == " " and cells and not cells[-1]:
                del cells[-1]  # a space at the end of the line
            if any(cells):
                for i, cell in enumerate(cells):
                    if len(cell) > MOST_CHARACTERS:
                        place = f"Line {begin}, column {i + 1}"
                        raise TableError(f"{place}: a cell of {len(cell):,} characters; {READ_OF_CELL}.")
                lines.append(begin)
                rows.append(cells)
                if len(rows) > MOST_LINES:
                    raise TableError(f"The table has more than {MOST_LINES:,} lines.")
            begin = reader.line_num + 1 + skipped
    except csv.Error as problem:
        raise TableError(_csv_problem(problem, begin)) from None
    return lines, rows, delimiter


def _csv_problem(problem: csv.Error, line: int) -> str:
    if "field larger" in str(problem):
        return f"Line {line}: a cell of more than {csv.field_size_limit():,} characters; {READ_OF_CELL}."
    return f"Line {line}: a quotation mark is opened and not closed where the cell ends."


def _delimiter(text: str) -> str:
    """What cuts the first lines into equally many cells, more than one; else what cuts them into the most."""
    sample = [line.strip(" \r") for line in text[:MOST_BYTES].split("\n", 100)[:100] if line.strip()]
    found: dict[str, float] = {}
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(sample, delimiter=delimiter, skipinitialspace=True)]
        except csv.Error:
            continue
        ((usual, count),) = Counter(widths).most_common(1) or [(1, 0)]
        if usual > 1 and count >= SAME_WIDTH * len(widths):
            return delimiter
        found[delimiter] = 0 if delimiter == " " else sum(widths) / max(len(widths), 1)
    return max(found, key=lambda one: found[one], default=",")


def _width(rows: Sequence[Sequence[str]], lines: Sequence[int]) -> int:
    """How many cells every row has."""
    ((usual, _),) = Counter(map(len, rows)).most_common(1)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != usual:
            raise TableError(
                f"Line {line} has {len(row):,} cell{'' if len(row) == 1 else 's'} where most lines have {usual:,}."
            )
    return usual


def _decimal(cells: pd.DataFrame, delimiter: str) -> str:
    if delimiter == ",":
        return "."
    counts = [
        sum(int(column.str.fullmatch(pattern).sum()) for _, column in cells.items())
        for pattern in (r"[+-]?\d*,\d+", r"[+-]?\d*\.\d+")
    ]
    return "," if counts[0] > counts[1] else "."


def _as_numbers(cells: pd.Series, decimal: str) -> pd.Series:
    """Numbers of a column's cells; NaN where a cell is none, infinite where it says so or is beyond all numbers."""
    texts = cells.map(lambda cell: cell.translate(SPACES))
    thousands = "." if decimal == "," else ","
    grouped = texts.str.fullmatch(GROUPED[decimal])
    texts = texts.where(~grouped, texts.str.replace(thousands, "", regex=False))
    if decimal == ",":
        texts = texts.str.replace(",", ".", regex=False)
    right = texts.str.fullmatch(NUMBER) | texts.str.fullmatch(INFINITE, case=False)
    return texts.where(right, "nan").astype(float)


def _has_names(cells: pd.DataFrame, plain: pd.DataFrame) -> bool:
    """Whether the first line looks like names: no numbers in it, and numbers below it, or what stands nowhere else."""
    first, below = cells.iloc[0], cells.iloc[1:]
    if plain.iloc[0].notna().any() or len(below) == 0:
        return len(below) == 0 and plain.iloc[0].isna().all()
    if (plain.iloc[1:].notna().mean() > NUMERIC).any():
        return True
    return not any((below[i] == name).any() for i, name in first.items())


def _names(given: Sequence[str]) -> list[str]:
    """Of all columns; "column 3" where there is none."""
    names = [name or f"column {i + 1}" for i, name in enumerate(given)]
    places: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in places:
            raise TableError(
                f"Columns {places[name] + 1} and {i + 1} have the same name, {as_code(name, LONGEST_NAME)}; each needs "
                "its own."
            )
        places[name] = i
    return names


def _column(name: str, cells: pd.Series, plain: pd.Series, lines: Sequence[int]) -> Column:
    texts, numbers = cells.to_numpy(dtype=object), plain.to_numpy(dtype=float)
    filled = texts != ""
    for i in np.flatnonzero(filled & (np.abs(numbers) > LARGEST)).tolist():
        what = "is not finite" if re.fullmatch(INFINITE, texts[i], re.IGNORECASE) else "is too large"
        place = f"Line {lines[i]}, column {as_code(name, LONGEST_NAME)}"
        raise TableError(f"{place}: {as_code(texts[i])} {what}; numbers up to {LARGEST:g} are taken.")
    known = ~np.isnan(numbers)
    if not filled.any() or known.sum() < NUMERIC * filled.sum():
        return Column(name, texts, None)
    odd = np.flatnonzero(filled & ~known)
    if not len(odd):
        return Column(name, texts, numbers)
    which = "1 cell that is no number" if len(odd) == 1 else f"{len(odd):,} cells that are no numbers"
    example = f"line {lines[odd[0]]}: {as_code(texts[odd[0]])}"
    return Column(name, texts, numbers, f"{as_code(name, LONGEST_NAME)} has {which} ({example}): taken for gaps.")
