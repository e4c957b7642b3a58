"""The HTML that a browser gets first has what it would else wait for, where Streamlit's own has room for it."""

import re

import pytest

from pages.components.shell.first_html import NAME, PLOTLY, ROOT, STATIC, STYLES, first_html, routes


@pytest.mark.parametrize("charts", [True, False])
def test_it_has_the_styles_between_streamlits_and_the_pages_own(charts: bool):
    html = first_html(charts)
    head, body = html.split("<body>")
    assert f"<title>{NAME}</title>" in head
    assert '<meta name="description"' in head
    before_the_page, _ = body.split('<div id="root">')
    assert re.findall("<style>(.*?)</style>", before_the_page, re.DOTALL) == [one.read_text("utf-8") for one in STYLES]


def test_a_page_with_charts_names_what_draws_them_as_streamlit_names_its_own():
    preload = f'<link rel="modulepreload" crossorigin href="./static/js/{PLOTLY.name}">'
    assert preload in first_html(charts=True)
    assert preload not in first_html(charts=False)
    assert '<link rel="modulepreload" crossorigin href="./static/js/' in (STATIC / "index.html").read_text("utf-8")


def test_every_page_has_it():
    assert {route.path for route in routes()} == {"/", *(f"/{page.stem}" for page in (ROOT / "pages").glob("*.py"))}
