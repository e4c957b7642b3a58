"""The network as a graph with the phases of an update, moved in the browser.  assets/components/network.js says how."""

import streamlit as st

from pages.components.backpropagation.chosen_network import Chosen, look
from pages.components.shell.address import PHASE
from pages.components.shell.component import component
from pages.walkthrough.calculation import Update
from pages.walkthrough.derivation import Selection
from pages.walkthrough.network_graph import graph

_network = component("network", "numbers", "stepper")


def draw_network(chosen: Chosen, update: Update, selection: Selection) -> None:
    """Draw the network; a click looks at what was clicked.

    The browser remembers the phase as long as the network is the same; it begins with the address's.
    """

    def clicked() -> None:
        look(chosen, st.session_state["network"]["look"])

    start = st.query_params.get(PHASE, "")
    data = graph(update, selection, chosen.example) | {"key": chosen.key, "start": start}
    _network(key="network", data=data, on_look_change=clicked)
