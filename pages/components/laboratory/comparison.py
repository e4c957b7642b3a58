"""What became of the laboratory's networks: in a sentence, in charts of one to four, and in the doctor's notes."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import OutOfRange, RunHistory
from engine.cures.changes import Change
from engine.cures.outcomes import seeded
from pages.charts.style.figure import Look
from pages.charts.sweeps import networks as networks_chart
from pages.components.laboratory.charts import AT_FIRST, COMPARING
from pages.components.laboratory.link import CHARTS, PAGE
from pages.components.laboratory.networks import Network, pin
from pages.components.lesson.cards import card
from pages.components.lesson.catalogue import glossary_of
from pages.components.lesson.findings import choose_cure, cures, network_notes, pointed
from pages.components.lesson.strip import strip
from pages.components.lesson.sweeps import sweep
from pages.components.shell.address import Address, history_navigation, write_address
from pages.components.shell.frame import LEAST_WIDTH
from pages.components.shell.runs import histories_of
from pages.components.shell.timeline import timeline
from pages.text import findings_text
from pages.text.clock import timeline_steps
from pages.text.labels import number, percent
from pages.text.own_data import OwnData, at_hand
from pages.text.three_sets import result_row

ACROSS = 3  # charts in a row


def compare(own: OwnData, networks: Sequence[Network], found: Address, entering: bool, waiting: DeltaGenerator) -> None:
    """Train what has not been trained yet, and show it."""
    looks = tuple(network.look for network in networks)
    try:
        histories = histories_of([network.experiment for network in networks], own.arrays, waiting)
    except OutOfRange as problem:
        st.error(str(problem), icon=":material/error:")
        return
    with at_hand(own):
        sentence = verdict(histories[0])
        st.container(key="found").header(sentence, anchor="verdict")
        steps = timeline_steps(*histories)
        timeline(steps, steps[-1], f"timeline_{PAGE}", **pointed(*histories, looks=looks))
        strip(PAGE, sentence, steps, *histories, looks=looks)
        chosen = _chosen_charts(found, entering)
        with st.grid(ACROSS, min_column_width=LEAST_WIDTH):
            for stem in chosen:
                card(COMPARING[stem], *histories, looks=looks)
        _notes(looks, histories)
        _cures(own, networks)
    groups = {look.name: seeded(experiment) for look, experiment in networks}
    sweep(networks_chart, groups, own=own, looks=looks)


def verdict(history: RunHistory) -> str:
    """What the network achieves on validation data, and what the doctor calls it."""
    row = result_row(history)
    if history.confusion is None:
        achieved = f"Loss {number(float(history.validation_loss[row]))}"
    else:
        achieved = f"{percent(float(history.validation_accuracy[row]))} right"
    found = findings_text.found_in(history)
    said = "the doctor finds nothing wrong" if not found else findings_text.HEADINGS[found[0].code].lower()
    return f"{achieved} on new data; {said}."


def _chosen_charts(found: Address, entering: bool) -> list[str]:
    """Draw the list of charts; those that are chosen."""
    if entering or history_navigation() or "charts_shown" not in st.session_state:
        st.session_state["charts_shown"] = list(found.values[CHARTS])
    chosen = st.multiselect(
        "Charts", COMPARING, format_func=lambda stem: COMPARING[stem].TITLE, key="charts_shown",
        label_visibility="collapsed", placeholder="Choose charts",
    )  # fmt: skip
    text = None if tuple(chosen) == AT_FIRST else ".".join(chosen) or None
    if st.query_params.get(CHARTS) != text:
        write_address({CHARTS: text})
    return chosen


def _cures(own: OwnData, networks: Sequence[Network]) -> None:
    """Cures of one of the networks; those that are tried can be pinned."""
    patient = networks[0]
    if len(networks) > 1:
        names = [network.look.name for network in networks]
        if st.session_state.get("cures_for") not in names:
            st.session_state["cures_for"] = names[0]
        chosen = st.segmented_control("Cures for", names, required=True, key="cures_for")
        patient = networks[names.index(chosen)] if chosen in names else patient

    def button(change: Change) -> None:
        st.button(
            "Pin this cure", icon=":material/keep:", key="pin_cure", on_click=pin, disabled=change.experiment is None,
            args=(own, change.name, change.experiment),
        )  # fmt: skip

    cures(patient.experiment, partial(choose_cure, patient.experiment, button=button), own)


def _notes(looks: Sequence[Look], histories: Sequence[RunHistory]) -> None:
    st.subheader("The doctor’s notes", anchor="notes")
    words = glossary_of(PAGE)
    with st.grid(min(len(looks), 2), min_column_width=LEAST_WIDTH):
        for look, history in zip(looks, histories, strict=True):
            with st.container(border=True, height="stretch", key=f"notes_{look.key}"):
                network_notes(look, history, words)
