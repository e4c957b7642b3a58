"""Address and screen agree: after every control, reload and Back, on a cold deep link, and after a thing to try."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from engine.experiment import SETTINGS
from pages.components.settings.control import PREFIX
from pages.components.settings.lesson_settings import ABSENT, SHARED
from pages.components.shell import frame
from tests.browser.conftest import settled, visit
from tests.patience import SOON

DEMO = Path(__file__).parent / "address_demo"
LESSON = "vanishing_gradients"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, with an empty page for each other entry of the menu: Streamlit links to pages that there are."""
    folder = tmp_path_factory.mktemp("address") / "demo"
    shutil.copytree(DEMO, folder)
    for row in frame.lessons():
        (folder / row.file).touch()
    return folder / "app.py"


@pytest.fixture(scope="module")
def home(serve_module: Callable[..., str], app: Path) -> str:
    return serve_module(app)


def displayed(page: Page) -> list[dict[str, Any]]:
    """The networks that the page speaks of."""
    text = page.locator(".st-key-displayed").inner_text()
    return json.loads(text[text.index("[") : text.rindex("]") + 1])


def parameters(page: Page) -> dict[str, str]:
    return {name: texts[-1] for name, texts in parse_qs(urlsplit(page.url).query).items()}


def agree(page: Page, address: dict[str, str], patient: dict[str, Any], treated: dict[str, Any]) -> None:
    """Wait until the address bar has these parameters and the networks these settings."""
    end = time.monotonic() + SOON
    while True:
        page.wait_for_timeout(100)
        shown: Any = displayed(page) if page.locator(".st-key-displayed").count() else [{}, {}]
        mine = {name: shown[0].get(name) for name in patient}
        theirs = {name: shown[1].get(name) for name in treated}
        if (parameters(page), mine, theirs) == (address, patient, treated):
            return
        assert time.monotonic() < end, (parameters(page), mine, theirs)


@pytest.fixture
def page(page_module: Page) -> Page:
    """One visitor's tab for all tests: their links have parameters, and so mean these, whatever was chosen before."""
    return page_module


def opened(page: Page, address: str) -> Page:
    if page.get_by_test_id("stApp").count():
        settled(page)  # what still runs for the test before would write its own address
    visit(page, address)
    expect(page.locator(".st-key-displayed")).to_contain_text("precision", timeout=SOON * 1000)
    return page


def segment(page: Page, label: str, option: str) -> Locator:
    group = page.get_by_role("radiogroup", name=label, exact=True)
    return group.get_by_role("radio", name=option, exact=True)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def type_into(page: Page, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Enter")


def test_address_and_screen_agree_after_every_kind_of_control(page: Page, home: str):
    opened(page, home + LESSON)
    agree(page, {}, {"activation": "sigmoid"}, {"activation": "relu"})
    segment(page, "Activation", "tanh").click()
    address = {"activation": "tanh"}
    agree(page, address, {"activation": "tanh"}, {"activation": "relu"})
    segment(page, "Treated: activation", "as patient").click()
    address |= {"treated_activation": "as patient"}
    agree(page, address, {"activation": "tanh"}, {"activation": "tanh"})
    segment(page, "Activation", "more").click()
    segment(page, "Activation", "leaky ReLU").click()
    address |= {"activation": "leaky_relu"}
    agree(page, address, {"activation": "leaky_relu"}, {"activation": "leaky_relu"})
    choose(page, "Treated: initializer", "Xavier uniform")
    address |= {"treated_initializer": "xavier_uniform"}
    agree(page, address, {"initializer": "xavier_normal"}, {"initializer": "xavier_uniform"})
    page.go_back()
    expect(page.get_by_role("combobox", name="Treated: initializer")).to_have_value("He normal")
    page.go_forward()
    expect(page.get_by_role("combobox", name="Treated: initializer")).to_have_value("Xavier uniform")
    agree(page, address, {"activation": "leaky_relu"}, {"initializer": "xavier_uniform"})
    slider = page.get_by_role("slider", name="Hidden layers")
    slider.press("ArrowRight")
    address |= {"depth": "11"}
    agree(page, address, {"depth": 11}, {"depth": 11})
    page.get_by_role("button", name="More settings").click()
    type_into(page, "Learning rate", "0.00123")
    address |= {"learning_rate": "0.00123"}
    agree(page, address, {"learning_rate": 0.00123}, {"learning_rate": 0.00123})
    type_into(page, "Treated: gain", "1.7")
    address |= {"treated_gain": "1.7"}
    agree(page, address, {"gain": 1.0}, {"gain": 1.7})
    page.locator(".st-key-width").get_by_role("button", name="Increment").click()
    address |= {"width": "17"}
    agree(page, address, {"width": 17}, {"width": 17})
    type_into(page, "Treated: gain", "")
    del address["treated_gain"]
    agree(page, address, {"gain": 1.0}, {"gain": 1.0})
    type_into(page, "Treated: clip threshold", "")  # which this lesson's treated network has of its own
    address |= {"treated_clip_threshold": "as patient"}
    agree(page, address, {"clip_threshold": 1.0}, {"clip_threshold": 1.0})

    before = displayed(page)
    page.reload()
    agree(page, address, *before)
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_text("at home")).to_be_visible()
    assert parameters(page) == {}
    page.go_back()
    agree(page, address, *before)
    # and through the menu
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_text("at home")).to_be_visible()
    page.get_by_role("link", name="Vanishing gradients").click()
    agree(page, address, *before)
    page.go_back()
    expect(page.get_by_text("at home")).to_be_visible()


