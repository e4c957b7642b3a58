"""Every way into a lesson, in a real browser: the ward's links, and the addresses of the things to try."""

import pytest
from playwright.sync_api import Page, expect

from pages.charts.wording import differences
from pages.components.catalogue import lesson_of, trials_of, ward
from pages.components.controls import address
from tests.browser.conftest import Serve
from tests.browser.test_lesson import APP, MILLISECONDS
from tests.browser.test_lessons import DRAWN, OTHERS, opened


@pytest.fixture(scope="module")
def home(serve_module: Serve) -> str:
    return serve_module(APP)


def test_every_link_of_the_ward_on_a_fresh_server(page: Page, serve: Serve):
    server = serve(APP)
    for case in ward():
        opened(page, server + address(lesson_of(case.page), *case.pair).removeprefix("/"))
        expect(page.locator(".st-key-verdict")).to_contain_text(differences(*case.pair))
        expect(page.get_by_role("alert")).to_have_count(0)


def test_every_thing_to_try_opens_by_its_address_on_a_fresh_server(page: Page, serve: Serve):
    server = serve(APP)
    for name in ("vanishing_gradients", *OTHERS):
        for trial in trials_of(name):
            pair = trial.pair(lesson_of(name))
            opened(page, server + address(lesson_of(name), *pair).removeprefix("/"))
            expect(page.locator(".st-key-verdict")).to_contain_text(differences(*pair))
            expect(page.get_by_role("alert")).to_have_count(0)


def test_from_the_ward_into_a_lesson(page: Page, home: str):
    page.goto(home)
    case = ward()[-1]  # not a lesson's own networks
    page.locator(f".st-key-case_{case.key}").get_by_role("link", name="Examine").click(timeout=MILLISECONDS)
    page.wait_for_function(DRAWN, timeout=MILLISECONDS)
    expect(page.locator(".st-key-verdict")).to_contain_text(differences(*case.pair))
    page.go_back()
    expect(page.get_by_role("heading", name="The ward")).to_be_visible()
