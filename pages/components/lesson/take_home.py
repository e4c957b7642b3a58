"""What a visitor takes home from a page of networks: scripts, a notebook, the page as one file, all numbers.

Everything is made when its button is clicked, and of the runs that the server has then.  A session keeps these buttons
with what they need, so that is small: settings and sentences, no history.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from engine import Experiment, RunHistory, Trial
from engine.export.engine_script import engine_script
from engine.export.notebook import notebook
from engine.export.tables import csv_tables, csv_text, zipped
from engine.export.torch_script import torch_script
from pages.charts.style.figure import PATIENT, TREATED, Chart, Look
from pages.charts.sweeps import prescription
from pages.charts.sweeps.groups import trials_of_search
from pages.components.lesson.cards import dialog_focus, sent
from pages.components.lesson.strip import described
from pages.components.lesson.sweeps import so_far
from pages.components.settings.controls import heading
from pages.components.shell.runs import Branched, Wanted, ended_runs, last_of
from pages.export.page_html import ChartOfPage, Contents, page_html
from pages.text.clock import timeline_steps
from pages.text.own_data import OwnData, at_hand, dataset_of
from pages.text.report import report


@dataclass(frozen=True, eq=False)
class Shown:
    """A page as it stands.  page: its name in the address; link: the address that opens it.

    networks: how each is drawn, and what is trained; own: the data, where they are the visitor's; report:
    whether the doctor's may be taken, which would tell what a link hides; data: sentences about the visitor's.
    """

    page: str
    title: str
    verdict: str
    note: str
    link: str
    networks: tuple[tuple[Look, Wanted], ...]
    charts: tuple[Chart, ...]
    own: OwnData | None = None
    report: bool = True
    data: tuple[str, ...] = ()

    @property
    def looks(self) -> tuple[Look, ...]:
        return tuple(look for look, _ in self.networks)

    @property
    def stems(self) -> tuple[str, ...]:
        """What the files of each network are called."""
        names = tuple(re.sub(r"\W+", "_", look.name.lower()).strip("_") for look in self.looks)
        return names if len({"", *names}) > len(names) else tuple(look.key for look in self.looks)

    @property
    def settings(self) -> tuple[tuple[str, Experiment], ...]:
        """Names, and the settings that each ends with."""
        return tuple((look.name, last_of(one)) for look, one in self.networks)

    def pictures(self, file: str) -> list[tuple[str, str]]:
        """What each chart is called, and where it is in the page as HTML, saved under this name."""
        return [(chart.TITLE, f"{file}#{_stem(chart)}") for chart in self.charts]

    def histories(self) -> tuple[RunHistory, ...]:
        return ended_runs([wanted for _, wanted in self.networks], self.own.arrays if self.own else None)


@st.fragment
def take_home(shown: Shown) -> None:
    """Draw the button that opens what can be taken home."""
    if st.button("Take home", icon=":material/download:", key="take_home", help="Scripts, notebook, page, data"):
        _dialog(shown)


@st.dialog("Take home", icon=":material/download:")
def _dialog(shown: Shown) -> None:
    dialog_focus(key="dialog_focus")
    data = shown.own.arrays if shown.own else None
    for (look, wanted), name in zip(shown.networks, shown.stems, strict=True):
        st.markdown(heading(look))
        if isinstance(wanted, Branched):
            st.markdown(":small[It goes on from a step of another network, and scripts train from the start: none.]")
            continue
        stem = f"{shown.page}_{name}"
        with st.container(horizontal=True):
            download("Engine script", partial(engine_script, wanted, data), f"{stem}.py", "text/x-python")
            with_data = wanted, data, shown.own.input_names if shown.own else ()
            download("PyTorch script", partial(torch_script, *with_data), f"{stem}_torch.py", "text/x-python")
            download(
                "Notebook", partial(notebook, *with_data, link=shown.link), f"{stem}.ipynb",
                "application/x-ipynb+json",
            )  # fmt: skip
    st.markdown("**Both**" if len(shown.networks) == 2 else "**All of it**")
    with st.container(horizontal=True):
        download("Page as HTML", partial(saved_page, shown), f"{shown.page}.html", "text/html")
        if shown.report:
            download(
                "Report", partial(report_of, shown, shown.pictures(f"{shown.page}.html")), f"{shown.page}.md",
                "text/markdown",
            )  # fmt: skip
        download("All data (zip)", partial(data_zip, shown), f"{shown.page}.zip", "application/zip")
    contained = " Scripts, notebook and zip have your data in them." if shown.own else ""
    st.markdown(
        ":small[The engine script needs the folder engine/ of this app’s source code beside it; the PyTorch script "
        "needs torch and numpy alone, and comes to the same losses. The page works without a network. Pictures are "
        "made by a browser: in that page every chart can be saved as PNG or SVG. The zip has CSV tables, the report, "
        "the page, and .npz files: all that was recorded, for NumPy, or `RunHistory.load` of that engine."
        f"{contained}]"
    )


def download(label: str, make: Callable[[], str | bytes], name: str, mime: str) -> None:
    """Draw the button of a file that is made when it is clicked."""
    st.download_button(
        label, make, name, mime, icon=":material/download:", on_click="ignore", key=f"take_{name}", width="content"
    )


def saved_page(shown: Shown) -> bytes:
    """The page as one HTML file."""
    histories = shown.histories()
    steps = timeline_steps(*histories)
    with at_hand(shown.own):
        # As on the page, where the charts of a lesson know their two networks.
        context = {} if shown.looks == (PATIENT, TREATED) else {"looks": shown.looks}
        charts = [_chart(chart, *histories, **context) for chart in shown.charts]
        strip = described(shown.page, steps, *histories, looks=shown.looks)
    words = shown.title, shown.verdict, shown.note, shown.link
    return page_html(Contents(*words, shown.settings, steps, strip, charts))


def _chart(chart: Chart, *histories: RunHistory, **context: Any) -> ChartOfPage:
    data = sent(chart, *histories, **context)
    return ChartOfPage(_stem(chart), chart.TITLE, chart.QUESTION, chart.HOW_TO_READ, data)


def _stem(chart: Chart) -> str:
    return chart.__name__.rpartition(".")[2]


def report_of(shown: Shown, pictures: Sequence[tuple[str, str]] = ()) -> str:
    """What the networks are, what came of them and what the doctor found, as a text."""
    named = [(look.name, history) for look, history in zip(shown.looks, shown.histories(), strict=True)]
    with at_hand(shown.own):
        return report(named, shown.title, _trials(shown.networks[0][1]), shown.link, pictures, shown.data)


def data_zip(shown: Shown) -> bytes:
    """Tables and runs of all networks, the report, and the page, which has the pictures; own data as a table."""
    histories = shown.histories()
    with at_hand(shown.own):
        files: dict[str, str | bytes] = {"page.html": saved_page(shown)}
        if shown.report:
            files["report.md"] = report_of(shown, shown.pictures("page.html"))
        if shown.own:
            files["data.csv"] = _table(shown.own)
        for folder, history in zip(shown.stems, histories, strict=True):
            tables = csv_tables(history, _classes(history))
            files |= {f"{folder}/{file}": text for file, text in tables.items()}
            files[f"{folder}/run.npz"] = _saved(history)
    return zipped(files)


def _trials(patient: Wanted) -> tuple[Trial, ...]:
    """The cures of this network, if somebody has had them tried on this server, and to the end."""
    if isinstance(patient, Branched):
        return ()
    wanted, known, results = so_far(partial(trials_of_search, patient))
    return prescription.trials(results, patient) if len(known) == len(wanted) else ()


def _table(own: OwnData) -> str:
    """The examples that were made of the visitor's table, in its units: inputs, and the target last."""
    rows = zip(own.inputs.tolist(), own.targets.tolist(), strict=True)
    return csv_text([*own.input_names, own.target_name], ([*inputs, target] for inputs, target in rows))


def _classes(history: RunHistory) -> Sequence[str]:
    dataset = dataset_of(history.experiment)
    return dataset.class_names if dataset else ()


def _saved(history: RunHistory) -> bytes:
    file = io.BytesIO()
    history.save(file)
    return file.getvalue()
