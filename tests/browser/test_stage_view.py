"""Stage view in a real browser: what is in view at a projector's sizes, how large its type is, and what the keys do."""

import pytest
from playwright.sync_api import Page, expect

from pages.charts.style.traces import THICK
from pages.components.lesson.lessons import HIDDEN_VERDICT
from tests.browser.conftest import settled, visit
from tests.browser.readable import LAPTOP, PHONE, expect_no_wider
from tests.browser.test_lesson import MILLISECONDS

LESSON = "vanishing_gradients?view=stage&nonsense=1"  # of which a sentence stands above the charts
SIZES = ((1280, 720), (1920, 1080), (1024, 768))
LEAST_TYPE = 0.022  # of the window's height
ROUNDING = 0.97  # of a size that a browser rounds
A_LINE = 0.04  # of the window's height, by which a chart with a long title begins lower

DRAWN = """(number) => {
  const charts = [...document.querySelectorAll('.chart')];
  return charts.length === number && charts.every((chart) => chart.dataset.version);
}"""
# How far each chart reaches down, and where the bar of controls begins.
BOTTOMS = """() => ({
  charts: [...document.querySelectorAll('.chart')].map((chart) => chart.getBoundingClientRect().bottom),
  tops: [...document.querySelectorAll('.chart')].map((chart) => chart.getBoundingClientRect().top),
  bar: document.querySelector('.st-key-controls, .st-key-controls_closed').getBoundingClientRect().top,
})"""
# Pixels of the type of everything that is to be read.
TYPE = """() => {
  const texts = [];
  const walk = (root) => root.querySelectorAll('*').forEach((element) => {
    if (element.shadowRoot) walk(element.shadowRoot);
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const seen = own && box.width > 2 && box.height > 2 && box.top < innerHeight && style.visibility === 'visible';
    const icon = element.closest('[data-testid=stIconMaterial], style, .chart-tools, .spoken');
    if (seen && !icon) texts.push([parseFloat(style.fontSize), element.textContent.trim().slice(0, 30)]);
  });
  walk(document.querySelector('.st-key-lesson'));
  return texts;
}"""
# Names and values in the bar that have less room than they take.
CUT_OFF = """() => [...document.querySelectorAll('.st-key-first_screen :is(p, input, span, [role=radiogroup])')]
  .filter((one) => one.clientWidth > 4 && one.scrollWidth > one.clientWidth + 1 && one.checkVisibility())
  .map((one) => one.textContent || one.value || one.ariaLabel)"""
FITS = f"() => {{ const {{ charts, bar }} = ({BOTTOMS})(); return charts.every((bottom) => bottom <= bar + 1); }}"

# Buttons of a chart's head that are under those that a pointer over the chart brings.
COVERED_BUTTONS = """() => [...document.querySelectorAll('.chart-tools')].flatMap((tools) => {
  const { top, left, right } = tools.getBoundingClientRect();
  const buttons = [...tools.closest('[class*=st-key-card_]').querySelectorAll('[class*=st-key-head_] button')];
  return buttons.filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width && box.bottom > top + 1 && box.right > left && box.left < right;
  });
}).map((one) => one.textContent)"""

# Whether lines and marks of the learning curves have grown with the type.
STAR = 15  # px, as in pages/charts/style/traces.py
GROWN = f"""() => {{
  const times = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const [, curves] = document.querySelectorAll('.chart');
  const widths = [...curves.querySelectorAll('.js-line')].map((line) => parseFloat(line.style.strokeWidth));
  const sizes = curves._fullData.map((trace) => trace.marker?.size ?? 0);
  const near = (found, usual) => Math.abs(found / times - usual) < 0.01 * usual;
  return near(Math.max(...widths), {THICK}) && near(Math.max(...sizes), {STAR});
}}"""

NOT_SQUEEZED = "() => [...document.querySelectorAll('.chart')].every((chart) => chart.offsetHeight >= 220)"

STEP = "Number(document.documentElement.dataset.backpropClinicStep)"


