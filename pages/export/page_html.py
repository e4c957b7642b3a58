"""A lesson's page as one HTML file: its sentence, timeline, strip and charts, without a server and without a network.

The components of the app are in it as they are, with Plotly.js and what they are sent; assets/export/page.js mounts
them.  A policy in the file forbids it to load anything else.
"""

import base64
import gzip
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

import orjson
from plotly.offline import get_plotlyjs

from engine import SETTINGS, Experiment
from pages.text.glossary import LINK
from pages.text.labels import meaning

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"
MOST_BYTES = 6_000_000
# Name -> scripts that come first.
COMPONENTS = {"timeline": ("stepper",), "strip": ("cells", "numbers"), "chart": ("moves", "figures"), "chart_place": ()}
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
_LINKED = re.compile(rf"\[([^][]*)\]\({LINK}[^)]*\)")


@dataclass(frozen=True)
class ChartOfPage:
    """A chart as the page has it.  data: what `encoded` of its figure gave."""

    name: str  # its anchor
    title: str
    question: str
    how_to_read: str
    data: bytes


@dataclass(frozen=True)
class Contents:
    """What the page shows.

    networks: name and settings of each; steps: of the timeline; strip: what the strip's component is sent of it;
    left_out: titles of charts that the file has no room for.
    """

    title: str
    verdict: str
    note: str
    link: str
    networks: Sequence[tuple[str, Experiment]]
    steps: Sequence[int]
    strip: bytes
    charts: Sequence[ChartOfPage]
    left_out: tuple[str, ...] = ()


def page_html(contents: Contents) -> bytes:
    """The file, of at most MOST_BYTES; what is too large for it, the last charts first, is left out, and it says so."""
    page = _page(contents)
    while len(page) > MOST_BYTES and contents.charts:
        *charts, last = contents.charts
        contents = replace(contents, charts=charts, left_out=(last.title, *contents.left_out))
        page = _page(contents)
    return page


def _page(contents: Contents) -> bytes:
    title, verdict, link, steps = contents.title, contents.verdict, contents.link, contents.steps
    text = _LINKED.sub(r"\1", contents.strip.decode())
    data = {
        "timeline": {"key": "page", "steps": list(steps), "updates_total": steps[-1], "start": None},
        "strip": orjson.dumps({"strip": orjson.Fragment(text), "preview": None, "verdict": verdict}).decode(),
        "charts": {chart.name: chart.data.decode() for chart in contents.charts},
        "link": link,
    }
    cards = "\n".join(
        f'<section id="{escape(chart.name)}"><h3>{escape(chart.title)}</h3><p>{escape(chart.question)}</p>'
        f'<div class="plot" data-chart="{escape(chart.name)}"></div>'
        f"<details><summary>How to read it</summary><p>{escape(_plain(chart.how_to_read))}</p></details></section>"
        for chart in contents.charts
    )
    left_out = escape(", ".join(contents.left_out))
    missing = f"<p>Too large for this file: {left_out}.</p>" if left_out else ""
    address = (
        f'<a href="{escape(link)}">{escape(link)}</a>' if link.startswith(("http://", "https://")) else escape(link)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)} · Backprop Clinic</title>
<style>
{_style()}
</style>
</head>
<body>
<main>
<p class="small">Backprop Clinic</p>
<h1>{escape(title)}</h1>
<h2>{escape(_plain(verdict))}</h2>
<p class="small">{escape(_plain(contents.note))}</p>
<div class="stElementContainer" id="timeline"></div>
<div id="strip"></div>
<div class="charts">
{cards}
</div>
{missing}
{_settings(contents.networks)}
<p class="small">The page that this was saved from: {address}</p>
<p class="small">Every number and curve is measured on networks that were trained for this page.</p>
</main>
<noscript>The charts need JavaScript.</noscript>
<script type="text/plain" id="plotly">{_plotly()}</script>
<script type="text/plain" id="data">{_packed(orjson.dumps(data))}</script>
<script>
{_script()}
</script>
</body>
</html>
""".encode()


def _packed(data: bytes) -> str:
    """As `unpacked` of page.js reads it: compressed, in base64, equal for equal data."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode("ascii")


@lru_cache(maxsize=1)
def _plotly() -> str:
    return _packed(get_plotlyjs().encode())


def _plain(text: str) -> str:
    """A sentence without what its Markdown marks."""
    return _LINKED.sub(r"\1", text).replace("**", "").replace("`", "").strip()


def _settings(networks: Sequence[tuple[str, Experiment]]) -> str:
    """All settings as a table, folded; those in which the networks differ are marked."""
    rows = []
    for name, setting in SETTINGS.items():
        values = [getattr(experiment, name) for _, experiment in networks]
        if name == "data_digest" and not any(values):
            continue
        differs = ' class="differs"' if len(set(values)) > 1 else ""
        cells = "".join(f"<td>{escape(meaning(name, value))}</td>" for value in values)
        rows.append(f"<tr{differs}><th>{escape(setting.label)}</th>{cells}</tr>")
    heads = "".join(f"<th>{escape(name)}</th>" for name, _ in networks)
    return (
        f"<details><summary>All settings</summary><table><thead><tr><td></td>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></details>"
    )


@lru_cache(maxsize=1)
def _style() -> str:
    """The app's tokens, its theme as the components know it, and the page's own style."""
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]

    def colors(look: str) -> str:
        return "".join(
            f"--st-{re.sub('[A-Z]', lambda capital: f'-{capital[0].lower()}', name)}: {color};"
            for name, color in theme[look].items()
            if isinstance(color, str)
        )

    return "\n".join(
        [
            _font(),
            (ASSETS / "tokens.css").read_text("utf-8"),
            f":root {{ {colors('light')} }}",
            f"@media (prefers-color-scheme: dark) {{ :root {{ {colors('dark')} }} }}",
            (ASSETS / "export" / "page.css").read_text("utf-8"),
        ]
    )


def _font() -> str:
    """The app's font, for whose width the charts are laid out: Streamlit's package has it; nothing where it has not."""
    package = find_spec("streamlit")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for file in Path(folder).glob("static/static/media/SourceSans*-Upright*.woff2"):
            source = f"data:font/woff2;base64,{base64.b64encode(file.read_bytes()).decode('ascii')}"
            return f'@font-face {{ font-family: "Source Sans"; font-weight: 200 900; src: url({source}); }}'
    return ""


@lru_cache(maxsize=1)
def _script() -> str:
    """The components' scripts, each a function that gives its default export, and what mounts them."""
    components = ",\n".join(f"{name}: {_component(name, *shared)}" for name, shared in COMPONENTS.items())
    mounts = (ASSETS / "export" / "page.js").read_text("utf-8")
    return f"const NO_HISTORY = {{ replaceState() {{}} }};\nconst components = {{\n{components}\n}};\n{mounts}"


def _component(name: str, *shared: str) -> str:
    """{html, css, mount}.  Its script gets an empty history: a file's address stays as it is."""
    folder = ASSETS / "components"

    def text(file: str) -> str:
        path = folder / file
        return path.read_text("utf-8") if path.exists() else ""

    script = "\n".join(text(f"{one}.js") for one in (*shared, name))
    css = text("component.css") + text(f"{name}.css")
    mount = f"((history) => {{\n{script.replace('export default function', 'return function')}\n}})(NO_HISTORY)"
    return f"{{ html: {_quoted(text(f'{name}.html'))}, css: {_quoted(css)}, mount: {mount} }}"


def _quoted(text: str) -> str:
    """A string of JavaScript that ends no script element."""
    return orjson.dumps(text).decode().replace("</", "<\\/")
