"""The backpropagation page in a real browser: Mazur's numbers read back, phases, keyboard, phone, dark, deep links."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from engine import train
from pages.components.lesson.catalogue import lesson_of
from pages.walkthrough.calculation import one_update
from pages.walkthrough.opened_network import nearest_frame, opened, rule_of
from tests.browser.conftest import settled, visit
from tests.browser.readable import LAPTOP, PHONE, expect_no_wider, themes, violations
from tests.browser.test_lesson import LESSON, expect_address, range_of, tab_to
from tests.browser.test_mystery import (
    LARGE_PROJECTOR,
    LINES,
    LONGEST_LINE,
    PROJECTOR,
    expect_in_window,
    expect_no_level_left_out,
)
from tests.browser.test_stage import HEADINGS, MAIN_SCROLLED
from tests.browser.test_stage_view import LEAST_TYPE, ROUNDING

PAGE = "backpropagation"
DEEP = "?preset=trained&trained_depth=8&layer=3&unit=whole+layer&phase=backward-2"
PRINTED = 1e-9  # Mazur's post prints nine decimals, of some numbers eight
# Words of the drawing that lie over others, by more than the room around their letters.
OVER_ANOTHER = """(picture) => {
  const words = [...picture.querySelectorAll("text")].filter((text) => text.firstChild?.data?.trim());
  const boxes = words.map((text) => text.getBoundingClientRect());
  const across = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const along = (a, b) => Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  const over = (a, b) => across(a, b) > 1 && along(a, b) > 4;
  return words.filter((_, i) => boxes.some((box, j) => j > i && over(boxes[i], box))).map((text) => text.textContent);
}"""
TEXT = "(element) => element.textContent"  # of an SVG element, which has no inner text
PHASES = """
window.seen = [];
const look = () => {
  const roots = [...document.querySelectorAll('.st-key-network *')].map((one) => one.shadowRoot).filter(Boolean);
  const phase = roots[0]?.querySelector('.network')?.dataset.phase;
  if (phase && seen.at(-1) !== phase) seen.push(phase);
};
setInterval(look, 50);
"""
# Whether the bar of controls ends the window and all circles of the drawing lie above it.
ABOVE_THE_BAR = """() => {
  const bar = document.querySelector('.st-key-front').getBoundingClientRect();
  const roots = [...document.querySelectorAll('.st-key-network *')].map((one) => one.shadowRoot).filter(Boolean);
  const drawn = [...(roots[0] ?? document).querySelectorAll('.disc')].map((disc) => disc.getBoundingClientRect());
  return bar.bottom === innerHeight && drawn.length > 0 && drawn.every((disc) => disc.bottom <= bar.top);
}"""
# Whether what stands beside the units is at least as large as this share of the window's height.
LARGE_TYPE = """(least) => {
  const roots = [...document.querySelectorAll('.st-key-network *')].map((one) => one.shadowRoot).filter(Boolean);
  const texts = roots.flatMap((root) => [...root.querySelectorAll('.unit .note')]);
  const pixels = (text) => text.getScreenCTM().a * parseFloat(getComputedStyle(text).fontSize);
  return texts.length > 0 && texts.every((text) => pixels(text) >= least * innerHeight);
}"""
# Of a path, where in the window it is at a quarter of its way: away from labels and other lines.
ON_THE_LINE = """(path) => {
  const { x, y } = path.getPointAtLength(path.getTotalLength() / 4).matrixTransform(path.getScreenCTM());
  return [x, y];
}"""
ALL_PHASES = ["forward-1", "forward-2", "loss", "backward-2", "backward-1", "update"]


@pytest.fixture(scope="module")
def loaded(page_module: Page, home: str) -> Page:
    page_module.add_init_script(PHASES)
    return shown(page_module, home + PAGE)


@pytest.fixture
def mazur(loaded: Page) -> Iterator[Page]:
    """The bare address's page, loaded once; tests leave it as they found it, or come after those that need it."""
    yield loaded
    loaded.set_viewport_size(LAPTOP)
    phase_range(loaded).fill("0")


