"""What has come to the page, said to who does not see it; assets/components/arrival.js says how."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components.shell.component import component
from pages.components.shell.kept_focus import kept_focus

_arrival = component("arrival", styled=False)


def arrival_place() -> DeltaGenerator:
    """The place of `arrival`, always the same: what appears anew is not read out."""
    return st.container(key="arrival")


def arrival(place: DeltaGenerator, sentence: str, key: str, keeps: str = "") -> None:
    """Say the sentence where it is another than before.

    key: of the container whose heading gets the keyboard, if the button that was pressed went away with it; keeps: of
    the container within which it stays where the button was.
    """
    with place:
        _arrival(key="arrival_component", data={"sentence": sentence, "key": key})
        if keeps:
            kept_focus(f".st-key-{keeps}")
