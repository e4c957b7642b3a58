"""Plotly.js as our charts need it: Streamlit's own, which sets up only the kinds of traces that they have.

All of its 47 kinds take a browser half a second to set up before it draws its first chart, and a phone two seconds.
"""

import gzip
import re
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.charts.style.figure import KINDS
from pages.components.shell.streamlit_scripts import IMPORTED, IMPORTS_END, SCRIPTS, script_of

STREAMLITS = script_of("PlotlyChart")
ADDRESS = f"plotly/{'-'.join(KINDS)}/{STREAMLITS}"  # below the server's; another text has another, for it is kept
ALWAYS = "scatter"  # is set up by itself
_REGISTERED = re.compile(r'"lib/index\.js"\([^)]*\)\{var (\w+)=[\w$]+\(\);\1\.register\(\[([^\]]*)\]\)')
_NAMED = re.compile(r"([\w$]+)=[\w$]+\(\{$")  # before "lib/bar.js"
_NAME_CHARACTERS = 40  # that are looked through for it


def route() -> Route:
    """Of the script."""
    return Route(f"/{ADDRESS}", _answer)


def _answer(request: Request) -> Response:
    kept = {"Cache-Control": "public, immutable, max-age=31536000", "Content-Encoding": "gzip"}
    return Response(_packed(), media_type="application/javascript", headers=kept)


@cache
def _packed() -> bytes:
    text = (SCRIPTS / STREAMLITS).read_text("utf-8")
    imports = IMPORTED.sub(lambda found: found[0].replace('"./', '"../../static/js/'), text[:IMPORTS_END])
    return gzip.compress(with_our_kinds(imports + text[IMPORTS_END:]).encode(), compresslevel=6, mtime=0)


def with_our_kinds(text: str) -> str:
    """Plotly.js whose last module registers our kinds; as it was where it is not written as expected."""
    registered = _REGISTERED.search(text)
    places = [text.find(f'"lib/{kind}.js"(') for kind in KINDS if kind != ALWAYS]
    named = [_NAMED.search(text[max(0, place - _NAME_CHARACTERS) : place]) for place in places if place > 0]
    if not registered or len(named) < len(places) or not all(named):
        return text
    start, end = registered.span(2)
    return text[:start] + ",".join(f"{name[1]}()" for name in named if name) + text[end:]