def shown(page: Page, url: str) -> Page:
    """The page of this address, once it shows another calculation than before."""
    calculation = page.locator(".st-key-calculation")
    last = calculation.text_content() if calculation.count() else ""
    visit(page, url)
    if last:
        expect(calculation).not_to_have_text(last)
    settled(page)
    expect(page.locator(".unit").first).to_be_visible()
    return page


def phase_range(page: Page) -> Locator:
    return page.get_by_role("slider", name="Phase", exact=True)


def go(page: Page, phase: str) -> None:
    """To a phase."""
    for index in range(int(phase_range(page).get_attribute("max") or 0) + 1):
        phase_range(page).fill(str(index))
        if page.locator(".network").get_attribute("data-phase") == phase:
            return
    pytest.fail(f"there is no phase {phase}")


def unit(page: Page, layer: int, number: int) -> Locator:
    return page.locator(f'.unit[data-at="{layer} {number}"]')


def inside(page: Page, layer: int, number: int) -> str:
    return unit(page, layer, number).locator(".inside").evaluate(TEXT)


def full(page: Page, layer: int, number: int) -> dict[str, float]:
    """All digits of a unit's numbers, as a reader hears them: {"a": .., "z": .., "δ": ..}."""
    words = (unit(page, layer, number).locator("title").text_content() or "").partition(": ")[2].split(", ")
    return {name: float(value) for name, value in (word.rsplit(" ", 1) for word in words)}


def edge(page: Page, layer: int, source: int, number: int) -> Locator:
    look = f'{{"layer":{layer - 1},"unit":{number},"source":{source}}}'
    return page.locator(f".edge[data-look='{look}']")


def weight(page: Page, layer: int, source: int, number: int, name: str) -> float:
    return float(edge(page, layer, source, number).get_attribute(f"data-{name}") or "nan")


def test_with_reduced_motion_nothing_moves(mazur: Page):
    mazur.wait_for_timeout(1000)
    assert mazur.evaluate("seen") == ALL_PHASES[:1]
    phase_range(mazur).fill("1")
    assert mazur.locator(".line").first.evaluate("(line) => getComputedStyle(line).transitionDuration") == "0s"
    assert mazur.locator(".pulse.on").first.evaluate("(pulse) => getComputedStyle(pulse).animationName") == "none"


def test_mazurs_numbers_are_on_screen(mazur: Page):
    def close(found: float, published: float) -> None:
        assert abs(found - published) <= PRINTED, (found, published)

    def near(shown: str, published: float) -> None:
        assert float(shown.replace("−", "-")) == pytest.approx(published, rel=5e-4), shown

    go(mazur, "forward-1")
    for number, (z, a) in enumerate(((0.3775, 0.593269992), (0.3925, 0.596884378))):
        near(inside(mazur, 1, number), a)
        close(full(mazur, 1, number)["a"], a)
        close(full(mazur, 1, number)["z"], z)
        assert f"z {z}" in unit(mazur, 1, number).evaluate(TEXT)
    assert inside(mazur, 2, 0) == "", "the answers are not known yet"
    go(mazur, "forward-2")
    for number, answer in enumerate((0.751365070, 0.772928465)):
        near(inside(mazur, 2, number), answer)
        close(full(mazur, 2, number)["a"], answer)
    go(mazur, "loss")
    for number, share in enumerate((0.274811083, 0.023560026)):
        near(unit(mazur, 2, number).locator(".note").first.evaluate(TEXT).removeprefix("share "), share)
    assert mazur.locator(".total").text_content().startswith("loss L = 0.2984")
    close(float(mazur.locator(".total title").text_content().split()[1]), 0.298371109)
    go(mazur, "backward-2")
    for number, delta in enumerate((0.138498562, -0.038098236)):
        near(inside(mazur, 2, number), delta)
        close(full(mazur, 2, number)["δ"], delta)
    assert "0.7414 × 0.1868" in unit(mazur, 2, 0).evaluate(TEXT), "how wrong × how awake"
    near(edge(mazur, 2, 0, 0).locator(".number").evaluate(TEXT), 0.082167041)
    close(weight(mazur, 2, 0, 0, "gradient"), 0.082167041)
    assert edge(mazur, 1, 0, 0).locator(".number").evaluate(TEXT) == "", "not yet"
    go(mazur, "backward-1")
    assert edge(mazur, 1, 0, 0).locator(".number").evaluate(TEXT) == "4.386·10⁻⁴"
    close(weight(mazur, 1, 0, 0, "gradient"), 0.000438568)
    go(mazur, "update")
    new = (0.149780716, 0.199561433, 0.249751144, 0.299502287, 0.358916480, 0.408666186, 0.511301270, 0.561370121)
    selections = [(layer, source, number) for layer in (1, 2) for number in (0, 1) for source in (0, 1)]
    for selection, published in zip(selections, new, strict=True):
        near(edge(mazur, *selection).locator(".number").evaluate(TEXT).rpartition("→ ")[2], published)
        close(weight(mazur, *selection, "new"), published)
    close(float(mazur.locator(".total title").text_content().split()[-1]), 0.291027774)
    expect(mazur.locator(".st-key-course")).to_contain_text("Loss after it")
    mazur.get_by_role("tab", name="Why the famous number differs").click()
    expect(mazur.get_by_text("0.291027924").first).to_be_visible()
    mazur.get_by_role("tab", name="Loss", exact=True).click()
    mazur.get_by_role("textbox", name="Your answer").fill("5")
    mazur.keyboard.press("Enter")
    expect(mazur.get_by_text("further off than rounding")).to_be_visible()  # the tab stays


