"""What Share gives, and Back: one step in the history for each thing that a visitor does."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import segno
from playwright.sync_api import Page, ViewportSize, expect

from pages.components.shell.share import BORDER
from tests.browser.conftest import settled, visit
from tests.browser.readable import LAPTOP, PHONE
from tests.browser.test_address import parameters, segment

LESSON = "vanishing_gradients"
PROJECTOR: ViewportSize = {"width": 1280, "height": 720}
ROUND = 4  # pixels, by which a corner of a popover cuts what is within


def opened(page: Page, address: str) -> Page:
    """With the part *Read*, which draws no chart, open."""
    page.goto(address)
    expect(page.get_by_role("slider", name="Hidden layers")).to_be_visible()
    expect(page.get_by_role("tabpanel", name="read").get_by_role("heading").first).to_be_visible()
    settled(page)
    return page


def share(page: Page) -> dict[str, str]:
    """What it gives, once the code of the link is there."""
    page.get_by_role("button", name="Share").click()
    expect(page.locator("section .code svg")).to_be_visible()
    return {name: page.locator(f".share #{name}").inner_text() for name in ("short", "full", "embed")}


def shown_modules(page: Page) -> list[list[bool]]:
    """The QR code as the page draws it: dark or not, a module each, without its border."""
    path, size = page.locator("section .code svg").evaluate(
        "(svg) => [svg.querySelector('path[stroke]').getAttribute('d'), svg.viewBox.baseVal.width]"
    )
    side = int(size) - 2 * BORDER
    modules = [[False] * side for _ in range(side)]
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([-0-9. ]+)", path):
        first, *others = (float(number) for number in numbers.split())
        if command == "h":
            for column in range(int(first)):
                modules[int(y) - BORDER][int(x) + column - BORDER] = True
            x += first
        else:
            x, y = (first, others[0]) if command == "M" else (x + first, y + others[0])
    return modules


@pytest.fixture(scope="module")
def loaded(page_module: Page, home: str) -> Page:
    return opened(page_module, home + LESSON + "?part=read&timeline=0")


@pytest.fixture
def lesson(loaded: Page) -> Iterator[Page]:
    """The lesson at step 0, loaded once, with nothing shared."""
    yield loaded
    loaded.keyboard.press("Escape")
    expect(loaded.locator("section .code")).to_have_count(0)
    loaded.context.clear_permissions()
    loaded.set_viewport_size(LAPTOP)


def test_the_short_link_its_code_and_the_embed_code_open_the_same_page(page: Page, own_page: Page, home: str):
    opened(page, home + LESSON + "?depth=12&part=read&timeline=0&hide=verdict")
    given = share(page)
    link = given["short"]
    named = {"v": "1", "depth": "12", "part": "read", "timeline": "0", "hide": "verdict"}
    assert {name: texts[0] for name, texts in parse_qs(urlsplit(link).query).items()} == named
    full = parse_qs(urlsplit(given["full"]).query)
    assert len(full) > 40
    assert full["part"] == ["read"]
    assert full["timeline"] == ["0"]
    assert shown_modules(page) == [[bool(module) for module in row] for row in segno.make_qr(link, error="l").matrix]

    opened(own_page, link)
    expect(own_page.get_by_role("heading", name="Say it before you look")).to_be_visible()
    expect(own_page.get_by_role("slider", name="Hidden layers")).to_have_attribute("value", "12")
    expect(own_page.get_by_role("tab", name="Read")).to_have_attribute("aria-selected", "true")
    assert parameters(own_page) == {name: text for name, text in named.items() if name != "v"}

    (source,) = re.findall('<iframe src="([^"]+)"', given["embed"])
    own_page.goto(home + "_stcore/health")  # an empty page has no origin, and may load nothing of this machine
    own_page.set_content(given["embed"])
    frame = own_page.frame_locator("iframe")
    assert unescape(source) == link + "&embed=true"
    expect(frame.get_by_role("heading", name="Vanishing gradients")).to_be_visible()
    expect(frame.get_by_role("slider", name="Hidden layers")).to_be_visible()
    expect(frame.locator(".st-key-menu")).to_have_count(0)


def test_every_link_is_short_enough_and_copied_by_keyboard_and_that_is_said(lesson: Page, home: str):
    lesson.context.grant_permissions(["clipboard-read", "clipboard-write"])
    given = share(lesson)
    assert given["short"] == f"{home}{LESSON}?v=1&timeline=0&part=read"
    assert len(given["short"].replace(home, "https://backprop-clinic.streamlit.app/")) <= 120
    buttons = {"short": "Copy the link", "full": "Copy the full link", "embed": "Copy the embed code"}
    for name, label in buttons.items():
        lesson.get_by_role("button", name=label).press("Enter")
        expect(lesson.locator(".share").get_by_role("status")).to_have_text("Copied.")
        assert lesson.evaluate("navigator.clipboard.readText()") == given[name]
    lesson.keyboard.press("Escape")
    expect(lesson.get_by_role("button", name="Share")).to_be_focused()
    lesson.keyboard.press("Enter")
    expect(lesson.get_by_role("button", name="Copy the link")).to_be_focused()  # the box is at the end of the page


def test_it_follows_the_timeline_at_once_and_while_it_is_open(lesson: Page):
    lesson.get_by_role("button", name="Step forward").click()
    assert all("timeline=1" in text for text in share(lesson).values())
    lesson.get_by_role("button", name="Copy the link").press("ArrowLeft")
    for name in ("short", "full", "embed"):
        expect(lesson.locator(f".share #{name}")).to_contain_text("timeline=0")
    expect(lesson.locator("section .code svg")).to_be_visible()


@pytest.mark.parametrize("size", [LAPTOP, PROJECTOR, PHONE], ids=["laptop", "projector", "phone"])
def test_the_code_fills_what_there_is_and_the_window_when_asked(lesson: Page, size: ViewportSize):
    lesson.set_viewport_size(size)
    share(lesson)
    code = lesson.locator("section .code")
    box = code.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    popover = lesson.get_by_test_id("stPopoverBody").bounding_box()
    assert box["y"] + box["height"] + ROUND <= popover["y"] + popover["height"]
    assert box["width"] >= 0.5 * min(size.values())
    code.press("Enter")
    large = lesson.locator("dialog .code svg")
    expect(large).to_be_visible()
    lesson.wait_for_timeout(300)
    assert large.bounding_box()["width"] >= 0.9 * min(size.values())
    lesson.get_by_role("button", name="Close").press("Enter")
    expect(large).to_be_hidden()
    expect(code).to_be_visible()


def test_a_version_that_there_is_not_is_said(lesson: Page, home: str):
    visit(lesson, home + LESSON + "?v=77&depth=12")
    expect(lesson.get_by_role("alert").get_by_text("v=77")).to_be_visible()
    lesson.wait_for_function("!location.search.includes('v=77') && location.search.includes('depth=12')")


def test_back_leads_back_once_from_every_page(page: Page, home: str):
    """From *look inside*: test_backpropagation."""
    read = {"part": "read"}  # it draws no chart
    page.goto(home + LESSON + "?part=read")
    segment(page, "Activation", "tanh").click()
    expect(page.locator(".st-key-differences")).to_contain_text("activation tanh → ReLU")
    settled(page)
    page.get_by_role("slider", name="Hidden layers").press("ArrowRight")
    page.wait_for_function("location.search.includes('depth=11')")
    names = ["Backpropagation", "Underfitting", "Mystery patient", "Home"]  # of each kind one
    ways: list[Callable[[], None]] = [page.get_by_role("link", name=name, exact=True).click for name in names]
    for go in ways:
        go()
        page.wait_for_function(f"!location.pathname.endsWith('{LESSON}')")
        expect(page.get_by_role("heading", name="Vanishing gradients", level=1)).to_have_count(0)
        page.wait_for_timeout(300)
        page.go_back()
        page.wait_for_function(f"location.pathname.endsWith('{LESSON}')")
        as_it_was(page, read | {"activation": "tanh", "depth": "11"})
    page.go_back()
    as_it_was(page, read | {"activation": "tanh"})
    page.go_back()
    as_it_was(page, read)
    page.go_forward()
    as_it_was(page, read | {"activation": "tanh"})


def test_back_leads_back_once_from_a_link_that_was_mended(page: Page, home: str):
    page.goto(home + "_stcore/health")
    opened(page, home + LESSON + "?v=1&depth=10&gain=2#read")
    page.wait_for_function("!location.search.includes('v=1') && location.search.includes('gain=2&part=read')")
    page.wait_for_timeout(1000)
    page.go_back()
    page.wait_for_url(home + "_stcore/health")


def as_it_was(page: Page, address: dict[str, str]) -> None:
    """Wait until the lesson's address and its controls say this."""
    activation, depth = address.get("activation", "sigmoid"), address.get("depth", "10")
    expect(segment(page, "Activation", activation)).to_have_attribute("aria-checked", "true")
    expect(page.get_by_role("slider", name="Hidden layers")).to_have_attribute("value", depth)
    expect(page.get_by_role("tabpanel", name="read").get_by_role("heading").first).to_be_visible()
    settled(page)
    page.wait_for_timeout(300)
    assert {name: text for name, text in parameters(page).items() if name != "timeline"} == address
