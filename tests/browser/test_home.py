"""The home page's stage in a real browser: it moves by itself, follows the hand, and fits the first screen."""

import hashlib
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from engine.formatting import TIMES_TEN
from pages.components.home import frames
from pages.components.home.ward import FRONT
from pages.components.lesson.catalogue import ward
from pages.components.shell.frame import SIDEBAR_WIDTH
from pages.text.labels import differences, share
from tests.browser.conftest import settled, visit
from tests.browser.readable import LAPTOP, PHONE, expect_no_wider, expect_readable
from tests.browser.test_lesson import MILLISECONDS

PLAYED = 1000 * 8  # milliseconds that it plays at most
SIZES: list[ViewportSize] = [
    {"width": 1440, "height": 900},
    {"width": 1280, "height": 720},
    {"width": 1024, "height": 768},
    {"width": 1920, "height": 1080},
]

NEW = "localStorage.clear()"  # in which Streamlit keeps whether somebody has unfolded the menu
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


# How far what is seen has moved since the page's HTML: the sum of the browser's layout shifts.
SHIFTS = """async () => {
  let moved = 0;
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (moved += value)));
  observer.observe({ type: 'layout-shift', buffered: true });
  await new Promise((done) => setTimeout(done, 100)); // it tells of what was before in a task of its own
  return moved;
}"""
MOST_SHIFTS = 0.1  # that web.dev's "good" pages have


@pytest.fixture(scope="module")
def sent(page_module: Page) -> list:
    """What the module's page has sent to the server, from the beginning."""
    sent: list = []
    page_module.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    return sent


@pytest.fixture(scope="module")
def loaded(page_module: Page, sent: list, home: str) -> Page:
    page_module.add_init_script(NEW)
    page_module.goto(home)
    return page_module


@pytest.fixture
def still(loaded: Page, home: str) -> Iterator[Page]:
    """The page with reduced motion, loaded once, whatever depth and activation the last test chose."""
    if urlsplit(loaded.url).path != "/":
        settled(loaded)  # two changes of page at once are a race of the browser's, which nobody runs by hand
        visit(loaded, home)
        settled(loaded)
    expect(loaded.locator(".stage h2")).to_be_visible()
    yield loaded
    loaded.set_viewport_size(LAPTOP)


@pytest.fixture(scope="module")
def alive(context: BrowserContext, home: str) -> Iterator[Page]:
    """The page of somebody who has nothing against movement, in a window that does not reach down to the ward."""
    with context.new_page() as page:
        page.set_viewport_size(SIZES[1])
        page.emulate_media(reduced_motion="no-preference")
        page.add_init_script(f"{NEW}; ({WATCH})()")
        page.goto(home)
        yield page


def picture(page: Page) -> str:
    return hashlib.sha256(page.locator(".networks").screenshot()).hexdigest()


def counters(page: Page) -> list[str]:
    return page.locator(".counter strong").all_text_contents()


def drag(page: Page, depth: int) -> None:
    page.get_by_role("slider", name="Drag the depth").fill(str(depth))


def test_it_moves_by_itself_soon_and_stops_at_the_end(alive: Page):
    alive.wait_for_function("window.moved")
    assert alive.evaluate(SHIFTS) < MOST_SHIFTS
    first = picture(alive)
    alive.wait_for_timeout(700)
    assert picture(alive) != first
    alive.get_by_role("button", name="Play", exact=True).wait_for(timeout=4 * PLAYED)
    assert "Loss, step 300" in alive.locator(".course").inner_text()
    last = picture(alive)
    alive.wait_for_timeout(500)
    assert picture(alive) == last
    alive.get_by_role("button", name="From the start").click()
    alive.wait_for_timeout(700)
    alive.get_by_role("button", name="Pause").click()
    paused = picture(alive)
    assert paused != last
    alive.wait_for_timeout(300)
    assert picture(alive) == paused
    later = alive.locator("link[rel=prefetch]").get_attribute("href")
    assert alive.request.get(later or "").ok, "what the next page draws with"


