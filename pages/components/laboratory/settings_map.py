"""The laboratory's map: which two settings, what the colour is, and what came of the networks in between."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from engine import Experiment
from engine.settings import Value
from pages.charts.style.figure import Look
from pages.charts.sweeps import settings_map
from pages.charts.sweeps.settings_grid import CELLS, SettingsGrid, value_at
from pages.components.laboratory.link import CONTROLS, MAP, MAP_AT_FIRST, MAP_CHOICES
from pages.components.lesson.sweeps import sweep
from pages.components.shell.address import Address, history_navigation, write_address
from pages.text.labels import label, meaning
from pages.text.own_data import OwnData

LABELS = "Across", "Upwards", "Colour"
WIDTH = 220


def draw_map(base: Experiment, look: Look, own: OwnData, found: Address, entering: bool) -> None:
    """Draw the choices, and the map of networks that differ from this one in two settings."""
    st.subheader("A map", anchor="map")
    with st.container(horizontal=True, key="map_of"):
        for name, words, choices in zip(MAP, LABELS, MAP_CHOICES, strict=True):
            if entering or history_navigation() or name not in st.session_state:
                st.session_state[name] = found.values[name]
            st.selectbox(words, choices, key=name, format_func=_in_words, width=WIDTH)
    x, y, color = chosen = [st.session_state[name] for name in MAP]
    texts = {name: None if one == first else one for name, one, first in zip(MAP, chosen, MAP_AT_FIRST, strict=True)}
    if any(st.query_params.get(name) != text for name, text in texts.items()):
        write_address(texts)
    if x == y:
        st.markdown("Choose two different settings.")
        return
    grid = SettingsGrid(base, x, y)
    context = {"grid": grid, "color": color, "looks": (look,)}
    start = "Train the networks of the map"
    sweep(settings_map, grid.groups, own=own, start=start, then=lambda _: _way_in(x, y), **context)


def _way_in(*names: str) -> None:
    """What a click on a cell does, for who has no pointer."""
    values = {name: list(dict.fromkeys(value_at(name, position) for position in range(CELLS))) for name in names}
    with st.container(horizontal=True, vertical_alignment="bottom", key="map_way_in"):
        chosen = {
            name: st.select_slider(
                _in_words(name), values[name], key=f"map_{name}", format_func=partial(meaning, name), width=WIDTH
            )
            for name in names
        }
        st.button("Make it the present network", icon=":material/input:", on_click=_open, args=(chosen,))


def _open(chosen: Mapping[str, Value]) -> None:
    for name, value in chosen.items():
        st.session_state[name] = CONTROLS[name].answer(value)


def _in_words(choice: str) -> str:
    words = settings_map.COLOR_LABELS.get(choice) or label(choice)
    return words[0].upper() + words[1:]
