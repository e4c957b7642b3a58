"""A chart on a page: its title, the figure with its text alternative, and its data one click away."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from engine import RunHistory
from pages.charts.style.figure import Chart
from pages.components.lesson.catalogue import FIRST_LESSON, glossary_of
from pages.components.lesson.draw_first import draw_button
from pages.components.shell.byte_cache import ByteCache
from pages.components.shell.component import component
from pages.components.shell.plot import encoded, plot
from pages.components.shell.session import this_session
from pages.text.glossary import used
from pages.text.own_data import own_data

SENT_BYTES = 12e6  # of charts as they are sent, kept for the next visitor with the same networks; about 70 kB each

LABEL = re.compile(r'"text":"([^"]*)"')  # in a chart as it is sent

_sent = ByteCache(SENT_BYTES)
dialog_focus = component("dialog_focus", styled=False)


def card(chart: Chart, *runs: RunHistory, **context: Any) -> None:
    """Draw one chart of pages/charts for these runs.  context: what else its functions are given."""
    stem = chart.__name__.rpartition(".")[2]
    encoded_chart = sent(chart, *runs, **context)
    with st.container(horizontal=True, vertical_alignment="center", key=f"card_{stem}"):
        head(chart, stem, *runs, labels=" ".join(LABEL.findall(encoded_chart.decode())), **context)
        plot(encoded_chart, key=f"chart_{stem}")


def sent(chart: Chart, *runs: RunHistory, **context: Any) -> bytes:
    """A chart of these runs as it is sent."""
    own = own_data(runs[0].experiment)  # whose names are in the chart
    names = (own.input_names, own.target_name) if own else ()
    key = chart.__name__, names, *context.items(), *(run.identity for run in runs)
    return _sent.get(key, lambda: encoded(chart.figure(*runs, **context), chart.alt(*runs, **context)))


def head(chart: Chart, place: str, *runs: RunHistory, labels: str = "", **context: Any) -> None:
    """A chart's title with how to read it, and the button for its table of these runs.

    place: ends the button's key.  labels: what stands in the chart, whose words are explained too.
    context: what else the chart's functions are given.
    """
    words = glossary_of(this_session().controls or FIRST_LESSON)
    help_text = "\n\n".join(
        [chart.HOW_TO_READ, *(f"**{name}**: {words[name]}" for name in used(f"{chart.HOW_TO_READ} {labels}", words))]
    )
    with st.container(horizontal=True, vertical_alignment="center", key=f"head_{place}"):
        st.subheader(chart.TITLE, help=help_text, width="stretch", anchor=False)
        draw_button(place, chart.TITLE)
        if st.button(
            f"Data: {chart.TITLE}", icon=":material/table:", type="tertiary", key=f"data_{place}", help="Data"
        ):
            show_data(chart.TITLE, chart.__name__.rpartition(".")[2], lambda: chart.table(*runs, **context))


@st.dialog("Data", width="large", icon=":material/table:")
def show_data(title: str, name: str, table_of: Callable[[], pd.DataFrame]) -> None:
    """A chart's table and its CSV, both made only now."""
    table = table_of()
    dialog_focus(key="dialog_focus")
    st.markdown(f"**{title}**, all that was recorded or, where the chart says so, a selection.")
    decimals = {name: st.column_config.NumberColumn(format="%.4g") for name in table.select_dtypes("float")}
    st.dataframe(table, hide_index=True, column_config=decimals)
    st.download_button(
        "Download CSV", lambda: table.to_csv(index=False), f"{name}.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip
