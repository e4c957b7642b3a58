"""What became of the laboratory's networks: in a sentence, in charts of one to four, and in the doctor's notes."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import Experiment, OutOfRange, RunHistory
from engine.cures.changes import Change
from engine.cures.trials import CURES, HELPS
from pages.charts.style.figure import Look
from pages.charts.sweeps import networks as networks_chart
from pages.charts.sweeps import prescription
from pages.components.laboratory.assigned import draw_goal, hides
from pages.components.laboratory.charts import AT_FIRST, COMPARING
from pages.components.laboratory.data import experiment_of
from pages.components.laboratory.link import ALL_CHARTS, CHARTS, NOTES, PAGE, SPLITTING, VERDICT, is_locked
from pages.components.laboratory.link import CURES as ALL_CURES
from pages.components.laboratory.networks import Network, pin, pinned_looks, use
from pages.components.laboratory.sources import laboratory
from pages.components.lesson.cards import card
from pages.components.lesson.catalogue import glossary_of
from pages.components.lesson.draw_first import ask, asked, draw_comparison, draw_or_say, show_button
from pages.components.lesson.findings import choose_cure, cures, network_notes, pointed
from pages.components.lesson.strip import strip
from pages.components.lesson.sweeps import sweep
from pages.components.lesson.take_home import Shown
from pages.components.shell.address import Address, history_navigation, write_address
from pages.components.shell.frame import LEAST_WIDTH
from pages.components.shell.runs import histories_of
from pages.components.shell.timeline import timeline
from pages.text import data_summary, findings_text
from pages.text.clock import timeline_steps
from pages.text.labels import ending, label, percent
from pages.text.own_data import OwnData, at_hand, plain
from pages.text.three_sets import TYPICAL, result_row, typical_error

ACROSS = 3  # charts in a row
HIDDEN_VERDICT = "What do you see, and what would you change? Say it before you look."
EXPECTED = "What do you expect? Draw it before you look."


def compare(
    own: OwnData,
    networks: Sequence[Network],
    found: Address,
    entering: bool,
    waiting: DeltaGenerator,
    goal_place: DeltaGenerator | None,
) -> str:
    """Train what has not been trained yet, and show it; its verdict, "" where it could not be trained, or something is
    to be drawn first.

    goal_place: of the link's goal, for its state.
    """
    if name := asked():
        with at_hand(own):
            _draw_first(name, networks[0])
        return ""
    looks = tuple(network.look for network in networks)
    try:
        histories = histories_of([network.wanted for network in networks], own.arrays, waiting)
    except OutOfRange as problem:
        st.error(str(problem), icon=":material/error:")
        return ""
    with at_hand(own), st.container(key="results"):
        draw_goal(goal_place, looks, histories, pinned_looks(found))
        sentence = HIDDEN_VERDICT if hides(VERDICT) else verdict(histories[0])
        st.container(key="found").header(sentence, anchor="verdict")
        test = typical_error(histories[0], histories[0].test_loss)
        if histories[0].confusion is None and test.startswith(TYPICAL) and not hides(VERDICT):
            st.markdown(f":small[{test} on test data, in the unit of {plain(own.target_name)}.]")
        steps = timeline_steps(*histories)
        timeline(steps, steps[-1], f"timeline_{PAGE}", **pointed(*histories, looks=looks))
        strip(PAGE, sentence, steps, *histories, looks=looks)
        chosen = [] if hides(ALL_CHARTS) else _chosen_charts(found, entering)
        if not hides(ALL_CHARTS):
            explains = not (hides(VERDICT) or hides(NOTES))
            kept, present, words = _kept(networks[0]), histories[0], glossary_of(PAGE)
            draw_comparison(kept, present, present, words, ask, explains, looks[:1])
        with st.grid(ACROSS, min_column_width=LEAST_WIDTH, key="side_by_side"):
            for stem in chosen:
                card(COMPARING[stem], *histories, looks=looks)
            if not (hides(VERDICT) or hides(NOTES)):
                _notes(looks, histories)
    return sentence


def _draw_first(name: str, present: Network) -> None:
    """What the address asks to draw of the present network, in place of all that is measured."""
    with st.container(key="results"):
        st.container(key="found").header(EXPECTED, anchor="verdict")
        if hides(ALL_CHARTS):
            st.markdown("There is nothing to draw as long as the charts are hidden.")
            show_button()
            return
        pair = present.experiment, present.experiment
        draw_or_say(_kept(present), name, pair, glossary_of(PAGE), partial(ask, None), (present.look,))


def _kept(present: Network) -> str:
    """As what a drawing of the present network is kept in the session."""
    return f"{PAGE} {present.before}"


def measure(own: OwnData, networks: Sequence[Network]) -> None:
    """What takes many trainings: cures, and the networks over seeds."""
    for network in networks:
        if network.before:
            st.markdown(
                f"**{network.look.name}** goes on from step {network.before[1]} of another network. Cures and map "
                "train from the start: its own are those of a network that has its settings from step 0."
            )
    if not (hides(VERDICT) or hides(ALL_CURES)):
        with at_hand(own):
            _cures(own, networks)
    if not hides(ALL_CHARTS):
        groups = {network.look.name: network.seeded for network in networks}
        sweep(networks_chart, groups, own=own, looks=tuple(network.look for network in networks))


def shown(title: str, link: str, own: OwnData, networks: Sequence[Network], sentence: str) -> Shown:
    """The page as it is taken home, with the charts that are chosen."""
    note = f"{plain(own.target_name)} is predicted from {own.inputs.shape[1]} inputs; {len(own.inputs):,} rows."
    charts = tuple(COMPARING[stem] for stem in st.session_state.get("charts_shown", ()))  # none where a link hides them
    pairs = tuple((network.look, network.wanted) for network in networks)
    tells = not any(map(hides, (VERDICT, NOTES, ALL_CURES)))
    return Shown(PAGE, title, sentence, note, link, pairs, charts, own, tells, _about(own, networks[0].experiment))


def _about(own: OwnData, experiment: Experiment) -> tuple[str, ...]:
    """What the data are, for a report: target, inputs, rows, gaps, split, and what answers without a network."""
    made = laboratory().made
    split = {name: getattr(experiment, name) for name in SPLITTING}
    clean = own.dataset(experiment_of(own, inputs="raw", seed=experiment.seed, **split))
    return (
        f"Target: {plain(own.target_name)}. Inputs: {', '.join(map(plain, own.input_names))}.",
        data_summary.size(clean, len(own.inputs)).replace("**", ""),
        f"Split: {experiment.split}, {percent(experiment.held_out)} held out for validation and as many for test.",
        *(made[1].notes if made else ()),
        data_summary.yardsticks(clean),
    )


def verdict(history: RunHistory) -> str:
    """What the network achieves on validation data, and what the doctor calls it."""
    row = result_row(history)
    if history.confusion is None:
        achieved = typical_error(history, float(history.validation_loss[row]))
    else:
        achieved = f"{percent(float(history.validation_accuracy[row]))} right"
    found = findings_text.found_in(history)
    said = "the doctor finds nothing wrong" if not found else findings_text.HEADINGS[found[0].code].lower()
    broken = f"Training breaks down: {ending(history)}. " if history.status == "diverged" else ""
    return f"{broken}{achieved} on validation data; {said}."


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
    """Cures of one of the networks; those that are tried can be used or pinned, the best one beside its name."""
    patient = networks[0]
    if len(networks) > 1:
        names = [network.look.name for network in networks]
        if st.session_state.get("cures_for") not in names:
            st.session_state["cures_for"] = names[0]
        chosen = st.segmented_control("Cures for", names, required=True, key="cures_for")
        patient = networks[names.index(chosen)] if chosen in names else patient

    def ways(change: Change, place: str = "") -> None:
        impossible = change.experiment is None or patient is not networks[0]
        changed = {field: new for field, (_, new) in change.settings.items()}
        locked = [field for field in changed if is_locked(field)]
        st.button(
            "Use this cure", icon=":material/medication:", key=f"use_cure{place}", on_click=use, type="primary",
            disabled=impossible or bool(locked), args=(changed,),
            help="Gives the present network these settings: " + ", ".join(map(label, changed)) + ".",
        )  # fmt: skip
        st.button(
            "Pin this cure", icon=":material/keep:", key=f"pin_cure{place}", on_click=pin,
            disabled=change.experiment is None, args=(own, change.name, change.experiment),
        )  # fmt: skip

    def first(results: prescription.Results) -> None:
        tried = [one for one in prescription.trials(results, patient.experiment) if one.verdict in (CURES, HELPS)]
        if tried:
            with st.container(horizontal=True, vertical_alignment="center", key="best_cure"):
                st.markdown(f"**{tried[0].change.name}**", width="content")
                ways(tried[0].change, "_first")

    cures(patient.experiment, partial(choose_cure, patient.experiment, button=ways), own, first)


def _notes(looks: Sequence[Look], histories: Sequence[RunHistory]) -> None:
    """A card a network."""
    words = glossary_of(PAGE)
    for i, (look, history) in enumerate(zip(looks, histories, strict=True)):
        with st.container(border=True, height="stretch", key=f"notes_{look.key}"):
            if i == 0:
                st.subheader("The doctor’s notes", anchor="notes")
            network_notes(look, history, words)
