"""The mystery patient in a real browser: from start to score by keyboard, on a phone, and in the dark."""

from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from engine import train
from engine.doctor.cases import candidates, holds
from pages.charts.hidden_patient import FREE, task, views_of
from pages.text import mystery_answers
from tests.browser.conftest import settled
from tests.browser.readable import LAPTOP, PHONE, expect_no_wider, expect_readable
from tests.browser.test_lesson import MILLISECONDS
from tests.browser.test_stage import HEADINGS

SEED, LEVEL = 17, "medium"
VIEWS = views_of(LEVEL)
PATH = "mystery_patient"
MOST_TABS = 60
FEW_TABS = 10
QUEUED = 300  # milliseconds until the browser has sent what was done
PROJECTOR: ViewportSize = {"width": 1280, "height": 720}
LARGE_PROJECTOR: ViewportSize = {"width": 1920, "height": 1080}
FOCUSED = "document.activeElement.innerText"
LONGEST_LINE = 100  # characters
# Of every paragraph above the footer: how many characters, of .45 em, stand in its longest line at most.
LINES = """() => [...document.querySelectorAll('main p:not(button p)')].slice(0, -1).map((p) => {
  const width = Math.max(0, ...[...p.getClientRects()].map((box) => box.width));
  const longest = Math.max(...p.innerText.split('\\n').map((line) => line.length));
  return [Math.min(width / (0.45 * parseFloat(getComputedStyle(p).fontSize)), longest), p.innerText.slice(0, 60)];
})"""
SETTLED = 2000  # milliseconds that charts may take to be drawn for another window
DRAWN = "(number) => [...document.querySelectorAll('.chart')].filter((c) => c.dataset.version).length === number"


@pytest.fixture(scope="module")
def case():
    return next(one for one in candidates(SEED, LEVEL) if holds(one, train(one.patient), train(one.healthy)))


TOP, BOTTOM = ("(one) => one.getBoundingClientRect().top", "(one) => one.getBoundingClientRect().bottom")


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


def settle(page: Page) -> None:
    """Wait for the answer to what was done last: it closes a list that is open."""
    expect(page.locator(".st-key-say").get_by_role("radio", checked=True)).to_have_count(1)
    page.wait_for_timeout(QUEUED)
    settled(page)


def choose(page: Page, case, prescription: str) -> None:
    """Both choices by mouse."""
    page.locator(".st-key-say").get_by_text(mystery_answers.named(case.fault)).click()
    settle(page)
    box = page.locator(".st-key-say").get_by_role("combobox").first
    box.scroll_into_view_if_needed()
    page.wait_for_timeout(QUEUED)  # an open list closes when the page scrolls
    box.click()
    page.get_by_role("option", name=prescription, exact=True).click()
    expect(box).to_have_value(prescription)


@pytest.fixture(scope="module")
def loaded(page_module: Page, home: str) -> Page:
    """The patient as a link opens it, loaded once for tests that ask nothing of it."""
    return opened(page_module, link(home))


def test_a_link_shows_the_same_patient(loaded: Page, case):
    patient = train(case.patient)
    expect(loaded.locator(".st-key-patient").get_by_role("figure")).to_have_attribute("aria-label", FREE.alt(patient))
    expect(loaded.locator(".st-key-patient")).to_contain_text(task(patient).replace("**", ""))
    expect(loaded.get_by_role("alert")).to_have_count(0)


def test_the_looks_are_a_few_tab_stops_away(loaded: Page):
    for _ in range(FEW_TABS):
        loaded.keyboard.press("Tab")
        if loaded.evaluate("document.activeElement.matches('.st-key-skip *')"):
            break
    loaded.keyboard.press("Enter")
    assert focused(loaded, next(iter(VIEWS.values())).TITLE)
    assert "solid 3px" in loaded.evaluate("(({ outlineStyle, outlineWidth }) => outlineStyle + ' ' + outlineWidth)"
                                          "(getComputedStyle(document.activeElement))")  # fmt: skip


