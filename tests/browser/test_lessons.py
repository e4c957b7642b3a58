"""Every lesson in a real browser: drawn, tried, on a phone, in the dark, read by a machine."""

import pytest
from playwright.sync_api import Page, expect

from pages.charts.wording import differences
from pages.components.catalogue import lesson_of, trials_of, ward
from pages.components.frame import lessons
from tests.browser.conftest import Serve
from tests.browser.readable import PHONE, expect_no_wider, expect_readable
from tests.browser.test_lesson import APP, MILLISECONDS, range_of

LESSONS = [row.name for row in lessons()]
# These have a file of their own.
OTHERS = [name for name in LESSONS if name not in ("backpropagation", "mystery_patient", "vanishing_gradients")]
DRAWN = """() => {
  const charts = [...document.querySelectorAll('.chart')];
  return charts.length > 3 && charts.every((chart) => chart.dataset.version);
}"""


@pytest.fixture(scope="module")
def home(serve_module: Serve) -> str:
    return serve_module(APP)


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    page.wait_for_function(DRAWN, timeout=MILLISECONDS)
    return page


@pytest.mark.parametrize("name", OTHERS)
def test_the_bare_address(page: Page, home: str, name: str):
    opened(page, home + name)
    lesson = lesson_of(name)
    expect(page.locator(".st-key-verdict")).to_contain_text(differences(lesson.patient, lesson.treated))
    expect(page.get_by_role("alert")).to_have_count(0)
    for figure in page.get_by_role("figure").all():
        said = figure.get_attribute("aria-label") or ""
        assert any(character.isdigit() for character in said), said
    range_of(page).fill("0")
    page.wait_for_function("() => document.documentElement.dataset.backpropClinicStep === '0'")
    for figure in page.get_by_role("figure").all():
        figure.scroll_into_view_if_needed()
        page.wait_for_function("(chart) => ['0', ''].includes(chart.dataset.step)", arg=figure.element_handle())


@pytest.mark.parametrize("name", OTHERS)
def test_light_and_dark_are_readable_by_all(page: Page, home: str, name: str):
    opened(page, home + name)
    expect_readable(page)


@pytest.mark.parametrize("name", ["", *OTHERS])
def test_it_fits_on_a_phone(page: Page, home: str, name: str):
    page.set_viewport_size(PHONE)
    page.goto(home + name)
    if name:
        page.wait_for_function(DRAWN, timeout=MILLISECONDS)
    else:
        expect(page.get_by_role("img", name="Patient: ")).to_have_count(len(ward()), timeout=MILLISECONDS)
    expect_no_wider(page)


# Width of the window -> charts in the first row; where there is no room for all of them they wrap.
ACROSS = {1440: 3, 1280: 3, 1000: 2, 820: 1, PHONE["width"]: 1}
NARROWEST = 280  # pixels in which a card can be read
FIRST_ROW = """() => {
  const boxes = [...document.querySelectorAll('[class*=st-key-card_]')].map((card) => card.getBoundingClientRect());
  return boxes.filter((box) => box.top === boxes[0].top).map((box) => box.width);
}"""


def test_charts_wrap_before_they_are_squeezed(page: Page, home: str):
    opened(page, home + OTHERS[0])
    for width, across in ACROSS.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"(across) => ({FIRST_ROW})().length === across", arg=across)
        assert min(page.evaluate(FIRST_ROW)) >= NARROWEST, width


@pytest.mark.parametrize("name", OTHERS)
def test_a_thing_to_try(page: Page, home: str, name: str):
    opened(page, home + name)
    lesson, trial = lesson_of(name), trials_of(name)[0]
    card = page.locator(f".st-key-trial_{trial.key}")
    card.get_by_text("About the same", exact=True).click()
    card.get_by_text(trial.reasons[trial.reason], exact=True).click()
    card.get_by_role("button", name="Train both and compare").click()
    expect(card).to_contain_text("You said: about the same, because", timeout=MILLISECONDS)
    expect(card).to_contain_text("Measured: ")
    expect(page.locator(".st-key-verdict")).to_contain_text(differences(*trial.pair(lesson)))
