"""What a run recorded as tables: CSV texts that a spreadsheet may open, and a zip of such files."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from engine.experiment import SETTINGS
from engine.history import RunHistory
from engine.history_file import EVALUATIONS, LAYERS_OF_EVALUATIONS, LAYERS_OF_UPDATES, PARAMETERS, UPDATES

Array = np.ndarray

MOST_PARAMETERS = 50_000  # rows of parameters.csv, about 2 MB and a tenth of a second (tuned)
FORMULA = tuple("=+-@\t\r\n")  # how a cell begins that a spreadsheet would calculate (OWASP, CSV Injection)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV (RFC 4180).  Numbers stay numbers; a text that a spreadsheet would calculate gets a ' before it."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([safe(cell) for cell in header])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return file.getvalue()


def _numbers(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The same of numbers and names of fields, which need no quotes: half a million rows in half a second."""
    return "".join(f"{','.join(map(str, row))}\r\n" for row in (header, *rows))


def safe(cell: Any) -> Any:
    """A cell that a spreadsheet does not calculate."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def csv_tables(history: RunHistory, class_names: Sequence[str] = ()) -> dict[str, str]:
    """File name -> CSV: settings, updates, evaluations, layers, parameters, and for classes the confusion matrix.

    layers.csv and parameters.csv have one number a row; layers count from 1, the output layer is the last.
    parameters.csv has fewer of the frames where they would be too many, the first, the best and the last always.
    """
    e = history.experiment
    settings = ((name, getattr(e, name), setting.label) for name, setting in SETTINGS.items())
    clocked = history.step, history.evaluation_step
    tables = {
        "settings.csv": csv_text(("setting", "value", "label"), settings),
        "updates.csv": _by_step(history, history.step, UPDATES),
        "evaluations.csv": _by_step(history, history.evaluation_step, EVALUATIONS),
        "layers.csv": _numbers(
            ("step", "layer", "quantity", "value"),
            (
                row
                for clock, names in zip(clocked, (LAYERS_OF_UPDATES, LAYERS_OF_EVALUATIONS), strict=True)
                for name in names
                for row in _by_layer(clock, name, getattr(history, name))
            ),
        ),
        "parameters.csv": _numbers(("step", "layer", "parameter", "from", "to", "value"), _parameters(history)),
    }
    if history.confusion is not None:
        names = class_names or range(history.confusion.shape[1])
        tables["confusion.csv"] = csv_text(("step", "true", "predicted", "count"), _confusion(history, tuple(names)))
    return tables


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of these files; equal ones are equal to the last bit.  Bytes are compressed already, texts are not."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zip_file:
        for name, content in files.items():
            how = zipfile.ZIP_DEFLATED if isinstance(content, str) else zipfile.ZIP_STORED
            zip_file.writestr(zipfile.ZipInfo(name), content, how)
    return archive.getvalue()


def _by_step(history: RunHistory, clock: Array, names: Sequence[str]) -> str:
    columns = [clock.tolist(), *(getattr(history, name).tolist() for name in names)]
    return _numbers(("step", *names), zip(*columns, strict=True))


def _by_layer(clock: Array, name: str, values: Array) -> Iterator[tuple]:
    for step, row in zip(clock.tolist(), values.tolist(), strict=True):
        for layer, value in enumerate(row, start=1):
            yield step, layer, name, value


def _parameters(history: RunHistory) -> Iterator[tuple]:
    kept = [(name, layer, array) for name in PARAMETERS for layer, array in enumerate(getattr(history, name), start=1)]
    each = sum(array[0].size for _, _, array in kept)
    for k in _frames(history, MOST_PARAMETERS // max(each, 1)):
        for name, layer, array in kept:
            for index, value in np.ndenumerate(array[k]):
                source, target = (index[0] + 1, index[1] + 1) if len(index) == 2 else ("", index[0] + 1)
                yield int(history.frame_step[k]), layer, name, source, target, float(value)


def _frames(history: RunHistory, most: int) -> list[int]:
    """Indices of the frames, evenly thinned to about `most`; the first, the best and the last always."""
    count = len(history.frame_step)
    chosen = np.linspace(0, count - 1, min(max(most, 2), count)).round().astype(int)
    best = int(np.searchsorted(history.frame_step, history.best_step))
    return sorted({*chosen.tolist(), min(best, count - 1)})


def _confusion(history: RunHistory, names: Sequence[Any]) -> Iterator[tuple]:
    assert history.confusion is not None
    for step, counts in zip(history.frame_step.tolist(), history.confusion.tolist(), strict=True):
        for true, row in zip(names, counts, strict=True):
            for predicted, count in zip(names, row, strict=True):
                yield step, true, predicted, count
