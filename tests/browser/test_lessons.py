"""Every lesson in a real browser: drawn, on a phone, in the dark, read by a machine; tests/pages tries their things."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from pages.components.lesson.catalogue import lesson_of
from pages.components.shell.frame import lessons
from pages.text.labels import differences
from tests.browser.conftest import visit
from tests.browser.readable import LAPTOP, PHONE, expect_no_wider, expect_readable
from tests.browser.test_lesson import MILLISECONDS, range_of

LESSONS = [row.name for row in lessons() if row.name != "lecture"]  # whose overview has no chart
# These have a file of their own.
OTHERS = [
    name for name in LESSONS if name not in ("backpropagation", "laboratory", "mystery_patient", "vanishing_gradients")
]
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
    """The bare address's page, opened once for the tests of a lesson."""
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


# Width of the window -> charts in the first row; where there is no room for all of them they wrap.  One lesson goes
# through all widths, the others, whose rows are the same three cards, wrap once.
ACROSS = {1440: 3, 1280: 3, 1000: 3, 820: 2, PHONE["width"]: 1}
WRAPS = (820, PHONE["width"])
NARROWEST = 280  # pixels in which a card can be read
FIRST_ROW = """() => {
  const boxes = [...document.querySelectorAll('[class*=st-key-card_]')].map((card) => card.getBoundingClientRect());
  return boxes.filter((box) => box.top === boxes[0].top).map((box) => box.width);
}"""

WRAPPED = f"([across, least]) => (({FIRST_ROW})()).length === across && Math.min(...({FIRST_ROW})()) >= least"


def test_charts_wrap_before_they_are_squeezed_and_fit_on_a_phone(lesson: Page, name: str):
    try:
        for width in ACROSS if name == OTHERS[0] else WRAPS:
            lesson.set_viewport_size({"width": width, "height": 900})
            lesson.wait_for_function(WRAPPED, arg=[ACROSS[width], NARROWEST])
        lesson.set_viewport_size(PHONE)
        expect_no_wider(lesson)
    finally:
        lesson.set_viewport_size(LAPTOP)
