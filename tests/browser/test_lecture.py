"""A lecture given in a real browser, by the clicker alone."""

from playwright.sync_api import Page, expect

from pages.components.lecture.catalogue import lecture_of
from tests.browser.conftest import settled, visit
from tests.browser.test_lesson import MILLISECONDS
from tests.browser.test_stage_view import DRAWN, FITS, LEAST_TYPE, ROUNDING, TYPE

LECTURE = "right_about_the_past"


def test_a_lecture_is_given_by_the_clicker_alone(page: Page, home: str) -> None:
    scenes = lecture_of(LECTURE).scenes
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, f"{home}lecture?lecture={LECTURE}&scene=1&hide=verdict&view=stage")
    expect(page.locator("[aria-keyshortcuts]")).to_have_count(1)  # it listens
    headline = page.locator(".st-key-verdict").get_by_role("heading")
    for number, scene in enumerate(scenes):
        expect(headline).to_have_text(scene.question, timeout=MILLISECONDS)
        expect(page.locator(".chart")).to_have_count(0)
        expect(page.locator(".st-key-ways")).to_contain_text(f"{number + 1} of {len(scenes)}")
        settled(page)
        page.keyboard.press("PageDown")
        page.wait_for_function(DRAWN, arg=len(scene.charts), timeout=MILLISECONDS)
        expect(page.locator(".st-key-lesson")).to_contain_text(scene.choices[scene.right])
        page.wait_for_function(FITS, timeout=MILLISECONDS)
        small = [one for one in page.evaluate(TYPE) if one[0] < ROUNDING * LEAST_TYPE * 720]
        assert not small
        page.keyboard.press("PageDown")
    page.keyboard.press("PageUp")
    expect(headline).not_to_have_text(scenes[-1].question, timeout=MILLISECONDS)
    expect(page.locator(".st-key-ways")).to_contain_text(f"{len(scenes) - 1} of {len(scenes)}")