def test_negative_numbers_are_dashed(mazur: Page):
    go(mazur, "backward-2")
    dashes = "(line) => getComputedStyle(line).strokeDasharray"
    assert edge(mazur, 2, 0, 0).locator(".line").evaluate(dashes) == "none"
    assert edge(mazur, 2, 0, 1).locator(".line").evaluate(dashes) != "none"


def test_the_first_screen_has_the_network_and_the_beginning_of_a_calculation(mazur: Page):
    mazur.evaluate("document.querySelector('.stMain').scrollTo(0, 0)")
    picture, take = mazur.locator(".picture"), mazur.get_by_role("button", name="Take 10", exact=True)
    for part in (picture, take, mazur.locator(".st-key-calculation p").nth(3)):
        box = part.bounding_box()
        assert box
        assert box["y"] + box["height"] <= 900


def test_headings_and_lines(mazur: Page):
    expect_no_level_left_out(mazur.evaluate(HEADINGS))
    mazur.set_viewport_size(LARGE_PROJECTOR)
    assert not [line for line in mazur.evaluate(LINES) if line[0] > LONGEST_LINE]


def test_who_lands_sees_the_phases_once(own_page: Page, home: str):
    own_page.emulate_media(reduced_motion="no-preference")
    own_page.add_init_script(PHASES)
    shown(own_page, home + PAGE)
    own_page.wait_for_function("seen.length > 6")
    assert own_page.evaluate("seen") == [*ALL_PHASES, "forward-1"]
    expect_address(own_page, {})


def test_the_drawing_shows_the_whole_network_at_its_places(mazur: Page):
    """No two circles overlap, and all lie within the picture."""
    frame = mazur.locator(".picture").bounding_box()
    assert frame
    boxes = [box for circle in mazur.locator(".disc").all() if (box := circle.bounding_box())]
    assert len(boxes) == 6
    for index, one in enumerate(boxes):
        assert frame["x"] <= one["x"] <= frame["x"] + frame["width"] - one["width"]
        assert frame["y"] <= one["y"] <= frame["y"] + frame["height"] - one["height"]
        for other in boxes[:index]:
            assert abs(one["x"] - other["x"]) > one["width"] or abs(one["y"] - other["y"]) > one["height"]


def test_what_is_clicked_is_written_out_and_in_the_address(mazur: Page):
    page = mazur
    calculation = page.locator(".st-key-calculation")
    unit(page, 1, 1).click()
    expect_address(page, {"layer": "1", "unit": "2"})
    expect(calculation).to_contain_text("new bias")
    page.mouse.click(*edge(page, 1, 1, 0).locator(".hit").evaluate(ON_THE_LINE))
    expect_address(page, {"layer": "1", "unit": "1", "source": "2"})
    expect(calculation).to_contain_text("Checked by finite differences")
    page.get_by_role("button", name="The whole output").click()
    expect_address(page, {"unit": "whole layer"})
    expect(calculation).to_contain_text("gradient of the weights")
    page.go_back()
    expect_address(page, {"layer": "1", "unit": "1", "source": "2"})
    expect(calculation).to_contain_text("Checked by finite differences")
    page.go_back()
    page.go_back()
    expect_address(page, {})
    expect(page.get_by_role("combobox", name="Weight from unit")).to_have_value("1")