@pytest.fixture(scope="module")
def on_stage(page_module: Page, home: str) -> Page:
    visit(page_module, home + LESSON)
    page_module.wait_for_function(DRAWN, arg=3, timeout=MILLISECONDS)
    return page_module


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_three_charts_are_wholly_in_view_in_type_for_the_last_row(on_stage: Page, size: tuple[int, int]):
    width, height = size
    on_stage.set_viewport_size({"width": width, "height": height})
    on_stage.wait_for_function(FITS)
    on_stage.wait_for_function(GROWN)
    found = on_stage.evaluate(BOTTOMS)
    assert max(found["tops"]) - min(found["tops"]) < A_LINE * height, "side by side"
    assert min(bottom - top for top, bottom in zip(found["tops"], found["charts"], strict=True)) > 0.3 * height
    for part in (".st-key-verdict", ".st-key-header"):
        assert on_stage.locator(part).evaluate("(part) => part.getBoundingClientRect().top") >= 0
    expect(on_stage.get_by_role("alert").get_by_text("nonsense=1")).to_be_in_viewport()
    assert not on_stage.evaluate(CUT_OFF)
    small = [(pixels, text) for pixels, text in on_stage.evaluate(TYPE) if pixels < LEAST_TYPE * height * ROUNDING]
    assert not small
    assert on_stage.evaluate("document.querySelector('.stMain').scrollHeight") <= height + 1
    on_stage.locator(".chart").first.hover()
    assert not on_stage.evaluate(COVERED_BUTTONS)


def test_a_link_to_it_can_be_read_on_a_phone(on_stage: Page):
    on_stage.set_viewport_size(PHONE)
    expect_no_wider(on_stage)
    expect(on_stage.get_by_role("button", name="Leave the stage").get_by_text("Leave the stage")).to_be_in_viewport()
    verdict = on_stage.locator(".st-key-verdict").get_by_role("heading").bounding_box()
    title = on_stage.get_by_role("heading", level=1).bounding_box()
    assert verdict
    assert title
    assert verdict["width"] > 0.8 * PHONE["width"]
    assert 0 <= title["y"] < title["y"] + title["height"] <= verdict["y"]
    on_stage.wait_for_function(NOT_SQUEEZED)
    on_stage.set_viewport_size(LAPTOP)


def test_the_menu_is_not_there(on_stage: Page):
    expect(on_stage.get_by_test_id("stSidebar")).to_have_count(0)


def test_keys_choose_a_chart_and_hide_the_verdict(on_stage: Page):
    page = on_stage
    page.locator(".st-key-verdict").click()  # anywhere that is no field
    verdict = page.locator(".st-key-verdict").get_by_role("heading")
    said = verdict.inner_text()
    page.keyboard.press("4")
    page.wait_for_function(DRAWN, arg=1, timeout=MILLISECONDS)
    page.wait_for_url("**chart=4**")
    page.wait_for_function(FITS)
    page.keyboard.press("9")  # there are eight
    settled(page)
    assert "chart=4" in page.url
    page.wait_for_function(DRAWN, arg=1, timeout=MILLISECONDS)
    page.keyboard.press("0")
    page.wait_for_function(DRAWN, arg=3, timeout=MILLISECONDS)
    page.keyboard.press("h")
    expect(verdict).to_contain_text(HIDDEN_VERDICT)
    page.keyboard.press("h")
    expect(verdict).to_have_text(said)
    page.keyboard.press("Space")
    page.wait_for_function(f"() => {STEP} < 300")
    page.keyboard.press("Space")
    step = page.evaluate(STEP)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"(step) => {STEP} > step", arg=step)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"(step) => {STEP} === step", arg=step)
    page.wait_for_function(GROWN)


def test_a_field_keeps_its_keys(on_stage: Page):
    page = on_stage
    page.get_by_role("combobox", name="Initializer", exact=True).focus()
    page.keyboard.press("1")
    page.wait_for_timeout(500)
    assert page.evaluate("document.querySelectorAll('.chart').length") == 3
    page.keyboard.press("Escape")


def test_and_back_again_and_once_more(on_stage: Page):
    page = on_stage
    page.get_by_role("button", name="Leave the stage").click()
    expect(page.get_by_role("tab", name="look")).to_be_visible(timeout=MILLISECONDS)
    assert "view" not in page.url
    page.get_by_role("button", name="Stage view").click()
    button = page.get_by_role("button", name="Leave the stage")
    expect(button).not_to_be_focused(timeout=MILLISECONDS)
    page.wait_for_function(DRAWN, arg=3, timeout=MILLISECONDS)
    settled(page)
    step = page.evaluate(STEP)
    page.keyboard.press("Space")  # plays
    page.wait_for_function(f"(step) => {STEP} !== step", arg=step)
    page.keyboard.press("Space")
    button.press("Space")  # of who has come to it by the keyboard
    expect(page.get_by_role("button", name="Stage view")).to_be_focused(timeout=MILLISECONDS)
