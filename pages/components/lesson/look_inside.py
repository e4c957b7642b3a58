"""From a lesson into its networks: buttons that open one on the backpropagation page, at the timeline's step."""

import streamlit as st

from engine import Experiment
from pages.components.backpropagation.network_address import PAGE, link_to
from pages.components.shell.component import component

_look_inside = component("look_inside")


def look_inside(patient: Experiment, treated: Experiment) -> None:
    """Draw the buttons.  The step is known in the browser alone, which is why they are no links."""
    requested = _look_inside(key="look_inside", on_look_change=lambda: None).look
    if requested:
        experiment = patient if requested["who"] == "patient" else treated
        st.switch_page(f"pages/{PAGE}.py", query_params=link_to(experiment, int(requested["step"])))
