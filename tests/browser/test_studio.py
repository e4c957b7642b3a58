"""Studio in a real browser: a link is made by clicking, and opens for a stranger what was previewed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from pages.components.lesson.lessons import HIDDEN_VERDICT
from pages.components.shell.assignment import JOINER
from tests.browser.readable import LAPTOP, violations
from tests.patience import SOON

LESSON = "vanishing_gradients"
TASK = "<b>Cure</b> the **patient**, see [this](https://x.yz) & $1$ :red[now] :smile: -> it"
QUESTION = "Which layer gets `least`?"
CHOICES = "*the* first", "www.the-last.com"
SHOWN = ".st-key-assignment", ".st-key-goal", ".st-key-verdict", ".st-key-part [role=tablist]"


@pytest.fixture
def stranger(chromium: Browser) -> Iterator[Page]:
    """A page of somebody else's browser."""
    with chromium.new_context(viewport=LAPTOP, reduced_motion="reduce") as context:
        context.set_default_timeout(1000 * SOON)
        yield context.new_page()


def choose(studio: Locator, label: str, option: str, parameter: str) -> None:
    """One of a list, by keyboard; then the link says so."""
    field = studio.get_by_role("combobox", name=label)
    field.fill(option)
    expect(studio.page.get_by_role("option", name=option)).to_have_count(1)
    field.press("ArrowDown")
    field.press("Enter")
    field.press("Tab")  # closes the list
    settled(studio, parameter)


def settled(studio: Locator, parameter: str) -> None:
    """Wait until the link says this, and the studio is drawn: a field that is drawn anew loses what is typed."""
    expect(studio.get_by_test_id("stCode")).to_contain_text(parameter)
    expect(studio.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def shown(page: Page | FrameLocator) -> list[str]:
    """What a link has done to a lesson, as it is read."""
    expect(page.locator(SHOWN[0]).get_by_role("radio")).to_have_count(len(CHOICES))
    expect(page.locator(SHOWN[1])).to_be_visible()
    assert page.locator(SHOWN[0]).locator("a, b, em, code, img, .katex").count() == 0
    return [page.locator(part).inner_text().replace(JOINER, "") for part in SHOWN]


def test_a_link_made_by_clicking_opens_what_was_previewed(own_page: Page, stranger: Page, home: str):
    own_page.goto(home + LESSON + "?depth=12&part=read")
    own_page.get_by_role("button", name="Prepare for a class").press("Enter")
    studio = own_page.get_by_role("dialog")
    choose(studio, "Opens at", "Read", "part=read")  # it draws no chart
    preview = studio.frame_locator(".st-key-studio_preview iframe")
    for label, text, parameter in (
        ("Task, in your words", TASK, "task="),
        ("Question", QUESTION, "v=1"),  # is not complete
        ("Choices, one a line", "\n".join(CHOICES), "choices="),
    ):
        studio.get_by_label(label, exact=True).fill(text)
        studio.get_by_label(label, exact=True).press("Control+Enter")
        settled(studio, parameter)
    choose(studio, "Right is", CHOICES[0], "right=1")
    choose(studio, "Hidden at first", "the verdict, notes and cures", "hide=verdict")
    choose(studio, "Hidden at first", "the part Why", "hide=verdict,part-why")
    studio.get_by_role("radio", name="all but these").click()
    settled(studio, "lock=all,depth:12,seal:")
    choose(studio, "Settings that can be moved", "Treated: activation", "lock=all,-treated_activation,depth:12,seal:")
    choose(studio, "Goal that the page watches", "cured: the doctor finds nothing", "goal=treated+cured")
    expect(studio.get_by_role("img", name="QR code of the link")).to_be_visible()
    assert not violations(own_page, ".st-key-studio")
    studio.get_by_role("button", name="Show what a learner sees").click()
    previewed = shown(preview)
    expect(preview.get_by_role("slider", name="Hidden layers")).to_be_disabled()

    stranger.goto(studio.get_by_test_id("stCode").inner_text().strip() + "&depth=3")  # as who would like to move it
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
    stranger.get_by_text(CHOICES[1][-8:]).click()
    stranger.emulate_media(color_scheme="dark")
    expect(stranger.get_by_role("button", name="Answer", exact=True)).to_be_enabled()
    assert not violations(stranger, ".st-key-assignment", ".st-key-goal")
    stranger.get_by_role("button", name="Answer", exact=True).press("Enter")
    expect(stranger.get_by_text("Right is: A")).to_be_visible()
    expect(stranger.get_by_role("tab", name="why")).to_be_visible()
    expect(stranger.locator(SHOWN[2])).not_to_have_text(HIDDEN_VERDICT)
    expect(depth).to_be_disabled()
