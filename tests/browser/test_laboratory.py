"""The laboratory in a real browser: a file of one's own, its diagnosis, networks beside it, a cold link, a phone."""

import random
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import settled
from tests.browser.readable import LAPTOP, PHONE, expect_no_wider, expect_readable
from tests.browser.test_lesson import DRAWN, MILLISECONDS, range_of

PAGE = "laboratory"
HOSTILE = "<img src=x onerror=alert(1)>"


def file(name: str, content: str) -> dict[str, Any]:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode("latin-1")}


def customers() -> str:
    """A file as a spreadsheet writes it, with a column of prices that nobody has scaled, and a name that is markup."""
    draw = random.Random(0)
    rows = [(draw.gauss(0, 1), draw.gauss(90_000, 30_000)) for _ in range(120)]
    lines = [f"{x:.3f};{price:.2f};{'größer' if x > 0 else 'kleiner'}".replace(".", ",") for x, price in rows]
    return "\r\n".join([f"{HOSTILE};price;class", *lines])


def open_file(page: Page, name: str, content: str) -> None:
    page.get_by_role("button", name="Your own data").click()
    page.locator("input[type=file]").set_input_files(file(name, content))


def notes(page: Page) -> str:
    return page.locator("[class*=st-key-notes_]").all_inner_texts()[0]


@pytest.fixture(scope="module")
def opened(page_module: Page, home: str) -> Page:
    """A visitor's file, in the settings of the page's start, but with inputs as they are."""
    page_module.goto(f"{home}{PAGE}?inputs=raw&steps=60")
    page_module.wait_for_function(DRAWN, arg=3, timeout=MILLISECONDS)
    open_file(page_module, "customers.csv", customers())
    expect(page_module.locator(".st-key-own_data")).to_contain_text("120 rows")
    page_module.wait_for_function(DRAWN, arg=3, timeout=MILLISECONDS)
    return page_module


def test_a_file_is_read_and_diagnosed_with_its_data(opened: Page):
    data = opened.locator(".st-key-own_data")
    expect(data).to_contain_text("größer")
    expect(opened.locator(".st-key-notes_first")).to_contain_text("Inputs are not scaled")
    assert opened.locator("img[src=x]").count() == 0
    assert "file=customers.csv&data_digest=" in opened.url
    opened.get_by_role("button", name="Preview").click()
    expect(opened.get_by_text("decimal comma")).to_be_visible()
    opened.keyboard.press("Escape")
    opened.get_by_role("button", name="More settings").click()  # a run in which nothing sets the inputs
    opened.get_by_role("button", name="from 2 of 2 columns").click()
    expect(opened.get_by_test_id("stMultiSelect").filter(has_text="Inputs")).to_contain_text("price")
    opened.keyboard.press("Escape")
    opened.get_by_role("button", name="Fewer settings").click()


def test_a_bad_file_is_refused_and_the_page_stays(opened: Page):
    before, address = notes(opened), opened.url
    open_file(opened, "bad.csv", "a,b\n1,2\n3\n")
    expect(opened.get_by_role("alert")).to_contain_text("bad.csv was not taken. Line 3 has 1 cell")
    assert (notes(opened), opened.url) == (before, address)
    opened.get_by_role("button", name="Your own data").click()
    expect(opened.locator("input[type=file]")).to_have_count(0)


def test_a_second_future_can_begin_at_the_timelines_step(opened: Page):
    range_of(opened).fill("5")
    opened.get_by_role("button", name="Two futures").click()
    use = opened.get_by_role("button", name="Use the timeline’s step")
    step = use.inner_text().rpartition(" ")[2]
    use.click()
    expect(opened.get_by_role("spinbutton", name="Step", exact=True)).to_have_value(step)
    opened.keyboard.press("Escape")
    range_of(opened).press("End")


def test_a_pinned_network_is_a_row_of_cells_and_a_line(opened: Page):
    opened.get_by_role("button", name="Pin this network").click()
    expect(opened.locator(".st-key-notes_second")).to_be_visible()
    width = opened.get_by_role("spinbutton", name="Units a layer")
    width.fill("0.4e1")  # a 4, of which Streamlit reads the 0
    width.press("Enter")
    opened.wait_for_url("**width=4**", wait_until="commit")
    expect(opened.locator(".st-key-strip .row")).to_have_count(2)
    expect(opened.locator(".st-key-strip")).to_contain_text("4 × 16")
    expect(opened.locator(".st-key-strip")).to_contain_text("4 × 4")
    figure = opened.locator(".st-key-card_learning_curves").get_by_role("figure")
    expect(figure).to_have_attribute("aria-label", re.compile("Present: .* raw, steps 60: "))


