"""The mystery patient in a real browser: from start to score by keyboard, on a phone, in the dark, on a cold link."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from engine import train
from engine.doctor.cases import candidates, holds
from pages.charts.hidden_patient import FREE, VIEWS, task
from pages.text import mystery_answers
from tests.browser.conftest import Serve
from tests.browser.readable import PHONE, expect_no_wider, expect_readable
from tests.browser.test_lesson import APP, MILLISECONDS

SEED, LEVEL = 17, "medium"
PATH = "mystery_patient"
MOST_TABS = 60
DRAWN = "(number) => [...document.querySelectorAll('.chart')].filter((c) => c.dataset.version).length === number"


@pytest.fixture(scope="module")
def case():
    return next(one for one in candidates(SEED, LEVEL) if holds(one, train(one.patient), train(one.healthy)))


def link(server: str, seed: int = SEED, level: str = LEVEL) -> str:
    return f"{server}{PATH}?seed={seed}&level={level}"


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    page.wait_for_function(DRAWN, arg=1, timeout=MILLISECONDS)
    return page


def tab_to(page: Page, button: str) -> None:
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if focused(page, button):
            return
    pytest.fail(f"no way to {button} by keyboard")


def focused(page: Page, button: str) -> bool:
    return page.get_by_role("button", name=button).evaluate("(button) => button === document.activeElement")


def choose(page: Page, case, prescription: str) -> None:
    """Both choices by mouse."""
    page.locator(".st-key-say").get_by_text(mystery_answers.named(case.fault)).click()
    box = page.locator(".st-key-say").get_by_role("combobox")
    box.click()
    page.get_by_role("option", name=prescription, exact=True).click()
    expect(box).to_have_value(prescription)


def test_from_start_to_score_by_keyboard(page: Page, home: str, case):
    opened(page, link(home))
    first = next(iter(VIEWS.values())).TITLE
    tab_to(page, first)
    page.keyboard.press("Enter")
    page.wait_for_function(DRAWN, arg=2, timeout=MILLISECONDS)
    assert focused(page, first), "the keyboard stays where it was"
    codes = mystery_answers.diagnoses(LEVEL)
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "radio":
            break
    page.keyboard.press("Space")
    for _ in range(codes.index(case.fault)):
        page.keyboard.press("ArrowDown")
    chosen = page.locator(".st-key-say").get_by_role("radio", checked=True)
    expect(chosen).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.type("Another activation")
    page.keyboard.press("Enter")
    commit = page.get_by_role("button", name="Commit, and treat")
    expect(commit).to_be_enabled(timeout=MILLISECONDS)
    tab_to(page, "Commit, and treat")
    page.keyboard.press("Enter")
    score = page.locator(".st-key-score")
    expect(score.get_by_role("heading")).to_contain_text("of 100 points", timeout=MILLISECONDS)
    expect(score).to_contain_text("Looks: 25 of 30")
    expect(score).to_contain_text("Diagnosis: 40 of 40")
    assert parse_qs(urlsplit(page.url).query) == {"seed": [str(SEED)], "level": [LEVEL]}
    tab_to(page, "Next patient")
    page.keyboard.press("Enter")
    expect(page.get_by_role("spinbutton", name="Patient")).to_have_value(str(SEED + 1), timeout=MILLISECONDS)
    expect(page.locator(".st-key-say")).to_be_visible(timeout=MILLISECONDS)
    assert parse_qs(urlsplit(page.url).query)["seed"] == [str(SEED + 1)]
    page.go_back()
    expect(score.get_by_role("heading")).to_contain_text("of 100 points", timeout=MILLISECONDS)


def test_a_cold_link_shows_the_same_patient(page: Page, serve: Serve, case):
    opened(page, link(serve(APP)))
    patient = train(case.patient)
    expect(page.locator(".st-key-patient").get_by_role("figure")).to_have_attribute("aria-label", FREE.alt(patient))
    expect(page.locator(".st-key-patient")).to_contain_text(task(patient).replace("**", ""))
    expect(page.get_by_role("alert")).to_have_count(0)


def test_from_a_lesson_and_back(page: Page, home: str):
    """A lesson has a parameter of the same name."""
    page.goto(f"{home}underfitting?seed=5&steps=50")
    expect(page.locator(".st-key-verdict").get_by_role("heading")).to_be_visible(timeout=MILLISECONDS)
    menu = page.get_by_test_id("stSidebar")
    menu.get_by_role("link", name="Mystery patient").click()
    expect(page.get_by_role("spinbutton", name="Patient")).to_have_value("1", timeout=MILLISECONDS)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.wait_for_function(DRAWN, arg=1, timeout=MILLISECONDS)
    menu.get_by_role("link", name="Underfitting").click()
    expect(page.locator(".st-key-verdict").get_by_role("heading")).to_be_visible(timeout=MILLISECONDS)
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("size", [None, PHONE])
def test_it_is_readable_by_all_before_and_after(page: Page, home: str, case, size):
    if size:
        page.set_viewport_size(size)
    opened(page, link(home))
    for view in VIEWS.values():
        page.get_by_role("button", name=view.TITLE).click()
    page.wait_for_function(DRAWN, arg=1 + len(VIEWS), timeout=MILLISECONDS)
    expect_no_wider(page) if size else expect_readable(page)
    choose(page, case, "Another activation, with the initialization that suits it")
    page.get_by_role("button", name="Commit, and treat").click()
    expect(page.locator(".st-key-score")).to_be_visible(timeout=MILLISECONDS)
    page.wait_for_function(DRAWN, arg=5, timeout=MILLISECONDS)
    expect(page.locator(".st-key-score").get_by_role("heading")).to_be_in_viewport()
    expect_no_wider(page) if size else expect_readable(page)
