"""The lesson in a real browser: drawn, moved, tried, by keyboard, on a phone, in the dark, and read by a machine."""

import csv
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, WebSocket, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from engine import Experiment, train
from pages.components.shell.address import PARTS
from pages.text.labels import differences
from pages.text.verdict import verdict
from tests.browser.conftest import settled
from tests.browser.readable import PAPER, PHONE, expect_no_wider, expect_readable, themes, violations
from tests.browser.test_timeline import LABEL_COLORS, contrast, range_of
from tests.pages.test_vanishing_lesson import PATIENT, TREATED
from tests.patience import SOON

LESSON = "vanishing_gradients"
# By the part that shows them.
CHARTS = {
    "look": ("gradient_per_layer", "learning_curves", "predictions"),
    "why": ("chain_rule_factors", "gradient_through_training"),
    "more": ("weight_distributions", "weight_norms", "activations"),
}
FIRST = CHARTS["look"][0]
OPEN_PART = "[role=tabpanel]"
# In the module's scope all tests of a chart run one after the other: a part is opened once, which takes seconds.
EVERY_CHART = pytest.mark.parametrize(
    ("part", "stem"), [(part, stem) for part in CHARTS for stem in CHARTS[part]], scope="module"
)
ONE_A_PART = pytest.mark.parametrize(("part", "stem"), [(part, CHARTS[part][0]) for part in CHARTS], scope="module")
UNFOLDED = 1000  # milliseconds in which a menu has come or gone
MILLISECONDS = 1000 * SOON
trained = cache(train)  # for what is expected of a page: most pages show the same few networks
MOST_TABS = 60  # from the top of the page to the timeline
# Streamlit looks for its server below the page's path before it looks at the root.
PROBED = (f"/{LESSON}/_stcore/health", f"/{LESSON}/_stcore/host-config")

DRAWN = "(number) => [...document.querySelectorAll('.chart')].filter((c) => c.dataset.version).length === number"

# Whether Plotly has drawn the chart's latest frame at or before the step; compared with what it made of the frame.
SHOWS = """(chart, step) => {
  const frame = chart.frames.filter((one) => Number(one.name) <= step).at(-1);
  const equal = (drawn, expected) => expected.length ? drawn === expected
    : 'bdata' in expected ? drawn.length > 0 && drawn.bdata === expected.bdata
    : Object.entries(expected).every(([name, part]) => equal(drawn[name], part));
  return frame.data.length
    ? frame.data.every((part, place) => equal(chart._fullData[frame.traces[place]], part))
    : chart._fullLayout.shapes[0].x0 === frame.layout.shapes[0].x0;
}"""

# The element that has the keyboard: its accessible name and role.
FOCUSED = """() => {
  let element = document.activeElement;
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element.getAttribute('aria-label') ?? element.innerText;
}"""
UNTRAINED_SEEDS = count(77)  # a second try must not find what the first had trained


@pytest.fixture(scope="module")
def heard(page_module: Page) -> dict[str, list[str]]:
    """What the module's page asked for, what it was sent, and what its console called an error, from the beginning."""
    heard: dict[str, list[str]] = {"requests": [], "messages": [], "errors": []}
    page_module.on("request", lambda request: heard["requests"].append(request.url))

    def listen_to(socket: WebSocket) -> None:
        heard["requests"].append(socket.url)
        socket.on("framereceived", lambda frame: heard["messages"].append(kind(frame)))

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location["url"].endswith(PROBED):
            heard["errors"].append(f"{message.text} {message.location['url']}")

    page_module.on("websocket", listen_to)
    page_module.on("console", listen)
    return heard


def kind(frame: bytes | str) -> str:
    """Of the server's message."""
    assert isinstance(frame, bytes)
    return ForwardMsg.FromString(frame).WhichOneof("type") or ""


@pytest.fixture(scope="module")
def loaded(page_module: Page, heard: dict[str, list[str]], home: str) -> Page:
    return opened(page_module, home + LESSON)


@pytest.fixture
def lesson(loaded: Page) -> Iterator[Page]:
    """The bare address's page, loaded once; tests leave it as they found it, whatever part is open."""
    yield loaded
    range_of(loaded).fill(range_of(loaded).get_attribute("max") or "")
    loaded.context.clear_permissions()