def test_the_shared_link_names_every_setting_and_opens_the_same_screen(page: Page, home: str, context: BrowserContext):
    opened(page, home + LESSON + "?depth=12&gain=2&treated_activation=as+patient&view=stage")
    address = {"depth": "12", "gain": "2", "treated_activation": "as patient", "view": "stage"}
    agree(page, address, {"depth": 12, "activation": "sigmoid"}, {"activation": "sigmoid"})
    page.get_by_role("button", name="Share").click()
    full = page.locator(".share #full")
    expect(full).to_contain_text(home + LESSON + "?")
    link = full.inner_text()
    named = parse_qs(urlsplit(link).query)
    own = set(SETTINGS) - {*SHARED, *ABSENT}
    assert set(named) == {"view", *SHARED, *own, *(PREFIX + name for name in own)}
    assert named["depth"] == ["12"]
    assert named["treated_activation"] == named["treated_gain"] == ["as patient"]
    assert named["view"] == ["stage"]
    other = context.new_page()
    opened(other, link)
    length = other.evaluate("history.length")
    agree(other, address | {"gain": "2.0"}, *displayed(page))
    assert other.evaluate("history.length") == length <= 3  # the blank page, the link, and the link without defaults
    other.close()


def test_a_thing_to_try_is_one_step_back(page: Page, home: str):
    opened(page, home + LESSON + "?l2=0.01&width=8")
    agree(page, {"l2": "0.01", "width": "8"}, {"l2": 0.01, "width": 8}, {"l2": 0.01})
    before = displayed(page)
    page.get_by_role("button", name="Try this").click()
    address = {"depth": "3", "dataset": "circles", "gain": "2.0", "residual": "plain", "learning_rate": "0.003"}
    address |= {"treated_activation": "tanh", "treated_bias": "0.5"}
    # What is the patient's now in the treated network says so.
    address |= {"treated_initializer": "as patient", "treated_clip_threshold": "as patient"}
    mine = {"depth": 3, "dataset": "circles", "gain": 2, "l2": 0, "width": 16}
    agree(page, address, mine, {"activation": "tanh", "bias": 0.5, "residual": "plain"})
    after = displayed(page)
    page.go_back()
    agree(page, {"l2": "0.01", "width": "8"}, *before)
    page.go_forward()
    agree(page, address, *after)


def test_a_link_from_when_residual_connections_were_switched_says_what_they_are_today(page: Page, home: str):
    opened(page, home + LESSON + "?residual=true&treated_residual=false&gain=2")
    address = {"residual": "plain", "treated_residual": "none", "gain": "2"}
    agree(page, address, {"residual": "plain"}, {"residual": "none"})
    expect(page.get_by_role("alert")).to_have_count(0)
    page.reload()
    agree(page, address, {"residual": "plain"}, {"residual": "none"})


def test_garbage_falls_back_with_a_line(page: Page, home: str):
    opened(page, home + LESSON + "?depth=12.7&width=inf&activation=swish&banana=1&gain=2")
    agree(page, {"gain": "2"}, {"depth": 10, "width": 16, "activation": "sigmoid", "gain": 2}, {"activation": "relu"})
    for text in ("depth=12.7", "width=inf", "activation=swish", "banana=1"):
        expect(page.get_by_role("alert").get_by_text(text)).to_be_visible()
    segment(page, "Activation", "tanh").click()  # its parameter was garbage
    agree(page, {"gain": "2", "activation": "tanh"}, {"activation": "tanh"}, {"activation": "relu"})
    expect(page.get_by_role("alert")).to_have_count(0)
    page.go_back()
    agree(page, {"gain": "2"}, {"depth": 10, "width": 16, "activation": "sigmoid", "gain": 2}, {"activation": "relu"})


