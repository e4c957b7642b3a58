"""Draw it first in a real browser: by mouse, finger and keyboard; then the measured curve lies over the drawn one."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import visit
from tests.browser.readable import PHONE, expect_no_wider, violations

LESSON = "vanishing_gradients?draw=gradient_per_layer&steps=20&n_train=40"
LAYERS = 10
DRAWING, COMPARED = ".st-key-drawing", ".st-key-compared"


def handle(page: Page, network: str, layer: int) -> Locator:
    return page.get_by_role("slider", name=f"{network}, layer {layer}", exact=True)


def height(page: Page, network: str, layer: int) -> float:
    """log10 of what is drawn there."""
    return float(handle(page, network, layer).get_attribute("aria-valuenow") or "nan")


def middle(handle: Locator) -> tuple[float, float]:
    box = handle.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_curve_is_drawn_by_mouse_finger_and_keyboard_and_then_compared(page: Page, home: str):
    visit(page, home + LESSON)
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    expect(page.locator(".chart")).to_have_count(0)
    assert not violations(page, DRAWING)

    # Mouse: a line that falls from layer 9 to layer 1; layers that were passed in one move lie on it.
    (right, level), (left, _) = middle(handle(page, "Patient", LAYERS - 1)), middle(handle(page, "Patient", 1))
    page.mouse.move(right, level)
    page.mouse.down()
    page.mouse.move(left, level + 80)
    page.mouse.up()
    drawn = [height(page, "Patient", layer) for layer in range(1, LAYERS)]
    assert drawn == sorted(drawn)
    assert drawn[0] < -2
    assert abs(drawn[4] - drawn[0] / 2) < 0.1

    # Keyboard: the other curve, from the button on; arrows choose a layer and move it.
    page.get_by_role("button", name="Treated").press("Enter")
    handle(page, "Treated", 1).press("ArrowRight")
    expect(handle(page, "Treated", 2)).to_be_focused()
    for key, moved in (("ArrowDown", -0.25), ("PageDown", -1.25), ("ArrowUp", -1.0)):
        page.keyboard.press(key)
        assert height(page, "Treated", 2) == moved
    expect(handle(page, "Treated", 2)).to_have_attribute("aria-valuetext", "0.1, against the last hidden layer")
    assert height(page, "Treated", 1) == -1, "what was not drawn is level beyond what was"
    assert height(page, "Treated", 6) == -0.5, "and on the line up to the last hidden layer"

    # Finger, on a phone: the page does not scroll away under it.
    page.set_viewport_size(PHONE)
    expect_no_wider(page)
    handle(page, "Treated", 3).scroll_into_view_if_needed()
    x, y = middle(handle(page, "Treated", 3))
    finger = page.context.new_cdp_session(page)
    for kind, below in (("touchStart", 0), ("touchMove", 15), ("touchMove", 30), ("touchEnd", None)):
        points = [] if below is None else [{"x": x, "y": y + below}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert height(page, "Treated", 3) < -1.5
    assert abs(middle(handle(page, "Treated", 3))[1] - (y + 30)) < 3

    page.emulate_media(color_scheme="dark")
    compare.click()
    expect(page.locator(COMPARED)).to_contain_text("What was overlooked: the slope shrinks the signal")
    expect(page.locator(COMPARED)).to_contain_text("powers of ten.")
    expect(page.locator(f"{COMPARED} .found")).to_have_count(2)
    expect(page.locator(f"{COMPARED} .gap")).to_have_count(2)
    expect(page.locator(f"{COMPARED} [role=img]")).to_have_accessible_name(re.compile("^Patient: In layer 1 you "))
    assert "draw=" not in page.url
    assert not violations(page, COMPARED)
    expect_no_wider(page)
    page.get_by_role("button", name="Close").click()
    expect(page.locator(COMPARED)).to_have_count(0)