@pytest.mark.parametrize(
    ("query", "parts"),
    [("", []), (DEEP, [".st-key-network", ".st-key-calculation"])],
    ids=["mazur", "trained"],
)
def test_light_and_dark_are_readable_by_all_and_it_fits_on_a_phone(
    mazur: Page, home: str, query: str, parts: list[str]
):
    """parts: what another network changes."""
    page = shown(mazur, home + PAGE + query) if query else mazur
    for scheme in themes(page):
        assert (page.locator(".network").get_attribute("data-dark") is not None) == (scheme == "dark")
        assert not violations(page, *parts, dark=scheme == "dark")
    page.set_viewport_size(PHONE)
    expect_it_fits(page)


def test_no_formula_is_broken(mazur: Page, home: str):
    page = mazur
    for query in (
        "", "?layer=1&unit=whole+layer", "?preset=xor&optimizer=adam&clip=norm&l2=0.1&l1=0.1", "?preset=xor&layer=2",
        "?preset=trained&trained_normalization=batch&trained_residual=true&trained_dropout=0.2&examples=batch&layer=2",
        "?preset=trained&trained_dataset=blobs&loss=mse&layer=5&unit=1&source=3",
        "?preset=trained&trained_normalization=layer&trained_residual=scaled&layer=2&unit=whole+layer&examples=batch",
    ):  # fmt: skip
        if query:
            shown(page, home + PAGE + query)
        expect(page.locator(".st-key-calculation .katex").first).to_be_visible()
        expect(page.get_by_text("All digits, to copy")).to_be_visible()
        assert not page.locator(".katex-error").count(), query
        expect(page.get_by_role("alert")).to_have_count(0)


def test_play_runs_through_the_phases_and_stops(mazur: Page, home: str):
    page = shown(mazur, home + PAGE + "?preset=saturated")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".network")).to_have_attribute("data-phase", "update")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Backward", exact=True).click()
    expect(page.locator(".network")).to_have_attribute("data-phase", "backward-1")
    expect(page.get_by_role("button", name="Backward", exact=True)).to_have_attribute("aria-current", "step")


def test_a_unit_that_is_not_there(page: Page, home: str):
    shown(page, home + PAGE + "?unit=7&layer=2&phase=backward-9")
    for words in ("unit=7", "phase=backward-9"):
        expect(page.get_by_role("alert").get_by_text(words)).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("this network has no such thing")
    expect_address(page, {})
    assert page.locator(".unit").count() == 6


def test_a_projector_shows_the_network_above_its_settings(mazur: Page, home: str):
    page = mazur
    page.set_viewport_size(PROJECTOR)
    visit(page, f"{home}{PAGE}?view=stage&preset=mazur")
    expect(page.locator(".unit")).to_have_count(6)
    for size in (PROJECTOR, LARGE_PROJECTOR):
        page.set_viewport_size(size)
        page.wait_for_function(ABOVE_THE_BAR)
        expect_in_window(page, ".st-key-presets")
        page.wait_for_function(LARGE_TYPE, arg=LEAST_TYPE * ROUNDING)


def test_by_keyboard_alone(page: Page, home: str):
    shown(page, home + PAGE)
    tab_to(page, "Phase")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".network")).to_have_attribute("data-phase", "loss")
    expect_address(page, {"phase": "loss"})
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")  # on the way: from the first answer to the heading of its layer
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect_address(page, {"phase": "loss", "layer": "1", "unit": "2"})
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect_address(page, {"phase": "loss", "layer": "1", "unit": "1"})
    tab_to(page, "Take 1")
    page.keyboard.press("Enter")
    expect_address(page, {"phase": "loss", "layer": "1", "unit": "1", "updates": "1"})
    expect(page.locator(".total")).to_contain_text("loss L = 0.291")
    page.get_by_role("combobox", name="Weight from unit").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect_address(page, {"phase": "loss", "layer": "1", "unit": "1", "source": "2", "updates": "1"})
    page.keyboard.press("Escape")


