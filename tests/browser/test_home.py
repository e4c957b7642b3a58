"""The home page's stage in a real browser: it moves by itself, follows the hand, and fits the first screen."""

import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from pages.components.home import frames
from pages.components.home.ward import FRONT
from pages.text.labels import share
from tests.browser.conftest import visit
from tests.browser.readable import PHONE, expect_no_wider, expect_readable
from tests.browser.test_lesson import MILLISECONDS

PLAYED = 1000 * 8  # milliseconds that it plays at most
SIZES: list[ViewportSize] = [
    {"width": 1440, "height": 900},
    {"width": 1280, "height": 720},
    {"width": 1024, "height": 768},
    {"width": 1920, "height": 1080},
]

# Keeps when the signal has first moved, in milliseconds since the page's HTML.
WATCH = """() => {
  let first;
  const shadows = () => [...document.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean);
  const look = () => {
    const spark = shadows().map((root) => root.querySelector('.stage .spark')).find(Boolean);
    const position = spark?.style.transform;
    if (position) first ??= position;
    if (!position || position === first) return requestAnimationFrame(look);
    window.moved = performance.now() - performance.getEntriesByType('navigation')[0].responseEnd;
  };
  look();
}"""


def stage(page: Page, url: str, **media) -> None:
    page.emulate_media(**media)
    page.goto(url)
    expect(page.get_by_role("heading", name="Ten layers.")).to_be_visible()


def still(page: Page, url: str) -> None:
    """The page with the stage at its end."""
    stage(page, url, reduced_motion="reduce")


def picture(page: Page) -> str:
    return hashlib.sha256(page.locator(".networks").screenshot()).hexdigest()


def counters(page: Page) -> list[str]:
    return page.locator(".counter strong").all_text_contents()


def drag(page: Page, depth: int) -> None:
    page.get_by_role("slider", name="Drag the depth").fill(str(depth))


@pytest.fixture(autouse=True)
def motion(page: Page):
    yield
    page.emulate_media(reduced_motion="no-preference")


def test_it_moves_by_itself_soon_and_stops_at_the_end(own_page: Page, home: str):
    own_page.emulate_media(reduced_motion="no-preference")
    own_page.add_init_script(f"({WATCH})()")
    own_page.goto(home)
    own_page.wait_for_function("window.moved")
    first = picture(own_page)
    own_page.wait_for_timeout(700)
    assert picture(own_page) != first
    own_page.get_by_role("button", name="Play", exact=True).wait_for(timeout=4 * PLAYED)
    assert "Loss, step 300" in own_page.locator(".course").inner_text()
    last = picture(own_page)
    own_page.wait_for_timeout(500)
    assert picture(own_page) == last
    own_page.get_by_role("button", name="From the start").click()
    own_page.wait_for_timeout(700)
    own_page.get_by_role("button", name="Pause").click()
    paused = picture(own_page)
    assert paused != last
    own_page.wait_for_timeout(300)
    assert picture(own_page) == paused


def test_with_reduced_motion_it_stands_at_the_end_until_it_is_played(page: Page, home: str):
    still(page, home)
    expect(page.locator(".course")).to_have_text("Loss, step 300")
    first = picture(page)
    page.wait_for_timeout(1500)
    assert picture(page) == first
    assert not page.evaluate("document.getAnimations().some((one) => one.effect.target.matches('[role=img]'))")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_timeout(500)
    assert picture(page) != first


def test_a_dragged_depth_moves_cells_and_counters_without_the_server(own_page: Page, home: str):
    sent: list = []
    own_page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    still(own_page, home)
    own_page.wait_for_timeout(1000)  # what a page says of itself once it is there
    before = len(sent)
    seen = {tuple(counters(own_page))}
    handle = own_page.get_by_role("slider", name="Drag the depth")
    box = handle.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    own_page.mouse.move(box["x"] + 0.31 * box["width"], y)
    own_page.mouse.down()
    for part in (0.4, 0.6, 0.8):
        own_page.mouse.move(box["x"] + part * box["width"], y)
        seen.add(tuple(counters(own_page)))
        assert own_page.locator(".cells.patient i:visible").count() == int(handle.input_value()) + 1
    assert len(seen) == 4  # before the release
    own_page.mouse.up()
    own_page.get_by_role("radio", name="tanh").check()
    own_page.wait_for_timeout(300)
    assert len(sent) == before


@pytest.mark.parametrize("activation", frames.CHOICES)
def test_the_counter_says_what_the_lesson_says(page: Page, home: str, activation: str):
    still(page, home)
    page.get_by_role("radio").nth(list(frames.CHOICES).index(activation)).check()
    for depth in frames.DEPTHS:
        drag(page, depth)
        if depth == 1:
            assert counters(page) == ["all", "all"]
            continue
        for shown, who in zip(counters(page), (activation, "relu"), strict=True):
            expected = share(frames.reaches(who, depth))
            assert shown == re.sub("^about | of$", "", expected), (who, depth)


