"""The tables of a run: every number that it recorded, and nothing that a spreadsheet would calculate."""

import csv
import io
import zipfile

import numpy as np

from engine import Experiment, train
from engine.export import tables
from engine.export.tables import csv_tables, csv_text, zipped

HISTORY = train(Experiment(depth=2, width=4, n_train=20, steps=12, dataset="blobs", normalization="batch"))


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_tables_have_every_number_of_the_run(monkeypatch):
    found = csv_tables(HISTORY, ("top", "left", "right"))
    assert list(found) == [
        "settings.csv", "updates.csv", "evaluations.csv", "layers.csv", "parameters.csv", "confusion.csv",
    ]  # fmt: skip
    for clock, file in ((HISTORY.step, "updates.csv"), (HISTORY.evaluation_step, "evaluations.csv")):
        for name in rows(found[file])[0]:
            values = clock if name == "step" else getattr(HISTORY, name)
            np.testing.assert_array_equal([float(row[name]) for row in rows(found[file])], values)
    layers = rows(found["layers.csv"])
    names = tables.LAYERS_OF_UPDATES + tables.LAYERS_OF_EVALUATIONS
    assert {row["quantity"] for row in layers} == set(names)
    for name in names:
        mine = [row for row in layers if row["quantity"] == name]
        np.testing.assert_array_equal([float(row["value"]) for row in mine], getattr(HISTORY, name).ravel())
        assert [int(row["layer"]) for row in mine[:3]] == [1, 2, 3]
    parameters = rows(found["parameters.csv"])
    last = [row for row in parameters if int(row["step"]) == HISTORY.frame_step[-1]]
    for name in ("weights", "biases", "scales", "running_variances"):
        mine = [float(row["value"]) for row in last if row["parameter"] == name]
        np.testing.assert_array_equal(mine, np.concatenate([array[-1].ravel() for array in getattr(HISTORY, name)]))
    (weight,) = (r for r in last if (r["parameter"], r["layer"], r["from"], r["to"]) == ("weights", "2", "3", "1"))
    assert float(weight["value"]) == HISTORY.weights[1][-1, 2, 0]
    confusion = [int(row["count"]) for row in rows(found["confusion.csv"])]
    assert confusion == HISTORY.confusion.ravel().tolist()

    monkeypatch.setattr(tables, "MOST_PARAMETERS", 1)
    fewer = {int(row["step"]) for row in rows(csv_tables(HISTORY)["parameters.csv"])}
    assert fewer == {0, HISTORY.best_step, 12}


def test_names_are_text_in_a_spreadsheet_and_numbers_stay_numbers():
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", 'a "quote", and\nmore', "é", ""]
    text = csv_text(names, [names, [-1.5, float("nan"), 2, True, None, -3e-300, 0, 0, 0]])
    header, first, second = csv.reader(io.StringIO(text, newline=""))
    assert header == first
    assert [cell.removeprefix("'") for cell in first] == names
    assert [cell[:1] for cell in first[:6]] == ["'"] * 6
    assert second[:6] == ["-1.5", "nan", "2", "True", "", "-3e-300"]


def test_class_names_of_a_file_are_safe_too():
    assert "'=HYPERLINK" in csv_tables(HISTORY, ("=HYPERLINK(1)", "b", "c"))["confusion.csv"]


def test_equal_files_make_an_equal_zip():
    files = {"a/b.csv": "x\n1\n", "run.npz": b"\x00\x01"}
    assert zipped(files) == zipped(files)
    with zipfile.ZipFile(io.BytesIO(zipped(files))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "a/b.csv": b"x\n1\n",
            "run.npz": b"\x00\x01",
        }
