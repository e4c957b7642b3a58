"""The HTML that a browser gets first: Streamlit's own, with what it would else hear of from the page's elements alone.

Those are the styles, before which a page stands elsewhere for a moment, and the scripts that draw its elements.
A server with a base path answers as Streamlit does: there is no route of ours.
"""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from pages.components.shell import plotly_script
from pages.components.shell.streamlit_scripts import STATIC, scripts_of

ROOT = Path(__file__).resolve().parents[3]
NAME, HOME = "Backprop Clinic", "Home"  # the app's, and the title of its first page
STYLES = [ROOT / "assets" / style for style in ("tokens.css", "style.css", "home.css")]
# Of the elements that every page has, and of those that pages with charts have, too.
EVERYWHERE = "BidiComponent", "Html", "PageLink", "Button"
WITH_CHARTS = *EVERYWHERE, "ButtonGroup", "Selectbox", "Slider", "NumberInput", "PlotlyChart"

ABOUT = "See why a neural network does not train, layer by layer, on real networks, and what cures it."
# Where the server is: Streamlit would look for it below the page's own address first, and wait before the next try.
_SERVER = (
    '<script>window.__streamlit = { BACKEND_BASE_URL: new URL(".", location).href, ...window.__streamlit };</script>'
)


def first_html(home: bool) -> str:
    """home: whether it is the home page's, which draws no charts and has a style of its own from the start."""
    html = (STATIC / "index.html").read_text("utf-8")
    styles = "".join(f"<style>{style.read_text('utf-8')}</style>" for style in STYLES)
    scripts = [f"static/js/{script}" for script in scripts_of(EVERYWHERE if home else WITH_CHARTS)]
    scripts = [plotly_script.ADDRESS if script.endswith(plotly_script.STREAMLITS) else script for script in scripts]
    preloads = "".join(
        f'<link rel="modulepreload" crossorigin href="./{script}">' for script in scripts if script not in html
    )
    head = f'<meta name="description" content="{ABOUT}">{_SERVER}{preloads}'
    page = f' data-backprop-clinic-page="{HOME}"' if home else ""  # as menu_closer.js says later
    for old, new in (
        ("<html", f"<html{page}"),
        ("<title>Streamlit</title>", f"<title>{NAME}</title>"),
        ("</head>", f"{head}</head>"),
        ('<div id="root">', f'{styles}<div id="root">'),  # over Streamlit's in the head they win, not over a page's own
    ):
        html = html.replace(old, new)
    return html


def routes() -> list[Route]:
    """Of the pages, and of what draws their charts."""
    home, other = (_answer(first_html(home)) for home in (True, False))
    pages = [Route(f"/{page.stem}", other) for page in sorted((ROOT / "pages").glob("*.py"))]
    return [Route("/", home), *pages, plotly_script.route()]


def _answer(html: str):
    async def answer(_: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    return answer
