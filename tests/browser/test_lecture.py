"""A lecture given in a real browser, by the clicker alone."""

from itertools import pairwise

from playwright.sync_api import Page, expect

from pages.components.lecture.catalogue import lecture_of
from tests.browser.conftest import settled, visit
from tests.browser.readable import LAPTOP, PHONE, themes, violations
from tests.browser.test_lesson import MILLISECONDS
from tests.browser.test_stage_view import DRAWN, FITS, LEAST_TYPE, ROUNDING, STEP, TYPE
from tests.browser.test_timeline import contrast

UNCOVERED = "([x, y]) => !!document.elementFromPoint(x + 2, y + 2).closest('.st-key-strip')"
TITLES = """() => {
  const chart = [...document.querySelectorAll('.chart')].at(-1);
  const boxes = [...chart.querySelectorAll('.infolayer > [class^="g-y"]')].map((one) => one.getBoundingClientRect());
  return boxes.filter(({ height }) => height).map(({ top, bottom }) => [top, bottom]);
}"""
LECTURE = "right_about_the_past"
TYPE_SIZE = "(p) => parseFloat(getComputedStyle(p).fontSize)"
INK_AND_PAPER = "(p) => [getComputedStyle(p).color, getComputedStyle(p.closest('button')).backgroundColor]"


def test_its_pages_and_their_main_buttons_are_readable_by_all(page: Page, home: str) -> None:
    """Streamlit writes white on every theme's primary colour, whether that is dark or pale."""
    page.set_viewport_size(LAPTOP)
    for query, name in (("", "Give it"), (f"?lecture={LECTURE}&scene=2&hide=verdict", "Answer")):
        visit(page, f"{home}lecture{query}")
        button = page.get_by_role("button", name=name).first
        expect(button).to_be_enabled()
        settled(page)
        for scheme in themes(page):
            assert not violations(page), scheme
            button.hover()  # it darkens
            colors = [button.locator("p").evaluate(INK_AND_PAPER)]
            page.mouse.move(0, 0)
            colors.append(button.locator("p").evaluate(INK_AND_PAPER))
            assert min(contrast(*pair) for pair in colors) >= 4.5, (scheme, colors)  # WCAG 2.1, 1.4.3


def test_a_lecture_is_given_by_the_clicker_alone(page: Page, home: str) -> None:
    scenes = lecture_of(LECTURE).scenes
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, f"{home}lecture?lecture={LECTURE}&scene=1&hide=verdict&view=stage")
    listening = page.locator("[aria-keyshortcuts]").element_handle()
    headline = page.locator(".st-key-verdict").get_by_role("heading")
    choice, note = page.get_by_role("radiogroup").locator("p").first, page.locator(".st-key-scene_note p")
    for number, scene in enumerate(scenes):
        expect(headline).to_have_text(scene.question, timeout=MILLISECONDS)
        expect(page.locator(".st-key-ways")).not_to_contain_text(scene.title)
        large = choice.evaluate(TYPE_SIZE)
        expect(page.locator(".chart")).to_have_count(0)
        expect(page.locator(".st-key-ways")).to_contain_text(f"{number + 1} of {len(scenes)}")
        settled(page)
        page.keyboard.press("PageDown")
        page.wait_for_function(DRAWN, arg=len(scene.charts), timeout=MILLISECONDS)
        expect(page.locator(".st-key-lesson")).to_contain_text(scene.choices[scene.right])
        page.wait_for_function(FITS, timeout=MILLISECONDS)
        row = page.locator(".st-key-strip .cells").first.bounding_box()
        assert row
        assert page.evaluate(UNCOVERED, [row["x"], row["y"]]), "the timeline lies over the first row of cells"
        small = [one for one in page.evaluate(TYPE) if one[0] < ROUNDING * LEAST_TYPE * 720]
        assert not small
        assert note.evaluate(TYPE_SIZE) >= large, "which choice was right is as large as the choices"
        page.keyboard.press("PageDown")
    expect(headline).to_contain_text("That was the last scene", timeout=MILLISECONDS)
    page.set_viewport_size(PHONE)
    end, bar = (page.locator(part).bounding_box() for part in (".st-key-scene", ".st-key-ways"))
    assert end
    assert bar
    assert end["y"] + end["height"] <= bar["y"]
    page.set_viewport_size(LAPTOP)
    page.keyboard.press("PageUp")
    expect(page.locator(".st-key-lesson")).to_contain_text(scenes[-1].choices[scenes[-1].right], timeout=MILLISECONDS)
    page.keyboard.press("PageUp")
    expect(headline).to_have_text(scenes[-1].question, timeout=MILLISECONDS)
    assert listening.evaluate("(clicker) => clicker.isConnected"), "taken away, it was deaf for a while"
    scenes_list = page.get_by_role("button", name="Scenes")
    scenes_list.press("Enter")
    page.get_by_role("button", name=f"1. {scenes[0].title}").press("Enter")
    expect(headline).to_have_text(scenes[0].question, timeout=MILLISECONDS)
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)  # or it would lie over the scene
    expect(scenes_list).to_be_focused()
    following = page.locator(".st-key-scene_next").get_by_role("button")
    following.click()
    page.wait_for_function(DRAWN, arg=len(scenes[0].charts), timeout=MILLISECONDS)
    settled(page)
    page.keyboard.press("Space")  # plays, for who has clicked
    page.wait_for_function(f"() => {STEP} < 100")
    page.keyboard.press("Space")
    for label, answered in (("Answer", 0), ("Next", 1)):
        page.keyboard.press("h")
        expect(page.locator(".st-key-strip")).to_have_count(answered, timeout=MILLISECONDS)
        expect(following).to_contain_text(label)


def test_the_clicker_leads_on_from_a_curve_that_is_to_be_drawn(page: Page, home: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, f"{home}lecture?lecture=before_2010&scene=2&view=stage&speaker=true")
    page.wait_for_function(DRAWN, arg=2, timeout=MILLISECONDS)
    page.wait_for_function(FITS, timeout=MILLISECONDS)
    settled(page)
    notes, box = (
        page.locator(f".st-key-controls {part}").bounding_box() for part in ("[role=status] p", "[role=status]")
    )
    assert notes
    assert box
    assert box["y"] <= notes["y"] < notes["y"] + notes["height"] <= box["y"] + box["height"] < 720, "to be read whole"
    titles = sorted(tuple(span) for span in page.evaluate(TITLES))
    assert all(upper[1] <= lower[0] for upper, lower in pairwise(titles)), (
        "of the low panels of a chart, one into another"
    )
    page.keyboard.press("PageUp")
    expect(page.get_by_role("slider", name="Patient, layer 1", exact=True)).to_be_visible(timeout=MILLISECONDS)
    settled(page)
    page.keyboard.press("PageDown")
    page.wait_for_function(DRAWN, arg=2, timeout=MILLISECONDS)