def test_from_start_to_score_by_keyboard_and_the_points_survive_a_reload(page: Page, home: str, case):
    opened(page, link(home))
    first = next(iter(VIEWS.values())).TITLE
    tab_to(page, first)
    page.keyboard.press("Enter")
    page.wait_for_function(DRAWN, arg=2, timeout=MILLISECONDS)
    assert focused(page, f"Hide: {first}"), "the keyboard stays where it was"
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
    settle(page)
    page.keyboard.press("Tab")
    page.keyboard.type("Another activation")
    page.keyboard.press("Enter")
    commit = page.get_by_role("button", name="Commit, and treat")
    expect(commit).to_be_enabled(timeout=MILLISECONDS)
    tab_to(page, "Commit, and treat")
    page.keyboard.press("Enter")
    score = page.locator(".st-key-score")
    expect(score.get_by_role("heading")).to_contain_text("of 100 points", timeout=MILLISECONDS)
    page.wait_for_function(f"{FOCUSED}.includes('of 100 points')")
    expect(score.get_by_role("heading")).to_be_in_viewport()
    expect(page.locator(".st-key-arrival [aria-live]")).to_contain_text("of 100 points")
    expect(score).to_contain_text("Looks: 30 of 30")
    expect(score).to_contain_text("Diagnosis: 40 of 40")
    assert parse_qs(urlsplit(page.url).query) == {"seed": [str(SEED)], "level": [LEVEL]}
    page.get_by_role("button", name="Take home").press("Enter")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Page as HTML").press("Enter")
    assert "of 100 points. The root cause: " in taken.value.path().read_text("utf-8")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Confirm: train").first.press("Enter")
    # It is gone, and the keyboard is where it was.
    page.wait_for_function("() => document.activeElement.matches('.st-key-treated_beside div')", timeout=MILLISECONDS)
    tab_to(page, "Next patient")
    page.keyboard.press("Enter")
    number = page.get_by_role("spinbutton", name="Patient")
    expect(number).to_have_value(str(SEED + 1), timeout=MILLISECONDS)
    expect(page.locator(".st-key-say")).to_be_visible(timeout=MILLISECONDS)
    assert parse_qs(urlsplit(page.url).query)["seed"] == [str(SEED + 1)]
    page.wait_for_function(f"{FOCUSED}.endsWith('Patient {SEED + 1}')")
    expect(page.locator(".st-key-arrival [aria-live]")).to_contain_text(f"Patient {SEED + 1}.")
    number.fill("")
    number.press("Enter")
    expect(number).to_have_value(str(SEED + 1))  # an emptied field keeps the patient
    page.go_back()
    expect(score.get_by_role("heading")).to_contain_text("of 100 points", timeout=MILLISECONDS)

    kept = page.locator(".st-key-points")
    expect(kept).to_contain_text("In this browser: 1 patient, ")
    first = kept.inner_text()
    page.reload()
    choose(page, case, "More training examples")
    page.get_by_role("button", name="Commit, and treat").click()
    expect(kept).to_contain_text("In this browser: 1 patient, ", timeout=MILLISECONDS)
    assert kept.inner_text().startswith(first), "they count as the first time"


def test_from_a_lesson_and_back(page: Page, home: str):
    """A lesson has a parameter of the same name."""
    page.goto(f"{home}underfitting?seed=5&steps=50&part=read")  # it draws no chart
    expect(page.locator(".st-key-verdict").get_by_role("heading")).to_be_visible(timeout=MILLISECONDS)
    menu = page.get_by_test_id("stSidebar")
    menu.get_by_role("link", name="Mystery patient").click()
    expect(page.get_by_role("spinbutton", name="Patient")).to_have_value("1", timeout=MILLISECONDS)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.wait_for_function(DRAWN, arg=1, timeout=MILLISECONDS)
    menu.get_by_role("link", name="Underfitting").click()
    expect(page.locator(".st-key-verdict").get_by_role("heading")).to_be_visible(timeout=MILLISECONDS)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_it_is_readable_by_all_and_fits_on_a_phone_before_and_after(page: Page, home: str, case):
    page.set_viewport_size(PHONE)
    opened(page, link(home))
    for view in VIEWS.values():
        page.get_by_role("button", name=view.TITLE).click()
        expect(page.get_by_role("button", name=f"Hide: {view.TITLE}")).to_be_visible(timeout=MILLISECONDS)
    page.wait_for_function(DRAWN, arg=1 + len(VIEWS), timeout=MILLISECONDS)
    expect_fits_and_is_readable(page)
    page.set_viewport_size(PHONE)
    choose(page, case, "Another activation, with the initialization that suits it")
    page.get_by_role("button", name="Commit, and treat").click()
    expect(page.locator(".st-key-score")).to_be_visible(timeout=MILLISECONDS)
    page.wait_for_function(DRAWN, arg=5, timeout=MILLISECONDS)
    heading, header = page.locator(".st-key-score").get_by_role("heading"), page.locator(".stAppHeader")
    expect(heading).to_be_in_viewport()
    assert heading.evaluate(TOP) >= header.evaluate(BOTTOM), "not behind it"
    expect_fits_and_is_readable(page, ".st-key-score")  # the looks are as before
    tops = [chart.bounding_box() for chart in page.locator(".st-key-treated_beside .chart").all()[:3]]
    assert len({round(top["y"]) for top in tops if top}) == 1, "side by side"
    page.set_viewport_size(LARGE_PROJECTOR)
    assert not [line for line in page.evaluate(LINES) if line[0] > LONGEST_LINE]