def test_a_deep_link_reload_and_back(page: Page, home: str):
    requested = {"preset": "xor", "layer": "2", "unit": "1", "source": "2", "updates": "10", "optimizer": "momentum",
             "learning_rate": "0.2", "example": "3", "phase": "backward-1"}  # fmt: skip
    shown(page, f"{home}{PAGE}?" + "&".join(f"{name}={text}" for name, text in requested.items()))
    for load in range(2):
        if load:
            page.reload()
        expect_address(page, requested)
        expect(page.locator(".network")).to_have_attribute("data-phase", "backward-1")
        expect(page.get_by_role("combobox", name="Weight from unit")).to_have_value("2")
        expect(page.get_by_role("spinbutton", name="Updates taken")).to_have_value("10")
        expect(page.locator(".st-key-calculation")).to_contain_text("velocity")
        expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", name="The ward")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("spinbutton", name="Updates taken")).to_have_value("10")
    page.get_by_role("button", name="Take 1", exact=True).click()
    expect_address(page, requested | {"updates": "11"})
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("combobox", name="Optimizer")).to_have_value("momentum")


def test_look_inside_opens_the_step_and_back_finds_the_lesson_as_it_was(page: Page, home: str):
    page.goto(f"{home}{LESSON}?depth=6&activation=tanh")
    expect(range_of(page)).to_be_visible()
    page.wait_for_function("document.documentElement.dataset.backpropClinicStep !== undefined")
    range_of(page).fill("3")
    step = page.evaluate("document.documentElement.dataset.backpropClinicStep")
    address = {"depth": "6", "activation": "tanh", "timeline": step}
    expect_address(page, address)
    page.get_by_role("link", name="the treated network").click()
    expect(page.locator(".unit").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("Training step", exact=True)).to_have_value(step)
    treated = replace(lesson_of(LESSON).treated, depth=6)
    history = train(treated)
    update = one_update(opened(history, nearest_frame(history, int(step)), False, 0), rule_of(treated))
    assert weight(page, 1, 0, 0, "weight") == float(update.weights(0)[0, 0])
    assert weight(page, 1, 0, 0, "gradient") == pytest.approx(float(update.gradient.weights[0][0, 0, 0]), rel=1e-9)
    go(page, "update")
    expect(page.locator(".key")).to_contain_text(
        "Now in the circles the biases; lines: the change."
    )  # no room for more
    assert page.locator(".picture").evaluate(OVER_ANOTHER) == []
    page.go_back()
    expect_address(page, address)
    expect(page.get_by_role("slider", name="Hidden layers")).to_have_attribute("value", "6")
    page.evaluate(MAIN_SCROLLED, 300)
    page.get_by_role("link", name="the patient").click()
    expect(page.locator(".unit").first).to_be_visible()
    assert page.evaluate("document.querySelector('.stMain').scrollTop") == 0, "it opens at its top"
    expect(page.get_by_text("hidden layers 6; units a layer 16; activation tanh")).to_be_visible()
    page.go_back()
    expect_address(page, address)
    expect(page.get_by_role("slider", name="Hidden layers")).to_have_attribute("value", "6")


def test_it_fits_on_a_phone_from_the_start(page: Page, home: str):
    page.set_viewport_size(PHONE)
    shown(page, home + PAGE + "?preset=chain")
    expect_it_fits(page)
    go(page, "update")
    drawn = page.locator(".edge .number").all_text_contents()
    forms = [
        form
        for form, short in (("w → new w", False), ("→ new w", True))
        if short in [text.startswith("→") for text in drawn]
    ]
    expect(page.locator(".key")).to_contain_text(f"on the arrows {', or '.join(forms)}; lines: the change.")
    assert page.locator(".picture").evaluate(OVER_ANOTHER) == []


def expect_it_fits(page: Page) -> None:
    expect_no_wider(page)
    for circle in page.locator(".disc").all():
        box = circle.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