def test_the_curves_of_the_ward_draw_themselves_when_they_come_into_sight(alive: Page):
    alive.get_by_text("All patients").click()
    curve = alive.locator(f".st-key-case_{ward()[-1].key} [role=img][aria-label]")  # far below the window
    expect(curve).to_be_attached()
    assert curve.evaluate("(picture) => picture.style.clipPath") == "inset(0px 100% 0px 0px)"
    curve.scroll_into_view_if_needed()
    alive.wait_for_function("document.getAnimations().some((one) => one.effect.target.matches('[role=img]'))")
    alive.wait_for_function("document.getAnimations().every((one) => !one.effect.target.matches('[role=img]'))")
    assert curve.evaluate("(picture) => picture.style.clipPath") == ""


def test_with_reduced_motion_it_stands_at_the_end_until_it_is_played(still: Page):
    expect(still.locator(".course")).to_have_text("Loss, step 300")
    first = picture(still)
    still.wait_for_timeout(1500)
    assert picture(still) == first
    assert not still.evaluate("document.getAnimations().some((one) => one.effect.target.matches('[role=img]'))")
    still.get_by_role("button", name="Play", exact=True).click()
    still.wait_for_timeout(500)
    still.get_by_role("button", name="Pause").click()
    assert picture(still) != first
    still.locator(".stage h2").click()
    still.keyboard.press("Space")
    expect(still.get_by_role("button", name="Pause")).to_be_visible()
    still.keyboard.press("Space")
    expect(still.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_dragged_depth_moves_cells_and_counters_without_the_server(still: Page, sent: list):
    before = len(sent)
    seen = {tuple(counters(still))}
    handle = still.get_by_role("slider", name="Drag the depth")
    box = handle.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    still.mouse.move(box["x"] + 0.31 * box["width"], y)
    still.mouse.down()
    for part in (0.4, 0.6, 0.8):
        still.mouse.move(box["x"] + part * box["width"], y)
        seen.add(tuple(counters(still)))
        assert still.locator(".cells.patient i:visible").count() == int(handle.input_value()) + 1
    assert len(seen) == 4  # before the release
    expect(still.locator(".stage h2")).to_have_text(re.compile(r"^\d+ layers\. .+ of the signal arrives\.$"))
    still.mouse.up()
    still.get_by_role("radio", name="tanh").check()
    still.wait_for_timeout(300)
    assert len(sent) == before


@pytest.mark.parametrize("activation", frames.CHOICES)
def test_the_counter_says_what_the_lesson_says(still: Page, activation: str):
    still.get_by_role("radio").nth(list(frames.CHOICES).index(activation)).check()
    for depth in frames.DEPTHS:
        drag(still, depth)
        if depth == 1:
            assert counters(still) == ["all", "all"]
            continue
        for shown, who in zip(counters(still), (activation, "relu"), strict=True):
            expected = share(frames.reaches(who, depth))
            assert shown == re.sub("^about | of$", "", expected), (who, depth)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size['width']} x {size['height']}")
def test_the_whole_stage_is_on_the_first_screen(still: Page, size: ViewportSize):
    still.set_viewport_size(size)
    for part in ("h2", ".cells", ".counter", "canvas", "svg.loss", "input[type=range]", "fieldset", ".ways a"):
        for element in still.locator(f".stage {part}").all():
            box = element.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size["width"]
            assert box["y"] + box["height"] <= size["height"], part
    headline = still.locator(".stage h2").evaluate("(h2) => parseFloat(getComputedStyle(h2).fontSize)")
    assert headline >= 0.05 * size["height"]  # from the back of a hall


def test_a_phone_shows_the_stage_on_its_first_screen(still: Page):
    still.set_viewport_size(PHONE)
    for part in ("h2", ".cells", ".counter", "canvas", "input[type=range]"):
        for element in still.locator(f".stage {part}").all():
            box = element.bounding_box()
            assert box
            assert box["y"] + box["height"] <= PHONE["height"], part
    expect_no_wider(still)


def test_it_is_readable_in_both_themes(still: Page):
    expect(still.get_by_role("img", name="A patient whose settings are hidden")).to_be_visible()  # the last one
    expect_readable(still)