def test_a_refused_number_says_its_range_beside_the_field(page: Page, home: str):
    opened(page, home + LESSON + "?depth=11")
    agree(page, {"depth": "11"}, {"depth": 11}, {"depth": 11})
    page.get_by_role("button", name="More settings").click()
    for label, text, says in (
        ("Learning rate", "0", "between 1e-12 and 1000"),
        ("Treated: gain", "200", "between 0 and 100"),
    ):
        type_into(page, label, text)
        message = page.get_by_role("alert").filter(has_text=says)
        expect(message).to_be_visible()
        message.scroll_into_view_if_needed()
        field, words = page.get_by_label(label, exact=True).bounding_box(), message.bounding_box()
        assert field
        assert words
        assert 0 <= words["y"] - field["y"] - field["height"] < 16
        assert abs(words["x"] - field["x"]) < 8
        assert words["width"] > 100
        where = [message.element_handle(), words["x"] + 9, words["y"] + 9]
        at_this_place = "([one, x, y]) => one.contains(document.elementFromPoint(x, y))"
        assert not page.evaluate(at_this_place, where), "what it lies over can be clicked"
        message.evaluate("(one) => (one.style.pointerEvents = 'auto')")
        assert page.evaluate(at_this_place, where), "it is in front"
        agree(page, {"depth": "11"}, {"learning_rate": 0.1}, {"gain": 1.0})
        type_into(page, label, "")
        expect(message).to_have_count(0)


def test_lessons_keep_their_settings_apart(page: Page, home: str):
    opened(page, home + LESSON + "?depth=33&activation=elu&treated_gain=3")
    first = {"depth": "33", "activation": "elu", "treated_gain": "3"}
    agree(page, first, {"depth": 33}, {"gain": 3})
    page.evaluate("history.pushState({}, '', '/second'); dispatchEvent(new PopStateEvent('popstate'))")
    agree(page, {}, {"depth": 4, "activation": "relu"}, {"gain": 1, "activation": "tanh"})
    type_into(page, "Training steps", "77")
    agree(page, {"steps": "77"}, {"depth": 4, "steps": 77}, {"steps": 77})
    # a lesson is found as it was left
    page.get_by_role("link", name="The first lesson").click()
    agree(page, first | {"treated_gain": "3.0"}, {"depth": 33, "steps": 500}, {"gain": 3, "activation": "relu"})
    page.evaluate("history.pushState({}, '', '/second'); dispatchEvent(new PopStateEvent('popstate'))")
    agree(page, {"steps": "77"}, {"depth": 4, "steps": 77}, {"activation": "tanh"})
    # a link with parameters means these, although the last page's widgets have the same names
    page.get_by_role("link", name="As in a text").click()
    agree(page, {"depth": "21", "gain": "3"}, {"depth": 21, "gain": 3, "activation": "sigmoid"}, {"gain": 3})
    expect(page.get_by_role("alert").get_by_text("x=y")).to_be_visible()


def test_the_menus_entry_of_the_page_itself_changes_nothing(page: Page, home: str):
    opened(page, home + LESSON + "?depth=12")
    agree(page, {"depth": "12"}, {"depth": 12}, {"depth": 12})
    page.get_by_role("slider", name="Hidden layers").press("ArrowRight")
    agree(page, {"depth": "13"}, {"depth": 13}, {"depth": 13})
    page.get_by_role("link", name="Vanishing gradients").click()
    page.wait_for_timeout(1000)
    agree(page, {"depth": "13"}, {"depth": 13}, {"depth": 13})


def test_stage_view_is_larger_and_in_the_address(page: Page, home: str):
    opened(page, home + LESSON + "?depth=12")
    agree(page, {"depth": "12"}, {"depth": 12}, {"depth": 12})
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    normal = page.evaluate(size)
    page.get_by_role("button", name="Stage view").click()
    agree(page, {"depth": "12", "view": "stage"}, {"depth": 12}, {"depth": 12})
    page.wait_for_function(f"{size} >= {1.2 * normal}")
    page.get_by_role("button", name="Leave the stage").click()
    agree(page, {"depth": "12"}, {"depth": 12}, {"depth": 12})
    page.wait_for_function(f"{size} === {normal}")
    page.goto(home + LESSON + "?depth=12&projector=true")  # an old link
    page.wait_for_function(f"{size} >= {1.2 * normal}")


def test_by_keyboard_alone(page: Page, home: str):
    opened(page, home + LESSON + "?depth=13")
    agree(page, {"depth": "13"}, {"depth": 13}, {"activation": "relu"})
    segment(page, "Activation", "sigmoid").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    agree(page, {"depth": "13", "activation": "tanh"}, {"activation": "tanh"}, {})
    page.get_by_role("combobox", name="Initializer", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.get_by_role("slider", name="Hidden layers").focus()
    page.keyboard.press("ArrowLeft")
    agree(page, {"activation": "tanh", "initializer": "he_normal", "depth": "12"}, {"depth": 12}, {})


def test_nothing_is_fetched_from_elsewhere(own_page: Page, home: str):
    outside: list[str] = []
    own_page.on(
        "request",
        lambda request: None if request.url.startswith((home, "data:", "blob:")) else outside.append(request.url),
    )
    own_page.goto(home)
    expect(own_page.get_by_text("at home")).to_be_visible(timeout=SOON * 1000)
    opened(own_page, home + LESSON)
    own_page.wait_for_timeout(500)
    assert not outside
