"""What a visitor takes home from a lesson: scripts, a notebook, the page as one file, all numbers.

Everything is made when its button is clicked, and of the runs that the server has then.  A session keeps these buttons
with what they need, so that is small: settings and sentences, no history.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from engine import Experiment, RunHistory, Trial, load_dataset
from engine.export.engine_script import engine_script
from engine.export.notebook import notebook
from engine.export.tables import csv_tables, zipped
from engine.export.torch_script import torch_script
from pages.charts.style.figure import PATIENT, TREATED, Chart
from pages.charts.sweeps import prescription
from pages.charts.sweeps.groups import trials_of_search
from pages.components.lesson.cards import sent
from pages.components.lesson.strip import described
from pages.components.lesson.sweeps import so_far
from pages.components.settings.controls import heading
from pages.components.shell.runs import ended_runs
from pages.export.page_html import ChartOfPage, Contents, page_html
from pages.text.clock import timeline_steps
from pages.text.report import report


@dataclass(frozen=True)
class Shown:
    """A lesson's page as it stands.  page: its name in the address; link: the address that opens it."""

    page: str
    title: str
    verdict: str
    note: str
    link: str
    patient: Experiment
    treated: Experiment
    charts: tuple[Chart, ...]

    @property
    def networks(self) -> tuple[tuple[str, Experiment], ...]:
        return (PATIENT.name, self.patient), (TREATED.name, self.treated)

    def histories(self) -> tuple[RunHistory, ...]:
        return ended_runs((self.patient, self.treated))


@st.fragment
def take_home(shown: Shown) -> None:
    """Draw the button that opens what can be taken home."""
    if st.button("Take home", icon=":material/download:", key="take_home", help="Scripts, notebook, page, data"):
        _dialog(shown)


@st.dialog("Take home", icon=":material/download:")
def _dialog(shown: Shown) -> None:
    for look, experiment in ((PATIENT, shown.patient), (TREATED, shown.treated)):
        st.markdown(heading(look))
        stem = f"{shown.page}_{look.name.lower()}"
        with st.container(horizontal=True):
            _button("Engine script", partial(engine_script, experiment), f"{stem}.py", "text/x-python")
            _button("PyTorch script", partial(torch_script, experiment), f"{stem}_torch.py", "text/x-python")
            _button(
                "Notebook", partial(notebook, experiment, link=shown.link), f"{stem}.ipynb",
                "application/x-ipynb+json",
            )  # fmt: skip
    st.markdown("**Both**")
    with st.container(horizontal=True):
        _button("Page as HTML", partial(saved_page, shown), f"{shown.page}.html", "text/html")
        _button("All data (zip)", partial(data_zip, shown), f"{shown.page}.zip", "application/zip")
    st.markdown(
        ":small[The PyTorch script needs torch and numpy alone, and comes to the same losses. The page works without a "
        "network; in it every chart can be saved as PNG or SVG. The zip has CSV tables, a report, the page, and .npz "
        "files that `RunHistory.load` reads.]"
    )


def _button(label: str, make: Callable[[], str | bytes], name: str, mime: str) -> None:
    st.download_button(
        label, make, name, mime, icon=":material/download:", on_click="ignore", key=f"take_{name}", width="content"
    )


def saved_page(shown: Shown) -> bytes:
    """The page as one HTML file."""
    patient, treated = shown.histories()
    steps = timeline_steps(patient, treated)
    charts = [_chart(chart, patient, treated) for chart in shown.charts]
    strip = described(shown.page, steps, patient, treated)
    words = shown.title, shown.verdict, shown.note, shown.link
    return page_html(Contents(*words, shown.networks, steps, strip, charts))


def _chart(chart: Chart, patient: RunHistory, treated: RunHistory) -> ChartOfPage:
    data = sent(chart, patient, treated)
    return ChartOfPage(_stem(chart), chart.TITLE, chart.QUESTION, chart.HOW_TO_READ, data)


def _stem(chart: Chart) -> str:
    return chart.__name__.rpartition(".")[2]


def data_zip(shown: Shown) -> bytes:
    """Tables and run of both networks, the report, and the page, which has the pictures."""
    histories = shown.histories()
    named = list(zip((PATIENT.name, TREATED.name), histories, strict=True))
    pictures = [(chart.TITLE, f"page.html#{_stem(chart)}") for chart in shown.charts]
    files: dict[str, str | bytes] = {
        "report.md": report(named, shown.title, _trials(shown.patient), shown.link, pictures),
        "page.html": saved_page(shown),
    }
    for name, history in named:
        folder = name.lower()
        files |= {f"{folder}/{file}": text for file, text in csv_tables(history, _classes(history)).items()}
        files[f"{folder}/run.npz"] = _saved(history)
    return zipped(files)


def _trials(patient: Experiment) -> tuple[Trial, ...]:
    """The cures of this network, if somebody has had them tried on this server, and to the end."""
    wanted, known, results = so_far(partial(trials_of_search, patient))
    return prescription.trials(results, patient) if len(known) == len(wanted) else ()


def _classes(history: RunHistory) -> Sequence[str]:
    return load_dataset(history.experiment).class_names


def _saved(history: RunHistory) -> bytes:
    file = io.BytesIO()
    history.save(file)
    return file.getvalue()