def test_all_patients_come_when_they_are_asked_for_and_one_is_examined(still: Page):
    """tests/pages opens every link."""
    expect(still.get_by_role("link", name="Examine")).to_have_count(len(FRONT))
    still.get_by_text("All patients").click()
    expect(still.get_by_role("link", name="Examine")).to_have_count(len(ward()))
    settled(still)  # the list unfolds: its cards move under the pointer
    case = ward()[-1]  # not a lesson's own networks
    still.locator(f".st-key-case_{case.key}").click(position={"x": 20, "y": 20})  # all of the card is a link
    expect(still.locator(".st-key-differences")).to_contain_text(differences(*case.pair), timeout=MILLISECONDS)
    still.go_back()
    expect(still.get_by_role("heading", name="The ward")).to_be_visible()


def test_stage_view_can_be_left(still: Page, home: str):
    visit(still, home + "?view=stage")
    expect(still.locator(".stage h2")).to_be_visible()
    still.get_by_role("button", name="Leave the stage").click()
    expect(still.get_by_role("button", name="Stage view")).to_be_visible()


def test_the_menu_is_folded_and_opens(still: Page):
    title = still.get_by_role("heading", name="Backprop Clinic")
    button = still.get_by_role("button", name="Expand sidebar")
    for size in (SIZES[1], PHONE):
        still.set_viewport_size(size)
        beside, name = button.bounding_box(), title.bounding_box()
        assert beside
        assert name
        assert beside["x"] + beside["width"] < name["x"]
        assert abs(beside["y"] + beside["height"] / 2 - name["y"] - name["height"] / 2) < 10
    button.click()
    still.get_by_test_id("stSidebar").get_by_role("link", name="Overfitting").click()
    still.wait_for_url("**/overfitting*")


def test_the_keyboard_does_it_all(still: Page):
    still.get_by_role("radio", name="sigmoid").check()
    handle = still.get_by_role("slider", name="Drag the depth")
    handle.focus()
    still.keyboard.press("End")
    expect(still.locator(".outcome")).to_have_text(re.compile("treated network the signal arrives.+does not train it"))
    assert handle.get_attribute("aria-valuetext").startswith(f"30 layers; Patient 1.3{TIMES_TEN}⁻¹⁹, Treated 0.94")
    still.keyboard.press("ArrowLeft")
    expect(still.locator("output")).to_have_text("29 layers")
    expect(still.locator(".outcome")).to_contain_text("diverges")
    still.keyboard.press("ArrowLeft")
    expect(still.locator(".outcome")).to_be_empty()  # it has learnt something
    still.locator(".settings").get_by_role("link", name="Xavier").focus()
    expect(still.get_by_role("tooltip")).to_contain_text("Xavier: ")
    handle.focus()
    still.keyboard.press("Tab")
    still.keyboard.press("ArrowRight")
    expect(still.get_by_role("radio", name="tanh")).to_be_checked()
    still.keyboard.press("Tab")
    still.keyboard.press("Enter")
    still.wait_for_url("**/vanishing_gradients?*")


def test_the_ways_on_carry_what_was_chosen_and_back_leads_back(still: Page):
    drag(still, 7)
    still.get_by_role("radio", name="tanh").check()
    why = still.get_by_role("link", name="Why?")
    address = urlsplit(why.get_attribute("href"))
    assert address.path == "/vanishing_gradients"
    assert parse_qs(address.query) == {"depth": ["7"], "activation": ["tanh"], "initializer": ["xavier_normal"]}
    why.click()
    expect(still.locator(".st-key-differences")).to_contain_text("activation tanh → ReLU", timeout=MILLISECONDS)
    menu = still.get_by_test_id("stSidebar").bounding_box()
    assert menu
    assert menu["width"] == SIDEBAR_WIDTH  # as for who comes by a link
    receives = share(frames.reaches("tanh", 7)), share(frames.reaches("relu", 7))
    verdict = still.locator(".st-key-verdict")
    expect(verdict).to_contain_text(f"receives {receives[0]} the last hidden layer’s gradient")  # as on the stage
    expect(verdict).to_contain_text(f"receives {receives[1]} it")
    expect(still.locator(".st-key-depth input")).to_have_value("7")
    still.go_back()
    expect(still.locator(".stage output")).to_have_text("7 layers")  # also where the stage is mounted twice
    expect(still.get_by_role("radio", name="tanh")).to_be_checked()
    still.get_by_role("link", name="Diagnose a stranger").click()
    still.wait_for_url("**/mystery_patient*")
    expect(still.get_by_role("heading", name="Mystery patient")).to_be_visible()
