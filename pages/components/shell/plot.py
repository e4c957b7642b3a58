"""Plotly figures on a page, drawn by a component of our own that stays mounted from one figure to the next.

assets/components/chart.js says how.  Streamlit's own chart is mounted anew for every new figure: eight charts then take
a second and more, instead of a quarter of one.  Plotly.js is that of plotly_script.py beside this; where the server
has no route of ours, all of Streamlit's.
"""

import hashlib

import orjson
import streamlit as st

from pages.charts.style.figure import CONFIG, AnimatedFigure
from pages.components.shell import plotly_script
from pages.components.shell.component import component

_START = 'document.querySelector("script[type=module][src]").src'  # beside which Streamlit's scripts are
_ADDRESS = f'new URL("../../{plotly_script.ADDRESS}", {_START})'
_LOAD = f'import({_ADDRESS}).catch(() => import(new URL("{plotly_script.STREAMLITS}", {_START})))'
_PREFETCH = f"""{{
    const how = {{ rel: "prefetch", as: "script", crossOrigin: "", href: {_ADDRESS} }};
    document.head.append(Object.assign(document.createElement("link"), how));
}}"""
_VERSION_BYTES = 16  # as in chart.js
_drawing = component("chart", "moves", "figures", styled=False)  # Plotly's own styles are the page's
_place = component("chart_place", styled=False)


def load_plotly() -> None:
    """Let the browser load what draws charts: our script, and Plotly.js without a chart of Streamlit's."""
    _drawing(key="drawing_of_charts")
    st.html(f"<script>{_LOAD}</script>", unsafe_allow_javascript=True)


def prefetch_plotly() -> None:
    """Let the browser fetch Plotly.js when it has nothing else to do, for the page that is opened next."""
    st.html(f"<script>{_PREFETCH}</script>", unsafe_allow_javascript=True)


def encoded(figure: AnimatedFigure, alt: str) -> bytes:
    """A figure with its text alternative, as `plot` sends it.  Two equal ones are not drawn twice."""
    body = orjson.dumps({"figure": orjson.Fragment(figure.to_json()), "alt": alt, "config": CONFIG})
    return hashlib.sha256(body).hexdigest()[:_VERSION_BYTES].encode() + body


def plot(chart: bytes, key: str) -> None:
    """Draw what `encoded` gave.  Where the key stays, the next figure takes the place of this one."""
    _place(key=key, data=chart)
