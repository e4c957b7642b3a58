"""A word of the glossary is explained where it stands: by pointer, by keyboard, by a tap."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.readable import LAPTOP
from tests.browser.test_lesson import opened
from tests.patience import SOON

LESSON = "vanishing_gradients"
SAYS = "root mean square, the typical size"


def test_pointer_and_keyboard(page: Page, home: str):
    page.goto(home + LESSON)
    word = page.locator(".st-key-strip").get_by_role("link", name="rms", exact=True)
    explanation = page.get_by_role("tooltip").filter(has_text=SAYS)
    word.hover(timeout=SOON * 1000)
    expect(explanation).to_be_visible()
    explanation.hover()  # the pointer may go there
    page.wait_for_timeout(500)
    expect(explanation).to_be_visible()
    box = explanation.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= LAPTOP["width"]
    page.mouse.move(5, 5)
    expect(explanation).to_have_count(0)
    word.focus()
    expect(explanation).to_be_visible()
    assert SAYS in (word.get_attribute("aria-description") or "")
    page.keyboard.press("Escape")
    expect(explanation).to_have_count(0)
    address = page.url
    word.press("Enter")
    expect(explanation).to_be_visible()
    assert page.url == address
    page.keyboard.press("Tab")  # to the next word of the same component
    expect(explanation).to_have_count(0)
    expect(page.get_by_role("tooltip")).to_contain_text("rms δ of the first layer over")
    page.emulate_media(color_scheme="dark")
    page.get_by_role("heading", level=2).first.get_by_role("link", name="He", exact=True).hover()
    expect(page.get_by_role("tooltip")).to_contain_text("rules for the initial weights")
    light = page.get_by_role("tooltip").evaluate("one => getComputedStyle(one).backgroundColor")
    assert light == "rgb(27, 38, 44)"


def test_a_tap(chromium: Browser, home: str):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(home + LESSON)
    page.locator(".st-key-strip").get_by_role("link", name="R", exact=True).tap(timeout=SOON * 1000)
    explanation = page.get_by_role("tooltip").filter(has_text="Far below 1 the gradient vanishes")
    expect(explanation).to_be_visible()
    box = explanation.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.get_by_role("heading", level=1).tap()
    expect(explanation).to_have_count(0)
    context.close()


def test_what_stands_in_a_chart_is_explained_beside_its_title(page: Page, home: str):
    opened(page, home + LESSON)
    page.get_by_role("heading", name="Gradient per layer").get_by_role("button", name="Help").hover(timeout=SOON * 1000)
    help_text = page.get_by_role("tooltip").filter(has_text="Left to right: the layers")
    for words in (SAYS, "the unit of a loss", "It is what travels back"):
        expect(help_text).to_contain_text(words)
