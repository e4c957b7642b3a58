"""The Plotly.js that a page loads: Streamlit's own, with our kinds of traces alone."""

import gzip
import re

import pytest

from pages.charts.style.figure import KINDS, AnimatedFigure
from pages.components.shell.plotly_script import ALWAYS, STREAMLITS, route, with_our_kinds
from pages.components.shell.streamlit_scripts import SCRIPTS

TEXT = (SCRIPTS / STREAMLITS).read_text("utf-8")
REGISTER = re.compile(r"\.register\(\[([\w$]+\(\)(?:,[\w$]+\(\))*)\]\)")


def registered(text: str) -> list[str]:
    """The kinds that Plotly.js sets up."""
    (names,) = REGISTER.findall(text)
    found = (re.search(rf'\b{re.escape(name[:-2])}=_\(\{{"lib/(\w+)\.js"', text) for name in names.split(","))
    return [kind[1] for kind in found if kind]


def test_it_sets_up_our_kinds_of_traces():
    """Where this fails, Streamlit's script is written otherwise, and pages load all of it."""
    assert len(registered(TEXT)) > 40
    assert registered(with_our_kinds(TEXT)) == [kind for kind in KINDS if kind != ALWAYS]


@pytest.mark.parametrize(("old", "new"), [("register([", "register(["[::-1]), ('"lib/box.js"', '"lib/boxes.js"')])
def test_what_is_written_otherwise_stays_as_it_is(old: str, new: str):
    other = TEXT.replace(old, new)
    assert other != TEXT
    assert with_our_kinds(other) == other


def test_its_imports_are_streamlits_scripts():
    answer = route().endpoint(None)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < len(TEXT) / 3
    imported = re.findall(r'(?:from|import)"([^"]+\.js)"', gzip.decompress(answer.body).decode())
    assert len(imported) > 5
    for script in imported:
        path = (SCRIPTS / script.removeprefix("../../static/js/")).resolve()
        assert path.parent == SCRIPTS.resolve()
        assert path.exists()


def test_a_chart_of_another_kind_is_invalid():
    with pytest.raises(ValueError, match="must be one of bar, box, contour, heatmap, scatter, not pie"):
        AnimatedFigure([{"type": "pie", "values": [1, 2]}]).validate()
