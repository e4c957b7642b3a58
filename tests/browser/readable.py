"""What every page must be: readable by all in both themes, and no wider than a phone."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, TimeoutError, ViewportSize, expect

LAPTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
# The page's background, .streamlit/config.toml.
PAPER: dict[Literal["dark", "light"], str] = {"dark": "rgb(16, 24, 28)", "light": "rgb(255, 255, 255)"}
GRAVE = ("serious", "critical")
SETTLED = 500  # milliseconds that a page gets to draw a theme
OF_COLORS = ["color-contrast", "link-in-text-block"]  # axe's rules that hang on the theme

# Rule of axe -> how the element begins.  Streamlit gives a formula (st.latex) a scrolling box that has no tab stop.
STREAMLITS_OWN = {"scrollable-region-focusable": '<span class="katex-display">'}

# What reaches beyond the right edge, except within a box that scrolls or clips and is itself within the screen.
TOO_WIDE = """() => [...document.querySelectorAll('body *')].filter((element) => {
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height || box.right <= innerWidth + 1) return false;
  for (let around = element.parentElement; around !== document.body; around = around.parentElement) {
    const clips = getComputedStyle(around).overflowX !== 'visible' && !around.matches('.stMain, .stApp');
    if (clips && around.getBoundingClientRect().right <= innerWidth + 1) return false;
  }
  return true;
}).map((element) => element.outerHTML.slice(0, 120))"""


def themes(page: Page) -> Iterator[str]:
    """The page in one theme after the other; name of each."""
    for scheme, paper in PAPER.items():
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            "(paper) => getComputedStyle(document.querySelector('.stApp')).backgroundColor === paper", arg=paper
        )
        page.wait_for_timeout(SETTLED)
        yield scheme


def expect_readable(page: Page, *parts: str) -> None:
    """In both themes; nothing that axe calls serious or critical.

    parts: selectors of what to look at, where another test looks at the whole page: with its charts it takes seconds.
    """
    for part in parts:
        expect(page.locator(part)).to_be_visible()
    for scheme in themes(page):
        assert not violations(page, *parts, dark=scheme == "dark"), scheme


def expect_no_wider(page: Page) -> None:
    """On a phone nothing scrolls sideways or is cut off at the right, once charts have been drawn anew."""
    page.wait_for_timeout(SETTLED)
    with suppress(TimeoutError):
        page.wait_for_function(f"() => !({TOO_WIDE})().length")
    assert not page.evaluate(TOO_WIDE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= PHONE["width"]


def violations(page: Page, *parts: str, dark: bool = False) -> list[tuple[str, str, str]]:
    """What axe calls serious or critical: rule, element, why.  dark: colors alone, where light is read too."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": OF_COLORS} if dark else {})
    found = Axe().run(page, list(parts) or None, options).response["violations"]
    return [
        (rule["id"], node["html"][:200], node["failureSummary"])
        for rule in found
        for node in rule["nodes"]
        if rule["impact"] in GRAVE and not node["html"].startswith(STREAMLITS_OWN.get(rule["id"], "\0"))
    ]