def test_back_and_forward_between_a_file_and_a_sample_ask_for_nothing(opened: Page):
    opened.wait_for_function(DRAWN, arg=3, timeout=MILLISECONDS)
    opened.get_by_role("combobox", name="Data").scroll_into_view_if_needed()
    settled(opened)  # an open list closes when the page scrolls
    address, data = opened.url, opened.locator(".st-key-own_data")
    opened.get_by_role("combobox", name="Data").click()
    opened.get_by_role("option", name="Wine").click()
    expect(data).to_contain_text("178 rows")
    opened.go_back()
    expect(data).to_contain_text("120 rows")
    opened.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == parse_qs(urlsplit(address).query))
    opened.go_forward()
    expect(data).to_contain_text("178 rows")
    opened.go_back()
    expect(data).to_contain_text("120 rows")
    opened.wait_for_function(DRAWN, arg=3, timeout=MILLISECONDS)


def test_it_is_readable_by_all_and_fits_on_a_phone(opened: Page):
    try:
        expect_readable(opened, ".st-key-own_data", ".st-key-one_network", ".st-key-charts_shown")
        opened.set_viewport_size(PHONE)
        expect_no_wider(opened)
        places = ".st-key-own_data", ".st-key-card_learning_curves", ".st-key-ways_on", ".st-key-card_predictions"
        boxes = [opened.locator(place).bounding_box() for place in places]
        assert [box["y"] for box in boxes if box] == sorted(box["y"] for box in boxes if box), (
            "the first chart, then settings"
        )
    finally:
        opened.emulate_media(color_scheme="light")
        opened.set_viewport_size(LAPTOP)


def test_a_cold_link_of_a_file_asks_for_it_and_goes_on(opened: Page, own_page: Page):
    own_page.goto(opened.url)
    expect(own_page.locator(".st-key-own_data")).to_contain_text("Open customers.csv here")
    own_page.locator("input[type=file]").set_input_files(file("customers.csv", customers()))
    own_page.wait_for_function(DRAWN, arg=3, timeout=MILLISECONDS)
    assert notes(own_page) == notes(opened)
    assert own_page.url == opened.url


def test_points_are_drawn_by_mouse_finger_and_keyboard_and_travel_in_the_link(home: str, own_page: Page):
    own_page.goto(f"{home}{PAGE}?sample=draw&steps=60")
    field = own_page.locator(".st-key-plane_draw .field")
    expect(field).to_be_visible()
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box

    def drag(up: float) -> None:
        """From left to right, at this share of the height."""
        own_page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + up * box["height"])
        own_page.mouse.down()
        own_page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + up * box["height"], steps=30)
        own_page.mouse.up()

    drag(0.3)
    own_page.get_by_role("button", name="▲ B").click()
    drag(0.6)
    label = field.get_attribute("aria-label") or ""
    n, a, b = map(int, re.findall(r"\d+", label))
    assert a > 10
    assert b > 10
    field.focus()
    own_page.keyboard.press("1")
    for key in ("ArrowLeft", "Space", "Shift+ArrowUp", "Space", "Delete", "Control+z"):
        own_page.keyboard.press(key)
    expect(field).to_have_attribute("aria-label", f"Plane with {n + 2} points: {a + 2} A, {b} B")
    finger = own_page.context.new_cdp_session(own_page)
    tap = [{"x": box["x"] + 9, "y": box["y"] + 9}]
    for kind, touches in (("touchStart", tap), ("touchEnd", [])):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    expect(field).to_have_attribute("aria-label", re.compile(f"{a + 3} A"))
    own_page.get_by_role("button", name="Undo").click()
    own_page.wait_for_function(DRAWN, arg=3, timeout=MILLISECONDS)
    own_page.wait_for_url(lambda url: len(parse_qs(urlsplit(url).query)["points"][0]) == 3 * (n + 2))


def test_a_map_is_trained_and_one_of_its_networks_taken_from_the_keyboard(home: str, own_page: Page):
    own_page.goto(f"{home}{PAGE}?steps=4&width=2&gain=0.2&map_x=width&charts=learning_curves")
    own_page.get_by_role("button", name="Train the networks of the map").press("Enter")
    own_page.get_by_role("slider", name="Gain").press("ArrowRight", timeout=MILLISECONDS)
    expect(own_page.locator(".st-key-map_way_in")).to_contain_text("0.268")
    own_page.get_by_role("button", name="Make it the present network").press("Enter")
    own_page.wait_for_url("**gain=0.268**", wait_until="commit")
