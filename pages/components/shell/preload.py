"""Tells a browser with a page's first bytes that it will need Plotly.js, the largest of all scripts.

Else it would hear of it from the page's elements, when Streamlit's own scripts have been loaded and run.
"""

from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

(PLOTLY,) = (Path(st.__file__).parent / "static" / "static" / "js").glob("PlotlyChart.*.js")
LINK = f"<./static/js/{PLOTLY.name}>; rel=modulepreload; crossorigin"  # relative to the page, as Streamlit's own


class Preload:
    """Adds a header to each page but the home page, which has no chart."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, with one more header."""

        async def with_link(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Link", LINK)
            await send(message)

        home = scope["type"] != "http" or scope["path"] == scope.get("root_path", "") + "/"
        await self.app(scope, receive, send if home else with_link)
