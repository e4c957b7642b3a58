"""The stage of a lesson and its parts in a real browser: it lands alive, its cells tell the truth, and it fits."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from engine import RunHistory, train
from engine.formatting import TIMES_TEN
from pages.components.lesson.catalogue import lesson_of
from pages.components.shell.address import PART, PARTS
from pages.text.clock import timeline_steps
from pages.text.labels import differences, number, share
from tests.browser.conftest import settled, visit
from tests.browser.readable import LAPTOP, PHONE
from tests.browser.test_address import parameters, type_into
from tests.browser.test_lesson import (
    LESSON,
    expect_address,
    expect_networks,
    open_part,
    opened,
    range_of,
    segment,
    trained,
    wait_for_part,
)
from tests.browser.test_notes import expect_marks
from tests.pages.test_vanishing_lesson import PATIENT, TREATED
from tests.patience import eventually

SMALL = {"depth": 3, "width": 4, "steps": 33}  # of networks that are trained at once

# What the timeline tells, with the time in milliseconds; and what the page shows.
TOLD = """
window.told = [];
addEventListener('backprop-clinic:step', ({ detail }) => told.push([performance.now(), detail.step]));
"""
PAINTED = """
window.painted = new Set();
const look = () => {
  const chart = document.querySelector('.chart[data-version]');
  if (chart) painted.add(chart.querySelector('.scatterlayer')?.innerHTML);
};
setInterval(look, 50);
"""
PLAYING = 4000  # milliseconds from the first step to the last
SEVERAL = 3  # steps that are shown on however busy a machine
EARLY = 0.9  # of a time that a timer may be short of
# The first six frames stand three times as long as the others.
SIXTH = 6

CELLS = """(row) => [...row.querySelectorAll('[data-layer]')].map((cell) =>
  [getComputedStyle(cell).backgroundColor, cell.getAttribute('aria-label').split(': ')[1]])"""

HEADINGS = """() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
  .filter((heading) => heading.checkVisibility()).map((heading) => Number(heading.tagName[1]))"""
MAIN_SCROLLED = "(place) => document.querySelector('.stMain').scrollTo(0, place)"
SCREENS = "() => document.querySelector('.stMain').scrollHeight / innerHeight"
EDGES = """(selector) => {
  const { top, bottom } = document.querySelector(selector).getBoundingClientRect();
  return [top, bottom];
}"""

FADED = """() => [...document.querySelectorAll("[class*=st-key-card_]")]
  .filter((card) => card.querySelector(".chart").style.opacity)
  .map((card) => card.className.match(/st-key-card_(\\w+)/)[1])"""
SIGNALS = "() => document.querySelector('.st-key-card_gradient_per_layer .scatterlayer').innerHTML"


@pytest.fixture(scope="module")
def steps() -> list[int]:
    return [int(step) for step in timeline_steps(trained(PATIENT), trained(TREATED))]


@pytest.fixture(scope="module")
def loaded(page_module: Page, home: str) -> Page:
    page_module.add_init_script(TOLD)
    return opened(page_module, home + LESSON)


@pytest.fixture
def lesson(loaded: Page) -> Iterator[Page]:
    """A tab that shows some lesson; a test says which, in `visit`, or leaves it as it found it."""
    yield loaded
    loaded.set_viewport_size(LAPTOP)


@pytest.fixture
def alive(own_page: Page) -> Page:
    """An empty tab of somebody who has nothing against movement."""
    own_page.emulate_media(reduced_motion="no-preference")
    own_page.add_init_script(TOLD)
    return own_page


def wait_for_end(page: Page) -> None:
    expect(range_of(page)).to_have_value(range_of(page).get_attribute("max") or "")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def told(page: Page) -> list[tuple[float, int]]:
    return [(float(time), int(step)) for time, step in page.evaluate("told")]


def test_who_lands_sees_the_training_once(alive: Page, home: str, steps: list[int]):
    alive.add_init_script(PAINTED)
    opened(alive, home + LESSON)
    wait_for_end(alive)
    shown = told(alive)
    assert [step for _, step in shown] == sorted({step for _, step in shown})
    assert (shown[0][1], shown[-1][1]) == (0, steps[-1])
    assert len(shown) >= SEVERAL
    moved = alive.evaluate("painted.size")
    assert moved >= SEVERAL
    start = shown[0][0]
    slow = shown[-1][0] - start
    assert slow > EARLY * PLAYING
    share = 3 * SIXTH / (len(steps) - 1 + 2 * SIXTH)
    assert next(time for time, step in shown if step >= steps[SIXTH]) - start > EARLY * share * PLAYING
    expect_address(alive, {})

    alive.get_by_role("button", name="Speed 1×").click()
    alive.evaluate("() => (told.length = 0)")
    alive.locator(".st-key-verdict").get_by_role("heading").click()
    alive.keyboard.press("Space")  # from a place that has no use for it
    expect(range_of(alive)).not_to_have_value(str(len(steps) - 1))
    wait_for_end(alive)
    times = [time for time, _ in told(alive)]
    assert EARLY * PLAYING / 4 < times[-1] - times[0] < slow


def test_an_address_with_a_step_stands_there(alive: Page, home: str):
    opened(alive, home + LESSON + "?timeline=4")
    settled(alive)
    assert {step for _, step in told(alive)} == {4}
    expect(alive.get_by_role("button", name="Play")).to_be_visible()
    expect_address(alive, {"timeline": "4"})


def test_with_reduced_motion_nothing_moves(lesson: Page, steps: list[int]):
    assert {step for _, step in told(lesson)} == {steps[-1]}
    expect(lesson.get_by_role("button", name="Play")).to_be_visible()


def row(page: Page, who: str) -> Locator:
    return page.locator(f".strip .row.{who}")


def cell(page: Page, who: str, layer: int) -> Locator:
    return row(page, who).locator(f"[data-layer='{layer}']")


def test_the_cells_say_what_the_engine_recorded_and_change_with_the_timeline(lesson: Page, steps: list[int]):
    colors: dict[str, set[str]] = {}
    for index in (0, len(steps) // 2, len(steps) - 1):
        range_of(lesson).fill(str(index))
        for who, history in (("patient", trained(PATIENT)), ("treated", trained(TREATED))):
            recorded = recorded_at(history, steps[index])
            expect(row(lesson, who).locator(".readout")).to_have_text(number(history.gradient_ratio[recorded]))
            cells = row(lesson, who).evaluate(CELLS)
            assert [value_of(text) for _, text in cells] == pytest.approx(history.delta_rms[recorded], rel=0.055)
            colors.setdefault(who, set()).add(str([color for color, _ in cells]))
    assert all(len(seen) > 1 for seen in colors.values())


def value_of(text: str) -> float:
    """Of a number as the page writes it, 5.6 × 10⁻⁸."""
    mantissa, _, power = text.partition(TIMES_TEN)
    return float(f"{mantissa}e{power.translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789')) or 0}")


def recorded_at(history: RunHistory, step: int) -> int:
    """The latest row at or before the step."""
    return int(np.searchsorted(history.step, step, side="right")) - 1


def test_a_cell_marks_its_layer_in_the_charts(lesson: Page):
    open_part(lesson, "look")
    cell(lesson, "patient", 3).click()
    expect(cell(lesson, "patient", 3)).to_have_attribute("aria-pressed", "true")
    expect_marks(lesson, "gradient_per_layer", "x,2.5,3.5")
    expect_marks(lesson, "learning_curves")  # it has no axis of layers
    lesson.keyboard.press("ArrowRight")
    expect(cell(lesson, "patient", 3)).to_have_attribute("aria-pressed", "false")
    expect_marks(lesson, "gradient_per_layer", "x,3.5,4.5")
    open_part(lesson, "why")  # the mark stays
    expect_marks(lesson, "gradient_through_training", "y,3.5,4.5")
    cell(lesson, "patient", 4).focus()
    lesson.keyboard.press("ArrowDown")
    expect(cell(lesson, "treated", 4)).to_be_focused()
    expect_marks(lesson, "gradient_through_training", "y2,3.5,4.5")
    cell(lesson, "treated", 4).click()
    expect(cell(lesson, "treated", 4)).to_have_attribute("aria-pressed", "false")
    expect_marks(lesson, "gradient_through_training")


def test_the_timeline_goes_along_when_the_page_scrolls(lesson: Page):
    open_part(lesson, "why")
    lesson.evaluate(MAIN_SCROLLED, 600)
    expect(range_of(lesson)).to_be_in_viewport()
    lesson.evaluate(MAIN_SCROLLED, 0)


def test_the_open_part_is_in_the_address(lesson: Page, home: str):
    visit(lesson, home + LESSON + "?part=more")
    wait_for_part(lesson, "more")
    open_part(lesson, "look")
    expect_address(lesson, {})
    lesson.get_by_role("link", name="Why?").press("Enter")
    wait_for_part(lesson, "why")
    expect(lesson.get_by_role("tab", name="why")).to_be_focused()
    expect_address(lesson, {PART: "why"})
    expect(lesson.get_by_role("alert")).to_have_count(0)
    menu = lesson.get_by_test_id("stSidebar")
    menu.get_by_role("link", name="Underfitting").click()
    expect(lesson.get_by_role("heading", name="Underfitting", exact=True)).to_be_visible()
    expect(lesson.get_by_role("tab", name="look")).to_have_attribute("aria-selected", "true")
    lesson.go_back()
    wait_for_part(lesson, "why")
    expect_address(lesson, {PART: "why"})
    lesson.go_forward()
    expect(lesson.get_by_role("heading", name="Underfitting", exact=True)).to_be_visible()
    expect(lesson.get_by_role("tab", name="look")).to_have_attribute("aria-selected", "true")


SIZES = ((1440, 900), (1280, 720), (1024, 768), (390, 844))
MENU_BESIDE = 1280  # pixels of a window that has room for the menu, as in menu_closer.js
# Where the first chart begins, in pixels, at most.
TOPS = {
    "vanishing_gradients": (590, 490, 495, 660),
    "exploding_gradients": (590, 510, 535, 730),
    "overfitting": (590, 490, 530, 640),
    "underfitting": (590, 490, 495, 660),
    "data_faults": (590, 490, 495, 675),
}
WHOLE = ((1440, 900), (1024, 768))  # windows with room for the first charts, but for small print below them
LOWEST = """() => {
  const parts = document.querySelectorAll('.st-key-first_charts .chart .infolayer > :not(.annotation)');
  return Math.max(...[...parts].map((part) => part.getBoundingClientRect().bottom));
}"""
A_LINE = 30  # pixels
MOST_SCREENS = {"laptop": 2.0, "phone": 4.0}  # that a part is long


@pytest.fixture(scope="module", params=TOPS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def opened_lesson(loaded: Page, home: str, name: str) -> Page:
    visit_lesson(loaded, home, name)
    return loaded


@pytest.fixture
def visited(opened_lesson: Page) -> Iterator[Page]:
    """The lesson of this name, visited once for the tests that measure it, at its first part."""
    opened_lesson.get_by_role("tab", name="look").click()
    yield opened_lesson
    opened_lesson.set_viewport_size(LAPTOP)


def test_what_is_in_view(visited: Page, name: str):
    found: dict[Any, Any] = {}
    for size in SIZES:
        visited.set_viewport_size({"width": size[0], "height": size[1]})
        visited.evaluate(MAIN_SCROLLED, 0)
        if size[0] < MENU_BESIDE:
            expect(visited.get_by_role("button", name="Expand sidebar")).to_be_visible()
        visited.wait_for_function("() => !document.querySelector('.chart:not([data-version])')")
        if size in WHOLE:
            eventually(lambda size=size: 0 < visited.evaluate(LOWEST) <= size[1])
        found[size] = {
            part: [round(edge) for edge in visited.evaluate(EDGES, selector)]
            for part, selector in (
                ("verdict", ".st-key-verdict"),
                ("timeline", "[class*=st-key-timeline_]"),
                ("strip", ".st-key-strip"),
                ("tabs", "[role=tablist]"),
                ("chart", ".chart"),
                ("in short", ".st-key-in_short"),
            )
        }
    for (size, boxes), top in zip(found.items(), TOPS[name], strict=True):
        assert boxes["chart"][0] <= top, (size, boxes)
        assert all(boxes[part][0] >= 0 for part in boxes), (size, boxes)
        in_view = ("verdict", "timeline", "strip", "tabs")
        assert all(boxes[part][1] <= size[1] for part in in_view), (size, boxes)
        if size[0] > PHONE["width"]:  # where it comes after the first chart
            assert boxes["tabs"][0] <= boxes["in short"][0] < boxes["in short"][1] <= boxes["chart"][0], (size, boxes)
        else:
            assert 0 <= boxes["in short"][0] - boxes["chart"][1] < A_LINE, (size, boxes)


def test_no_part_is_too_long_and_headings_leave_no_level_out(visited: Page, name: str):
    """On a phone those of the lesson with the most to say."""
    sizes: dict[str, ViewportSize] = {"laptop": LAPTOP, "phone": PHONE}
    found = {}
    for device, size in sizes.items():
        if device == "phone" and name != "exploding_gradients":
            continue
        visited.set_viewport_size(size)
        for part in PARTS:
            visited.get_by_role("tab", name=part).click()
            expect(visited.get_by_role("tabpanel", name=part).get_by_role("heading").first).to_be_visible()
            settled(visited)
            visited.wait_for_function("() => !document.querySelector('.chart:not([data-version])')")
            found[name, part, device] = round(visited.evaluate(SCREENS), 2)
            assert parameters(visited).get(PART, PARTS[0]) == part
            levels = visited.evaluate(HEADINGS)
            assert levels[:2] == [1, 2], part  # title and verdict
            assert all(below <= above + 1 for above, below in pairwise(levels)), (part, levels)
    too_long = {key: long for key, long in found.items() if long > MOST_SCREENS[key[2]]}
    assert not too_long


def visit_lesson(page: Page, home: str, name: str) -> None:
    """Its first part."""
    visit(page, f"{home}{name}?part=look&steps={lesson_of(name).patient.steps}")
    title = name.replace("_", " ").capitalize()
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    page.get_by_role("tab", name="look").click()
    page.wait_for_function("() => document.querySelectorAll('.chart[data-version]').length === 3")


COUNT_SENT = """() => {
  const send = WebSocket.prototype.send;
  window.sent = 0;
  WebSocket.prototype.send = function (...message) { sent += 1; return send.apply(this, message); };
}"""
LEFT_BEHIND = 30  # nodes or listeners, by which one state of a page differs from the same later on: tuned
UNTRAINED = "step 0, before training"


def test_a_dragged_gain_shows_step_0_before_it_is_let_go(lesson: Page, home: str):
    """And says nothing to the server till then; the first touch has brought what every gain looks like."""
    page = "exploding_gradients"
    own = lesson_of(page)
    visit_lesson(lesson, home, page)
    handle, field = lesson.locator(".st-key-gain .drag-number"), lesson.get_by_label("Gain", exact=True)
    box = handle.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    lesson.mouse.move(box["x"] + 0.9 * box["width"], y)
    lesson.mouse.down()
    expect(lesson.locator(".strip .told")).to_have_text(UNTRAINED)
    settled(lesson)
    lesson.evaluate(COUNT_SENT)
    seen, signals, verdict = set(), lesson.evaluate(SIGNALS), lesson.locator(".st-key-verdict h2")
    for part in (0.8, 0.5, 0.2):
        lesson.mouse.move(box["x"] + part * box["width"], y)
        gain = float(field.input_value())
        for who, network in (("patient", own.patient), ("treated", own.treated)):
            ratio = train(replace(network, gain=gain, steps=1)).gradient_ratio[0]
            expect(row(lesson, who).locator(".readout")).to_have_text(number(ratio))
            expect(verdict).to_have_attribute("data-untrained", re.compile(re.escape(f"receives {share(ratio)} its")))
        seen.add((gain, str(row(lesson, "patient").evaluate(CELLS))))
        lesson.wait_for_function(f"(before) => ({SIGNALS})() !== before", arg=signals)
        signals = lesson.evaluate(SIGNALS)
        expect(lesson.locator(".timeline .readout")).to_have_text(f"step 0 of {own.patient.steps}")
        assert lesson.evaluate(FADED) == ["clipping", "learning_curves"], "of the networks before"
    assert [len(set(one)) for one in zip(*seen, strict=True)] == [3, 3]
    assert lesson.evaluate("sent") == 0
    lesson.mouse.up()
    trained = [replace(one, gain=gain) for one in (own.patient, own.treated)]
    expect(lesson.locator(".st-key-differences")).to_contain_text(differences(*trained))
    expect_address(lesson, {"gain": str(gain)})
    expect(lesson.locator(".strip .told")).not_to_have_text(UNTRAINED)
    expect(verdict).not_to_have_attribute("data-untrained", re.compile("."))
    expect(lesson.locator(".timeline .readout")).to_have_text(f"step {own.patient.steps} of {own.patient.steps}")
    lesson.wait_for_function(f"() => !({FADED})().length")


def test_a_visit_leaves_nothing_behind(lesson: Page, home: str):
    """Not a node and not a listener more, however often one switches parts and pages and moves a control."""
    browser = lesson.context.new_cdp_session(lesson)
    browser.send("Performance.enable")

    def rounds(*keys: str) -> None:
        for key in keys:
            visit_lesson(lesson, home, "overfitting")
            visit_lesson(lesson, home, LESSON)
            lesson.get_by_role("slider", name="Hidden layers").press(key)
            open_part(lesson, "why")
        settled(lesson)

    def left() -> dict[str, float]:
        browser.send("HeapProfiler.collectGarbage")
        found = browser.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in found if one["name"] in ("Nodes", "JSEventListeners")}

    rounds("ArrowRight")
    before = left()
    rounds("ArrowLeft", "ArrowRight")
    # what is on its way out is not left behind
    eventually(lambda: all(now <= before[name] + LEFT_BEHIND for name, now in left().items()))


def test_a_part_that_there_is_not(lesson: Page, home: str):
    visit(lesson, home + LESSON + "?part=banana")
    expect(lesson.get_by_role("alert").get_by_text("part=banana")).to_be_visible()
    wait_for_part(lesson, "look")
    expect_address(lesson, {})


def test_a_setting_of_more_settings_survives(lesson: Page, home: str):
    address = {name: str(value) for name, value in SMALL.items()}
    address |= {PART: "read"}  # it draws no chart
    visit(lesson, f"{home}{LESSON}?{urlencode(address)}")
    patient, treated = replace(PATIENT, **SMALL), replace(TREATED, **SMALL)
    expect_networks(lesson, patient, treated)
    lesson.get_by_role("button", name="More settings").click()
    type_into(lesson, "Gain", "2")
    patient, treated = replace(patient, gain=2.0), replace(treated, gain=2.0)
    expect_networks(lesson, patient, treated)
    lesson.get_by_role("button", name="Fewer settings").click()
    expect(lesson.get_by_role("button", name="More settings (2 changed)")).to_be_visible()  # and the width
    expect(lesson.get_by_label("Gain", exact=True)).to_have_count(0)
    segment(lesson, "Activation", "tanh").click()
    patient = replace(patient, activation="tanh")
    address |= {"gain": "2.0", "activation": "tanh"}
    expect_networks(lesson, patient, treated)
    expect_address(lesson, address)
    lesson.get_by_test_id("stSidebar").get_by_role("link", name="Underfitting").click()
    expect(lesson.get_by_role("heading", name="Underfitting", exact=True)).to_be_visible()
    lesson.go_back()
    expect_networks(lesson, patient, treated)
    lesson.get_by_role("button", name="More settings").click()
    expect(lesson.get_by_label("Gain", exact=True)).to_have_value("2")