def opened(page: Page, address: str) -> Page:
    """The lesson of this address, with its first part."""
    page.goto(address)
    wait_for_part(page, "look")
    return page


def wait_for_part(page: Page, part: str) -> None:
    """Until it is open and its charts are drawn, and no others are left."""
    expect(page.get_by_role("tab", name=part)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name=part).get_by_role("heading").first).to_be_visible()
    page.wait_for_function(DRAWN, arg=len(CHARTS.get(part, ())), timeout=MILLISECONDS)
    for stem in CHARTS.get(part, ()):
        expect(card(page, stem)).to_have_count(1)
    settled(page)


def open_part(page: Page, part: str) -> None:
    tab = page.get_by_role("tab", name=part)
    if tab.get_attribute("aria-selected") != "true":
        tab.click()
    wait_for_part(page, part)


def headline(page: Page) -> Locator:
    return page.locator(".st-key-verdict").get_by_role("heading")


def expect_networks(page: Page, patient: Experiment, treated: Experiment) -> None:
    """The page speaks of these two networks, trained here once more."""
    expect(headline(page)).to_have_text(verdict(trained(patient), trained(treated)))
    expect(page.locator(".st-key-differences")).to_contain_text(differences(patient, treated))


def expect_address(page: Page, parameters: dict[str, str]) -> None:
    page.wait_for_url(lambda url: dict(parse_qsl(urlsplit(url).query)) == parameters, wait_until="commit")


def segment(page: Page, label: str, option: str) -> Locator:
    return page.get_by_role("radiogroup", name=label, exact=True).get_by_role("radio", name=option, exact=True)


def card(page: Page, stem: str) -> Locator:
    return page.locator(f".st-key-card_{stem}")


def tab_to(page: Page, name: str) -> None:
    passed = []
    for _ in range(2 * MOST_TABS):  # a part of the page that is still drawn may take the focus back to the top once
        page.keyboard.press("Tab")
        passed.append(page.evaluate(FOCUSED))
        if passed[-1] == name:
            return
    pytest.fail(f"no way to {name} with the tab key, only to {passed}")


def test_the_bare_address_shows_patient_and_treated(lesson: Page):
    expect_networks(lesson, PATIENT, TREATED)
    expect_address(lesson, {})
    expect(lesson.get_by_role("alert")).to_have_count(0)
    expect(segment(lesson, "Activation", "sigmoid")).to_be_checked()
    expect(segment(lesson, "Treated: activation", "ReLU")).to_be_checked()


@EVERY_CHART
def test_a_chart_says_what_it_shows(lesson: Page, part: str, stem: str):
    open_part(lesson, part)
    figure = card(lesson, stem).get_by_role("figure")
    expect(figure).to_have_count(1)
    name = figure.get_attribute("aria-label") or ""
    assert name.startswith("Patient")
    assert "Treated" in name
    assert any(character.isdigit() for character in name)


def test_what_has_a_help_is_in_its_name(lesson: Page):
    """Also where Streamlit calls it "Help" alone."""
    open_part(lesson, "look")
    expect(card(lesson, FIRST).get_by_role("button", name="Help for Gradient per layer")).to_be_visible()
    expect(lesson.get_by_role("button", name="Help", exact=True)).to_have_count(0)


@EVERY_CHART
def test_the_timeline_moves_every_chart(lesson: Page, part: str, stem: str):
    open_part(lesson, part)
    figure = card(lesson, stem).get_by_role("figure")
    figure.scroll_into_view_if_needed()
    last = int(range_of(lesson).get_attribute("max") or 0)
    for index in (last, 0, last // 2):
        range_of(lesson).fill(str(index))
        step = int(lesson.evaluate("document.documentElement.dataset.backpropClinicStep"))
        lesson.wait_for_function(f"([figure, step]) => ({SHOWS})(figure, step)", arg=[figure.element_handle(), step])


@ONE_A_PART
def test_a_chart_has_its_data_one_click_away(lesson: Page, part: str, stem: str, tmp_path: Path):
    """The tables themselves: tests/charts."""
    open_part(lesson, part)
    card(lesson, stem).get_by_role("button", name="Data: ").click()
    data = lesson.get_by_role("dialog")
    expect(data.get_by_test_id("stDataFrame").locator("canvas").first).to_be_visible(timeout=MILLISECONDS)
    with lesson.expect_download() as download:
        data.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename == f"{stem}.csv"
    download.value.save_as(tmp_path / "data.csv")
    with (tmp_path / "data.csv").open() as lines:
        heading, *rows = csv.reader(lines)
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(heading)}
    data.get_by_role("button", name="Close").click()
    expect(data).to_have_count(0)


