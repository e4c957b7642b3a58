"""The HTML that a browser gets first: Streamlit's own, with what it would else hear of from the page's elements alone.

Those are the styles, before which a page stands elsewhere for a moment, and Plotly.js, the largest of all scripts.
A server with a base path answers as Streamlit does: there is no route of ours.
"""

from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

ROOT = Path(__file__).resolve().parents[3]
NAME = "Backprop Clinic"
STYLES = [ROOT / "assets" / style for style in ("tokens.css", "style.css")]
STATIC = Path(st.__file__).parent / "static"
(PLOTLY,) = (STATIC / "static" / "js").glob("PlotlyChart.*.js")

ABOUT = "See why a neural network does not train, layer by layer, on real networks, and what cures it."
_PRELOAD = f'<link rel="modulepreload" crossorigin href="./static/js/{PLOTLY.name}">'


def first_html(charts: bool) -> str:
    """charts: whether the page will draw some."""
    html = (STATIC / "index.html").read_text("utf-8")
    styles = "".join(f"<style>{style.read_text('utf-8')}</style>" for style in STYLES)
    head = f'<meta name="description" content="{ABOUT}">{_PRELOAD if charts else ""}'
    for old, new in (
        ("<title>Streamlit</title>", f"<title>{NAME}</title>"),
        ("</head>", f"{head}</head>"),
        ('<div id="root">', f'{styles}<div id="root">'),  # over Streamlit's in the head they win, not over a page's own
    ):
        html = html.replace(old, new)
    return html


def routes() -> list[Route]:
    """Of the pages."""
    home, charts = (_answer(first_html(charts)) for charts in (False, True))
    return [Route("/", home), *(Route(f"/{page.stem}", charts) for page in sorted((ROOT / "pages").glob("*.py")))]


def _answer(html: str):
    async def answer(_: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    return answer
