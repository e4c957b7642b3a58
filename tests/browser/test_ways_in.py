"""From the ward into a lesson and back, in a real browser; tests/pages opens every link."""

from playwright.sync_api import Page, expect

from pages.components.lesson.catalogue import ward
from pages.text.labels import differences
from tests.browser.test_lesson import MILLISECONDS
from tests.browser.test_lessons import DRAWN


def test_from_the_ward_into_a_lesson(page: Page, home: str):
    page.goto(home)
    case = ward()[-1]  # not a lesson's own networks
    page.get_by_text("All patients").click(timeout=MILLISECONDS)
    page.locator(f".st-key-case_{case.key}").get_by_role("link", name="Examine").click(timeout=MILLISECONDS)
    page.wait_for_function(DRAWN, timeout=MILLISECONDS)
    expect(page.locator(".st-key-differences")).to_contain_text(differences(*case.pair))
    page.go_back()
    expect(page.get_by_role("heading", name="The ward")).to_be_visible()
