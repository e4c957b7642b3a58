"""What a visitor takes home: the saved page is small and harmless, the zip has all."""

import io
import re
import zipfile
from dataclasses import replace
from functools import lru_cache

import pytest

from engine import Experiment, RunHistory, train
from pages.charts.one_run import gradient_per_layer, learning_curves, predictions
from pages.components.lesson import sweeps, take_home
from pages.components.lesson.take_home import Shown, data_zip, saved_page
from pages.export import page_html
from tests.engine.made_outcomes import made

PATIENT = Experiment(depth=5, width=8, activation="sigmoid", initializer="xavier_normal", steps=40)
TREATED = replace(PATIENT, activation="relu")
SHOWN = Shown(
    "vanishing_gradients", "Vanishing gradients", "It <b>vanishes</b>.", "Treated differs in: [activation](#word-a).",
    "javascript:alert(1)", PATIENT, TREATED, (gradient_per_layer, learning_curves, predictions),
)  # fmt: skip


@pytest.fixture(autouse=True)
def trained_here(monkeypatch):
    monkeypatch.setattr(take_home, "ended_runs", lambda experiments: tuple(map(trained, experiments)))


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
    assert links == ["gradient_per_layer", "learning_curves", "predictions"]
    assert all(f'id="{link}"'.encode() in files["page.html"] for link in links)
    assert "## Cures that were tried" in files["report.md"].decode()
    assert b"upper moon" in files["patient/confusion.csv"]
