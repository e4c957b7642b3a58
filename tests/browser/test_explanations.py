"""A word of the glossary is explained where it stands: by pointer, by keyboard, by a tap."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import settled
from tests.browser.readable import LAPTOP, PHONE
from tests.patience import SOON

LESSON = "vanishing_gradients"
SAYS = "root mean square, the typical size"


def test_pointer_keyboard_and_finger(page: Page, home: str):
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
    expect(page.get_by_role("tooltip")).to_contain_text("with ReLU, which sets about half of its inputs to zero")
    light = page.get_by_role("tooltip").evaluate("one => getComputedStyle(one).backgroundColor")
    assert light == "rgb(27, 38, 44)"

    # What stands in a chart is explained beside its title.
    page.get_by_role("heading", name="Gradient per layer").get_by_role("button", name="Help").hover()
    help_text = page.get_by_role("tooltip").filter(has_text="Left to right: the layers")
    for words in (SAYS, "the unit of a loss", "It is what travels back"):
        expect(help_text).to_contain_text(words)

    page.emulate_media(color_scheme="light")
    page.mouse.move(5, 5)  # there is no pointer on a phone
    page.set_viewport_size(PHONE)
    tap(page, page.locator(".st-key-strip").get_by_role("link", name="R", exact=True))
    explanation = page.get_by_role("tooltip").filter(has_text="Far below 1 the gradient vanishes")
    expect(explanation).to_be_visible()
    box = explanation.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    tap(page, page.get_by_role("heading", level=1))
    expect(explanation).to_have_count(0)


def tap(page: Page, place: Locator) -> None:
    settled(page)
    place.evaluate("(one) => one.scrollIntoView({ block: 'center' })")
    box = place.bounding_box()
    assert box
    finger = page.context.new_cdp_session(page)
    at = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}]
    for kind, touches in (("touchStart", at), ("touchEnd", [])):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
