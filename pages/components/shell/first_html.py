"""The HTML that a browser gets first: Streamlit's own, with what it would else hear of from the page's elements alone.

Those are the styles, before which a page stands elsewhere for a moment, and the scripts that draw its elements.
A server with a base path answers as Streamlit does: there is no route of ours.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

ROOT = Path(__file__).resolve().parents[3]
NAME = "Backprop Clinic"
STYLES = [ROOT / "assets" / style for style in ("tokens.css", "style.css")]
STATIC = Path(st.__file__).parent / "static"
SCRIPTS = STATIC / "static" / "js"
# Of the elements that every page has, and of those that pages with charts have, too.
EVERYWHERE = "BidiComponent", "Html", "PageLink", "Button"
WITH_CHARTS = *EVERYWHERE, "ButtonGroup", "Selectbox", "Slider", "NumberInput", "PlotlyChart"
IMPORTED = re.compile(r'(?:from|import)"\./([^"/]+)"')
IMPORTS_END = 20_000  # characters of a script, at the most: Streamlit's begin with them

ABOUT = "See why a neural network does not train, layer by layer, on real networks, and what cures it."
# Where the server is: Streamlit would look for it below the page's own address first, and wait before the next try.
_SERVER = (
    '<script>window.__streamlit = { BACKEND_BASE_URL: new URL(".", location).href, ...window.__streamlit };</script>'
)


def first_html(charts: bool) -> str:
    """charts: whether the page will draw some."""
    html = (STATIC / "index.html").read_text("utf-8")
    styles = "".join(f"<style>{style.read_text('utf-8')}</style>" for style in STYLES)
    preloads = "".join(
        f'<link rel="modulepreload" crossorigin href="./static/js/{script}">'
        for script in scripts_of(WITH_CHARTS if charts else EVERYWHERE)
        if script not in html
    )
    head = f'<meta name="description" content="{ABOUT}">{_SERVER}{preloads}'
    for old, new in (
        ("<title>Streamlit</title>", f"<title>{NAME}</title>"),
        ("</head>", f"{head}</head>"),
        ('<div id="root">', f'{styles}<div id="root">'),  # over Streamlit's in the head they win, not over a page's own
    ):
        html = html.replace(old, new)
    return html


def script_of(element: str) -> str:
    """Name of the file that draws this element of Streamlit's."""
    (script,) = SCRIPTS.glob(f"{element}.*.js")
    return script.name


def scripts_of(elements: Sequence[str]) -> list[str]:
    """Names of the files that draw these elements of Streamlit's, and of all that those import."""
    found: dict[str, None] = {}
    wanted = [script_of(element) for element in elements]
    for script in wanted:
        if script not in found:
            found[script] = None
            with (SCRIPTS / script).open(encoding="utf-8") as text:
                wanted += IMPORTED.findall(text.read(IMPORTS_END))
    return list(found)


def routes() -> list[Route]:
    """Of the pages."""
    home, charts = (_answer(first_html(charts)) for charts in (False, True))
    return [Route("/", home), *(Route(f"/{page.stem}", charts) for page in sorted((ROOT / "pages").glob("*.py")))]


def _answer(html: str):
    async def answer(_: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    return answer
