"""A chart's own buttons: where they are, what they are called, and what a saved picture says."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from pages.charts.style.tokens import TOKENS
from pages.components.shell.plotly_script import ADDRESS, STREAMLITS
from tests.browser.conftest import visit
from tests.browser.readable import LAPTOP

LESSON = "vanishing_gradients?depth=3"
TITLE = "Gradient per layer"
CARD = ".st-key-card_gradient_per_layer"
SURFACE = ".st-key-card_predictions .chart"
# The words of the card over which an element lies, by more than the air around their letters.
COVERED = """(over) => {
  const { left, right, top, bottom } = over.getBoundingClientRect();
  const card = over.closest('[class*=st-key-card_]');
  const words = [...card.querySelectorAll('svg text, h3, p')].filter((one) => !over.contains(one));
  const covers = (box) =>
    box.width && box.left < right && box.right > left && box.top + 3 < bottom && box.bottom - 3 > top;
  return words.filter((one) => covers(one.getBoundingClientRect())).map((one) => one.textContent);
}"""
# Whether what a pointer meets in the middle of a button, and somewhat below, is the button.
REACHED = """(button) => {
  const { left, width, top, height } = button.getBoundingClientRect();
  return [0.5, 0.65].every((down) => button.contains(document.elementFromPoint(left + width / 2, top + down * height)));
}"""
# Titles, legends and scales of colours of a chart that reach beyond its picture.
CUT = """(chart) => {
  const picture = chart.querySelector('.main-svg').getBoundingClientRect();
  return [...chart.querySelectorAll('.infolayer > :not(.annotation)')].filter((part) => {
    const { left, right, top, bottom, width } = part.getBoundingClientRect();
    return width && (left < picture.left - 2 || right > picture.right + 2 || top < picture.top - 2
      || bottom > picture.bottom + 2);
  }).map((part) => part.getAttribute('class'));
}"""
# Milliseconds since the page was asked for.
SCRIPTS = """() => {
    const [{ domContentLoadedEventStart: ran }] = performance.getEntriesByType("navigation");
    const scripts = performance.getEntriesByType("resource").filter(({ name }) => /(static|plotly).*[.]js$/.test(name));
    return scripts.map(({ name, startTime }) => [new URL(name).pathname.slice(1), startTime > ran]);
}"""
PICTURE_WIDTH, SCALE = 800, 2  # as in chart.js


@pytest.fixture(scope="module")
def page(page_module: Page, home: str) -> Page:
    """The lesson, loaded once; tests leave it as they found it."""
    opened(page_module, home)
    return page_module


@pytest.fixture
def card(page: Page) -> Locator:
    """Its card, with nothing focused."""
    page.get_by_role("heading", level=1).click()
    return page.locator(CARD)


def opened(page: Page, home: str) -> Locator:
    visit(page, home + LESSON)
    card = page.locator(CARD)
    expect(card.locator(".chart[data-version]")).to_be_visible()
    return card


def saved(page: Page, card: Locator, kind: str, folder: Path) -> Path:
    card.locator(".chart").hover()
    with page.expect_download() as download:
        card.get_by_role("button", name=f"Save as {kind}: {TITLE}").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_picture_says_what_it_shows_of_which_networks_and_where(page: Page, card: Locator, tmp_path: Path):
    path = saved(page, card, "SVG", tmp_path)
    assert re.fullmatch(r"gradient-per-layer-step-\d+\.svg", path.name)
    text = re.sub(r"<[^>]+>", "\n", path.read_text("utf-8"))
    assert TITLE in text
    assert "activation sigmoid → ReLU" in text
    assert page.url.split("?")[0] in text
    for name in ("Patient", "Treated"):
        assert name in text, "the legend is there"


def test_a_picture_in_pixels_is_of_double_size(page: Page, card: Locator, tmp_path: Path):
    header = saved(page, card, "PNG", tmp_path).read_bytes()[:24]
    assert int.from_bytes(header[16:20], "big") == SCALE * PICTURE_WIDTH


def test_the_buttons_show_to_a_pointer_and_to_the_keyboard_and_cover_no_word(page: Page, card: Locator):
    tools = card.locator(".chart-tools")
    page.mouse.move(0, 0)
    expect(tools).to_have_css("opacity", "0")
    card.locator(".chart").hover()
    expect(tools).to_have_css("opacity", "1")
    assert not tools.evaluate(COVERED)
    page.set_viewport_size({"width": 1280, "height": 720})  # where there is less air
    assert card.locator("[class*=st-key-head_] button:visible").last.evaluate(REACHED)
    page.set_viewport_size(LAPTOP)
    page.mouse.move(0, 0)
    tools.get_by_role("button").first.focus()
    expect(tools).to_have_css("opacity", "1")


def test_the_screen_is_filled_and_left_again(page: Page, card: Locator):
    card.locator(".chart").hover()
    fill = card.get_by_role("button", name=f"Fill the screen with {TITLE}")
    fill.click()
    page.wait_for_function("document.fullscreenElement?.classList.contains('chart-frame')")
    fill.click()
    page.wait_for_function("!document.fullscreenElement")


def test_where_the_browser_cannot_fill_the_screen_there_is_no_button_for_it(own_page: Page, home: str):
    own_page.add_init_script("delete Element.prototype.requestFullscreen")
    card = opened(own_page, home)
    card.locator(".chart").hover()
    expect(card.get_by_role("button", name="Save as PNG")).to_be_visible()
    expect(card.get_by_role("button", name="Fill the screen")).to_have_count(0)


def test_charts_are_drawn_once_and_again_where_their_words_need_more_room(own_page: Page, home: str):
    opened(own_page, home)
    scripts = dict(own_page.evaluate(SCRIPTS))
    assert ADDRESS in scripts
    assert f"static/js/{STREAMLITS}" not in scripts
    assert not [name for name, late in scripts.items() if late], "the page's first bytes name all of them"
    for chart in own_page.locator(".chart[data-version]").all():
        assert chart.evaluate("({ layout }) => layout.margin.autoexpand === false")
        assert chart.evaluate(CUT) == []
    own_page.set_viewport_size({"width": 390, "height": 844})
    visit(own_page, home + LESSON + "&part=why")
    chart = own_page.locator(".st-key-card_chain_rule_factors .chart[data-version]")
    chart.scroll_into_view_if_needed()
    own_page.wait_for_function("(chart) => !('autoexpand' in chart.layout.margin)", arg=chart.element_handle())
    assert chart.evaluate(CUT) == []


def test_surfaces_are_dark_on_a_dark_page_and_lines_lighter_and_back_again(page: Page, card: Locator):
    chart = page.locator(SURFACE)
    chart.scroll_into_view_if_needed()

    def middle(color: str, patient: str) -> None:
        page.wait_for_function(
            "([selector, color]) => document.querySelector(selector)._fullLayout?.coloraxis.colorscale[1][1] === color",
            arg=[SURFACE, color],
        )
        page.wait_for_function(
            "([card, color]) => document.querySelector(`${card} .chart`)._fullData[2].line.color === color",
            arg=[CARD, patient],
        )

    light, dark = re.findall("#[0-9a-f]{6}", TOKENS["patient"])
    middle("#d9d9d9", light)
    page.emulate_media(color_scheme="dark")
    middle("#2b3036", dark)
    page.wait_for_function("() => getComputedStyle(document.body).colorScheme === 'dark'")  # of dialogs
    page.emulate_media(color_scheme="light")
    middle("#d9d9d9", light)
