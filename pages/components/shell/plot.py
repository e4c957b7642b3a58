"""Plotly figures on a page, drawn by a component of our own that stays mounted from one figure to the next.

assets/components/chart.js says how.  Streamlit's own chart is mounted anew for every new figure: eight charts then take
a second and more, instead of a quarter of one.  It still brings Plotly.js to the browser, see `load_plotly`.
"""

import hashlib

import orjson
import plotly.graph_objects as go
import streamlit as st

from pages.charts.style.figure import CONFIG, AnimatedFigure
from pages.components.shell.component import component

_NOTHING = go.Figure(layout={"template": {}})  # Plotly's own default template would be copied and sent for every page
_VERSION_BYTES = 16  # as in chart.js
_chart = component("chart", "moves", styled=False)  # Plotly's own styles are the page's


def load_plotly() -> None:
    """Let Streamlit bring its Plotly.js, which comes with a chart of its own; nobody sees that."""
    with st.container(key="plotly"):
        st.plotly_chart(_NOTHING, key="nothing")


def encoded(figure: AnimatedFigure, alt: str) -> bytes:
    """A figure with its text alternative, as `plot` sends it.  Two equal ones are not drawn twice."""
    body = orjson.dumps({"figure": orjson.Fragment(figure.to_json()), "alt": alt, "config": CONFIG})
    return hashlib.sha256(body).hexdigest()[:_VERSION_BYTES].encode() + body


def plot(chart: bytes, key: str) -> None:
    """Draw what `encoded` gave.  Where the key stays, the next figure takes the place of this one."""
    _chart(key=key, data=chart)
