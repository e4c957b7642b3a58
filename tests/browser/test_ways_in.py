"""Every way into a lesson, in a real browser: the ward's links, and the addresses of the things to try."""

from playwright.sync_api import Page, expect

from pages.charts.wording import differences
from pages.components.catalogue import lesson_of, trials_of, ward
from pages.components.controls import address
from tests.browser.conftest import Serve
from tests.browser.test_lesson import APP, MILLISECONDS
from tests.browser.test_lessons import DRAWN, OTHERS, opened


def test_links_of_the_ward_and_things_to_try_on_a_fresh_server(page: Page, serve: Serve):
    """Of each lesson the last; tests/pages opens them all."""
    server = serve(APP)
    for name in ("vanishing_gradients", *OTHERS):
        lesson = lesson_of(name)
        case = [case for case in ward() if case.page == name][-1]
        for pair in (case.pair, trials_of(name)[-1].pair(lesson)):
            opened(page, server + address(lesson, *pair).removeprefix("/"))
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