def test_a_control_moves_while_a_run_is_on_its_way(page: Page, home: str):
    """The first run of the whole page is cut off before it has come to the verdict; the next one moves no chart."""
    training = page.get_by_text(re.compile("^Training: "))
    seed = next(UNTRAINED_SEEDS)
    page.goto(f"{home}{LESSON}?steps=5000&seed={seed}")
    expect(training).to_be_visible()
    segment(page, "Treated: activation", "tanh").check(force=True)
    wait_for_part(page, "look")
    patient, treated = (replace(one, steps=5000, seed=seed) for one in (PATIENT, TREATED))
    expect_networks(page, patient, replace(treated, activation="tanh"))

    top = "document.querySelector('.chart').getBoundingClientRect().top"
    before = page.evaluate(top)
    segment(page, "Activation", "tanh").check(force=True)
    expect(training).to_be_visible()
    assert page.evaluate(top) == before


def test_charts_are_sent_and_not_referred_to(lesson: Page, heard: dict[str, list[str]]):
    """A browser that has thrown away what it is referred to ends the visit with an error."""
    for part in ("why", "more") * 2:  # the same charts are sent again
        finished = heard["messages"].count("script_finished")
        lesson.get_by_role("tab", name=part).click()
        deadline = time.monotonic() + SOON
        while heard["messages"].count("script_finished") == finished and time.monotonic() < deadline:
            lesson.wait_for_timeout(50)
        assert heard["messages"].count("script_finished") > finished
    assert "ref_hash" not in heard["messages"]


def test_light_and_dark_are_readable_by_all(lesson: Page):
    for part in PARTS:
        open_part(lesson, part)
        for scheme in themes(lesson):
            # The charts are drawn anew for the theme.
            drawn = f"(paper) => ({LABEL_COLORS})().every((colors) => colors[1] === paper)"
            lesson.wait_for_function(drawn, arg=PAPER[scheme])
            colors = lesson.evaluate(LABEL_COLORS)
            assert not CHARTS.get(part) or len(colors) > 10 * len(CHARTS[part])
            assert min((contrast(*pair) for pair in colors), default=21) >= 4.5  # WCAG 2.1, 1.4.3
            # The stage is there in every part.
            within = [OPEN_PART] if part != "look" else []
            assert not violations(lesson, *within, dark=scheme == "dark"), (scheme, part)
    lesson.emulate_media(color_scheme="light")


def test_nothing_comes_from_elsewhere_and_no_error_is_logged(lesson: Page, heard: dict[str, list[str]], home: str):
    own = (home, home.replace("http", "ws"), "data:", "blob:" + home)
    assert len(heard["requests"]) > 10
    assert not [url for url in heard["requests"] if not url.startswith(own)]
    assert not heard["errors"]


def test_a_garbage_link_on_a_phone_shows_the_defaults_and_fits(page: Page, home: str):
    page.set_viewport_size(PHONE)
    opened(page, home + LESSON + "?depth=banana&activation=swish&nonsense=1&timeline=noon")
    for text in ("depth=banana", "activation=swish", "nonsense=1", "timeline=noon"):
        expect(page.get_by_role("alert").get_by_text(text)).to_be_visible()
    expect_networks(page, PATIENT, TREATED)
    expect_address(page, {})

    expect_no_wider(page)
    for figure in page.get_by_role("figure").all():
        box = figure.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    page.set_viewport_size({"width": PHONE["height"], "height": PHONE["width"]})  # turned on its side
    page.wait_for_timeout(UNFOLDED)
    expect(page.get_by_role("button", name="Expand sidebar")).to_be_visible()


