"""A run as a file: equal after the way there and back, and a file that is none is refused with a sentence."""

import io
import json
import pickle
import zipfile
from dataclasses import fields, replace

import numpy as np
import pytest

from engine import Experiment, OutOfRange, RunHistory, Training, train
from engine.history_file import DESCRIBED, LARGEST

SMALL = Experiment(depth=2, width=4, n_train=20, steps=12)
RUNS = {
    "plain": {},
    "batch normalised, three classes": {"normalization": "batch", "dataset": "blobs", "dropout": 0.2},
    "layer normalised": {"normalization": "layer"},
    "many inputs": {"dataset": "digits"},
    "a line": {"dataset": "sine"},
    "diverged": {"dataset": "sine", "learning_rate": 1000.0, "depth": 8},
    "stopped early": {"patience": 1, "learning_rate": 3.0, "steps": 100},
    "one update": {"steps": 1},
}
HISTORY = train(SMALL)


def written(history):
    file = io.BytesIO()
    history.save(file)
    return file.getvalue()


def changed(**entries):
    """A saved run with other arrays in it; None takes one away."""
    with np.load(io.BytesIO(written(HISTORY))) as archive:
        arrays = {**archive, **entries}
    file = io.BytesIO()
    np.savez(file, **{name: array for name, array in arrays.items() if array is not None})
    return file.getvalue()


def described(**changes):
    with np.load(io.BytesIO(written(HISTORY))) as archive:
        run = json.loads(str(archive["run"][()]))
    run["experiment"] |= changes.pop("experiment", {})
    return changed(run=np.array(json.dumps(run | changes)))


def branched():
    return Training(SMALL).advance(5).branch(replace(SMALL, learning_rate=0.01)).advance(12).history()


@pytest.mark.parametrize("settings", [*RUNS.values(), None], ids=[*RUNS, "branched"])
def test_a_run_comes_back_equal(settings, tmp_path):
    history = branched() if settings is None else train(replace(SMALL, **settings))
    history.save(tmp_path / "run")
    for again in (RunHistory.load(tmp_path / "run"), RunHistory.load(io.BytesIO(written(history)))):
        for row in fields(RunHistory):
            mine, theirs = getattr(history, row.name), getattr(again, row.name)
            assert type(theirs) is type(mine), row.name
            if row.name in DESCRIBED:
                assert theirs == mine
                continue
            several = isinstance(mine, tuple)
            assert not several or len(theirs) == len(mine)
            for a, b in zip(mine if several else [mine], theirs if several else [theirs], strict=True):
                if a is not None:
                    assert np.asarray(a).tobytes() == np.asarray(b).tobytes(), row.name
                    assert np.shape(a) == np.shape(b)
                    assert np.asarray(a).dtype == np.asarray(b).dtype
                    assert not isinstance(b, np.ndarray) or not b.flags.writeable


class Harmful:
    def __reduce__(self):
        return pytest.fail, ("a file was unpickled",)


def archive(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip_file:
        zip_file.writestr(name, content)
    return file.getvalue()


def one_array(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def claiming(shape):
    """An array's file whose header says that it has this shape."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue()


def bomb():
    """A zip that says its array is larger than any run."""
    content = bytearray(archive("run.npy", b"0"))
    at = content.index(b"PK\x01\x02") + 24  # the size in the directory
    content[at : at + 4] = min(int(LARGEST) + 1, 2**32 - 2).to_bytes(4, "little")
    return bytes(content)


HOSTILE = {
    "empty": b"",
    "text": b"step,loss\n0,0.7\n",
    "a pickle": pickle.dumps(Harmful()),
    "a pickle in an array": one_array(np.array([Harmful()], dtype=object)),
    "one array": one_array(np.zeros(3)),
    "another zip": archive("hello.txt", b"hello"),
    "half of it": written(HISTORY)[:2000],
    "pickles within": changed(weights=np.array([Harmful()], dtype=object)),
    "a huge claim": archive("step.npy", claiming((10**15,))),
    "a bomb": bomb(),
    "no description": changed(run=None),
    "a description of bytes": changed(run=np.array(b"{")),
    "deep JSON": changed(run=np.array("[" * 100_000)),
    "another format": described(format=99),
    "an unknown setting": described(experiment={"colour": "red"}),
    "a setting out of range": described(experiment={"depth": 10**9}),
    "another depth": described(experiment={"depth": 3}),
    "another status": described(status="<script>"),
    "a step that is no number": described(best_step="0"),
    "an end in no layer": described(diverged_at=[1, 7, "weights"]),
    "branches that are none": described(branches=[[3, 4]]),
    "an array too few": changed(batch_loss=None),
    "an array too many": changed(extra=np.zeros(3)),
    "a status of numbers": changed(status=np.zeros(3)),
    "an index out of order": changed(**{"weights.1": None}),
    "another length": changed(batch_loss=np.zeros(3)),
    "other numbers": changed(step=np.zeros(12)),
    "text for numbers": changed(batch_loss=np.array(["=1"] * 12)),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_run_is_refused_with_a_sentence(content, tmp_path):
    path = tmp_path / "file.npz"
    path.write_bytes(content)
    for file in (path, io.BytesIO(content)):
        with pytest.raises(OutOfRange, match=r"must be a run that RunHistory\.save wrote") as refusal:
            RunHistory.load(file)
        assert refusal.value.field == "file"


def test_a_damaged_file_is_refused_or_read_and_nothing_else():
    content, random = written(HISTORY), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        for position in random.integers(len(content), size=random.integers(1, 5)):
            damaged[position] = random.integers(256)
        try:
            RunHistory.load(io.BytesIO(bytes(damaged)))
        except OutOfRange:
            refused += 1
    assert refused > 200


def test_a_file_that_is_not_there_is_another_matter(tmp_path):
    with pytest.raises(FileNotFoundError):
        RunHistory.load(tmp_path / "none.npz")
