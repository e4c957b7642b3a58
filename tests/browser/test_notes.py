"""The doctor's notes in a real browser: evidence moves timeline and charts, cures are tried and applied."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from engine import Experiment, diagnose
from pages.components.lesson.findings import shown
from pages.text import findings_text
from pages.text.labels import differences
from tests.browser.conftest import settled, visit
from tests.browser.readable import LAPTOP, PHONE, expect_no_wider, expect_readable
from tests.browser.test_lesson import (
    DRAWN,
    FIRST,
    LESSON,
    MILLISECONDS,
    card,
    expect_address,
    expect_networks,
    open_part,
    opened,
    tab_to,
    trained,
    wait_for_part,
)
from tests.browser.test_timeline import range_of
from tests.pages.test_vanishing_lesson import PATIENT, TREATED

ALONE = re.compile(r"^(\d+\. )?Residual connections:")  # and not in a pair
# Of small networks, whose cures are tried in a second.
SMALL = {"depth": 3, "width": 4}

SETTLED = 500  # milliseconds

# Boxes around layers that a chart has drawn: axis, from, to.
MARKS = """(chart) => chart._fullLayout.shapes.filter((shape) => shape.type === 'rect').map((shape) =>
  shape.xref === 'paper' ? [shape.yref, shape.y0, shape.y1] : [shape.xref, shape.x0, shape.x1])"""
MARKED = f"([chart, marks]) => JSON.stringify([...new Set(({MARKS})(chart).map(String))]) === JSON.stringify(marks)"
IN_SIGHT = "(chart) => chart.getBoundingClientRect().top > 0 && chart.getBoundingClientRect().bottom < innerHeight"
RIGHTMOST_TEXT = """(chart) => Math.max(
  ...[...chart.querySelectorAll('.annotation')].map((text) => text.getBoundingClientRect().right))"""


@pytest.fixture
def page(page_module: Page) -> Iterator[Page]:
    """Loaded by the first test; each has networks of its own, of which nothing is marked or tried yet."""
    yield page_module
    page_module.set_viewport_size(LAPTOP)


def opened_small(page: Page, home: str, steps: int) -> Experiment:
    """The part Cure of the lesson with small networks at the end of so many steps; the patient."""
    settings = SMALL | {"steps": steps}
    patient = replace(PATIENT, **settings)
    visit(page, f"{home}{LESSON}?{urlencode(settings)}&part=cure")
    settled(page)  # the last test's networks may have the same sentence
    expect_networks(page, patient, replace(TREATED, **settings))
    wait_for_part(page, "cure")
    range_of(page).press("End")
    return patient


def chart(page: Page, stem: str) -> Locator:
    return card(page, stem).get_by_role("figure")


def expect_marks(page: Page, stem: str, *marks: str) -> None:
    chart(page, stem).scroll_into_view_if_needed()
    page.wait_for_function(MARKED, arg=[chart(page, stem).element_handle(), list(marks)], timeout=MILLISECONDS)


def try_the_cures(page: Page) -> Locator:
    section = page.locator(".st-key-sweep_prescription")
    settled(page)
    page.get_by_role("button", name="Try the cures").click()
    expect(section.get_by_role("button", name="Apply to the treated network")).to_be_visible(timeout=MILLISECONDS)
    page.wait_for_function(DRAWN, arg=1)
    return section


def test_evidence_moves_the_timeline_and_marks_the_layer(page: Page, home: str):
    opened(page, home + LESSON)
    history = trained(PATIENT)
    finding = diagnose(history)[0]
    ((first, last),) = findings_text.spans(finding.layers)
    open_part(page, "cure")
    notes = page.locator(".st-key-notes_patient")
    expect(notes).to_contain_text("threshold")
    button = notes.get_by_role("button").first
    button.click()
    page.wait_for_function(f"() => document.documentElement.dataset.backpropClinicStep === '{finding.steps[0]}'")
    box = f"{first - 0.5},{last + 0.5}"
    wait_for_part(page, "look")
    page.wait_for_function(IN_SIGHT, arg=chart(page, FIRST).element_handle())
    expect_marks(page, "gradient_per_layer", f"x,{box}")
    expect_marks(page, "learning_curves")
    open_part(page, "more")
    expect_marks(page, "activations", f"x,{box}")
    open_part(page, "why")
    expect_marks(page, "gradient_through_training", f"y,{box}")  # of the patient's panel alone
    range_of(page).fill("20")
    expect_marks(page, "gradient_through_training", f"y,{box}")
    open_part(page, "cure")
    expect(notes).to_contain_text(shown(finding))
    button.click()
    expect(notes).not_to_contain_text(shown(finding))
    open_part(page, "why")
    expect_marks(page, "gradient_through_training")
    expect(range_of(page)).to_have_value("20")


def test_evidence_by_keyboard(page: Page, home: str):
    finding = diagnose(trained(opened_small(page, home, steps=30)))[0]
    label = page.locator(f".st-key-evidence_Patient_{finding.code}").get_by_role("button").inner_text()
    page.locator(".st-key-verdict").click()
    tab_to(page, label)
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => document.documentElement.dataset.backpropClinicStep === '{finding.steps[0]}'")
    wait_for_part(page, "look")
    entries = page.evaluate("history.length")
    page.evaluate("location.hash = 'notes'")  # anchors lead to the part that has them, in one step
    wait_for_part(page, "cure")
    assert page.evaluate("[location.hash, history.length]") == ["", entries + 1]


def test_cures_are_tried_fit_on_a_phone_and_one_is_applied(page: Page, home: str):
    patient = opened_small(page, home, steps=31)
    section = try_the_cures(page)
    figure = section.get_by_role("figure")
    message = figure.get_attribute("aria-label") or ""
    assert "Untreated" in message
    assert "median validation loss" in message
    expect(section).to_contain_text("comes first of")
    low = figure.evaluate("(chart) => chart.clientHeight")
    section.get_by_text(re.compile(r"Show \d+ more")).click()
    page.wait_for_function("([chart, low]) => chart.clientHeight > 2 * low", arg=[figure.element_handle(), low])
    page.set_viewport_size(PHONE)
    expect_no_wider(page)
    assert figure.evaluate(RIGHTMOST_TEXT) <= PHONE["width"]
    page.set_viewport_size(LAPTOP)
    section.get_by_role("combobox").scroll_into_view_if_needed()
    page.wait_for_timeout(SETTLED)  # an open menu closes when the page scrolls
    section.get_by_role("combobox").click()
    page.get_by_role("option").filter(has_text=ALONE).click()
    expect(section).to_contain_text("Changes residual connections none → plain.")
    section.get_by_role("button", name="Apply to the treated network").click()
    treated = replace(patient, residual="plain")
    expect(page.locator(".st-key-differences")).to_contain_text(differences(patient, treated), timeout=MILLISECONDS)
    settings = {name: str(value) for name, value in SMALL.items()} | {"steps": "31"}
    follows = {f"treated_{name}": "as patient" for name in ("activation", "initializer")}
    expect_address(page, settings | follows | {"treated_residual": "plain", "part": "cure"})
    expect_networks(page, patient, treated)
    section.get_by_role("button", name="Data: ").click()
    data = page.get_by_role("dialog")
    expect(data.get_by_test_id("stDataFrame").locator("canvas").first).to_be_visible()
    data.get_by_role("button", name="Close").click()
    expect(data).to_have_count(0)
    evidence = page.locator(".st-key-notes_patient").get_by_role("button").first
    evidence.click()
    wait_for_part(page, "look")
    page.get_by_role("tab", name="cure").click()
    expect(page.locator(".st-key-notes_patient")).to_contain_text(shown(diagnose(trained(patient))[0]))
    expect_readable(page, ".st-key-notes_patient", ".st-key-sweep_prescription")