def test_on_a_phone_the_menu_closes_when_another_page_comes(page: Page, home: str):
    page.set_viewport_size(PHONE)
    page.goto(home)
    for title in ("Vanishing gradients", "Backpropagation"):
        page.get_by_role("button", name="Expand sidebar").click()
        page.wait_for_function("() => document.documentElement.dataset.backpropClinicPage")  # the first comes late
        page.get_by_test_id("stSidebar").get_by_role("link", name=title).click(timeout=1000 * SOON)
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Expand sidebar")).to_be_visible()


def test_a_thing_to_try_and_back(lesson: Page):
    page = lesson
    open_part(page, "try")
    trial = page.locator(".st-key-trial_bridges")
    button = trial.get_by_role("button", name="Train both and compare")
    expect(button).to_be_disabled()  # before it is said what will happen
    trial.get_by_text("More than in the patient", exact=True).click()
    trial.get_by_text("the skip connection passes the gradient on unmultiplied", exact=True).click()
    expect(button).to_be_enabled()
    expect_readable(page, ".st-key-trial_bridges")
    button.press("Enter")
    expect(trial).to_contain_text("As you said, and for that reason.", timeout=MILLISECONDS)
    expect(trial).to_be_focused()  # the button is gone
    trial.get_by_role("button", name="Why, and the numbers").click()
    reason = page.get_by_test_id("stPopoverBody")
    expect(reason).to_contain_text("You said: more than in the patient, because the skip")
    expect(reason).to_contain_text("Measured: more than in the patient.")
    page.keyboard.press("Escape")
    expect_networks(page, PATIENT, replace(PATIENT, residual="plain"))
    expect_address(
        page,
        {
            "treated_activation": "as patient",
            "treated_initializer": "as patient",
            "treated_residual": "plain",
            "part": "try",
        },
    )
    expect(segment(page, "Treated: activation", "as patient")).to_be_checked()
    page.go_back()
    expect_networks(page, PATIENT, TREATED)
    expect_address(page, {"part": "try"})
    expect(segment(page, "Treated: activation", "ReLU")).to_be_checked()


def test_the_shared_link_shows_the_same_step_and_a_moved_control_keeps_it(lesson: Page):
    page = lesson
    open_part(page, "look")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    range_of(page).press("Home")
    for _ in range(4):
        range_of(page).press("ArrowRight")
    expect_address(page, {"timeline": "4"})
    segment(page, "Treated: activation", "tanh").click()
    expect_networks(page, PATIENT, replace(TREATED, activation="tanh"))
    expect_address(page, {"timeline": "4", "treated_activation": "tanh"})
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.locator(".share #short").inner_text()
    opened(page, link)
    expect(range_of(page)).to_have_attribute("aria-valuetext", f"step 4 of {PATIENT.steps}")
    expect_networks(page, PATIENT, replace(TREATED, activation="tanh"))
    range_of(page).press("End")
    expect_address(page, {"treated_activation": "tanh"})
    segment(page, "Treated: activation", "ReLU").click()
    expect_networks(page, PATIENT, TREATED)


def test_by_keyboard_alone(page: Page, home: str):
    opened(page, home + LESSON)
    expect(page.get_by_role("slider", name="Hidden layers")).to_be_visible()  # Streamlit loads some scripts late
    tab_to(page, "Hidden layers")
    page.keyboard.press("ArrowLeft")
    deeper = replace(PATIENT, depth=9)
    expect_networks(page, deeper, replace(TREATED, depth=9))
    expect_address(page, {"depth": "9"})
    wait_for_part(page, "look")
    tab_to(page, "Training step")
    last = int(range_of(page).get_attribute("max") or 0)
    page.keyboard.press("ArrowLeft")
    expect(range_of(page)).to_have_value(str(last - 1))
    page.keyboard.press("Home")
    expect(range_of(page)).to_have_value("0")
    figure = card(page, FIRST).get_by_role("figure").element_handle()
    page.wait_for_function(f"(figure) => ({SHOWS})(figure, 0)", arg=figure)
    page.keyboard.press("Space")
    page.wait_for_function("() => Number(document.documentElement.dataset.backpropClinicStep) > 0")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(range_of(page)).not_to_have_value("0")
