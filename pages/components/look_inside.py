"""From a lesson into its networks: buttons that open one on the backpropagation page, at the timeline's step."""

from pathlib import Path

import streamlit as st

from engine import Experiment
from pages.components.chosen_network import PAGE, link_to

_ASSETS = Path(__file__).parents[2] / "assets"
_look_inside = st.components.v2.component(
    "backprop_clinic_look_inside",
    html=(_ASSETS / "look_inside.html").read_text("utf-8"),
    css=(_ASSETS / "look_inside.css").read_text("utf-8"),
    js=(_ASSETS / "look_inside.js").read_text("utf-8"),
)


def look_inside(patient: Experiment, treated: Experiment) -> None:
    """Draw the buttons.  The step is known in the browser alone, which is why they are no links."""
    asked = _look_inside(key="look_inside", on_look_change=lambda: None).look
    if asked:
        experiment = patient if asked["who"] == "patient" else treated
        st.switch_page(f"pages/{PAGE}.py", query_params=link_to(experiment, int(asked["step"])))
