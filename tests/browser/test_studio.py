"""Studio in a real browser: a link is made by clicking, and opens for a stranger what was previewed."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from pages.components.lesson.lessons import HIDDEN_VERDICT
from pages.components.shell.assignment import JOINER
from tests.browser.conftest import settled, without_errors
from tests.browser.readable import LAPTOP, violations
from tests.patience import SOON

LESSON = "vanishing_gradients"
TASK = "<b>Cure</b> the **patient**, see [this](https://x.yz) & $1$ :red[now] :smile: -> it"
QUESTION = "Which layer gets `least`?"
CHOICES = "*the* first", "www.the-last.com"
# A list closes where the dialog scrolls, which a page learns of a frame later.
INTO_VIEW = """(field) => {
  field.scrollIntoView({ block: 'center' });
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
AGAIN, LATE = 5, 5000  # times; milliseconds that a list may take
SHOWN = ".st-key-assignment", ".st-key-goal", ".st-key-verdict", ".st-key-part [role=tablist]"


@pytest.fixture
def stranger(chromium: Browser) -> Iterator[Page]:
    """A page of somebody else's browser."""
    with chromium.new_context(viewport=LAPTOP, reduced_motion="reduce") as context:
        context.set_default_timeout(1000 * SOON)
        page = context.new_page()
        with without_errors(page):
            yield page


def choose(studio: Locator, label: str, option: str, parameter: str) -> None:
    """One of a list, by keyboard; then the link says so."""
    field, offered = studio.get_by_role("combobox", name=label), studio.page.get_by_role("option", name=option)
    settled(studio.page)
    field.evaluate(INTO_VIEW)
    for _ in range(AGAIN):  # a list closes where the dialog comes to its place late, and is opened once more
        field.fill("")
        field.fill(option)
        with suppress(AssertionError):
            expect(offered).to_have_count(1, timeout=LATE)
            break
    expect(offered).to_have_count(1)
    field.press("ArrowDown")
    field.press("Enter")
    field.press("Tab")  # closes the list
    says(studio, parameter)


def says(studio: Locator, parameter: str) -> None:
    """Wait until the link says this, and the studio is drawn: a field that is drawn anew loses what is typed."""
    expect(studio.get_by_test_id("stCode")).to_contain_text(parameter)
    settled(studio.page)


def shown(page: Page | FrameLocator) -> list[str]:
    """What a link has done to a lesson, as it is read."""
    expect(page.locator(SHOWN[0]).get_by_role("radio")).to_have_count(len(CHOICES))
    expect(page.locator(SHOWN[1])).to_contain_text("This run")  # it comes when the networks are trained
    assert page.locator(SHOWN[0]).locator("a, b, em, code, img, .katex").count() == 0
    return [page.locator(part).inner_text().replace(JOINER, "") for part in SHOWN]


def test_a_link_made_by_clicking_opens_what_was_previewed(
    own_page: Page, stranger: Page, home: str, serve_module: Callable[[str], str]
):
    own_page.goto(home + LESSON + "?depth=12&part=read")
    own_page.get_by_role("button", name="Prepare for a class").press("Enter")
    studio = own_page.get_by_role("dialog")
    choose(studio, "Opens at", "Read", "part=read")  # it draws no chart
    preview = studio.frame_locator(".st-key-studio_preview iframe")
    for label, text, parameter in (
        ("Task, in your words", TASK, "task="),
        ("Question", QUESTION, "v=1"),  # is not complete
        ("Its choices, one a line", "\n".join(CHOICES), "choices="),
    ):
        studio.get_by_label(label, exact=True).fill(text)
        studio.get_by_label(label, exact=True).press("Control+Enter")
        says(studio, parameter)
    choose(studio, "Right answer", CHOICES[0], "right=1")
    says(studio, "hide=verdict")  # which may answer the question
    choose(studio, "Hidden at first", "the part Why", "hide=verdict,part-why")
    studio.get_by_role("radio", name="all but those I name").click()
    says(studio, "lock=all,depth:12,seal:")
    choose(studio, "Settings that can be moved", "Treated: activation", "lock=all,-treated_activation,depth:12,seal:")
    choose(studio, "Goal that the page watches", "cured: the doctor finds nothing", "goal=treated+cured")
    code = studio.get_by_role("img", name="QR code of the link")
    expect(code).to_be_visible()
    large = studio.get_by_text("Large QR code")
    large.evaluate(INTO_VIEW)
    large.click()
    expect(code).to_be_in_viewport(ratio=1)
    large.click()
    assert not violations(own_page, ".st-key-studio")
    studio.get_by_role("button", name="Show what a learner sees").click()
    previewed = shown(preview)
    expect(preview.get_by_role("slider", name="Hidden layers")).to_be_disabled()

    link = studio.get_by_test_id("stCode").inner_text().strip().removeprefix(home)
    stranger.goto(serve_module("app.py") + link + "&depth=3")  # as who would like to move it
    expect(stranger.get_by_role("alert").get_by_text("depth=3")).to_be_visible()
    assert shown(stranger) == previewed
    for text in (TASK, QUESTION, *CHOICES):
        assert text in previewed[0]
    assert previewed[2] == HIDDEN_VERDICT
    assert previewed[3].lower().split() == ["look", "cure", "try", "more", "read"]
    depth = stranger.get_by_role("slider", name="Hidden layers")
    expect(depth).to_be_disabled()
    expect(depth).to_have_attribute("value", "12")

    stranger.get_by_role("link", name=LESSON.replace("_", " ").capitalize()).click()  # the menu's, without parameters
    settled(stranger)
    stranger.get_by_text(CHOICES[1][-8:]).click()
    settled(stranger)
    stranger.emulate_media(color_scheme="dark")
    expect(stranger.get_by_role("button", name="Answer", exact=True)).to_be_enabled()
    assert not violations(stranger, ".st-key-assignment", ".st-key-goal")
    stranger.get_by_role("button", name="Answer", exact=True).press("Enter")
    expect(stranger.get_by_text("Right is: A")).to_be_visible()
    expect(stranger.get_by_role("tab", name="why")).to_be_visible()
    expect(stranger.locator(SHOWN[2])).not_to_have_text(HIDDEN_VERDICT)
    expect(depth).to_be_disabled()