def expect_fits_and_is_readable(page: Page, *parts: str) -> None:
    """On a phone, where it stands, and on a laptop."""
    expect_no_wider(page)
    page.set_viewport_size(LAPTOP)
    expect_readable(page, *parts)
    expect_no_level_left_out(page.evaluate(HEADINGS))


def expect_no_level_left_out(levels: list[int]) -> None:
    assert levels[:2] == [1, 2]
    assert all(below <= above + 1 for above, below in pairwise(levels)), levels


def expect_in_window(page: Page, selector: str, below: float = 0) -> None:
    """All of it, `below` pixels above the window's lower edge."""
    page.wait_for_function(
        """([selector, below]) => {
          const { top, bottom } = document.querySelector(selector)?.getBoundingClientRect() ?? {};
          return top >= 0 && bottom <= innerHeight - below + 1;
        }""",
        arg=[selector, below],
    )


def test_a_look_opens_where_it_was_tapped_and_the_next_step_stays_within_reach(page: Page, home: str):
    keys = list(VIEWS)
    page.set_viewport_size(PHONE)
    opened(page, link(home))
    reach = page.get_by_role("navigation", name="Steps")
    bar = page.locator(".st-key-reach").bounding_box()
    assert bar
    assert bar["y"] + bar["height"] == PHONE["height"]
    for drawn, key in ((2, keys[0]), (3, keys[-1])):
        tapped = page.get_by_role("button", name=VIEWS[key].TITLE)
        tapped.scroll_into_view_if_needed()
        before = tapped.bounding_box()
        tapped.click()
        page.wait_for_function(DRAWN, arg=drawn, timeout=MILLISECONDS)
        expect_in_window(page, f".st-key-card_{key}", bar["height"])
        title = page.locator(f".st-key-card_{key} h3").bounding_box()
        assert before
        assert title
        assert title["y"] <= before["y"] + before["height"], "in its place, or further up where there was no room"
    for name in ("Diagnose", "Prescribe", "Look"):
        reach.get_by_role("button", name=name).click()
        heading = page.get_by_role("heading", name=name)
        expect(heading).to_be_in_viewport()
        expect(heading).to_be_focused()
    page.set_viewport_size(PROJECTOR)
    expect(reach).to_be_hidden()
    page.wait_for_timeout(SETTLED)  # what is above the card grows, and it is brought into the window once
    settled(page)
    page.get_by_role("button", name=VIEWS[keys[3]].TITLE).click()
    page.wait_for_function(DRAWN, arg=4, timeout=MILLISECONDS)
    expect_in_window(page, f".st-key-card_{keys[3]}")
    for name in ("Diagnose", "Prescribe"):
        expect(page.get_by_role("heading", name=name)).to_be_in_viewport()


@pytest.mark.parametrize("size", [PROJECTOR, LARGE_PROJECTOR], ids=str)
def test_a_projector_shows_all_of_the_first_screen(page: Page, home: str, size: ViewportSize):
    page.set_viewport_size(size)
    opened(page, link(home) + "&view=stage")
    for part in ("patient", "look", "say"):
        expect_in_window(page, f".st-key-{part}")