def test_the_keyboard_does_it_all(page: Page, home: str):
    still(page, home)
    handle = page.get_by_role("slider", name="Drag the depth")
    handle.focus()
    page.keyboard.press("End")
    assert handle.get_attribute("aria-valuetext").startswith("30 layers; Patient 1.3 × 10⁻¹⁹, Treated 0.94")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("output")).to_have_text("29 layers")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="tanh")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/vanishing_gradients?*")


def test_the_ways_on_carry_what_was_chosen_and_back_leads_back(page: Page, home: str):
    still(page, home)
    drag(page, 7)
    page.get_by_role("radio", name="tanh").check()
    why = page.get_by_role("link", name="Why?")
    address = urlsplit(why.get_attribute("href"))
    assert address.path == "/vanishing_gradients"
    assert parse_qs(address.query) == {"depth": ["7"], "activation": ["tanh"], "initializer": ["xavier_normal"]}
    why.click()
    expect(page.locator(".st-key-differences")).to_contain_text("activation tanh → ReLU", timeout=MILLISECONDS)
    receives = share(frames.reaches("tanh", 7)), share(frames.reaches("relu", 7))
    verdict = page.locator(".st-key-verdict")
    expect(verdict).to_contain_text(f"receives {receives[0]} the last hidden layer’s gradient")  # as on the stage
    expect(verdict).to_contain_text(f"receives {receives[1]} it")
    expect(page.locator(".st-key-depth input")).to_have_value("7")
    page.go_back()
    expect(page.get_by_role("heading", name="Ten layers.")).to_be_visible()
    page.get_by_role("link", name="Diagnose a stranger").click()
    page.wait_for_url("**/mystery_patient*")
    expect(page.get_by_role("heading", name="Mystery patient")).to_be_visible()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size['width']} x {size['height']}")
def test_the_whole_stage_is_on_the_first_screen(page: Page, home: str, size: ViewportSize):
    page.set_viewport_size(size)
    still(page, home)
    for part in ("h2", ".cells", ".counter", "canvas", "svg.loss", "input[type=range]", "fieldset", ".ways a"):
        for element in page.locator(f".stage {part}").all():
            box = element.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size["width"]
            assert box["y"] + box["height"] <= size["height"], part
    headline = page.locator(".stage h2").evaluate("(h2) => parseFloat(getComputedStyle(h2).fontSize)")
    assert headline >= 0.05 * size["height"]  # from the back of a hall


def test_a_phone_shows_the_stage_on_its_first_screen(page: Page, home: str):
    page.set_viewport_size(PHONE)
    still(page, home)
    for part in ("h2", ".cells", ".counter", "canvas", "input[type=range]"):
        for element in page.locator(f".stage {part}").all():
            box = element.bounding_box()
            assert box
            assert box["y"] + box["height"] <= PHONE["height"], part
    expect_no_wider(page)


@pytest.mark.parametrize("size", [SIZES[1], PHONE], ids=["laptop", "phone"])
def test_the_menu_is_folded_and_opens(page: Page, home: str, size: ViewportSize):
    page.set_viewport_size(size)
    still(page, home)
    title = page.get_by_role("heading", name="Backprop Clinic")
    button = page.get_by_role("button", name="Expand sidebar")
    beside, name = button.bounding_box(), title.bounding_box()
    assert beside
    assert name
    assert beside["x"] + beside["width"] < name["x"]
    assert abs(beside["y"] + beside["height"] / 2 - name["y"] - name["height"] / 2) < 10
    button.click()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Overfitting").click()
    page.wait_for_url("**/overfitting*")


def test_stage_view_can_be_left(page: Page, home: str):
    page.goto(home + "?view=stage")
    expect(page.get_by_role("heading", name="Ten layers.")).to_be_visible()
    page.get_by_role("button", name="Leave the stage").click()
    expect(page.get_by_role("button", name="Stage view")).to_be_visible()


def test_it_is_readable_in_both_themes(page: Page, home: str):
    still(page, home)
    expect(page.get_by_role("img", name="A patient whose settings are hidden")).to_be_visible()  # the last one
    expect_readable(page)


def test_the_curves_of_the_ward_draw_themselves_when_they_come_into_sight(own_page: Page, home: str):
    own_page.set_viewport_size({"width": 1280, "height": 720})
    stage(own_page, home, reduced_motion="no-preference")
    curve = own_page.locator(f".st-key-case_{FRONT[0]} [role=img][aria-label]")
    expect(curve).to_be_attached()
    assert curve.evaluate("(picture) => picture.style.clipPath") == "inset(0px 100% 0px 0px)"
    curve.scroll_into_view_if_needed()
    own_page.wait_for_function("document.getAnimations().some((one) => one.effect.target.matches('[role=img]'))")
    own_page.wait_for_function("document.getAnimations().every((one) => !one.effect.target.matches('[role=img]'))")
    assert curve.evaluate("(picture) => picture.style.clipPath") == ""
    own_page.emulate_media(reduced_motion="no-preference")


def test_all_patients_come_when_they_are_asked_for(page: Page, home: str):
    still(page, home)
    expect(page.get_by_role("link", name="Examine")).to_have_count(len(FRONT))
    page.get_by_text("All patients").click()
    expect(page.get_by_role("link", name="Examine")).to_have_count(17)
    visit(page, home)
