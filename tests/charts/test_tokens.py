"""One source of colours: charts, the page's styles and Streamlit's theme have those of assets/tokens.css."""

import re
import tomllib
from pathlib import Path

import pytest

from pages.charts.style.figure import PATIENT, TREATED
from pages.charts.style.tokens import LIGHT, TOKENS

ROOT = Path(__file__).resolve().parents[2]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
STYLES = [ROOT / "assets" / f"{name}.css" for name in ("style", "home", "stage", "studio")]


def light_and_dark(name: str) -> list[str]:
    return re.findall(r"#[0-9a-f]{6}", TOKENS[name])


@pytest.mark.parametrize(
    ("token", "setting"),
    [("page", "backgroundColor"), ("ink", "textColor"), ("edge", "borderColor"), ("accent", "primaryColor")],
)
def test_streamlits_theme_has_the_tokens_colours(token, setting):
    assert light_and_dark(token) == [THEME[scheme][setting] for scheme in ("light", "dark")]


def test_the_menu_has_them_too():
    light, dark = light_and_dark("side")
    assert (light, dark) == tuple(THEME[scheme]["sidebar"]["backgroundColor"] for scheme in ("light", "dark"))
    assert light_and_dark("raised")[1] == THEME["dark"]["secondaryBackgroundColor"]


def test_browsers_without_light_dark_have_them_too():
    fallback = (ROOT / "assets" / "tokens.css").read_text("utf-8").split("@supports not (color: light-dark(")[1]
    parts = fallback.split("prefers-color-scheme: dark")
    light, dark = (dict(re.findall(r"--([\w-]+): (.+);", part)) for part in parts)
    both = {name for name, text in TOKENS.items() if text.startswith("light-dark(")}
    assert light.keys() == dark.keys() == both
    assert {name: [light[name], dark[name]] for name in both} == {name: light_and_dark(name) for name in both}


def test_charts_have_them():
    assert [PATIENT.color, TREATED.color] == ["#d55e00", "#0072b2"]  # vermillion and blue of Okabe and Ito
    assert (LIGHT["patient"], LIGHT["treated"]) == (PATIENT.color, TREATED.color)


def test_on_a_dark_page_they_have_the_colours_of_the_names_beside_them():
    """chart.js reads them from the token."""
    names = [THEME["dark"][setting] for setting in ("orangeTextColor", "blueTextColor")]
    assert [light_and_dark(token)[1] for token in ("patient", "treated")] == names


@pytest.mark.parametrize("file", STYLES, ids=lambda file: file.name)
def test_a_style_has_no_colour_of_its_own(file):
    text = re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.DOTALL)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", text)


def test_every_token_that_a_style_uses_is_there():
    used = {
        name
        for file in [*STYLES, *(ROOT / "assets" / "components").glob("*.css")]
        for name in re.findall(r"var\(--([a-z-]+)", file.read_text("utf-8"))
        if not name.startswith("st-")
    }
    defined = {
        name
        for file in [*STYLES, *(ROOT / "assets" / "components").glob("*.css")]
        for name in re.findall(r"--([a-z-]+):", file.read_text("utf-8"))
    }
    set_by_scripts = {"backprop-clinic-foot", "scale"}
    assert used - defined - set_by_scripts <= set(TOKENS)
    assert {"hair", "close", "apart", "wide", "small", "text", "accent"} <= used
