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


def choose(studio: Locator, label: str, option: str) -> None:
    """One of a list, by keyboard."""
    field = studio.get_by_role("combobox", name=label)
    field.fill(option)
    expect(studio.page.get_by_role("option", name=option)).to_have_count(1)
    field.press("ArrowDown")
    field.press("Enter")
    field.press("Tab")  # closes the list


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
    link, preview = (
        studio.get_by_test_id("stCode").locator("code"),
        studio.frame_locator(".st-key-studio_preview iframe"),
    )
    written = {"Task, in your words": TASK, "Question": QUESTION, "Choices, one a line": "\n".join(CHOICES)}
    for label, text in written.items():
        studio.get_by_label(label, exact=True).fill(text)
        studio.get_by_label(label, exact=True).press("Control+Enter")
    choose(studio, "Right is", CHOICES[0])
    choose(studio, "Hidden at first", "the verdict, notes and cures")
    choose(studio, "Hidden at first", "the part Why")
    studio.get_by_role("radio", name="all but these").click()
    choose(studio, "Settings that can be moved", "Treated: activation")
    choose(studio, "Opens at", "Read")  # it draws no chart
    choose(studio, "Goal that the page watches", "cured: the doctor finds nothing")
    for parameter in ("right=1", "hide=verdict,part-why", "-treated_activation,depth:12,seal:", "goal=treated+cured"):
        expect(link).to_contain_text(parameter)
    expect(studio.get_by_role("img", name="QR code of the link")).to_be_visible()
    studio.get_by_role("button", name="Show what a learner sees").click()
    previewed = shown(preview)
    expect(preview.get_by_role("slider", name="Hidden layers")).to_be_disabled()

    stranger.goto(link.inner_text() + "&depth=3")  # as who would like to move it
    expect(stranger.get_by_role("alert").get_by_text("depth=3")).to_be_visible()
    assert shown(stranger) == previewed
    for text in (TASK, QUESTION, *CHOICES):
        assert text in previewed[0]
    assert previewed[2] == HIDDEN_VERDICT
    assert previewed[3].lower().split() == ["look", "cure", "try", "more", "read"]
    depth = stranger.get_by_role("slider", name="Hidden layers")
    expect(depth).to_be_disabled()
    expect(depth).to_have_attribute("value", "12")
    assert not violations(stranger, ".st-key-assignment", ".st-key-goal")
    assert not violations(own_page, ".st-key-studio [data-testid=stColumn]:first-child")

    stranger.get_by_role("link", name=LESSON.replace("_", " ").capitalize()).click()  # the menu's, without parameters
    stranger.get_by_text(CHOICES[1][-8:]).click()
    stranger.get_by_role("button", name="Answer", exact=True).press("Enter")
    expect(stranger.get_by_text("Right is: A")).to_be_visible()
    expect(stranger.get_by_role("tab", name="why")).to_be_visible()
    expect(stranger.locator(SHOWN[2])).not_to_have_text(HIDDEN_VERDICT)
    expect(depth).to_be_disabled()
