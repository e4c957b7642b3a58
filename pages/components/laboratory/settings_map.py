"""The laboratory's map: which two settings, what the colour is, and what came of the networks in between."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from engine import Experiment
from engine.settings import Value
from pages.charts.style.figure import Look
from pages.charts.sweeps import settings_map
from pages.charts.sweeps.settings_grid import CELLS, MOST_NETWORKS, SettingsGrid, value_at
from pages.components.laboratory.link import MAP, MAP_AT_FIRST, MAP_CHOICES
from pages.components.laboratory.networks import use
from pages.components.lesson.sweeps import Results, sweep
from pages.components.shell.address import Address, history_navigation, write_address
from pages.text.labels import label, meaning
from pages.text.own_data import OwnData

OPENED = "map_opened"
LABELS = "Across", "Upwards", "Colour"
WIDTH = 220


def draw_map(base: Experiment, look: Look, own: OwnData, found: Address, entering: bool) -> None:
    """Draw what opens the map of networks that differ from this one in two settings; open where the link has some."""
    if entering or history_navigation() or OPENED not in st.session_state:
        st.session_state[OPENED] = any(name in st.query_params for name in MAP)
    map_of_two = st.expander("Two settings at once", icon=":material/grid_on:", on_change="rerun", key=OPENED)
    if map_of_two.open:
        with map_of_two:
            _draw(base, look, own, found, entering)


def _draw(base: Experiment, look: Look, own: OwnData, found: Address, entering: bool) -> None:
    """The choices, and the map."""
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
    start, way_in = "Train the networks of the map", partial(_way_in, base, (x, y))
    sweep(settings_map, grid.groups, own=own, start=start, most=MOST_NETWORKS, then=way_in, **context)


def _way_in(present: Experiment, names: Sequence[str], _results: Results) -> None:
    """What the present network is, and what a click on a cell does, for who has no pointer."""
    now = " and ".join(f"{label(name).lower()} {meaning(name, getattr(present, name))}" for name in names)
    st.markdown(f"The present network, in the ring, has **{now}**. A click on a cell sets both, and so do these:")
    with st.container(horizontal=True, vertical_alignment="bottom", key="map_way_in"):
        chosen = {name: _value(name, getattr(present, name)) for name in names}
        st.button("Make it the present network", icon=":material/input:", on_click=use, args=(chosen,))


def _value(name: str, present: float) -> Value:
    """Choose one of the map's values of a setting, which begins at the one nearest to the present network's."""
    values = list(dict.fromkeys(value_at(name, position) for position in range(CELLS)))
    nearest = min(values, key=lambda value: abs(float(value) - present))
    return st.select_slider(
        _in_words(name), values, nearest, key=f"map_{name}_{present}", format_func=partial(meaning, name), width=WIDTH
    )


def _in_words(choice: str) -> str:
    words = settings_map.COLOR_LABELS.get(choice) or label(choice)
    return words[0].upper() + words[1:]
