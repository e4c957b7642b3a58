"""The heart of tests/browser in Firefox and WebKitGTK: bash tests/browsers.sh."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import train
from pages.charts.style.tokens import TOKENS
from pages.components.lesson.catalogue import lesson_of
from pages.text.verdict import verdict
from tests.browsers.drivers import ENGINES, PHONE, Browser
from tests.patience import SOON
from tests.serving import served

LESSON = "vanishing_gradients"
PATIENT, TREATED = lesson_of(LESSON).patient, lesson_of(LESSON).treated
POLL = 0.1  # seconds

# What a selector finds, in the page and in its components.
ALL = """const all = (selector, root = document) => [...root.querySelectorAll('*')].flatMap((element) => [
  ...(element.matches(selector) ? [element] : []),
  ...(element.shadowRoot ? all(selector, element.shadowRoot) : []),
]);"""
# Where it can be clicked, once it is there and nothing lies over it.
CENTER = f"""(selector, text) => {{
  {ALL}
  const found = all(selector).find((one) => !one.disabled && (!text || one.textContent.trim() === text));
  if (!found) return null;
  found.scrollIntoView({{ block: 'center' }});
  const box = found.getBoundingClientRect();
  const center = [box.x + box.width / 2, box.y + box.height / 2];
  return found.contains(found.getRootNode().elementFromPoint(...center)) ? center : null;
}}"""
FOCUS = f"(selector) => {{ {ALL} const found = all(selector)[0]; found?.focus(); return Boolean(found); }}"
VALUE = f"(selector) => {{ {ALL} return all(selector)[0]?.value ?? null; }}"
COUNT = f"(selector) => {{ {ALL} return all(selector).length; }}"
DRAWN = """() => {
  const charts = [...document.querySelectorAll('.chart')];
  return charts.filter((one) => one.dataset.version && one.querySelector('.scatterlayer path')).length;
}"""
DRAWING = "() => document.querySelector('.chart .scatterlayer').innerHTML"
STEP = "() => Number(document.documentElement.dataset.backpropClinicStep)"
ADDRESS = "() => [location.pathname.slice(1), Object.fromEntries(new URLSearchParams(location.search))]"
SAID = "() => document.querySelector('.st-key-verdict :is(h1, h2, h3)')?.textContent"
TITLE = "() => document.querySelector('.st-key-header h1')?.textContent.trim()"
WIDTHS = "() => [document.documentElement.scrollWidth, document.querySelector('.stMain').scrollWidth]"
PAPERS = """() => [document.querySelector('.stApp'), ...document.querySelectorAll('.chart .main-svg:first-child')]
  .map((one) => getComputedStyle(one).backgroundColor)"""
# What a colour of the page's styles comes to.
COLOR = """(color) => {
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = color;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}"""

RANGE = "input[aria-label='Training step']"
DEPTH = ".st-key-depth input"


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    with served() as server:
        yield server.address


@pytest.fixture(scope="module", params=ENGINES)
def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with ENGINES[request.param](dark=False, folder=tmp_path_factory.mktemp("light")) as browser:
        yield browser


def until(browser: Browser, expected: Any, function: str, *arguments: Any) -> None:
    """Wait until the function returns what is expected, or something that fulfills it."""
    end = time.monotonic() + SOON
    while True:
        found = browser.ask(function, *arguments)
        if expected(found) if callable(expected) else found == expected:
            return
        assert time.monotonic() < end, (function, arguments, found)
        time.sleep(POLL)


def opened(browser: Browser, address: str) -> None:
    browser.open(address)
    until(browser, 3, DRAWN)


def click(browser: Browser, selector: str, text: str = "") -> None:
    until(browser, bool, CENTER, selector, text)
    browser.click(*browser.ask(CENTER, selector, text))


def press(browser: Browser, selector: str, *keys: str) -> None:
    until(browser, bool, FOCUS, selector)
    for key in keys:
        browser.press(key)


def test_the_lesson_loads_and_draws_its_charts(browser: Browser, home: str):
    opened(browser, home + LESSON)
    until(browser, verdict(train(PATIENT), train(TREATED)), SAID)
    assert browser.ask(COUNT, "[role=alert]") == 0
    until(browser, [LESSON, {}], ADDRESS)


def test_the_timeline_by_mouse_and_keys(browser: Browser, home: str):
    opened(browser, home + LESSON)
    until(browser, PATIENT.steps, STEP)  # with little motion it stands at the end
    last = browser.ask(DRAWING)
    click(browser, RANGE)
    until(browser, lambda step: 0 < step < PATIENT.steps, STEP)
    until(browser, lambda drawing: drawing != last, DRAWING)
    press(browser, RANGE, "Home")
    until(browser, 0, STEP)
    click(browser, "button[name=forward]")
    until(browser, lambda step: step > 0, STEP)
    first = browser.ask(STEP)
    until(browser, [LESSON, {"timeline": str(first)}], ADDRESS)
    press(browser, RANGE, "Space")
    until(browser, lambda step: step > first, STEP)
    browser.press("Space")
    until(browser, 1, COUNT, "button[name=play][aria-label=Play]")
    press(browser, RANGE, "End")
    until(browser, PATIENT.steps, STEP)
    until(browser, last, DRAWING)


def test_a_moved_control_and_back(browser: Browser, home: str):
    opened(browser, home + LESSON)
    said = verdict(train(PATIENT), train(TREATED))
    until(browser, said, SAID)
    click(browser, ".st-key-activation [role=radio]", "tanh")
    until(browser, [LESSON, {"activation": "tanh"}], ADDRESS)
    tanh = verdict(train(replace(PATIENT, activation="tanh")), train(TREATED))
    assert tanh != said
    until(browser, tanh, SAID)
    press(browser, DEPTH, "ArrowRight")
    until(browser, [LESSON, {"activation": "tanh", "depth": "11"}], ADDRESS)
    browser.back()
    until(browser, [LESSON, {"activation": "tanh"}], ADDRESS)
    until(browser, tanh, SAID)
    browser.back()
    until(browser, [LESSON, {}], ADDRESS)
    until(browser, said, SAID)
    until(browser, "10", VALUE, DEPTH)


def test_a_deep_link(browser: Browser, home: str):
    address = {"depth": "6", "activation": "tanh", "timeline": "3"}
    opened(browser, home + LESSON + "?" + "&".join(f"{name}={text}" for name, text in address.items()))
    patient = replace(PATIENT, depth=6, activation="tanh")
    until(browser, verdict(train(patient), train(replace(TREATED, depth=6))), SAID)
    until(browser, 3, STEP)
    until(browser, "6", VALUE, DEPTH)
    until(browser, [LESSON, address], ADDRESS)
    assert browser.ask(COUNT, "[role=alert]") == 0


def test_back_leads_back_once_from_look_inside_and_from_another_page(browser: Browser, home: str):
    opened(browser, home + LESSON + "?depth=6&activation=tanh&timeline=3")
    address = browser.ask(ADDRESS)
    for link in ("a#treated", "a#patient", ".st-key-menu a[href$=underfitting]"):
        click(browser, link)
        until(browser, lambda title: title not in (None, "Vanishing gradients"), TITLE)
        until(browser, lambda found: found[0] != LESSON, ADDRESS)
        if "menu" not in link:
            until(browser, bool, COUNT, ".network .unit")
        time.sleep(1)  # for entries that come late
        browser.back()
        until(browser, address, ADDRESS)
        until(browser, "Vanishing gradients", TITLE)
        until(browser, "6", VALUE, DEPTH)
        until(browser, 3, DRAWN)


def test_it_fits_a_phone(browser: Browser, home: str):
    browser.open_on_a_phone(home + LESSON)
    until(browser, 3, DRAWN)
    until(browser, lambda widths: max(widths) <= PHONE[0], WIDTHS)


@pytest.mark.parametrize("engine", ENGINES)
def test_dark(engine: str, home: str, tmp_path: Path):
    with ENGINES[engine](dark=True, folder=tmp_path) as browser:
        opened(browser, home + LESSON)
        dark = browser.ask(COLOR, TOKENS["page"].split(", ")[1].removesuffix(")"))
        until(browser, lambda papers: len(papers) == 4 and set(papers) == {dark}, PAPERS)
        assert browser.ask(COLOR, "var(--page)") == dark
