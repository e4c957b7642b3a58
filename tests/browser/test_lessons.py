"""Every lesson in a real browser: drawn, tried, on a phone, in the dark, read by a machine."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from pages.components.lesson.catalogue import exercises_of, lesson_of, ward
from pages.components.settings.controls import address
from pages.components.shell.frame import lessons
from pages.text.labels import differences
from tests.browser.conftest import visit
from tests.browser.readable import LAPTOP, PHONE, expect_no_wider, expect_readable
from tests.browser.test_backpropagation import look_inside
from tests.browser.test_lesson import MILLISECONDS, range_of

LESSONS = [row.name for row in lessons()]
# These have a file of their own.
OTHERS = [name for name in LESSONS if name not in ("backpropagation", "mystery_patient", "vanishing_gradients")]
DRAWN = """() => {
  const charts = [...document.querySelectorAll('.chart')];
  return charts.length >= 3 && charts.every((chart) => chart.dataset.version);
}"""


def opened(page: Page, url: str) -> Page:
    visit(page, url)
    name = urlsplit(url).path.removeprefix("/")
    title = next(row.title for row in lessons() if row.name == name)
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()  # no more the last page
    page.wait_for_function(DRAWN, timeout=MILLISECONDS)
    return page


@pytest.fixture(scope="module", params=OTHERS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def lesson(page_module: Page, home: str, name: str) -> Page:
    """The bare address's page, opened once for the tests of a lesson, the last of which change it."""
    return opened(page_module, home + name)


def test_the_bare_address(lesson: Page, name: str):
    own = lesson_of(name)
    expect(lesson.locator(".st-key-differences")).to_contain_text(differences(own.patient, own.treated))
    expect(lesson.get_by_role("alert")).to_have_count(0)
    for figure in lesson.get_by_role("figure").all():
        message = figure.get_attribute("aria-label") or ""
        assert any(character.isdigit() for character in message), message
    range_of(lesson).fill("0")
    lesson.wait_for_function("() => document.documentElement.dataset.backpropClinicStep === '0'")
    for figure in lesson.get_by_role("figure").all():
        figure.scroll_into_view_if_needed()
        lesson.wait_for_function("(chart) => ['0', ''].includes(chart.dataset.step)", arg=figure.element_handle())


def test_light_and_dark_are_readable_by_all(lesson: Page):
    expect_readable(lesson)
    lesson.emulate_media(color_scheme="light")


# Width of the window -> charts in the first row; where there is no room for all of them they wrap.
ACROSS = {1440: 3, 1280: 3, 1000: 2, 820: 1, PHONE["width"]: 1}
NARROWEST = 280  # pixels in which a card can be read
FIRST_ROW = """() => {
  const boxes = [...document.querySelectorAll('[class*=st-key-card_]')].map((card) => card.getBoundingClientRect());
  return boxes.filter((box) => box.top === boxes[0].top).map((box) => box.width);
}"""


def test_charts_wrap_before_they_are_squeezed_and_fit_on_a_phone(lesson: Page):
    try:
        for width, across in ACROSS.items():
            lesson.set_viewport_size({"width": width, "height": 900})
            lesson.wait_for_function(f"(across) => ({FIRST_ROW})().length === across", arg=across)
            assert min(lesson.evaluate(FIRST_ROW)) >= NARROWEST, width
        lesson.set_viewport_size(PHONE)
        expect_no_wider(lesson)
    finally:
        lesson.set_viewport_size(LAPTOP)


def test_look_inside(lesson: Page, name: str):
    look_inside(lesson, name)


def test_a_thing_to_try(lesson: Page, name: str):
    lesson.get_by_role("tab", name="try").click()
    trial = exercises_of(name)[0]
    card = lesson.locator(f".st-key-trial_{trial.key}")
    card.get_by_text("About the same", exact=True).click()
    card.get_by_text(trial.reasons[trial.reason], exact=True).click()
    card.get_by_role("button", name="Train both and compare").click()
    expect(card).to_contain_text("You said: about the same, because", timeout=MILLISECONDS)
    expect(card).to_contain_text("Measured: ")
    expect(lesson.locator(".st-key-differences")).to_contain_text(differences(*trial.pair(lesson_of(name))))


def test_links_of_the_ward_and_things_to_try(lesson: Page, home: str, name: str):
    expect_links_open(lesson, home, name)


def expect_links_open(page: Page, home: str, name: str) -> None:
    """The last of a lesson's cases in the ward, and of its things to try; tests/pages opens them all."""
    lesson = lesson_of(name)
    case = [case for case in ward() if case.page == name][-1]
    for pair in (case.pair, exercises_of(name)[-1].pair(lesson)):
        opened(page, home + address(lesson, *pair).removeprefix("/"))
        expect(page.locator(".st-key-differences")).to_contain_text(differences(*pair))
        expect(page.get_by_role("alert")).to_have_count(0)


def test_it_fits_on_a_phone_from_the_start(page: Page, home: str):
    page.set_viewport_size(PHONE)
    page.goto(home + OTHERS[0])
    page.wait_for_function(DRAWN, timeout=MILLISECONDS)
    expect_no_wider(page)
