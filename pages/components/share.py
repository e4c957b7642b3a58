"""The link that opens the page as it stands, to be copied.  assets/share.js says what the browser adds to it."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

_ASSETS = Path(__file__).parents[2] / "assets"
_share = st.components.v2.component(
    "backprop_clinic_share",
    html=(_ASSETS / "share.html").read_text("utf-8"),
    css=(_ASSETS / "share.css").read_text("utf-8"),
    js=(_ASSETS / "share.js").read_text("utf-8"),
)


def share(address: str, browsers_own: Sequence[str]) -> None:
    """Draw the link.  address: of the controls as they stand; browsers_own: the other parameters of the page's."""
    _share(key="share", data={"address": address, "browsers_own": browsers_own})
