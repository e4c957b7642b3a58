"""The HTML that a browser gets first has what it would else wait for, where Streamlit's own has room for it."""

import re

import pytest

from pages.components.shell.first_html import NAME, ROOT, STYLES, first_html, routes
from pages.components.shell.plotly_script import ADDRESS
from pages.components.shell.streamlit_scripts import IMPORTED, SCRIPTS, STATIC


@pytest.mark.parametrize("home", [True, False])
def test_it_has_the_styles_between_streamlits_and_the_pages_own(home: bool):
    html = first_html(home)
    head, body = html.split("<body>")
    assert ('<html data-backprop-clinic-page="Home"' in head) == home
    assert f"<title>{NAME}</title>" in head
    assert '<meta name="description"' in head
    before_the_page, _ = body.split('<div id="root">')
    assert re.findall("<style>(.*?)</style>", before_the_page, re.DOTALL) == [one.read_text("utf-8") for one in STYLES]


def test_it_names_the_scripts_that_draw_the_page_as_streamlit_names_its_own():
    start = '<link rel="modulepreload" crossorigin href="./'
    assert f"{start}static/js/" in (STATIC / "index.html").read_text("utf-8")
    named = {home: re.findall(f'{start}([^"]*)"', first_html(home)) for home in (True, False)}
    assert all(len(set(scripts)) == len(scripts) for scripts in named.values())
    assert set(named[True]) < set(named[False])
    assert ADDRESS in set(named[False]) - set(named[True])
    here = {script.removeprefix("static/js/") for script in named[False] if script != ADDRESS}
    imported = {other for script in here for other in IMPORTED.findall((SCRIPTS / script).read_text("utf-8"))}
    assert {script.partition(".")[0] for script in imported - here} <= {"index"}, "which begins everything"


def test_every_page_has_it():
    assert {route.path for route in routes()} == {
        f"/{ADDRESS}",
        "/",
        *(f"/{page.stem}" for page in (ROOT / "pages").glob("*.py")),
    }
