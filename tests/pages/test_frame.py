"""The frame of every page: menu, tools, home page, theme."""

import re
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.shell import frame
from tests.patience import SOON

ROOT = Path(frame.__file__).parents[3]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch):
    """For which the networks of the ward and of the lessons would be trained."""
    monkeypatch.setattr("pages.components.home.page.draw_previews", lambda places: None)
    monkeypatch.setattr("pages.components.home.page.draw_pictures", lambda places: None)


def home(**query: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SOON)
    app.query_params.update(query)
    app.run()
    assert not app.exception
    return app


def links(app: AppTest) -> set[str]:
    return {link.proto.page for link in app.get("page_link")}


def test_every_page_file_has_a_row_in_the_menu_and_on_the_home_page():
    files = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert files == {row.name for row in frame.lessons()}
    app = home()
    assert links(app) == files | {""}
    cards = " ".join(text.value for text in app.main.markdown)
    assert all(row.card in cards for row in frame.lessons())


def test_the_home_page_has_the_ward_the_lessons_and_a_line_for_teachers():
    app = home()
    assert app.title[0].value == frame.NAME
    assert [part.value for part in app.header] == ["The ward", "The lessons"]
    assert "**Teaching?**" in " ".join(text.value for text in app.main.markdown)
    assert not app.warning


def sent_style(app: AppTest) -> str:
    return str([html.proto.body for html in app.get("html")])


@pytest.mark.parametrize("link", [{"view": "stage"}, {"projector": "true"}])
def test_stage_view_has_large_type_and_no_menu(link):
    assert "--backprop-clinic-stage" not in sent_style(home())
    assert links(home())
    on_stage = home(**link)
    assert "--backprop-clinic-stage" in sent_style(on_stage)
    assert not on_stage.sidebar.markdown
    on_stage.button(key="stage_view").click().run()
    assert "--backprop-clinic-stage" not in sent_style(on_stage)
    assert not on_stage.query_params
    on_stage.button(key="stage_view").click().run()
    assert on_stage.query_params == {"view": "stage"}


@pytest.mark.parametrize(
    ("name", "text"), [("view", "balcony"), ("view", "\0"), ("projector", "perhaps\0"), ("projector", "9" * 5000)]
)
def test_a_view_that_is_none_is_ignored_and_said(name, text):
    others = {f"parameter{number}": "1" for number in range(900)}
    app = home(**{name: ["true", text]}, timeline="9" * 5000, **others)
    assert f"{name}=" in app.warning[0].value
    assert "--backprop-clinic-stage" not in sent_style(app)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_enough_contrast(theme):
    colors = CONFIG["theme"][theme]
    for background in ("backgroundColor", "secondaryBackgroundColor"):
        for text in ("textColor", "linkColor", "primaryColor", "orangeTextColor", "blueTextColor"):
            assert contrast(colors[text], colors[background]) >= 4.5, (text, background)  # WCAG 2.1, 1.4.3
    assert contrast(colors["borderColor"], colors["backgroundColor"]) >= 3  # of a control's outline, 1.4.11


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.1."""

    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_no_style_looks_for_something_in_the_whole_app():
    """The browser would do so whenever Plotly draws a line: a tenth of a second a frame of the timeline."""
    style = "".join((ROOT / "assets" / f"{name}.css").read_text("utf-8") for name in ("style", "home"))
    whole = r"(main|stApp|stSidebar\"\]|stMain|stMainBlockContainer\"\]|st-key-lesson|\n *)"
    assert not re.search(rf"{whole}(:is\(|:not\()*:has\((?!> \* >)", style)


@pytest.mark.parametrize("name", ["style", "home", "stage"])
def test_no_style_asks_any_element_for_what_it_has(name):
    """The browser would go through the styles of all around each element that is added."""
    style = (ROOT / "assets" / f"{name}.css").read_text("utf-8").replace(":not(:has(", ":has(")
    assert ":has(" in style
    assert not re.search(r"(?<![\w\])]):has\((?!\))", style)


def test_nothing_is_configured_to_come_from_elsewhere():
    text = (ROOT / ".streamlit" / "config.toml").read_text("utf-8") + (ROOT / "assets" / "style.css").read_text("utf-8")
    assert "http" not in text
    assert "@import" not in text
    assert "emotion" not in text
    assert CONFIG["browser"]["gatherUsageStats"] is False


def test_tests_and_benchmarks_start_what_visitors_get():
    assert CONFIG["server"]["fileWatcherType"] == "none"
    options = {
        (path.name, *option.groups())
        for path in (ROOT / "tests").glob("[a-z]*/**/*.py")
        for option in re.finditer(r"--(server|runner|global|browser)\.(\w+)", path.read_text("utf-8"))
    }
    assert not options  # those of tests/serving.py are what a port and a missing desktop ask for


def test_the_icon_is_a_drawing():
    assert ElementTree.parse(ROOT / "assets" / "icon.svg").getroot().tag.endswith("svg")
