"""What a visitor takes home: the saved page is small and harmless, the zip has all."""

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from engine import Experiment, RunHistory, Training, diagnose, train
from engine.export.engine_script import engine_script
from engine.export.notebook import notebook
from engine.export.torch_script import torch_script
from pages.charts.one_run import activations, gradient_per_layer, learning_curves, predictions
from pages.charts.style import figure
from pages.components.laboratory.data import experiment_of
from pages.components.laboratory.networks import LOOKS
from pages.components.laboratory.selection import examples_of, guessed
from pages.components.laboratory.tables import read_text
from pages.components.lesson import sweeps, take_home
from pages.components.lesson.take_home import Shown, data_zip, saved_page
from pages.components.shell.runs import Branched
from pages.export import page_html
from pages.text.own_data import OwnData
from tests.engine.made_outcomes import made

number = re.compile(r"-?[\d.]+(e[+-]?\d+)?|-inf")
PATIENT = Experiment(depth=5, width=8, activation="sigmoid", initializer="xavier_normal", steps=40)
TREATED = replace(PATIENT, activation="relu")
SHOWN = Shown(
    "vanishing_gradients", "Vanishing gradients", "It <b>vanishes</b>.", "Treated differs in: [activation](#word-a).",
    "javascript:alert(1)", ((figure.PATIENT, PATIENT), (figure.TREATED, TREATED)),
    (activations, gradient_per_layer, learning_curves, predictions),
)  # fmt: skip


@pytest.fixture(autouse=True)
def trained_here(monkeypatch):
    monkeypatch.setattr(take_home, "ended_runs", lambda experiments, data: tuple(map(trained, experiments)))


@lru_cache
def trained(experiment):
    return train(experiment)


def test_the_saved_page_is_small_asks_for_nothing_and_shows_names_as_text(monkeypatch):
    page = saved_page(SHOWN)
    text = page.decode()
    assert len(page) <= page_html.MOST_BYTES
    assert "It &lt;b&gt;vanishes&lt;/b&gt;." in text
    assert "Treated differs in: activation." in text
    markup = text.partition("<script")[0]
    assert "alert(1)" in markup
    assert not re.search("(?:src|href)=", markup), "a link that is no web address is text"
    assert [text.count(f'<section id="{name}"') for name in ("gradient_per_layer", "predictions")] == [1, 1]

    monkeypatch.setattr(page_html, "MOST_BYTES", len(page) - 1)
    shorter = saved_page(SHOWN).decode()
    assert f"Too large for this file: {predictions.TITLE}." in shorter
    assert '<section id="predictions"' not in shorter


class Known:
    """A server on which every change was tried, with the same success."""

    def known(self, experiments):
        return {one: made(one) for one in experiments}


def test_the_zip_has_tables_runs_report_and_page(monkeypatch):
    monkeypatch.setattr(sweeps, "shared_sweeps", Known)
    with zipfile.ZipFile(io.BytesIO(data_zip(SHOWN))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    tables = ("settings", "updates", "evaluations", "layers", "parameters", "confusion")
    expected = {f"{who}/{table}.csv" for who in ("patient", "treated") for table in tables}
    assert set(files) == expected | {"patient/run.npz", "treated/run.npz", "report.md", "page.html"}
    for who, experiment in (("patient", PATIENT), ("treated", TREATED)):
        again, history = RunHistory.load(io.BytesIO(files[f"{who}/run.npz"])), trained(experiment)
        assert again.experiment == experiment
        assert again.delta_rms.tobytes() == history.delta_rms.tobytes()
    links = re.findall(r"\]\(page\.html#(\w+)\)", files["report.md"].decode())
    assert set(links) == {"activations", "gradient_per_layer", "learning_curves", "predictions"}
    assert all(f'id="{link}"'.encode() in files["page.html"] for link in links)
    assert "## Cures that were tried" in files["report.md"].decode()
    assert b"upper moon" in files["patient/confusion.csv"]
    with zipfile.ZipFile(io.BytesIO(data_zip(replace(SHOWN, report=False)))) as archive:
        assert set(archive.namelist()) == set(files) - {"report.md"}


def patients(classes: tuple[str, str] = ("=1+1", "<b>well</b>")) -> OwnData:
    """A table as a spreadsheet writes it, whose names a spreadsheet would calculate or a page take for markup."""
    rows = [f"{i},5;{i * i % 17};{'@A1' if i % 3 else 'x'};{classes[i % 5 > 2]}" for i in range(60)]
    rows[7] = rows[7].replace("7,5", "k.A.")
    table = read_text("\n".join(["=SUM(A1);+b;c;kind", *rows]))
    examples = examples_of(table, guessed(table))
    return OwnData(examples.inputs, examples.targets, examples.input_names, examples.target_name)


def test_own_data_go_into_scripts_notebook_zip_and_page(monkeypatch):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    own = patients()
    first = experiment_of(own, split="stratified", held_out=0.3, depth=2, width=4, steps=20, seed=3)
    other = replace(first, activation="tanh")
    future = Branched(first, ((8, replace(first, learning_rate=0.5)),))
    looks = [replace(look, name=name) for look, name in zip(LOOKS, ("Present", "a b", "=2+2"), strict=False)]
    pairs = tuple(zip(looks, (first, other, future), strict=True))
    lab = Shown("laboratory", "Laboratory", "87 % right.", "", "http://x/", pairs, (learning_curves, predictions), own)
    runs = [train(first, own.arrays), train(other, own.arrays)]
    part = Training(first, own.arrays, branches=future.branches)
    runs.append(part.advance(20).history())
    monkeypatch.setattr(take_home, "ended_runs", lambda experiments, data: tuple(runs))
    monkeypatch.setattr(sweeps, "shared_sweeps", Known)

    losses = {}
    for make, name in ((engine_script, "history"), (torch_script, "losses")):
        names: dict = {"__name__": "__main__"}
        exec(compile(make(first, own.arrays), name, "exec"), names)
        losses[name] = names[name]
    assert losses["history"].batch_loss.tobytes() == runs[0].batch_loss.tobytes()
    np.testing.assert_allclose(losses["losses"], runs[0].batch_loss, rtol=1e-6)
    cells = [cell["source"] for cell in json.loads(notebook(first, own.arrays))["cells"]]
    assert engine_script(first, own.arrays).rstrip("\n") in cells
    assert torch_script(first, own.arrays).rstrip("\n") in cells

    with zipfile.ZipFile(io.BytesIO(data_zip(lab))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert {name.partition("/")[0] for name in files if "/" in name} == {"present", "a_b", "2_2"}
    for folder, history in zip(lab.stems, runs, strict=True):
        again = RunHistory.load(io.BytesIO(files[f"{folder}/run.npz"]))
        assert again.batch_loss.tobytes() == history.batch_loss.tobytes()
    for name, content in files.items():
        if name.endswith(".csv"):
            cells = [cell for row in csv.reader(io.StringIO(content.decode())) for cell in row]
            unsafe = [cell for cell in cells if cell.startswith(("=", "+", "-", "@")) and not number.fullmatch(cell)]
            assert not unsafe, name
    rows = list(csv.reader(io.StringIO(files["data.csv"].decode())))
    assert rows[0] == ["'=SUM(A1)", "'+b", "c = @A1", "c = x", "kind"]
    assert [row[0] for row in rows[1:]] == [f"{i}.5" for i in range(60) if i != 7]
    report = files["report.md"].decode()
    assert all(finding.explanation in report for finding in diagnose(runs[0], own.arrays))
    markup = files["page.html"].decode().partition("<script")[0]
    assert "<b>well" not in markup
    assert "=2+2" in markup
