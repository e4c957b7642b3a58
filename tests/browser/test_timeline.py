"""The timeline in a real browser, over seven charts of realistic size (timeline_demo.py)."""

import re

import pytest
from playwright.sync_api import Page, expect

from pages.components.shell.timeline import timeline
from tests.browser.readable import PAPER

DEMO = "tests/browser/timeline_demo.py"
STEPS = [round(500 * index / 59) for index in range(60)]
CHARTS = 7
IN_SIGHT = 3  # charts in the demo's first row

# The step whose frame each chart shows, by its accessible name: compared with what Plotly made of the frame, so that a
# chart that was told and did not draw is found out.
SHOWN = """() => Object.fromEntries([...document.querySelectorAll('.chart')].map((chart) => {
  const name = chart.getAttribute('aria-label');
  const shows = (frame) => frame.data.length
    ? frame.data.every((part, place) => Object.entries(part).every(([attribute, value]) => {
        const drawn = chart._fullData[frame.traces[place]][attribute];
        return drawn.length > 0 && drawn === value;
      }))
    : chart._fullLayout.shapes[0].x0 === frame.layout.shapes[0].x0;
  return [name, (chart._fullData ? chart.frames : []).filter(shows).map((frame) => Number(frame.name))];
}))"""

# [colour, background] of every label of an axis.
LABEL_COLORS = """() => [...document.querySelectorAll('.chart :is(.xtick text, .ytick text, .xtitle, .ytitle)')]
  .map((text) => [text, text.closest('.svg-container').querySelector('.main-svg')])
  .map(([text, paper]) => [getComputedStyle(text).fill, getComputedStyle(paper).backgroundColor])"""

# Whether every chart wholly in sight looks as Plotly draws it from its data and layout.
AS_DRAWN_ANEW = """async () => {
  const inSight = (chart) => chart.getBoundingClientRect().bottom < innerHeight;
  const charts = [...document.querySelectorAll('.chart')].filter(inSight);
  const drawing = () => charts.map((chart) => chart.querySelector('.main-svg').innerHTML);
  const moved = drawing();
  for (const chart of charts) await Plotly.redraw(chart);
  return charts.length > 0 && String(moved) === String(drawing());
}"""

# A busy browser tells of several frames at once: here of all since the last `tell()`.
TOLD_TOGETHER = """
window.pending = new Map();
window.IntersectionObserver = class extends IntersectionObserver {
  constructor(callback, options) {
    super((entries) => pending.set(callback, [...(pending.get(callback) ?? []), ...entries]), options);
  }
};
window.tell = () => { pending.forEach((entries, callback) => callback(entries)); pending.clear(); }
"""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


@pytest.fixture(scope="module")
def address(serve_module) -> str:
    return serve_module(DEMO)


@pytest.fixture(scope="module")
def loaded(page_module: Page, address: str) -> Page:
    page_module.goto(address)
    wait_for_charts(page_module)
    wait_for_step(page_module, 500, CHARTS)  # where it starts
    return page_module


@pytest.fixture
def demo(loaded: Page) -> Page:
    """The demo, loaded once, at the last step and scrolled to the top, with nothing focused."""
    range_of(loaded).fill("59")
    loaded.evaluate("() => (document.activeElement.blur(), document.querySelector('.stMain').scrollTo(0, 0))")
    wait_for_step(loaded, 500)
    expect(spoken(loaded)).to_have_text(re.compile("^$|step 500 of 500"))
    return loaded


@pytest.fixture
def fresh(page: Page, address: str) -> Page:
    """The demo in a browser of its own, for tests that change the page."""
    page.goto(address)
    wait_for_charts(page)
    return page


def wait_for_charts(page: Page, number: int = CHARTS) -> None:
    page.wait_for_function(
        "(number) => [...document.querySelectorAll('.chart')].filter((c) => c.dataset.version).length === number",
        arg=number,
        timeout=30_000,
    )


def range_of(page: Page):
    return page.get_by_role("slider", name="Training step")


def spoken(page: Page):
    return page.locator(".spoken")


def wait_for_step(page: Page, step: int, charts: int = IN_SIGHT) -> None:
    """Until the readout says the step and that many charts show it, those further down once they are scrolled to."""
    expect(page.get_by_text(re.compile(rf"^step {step} of \d+$")).first).to_be_visible()
    page.wait_for_function(
        f"([step, charts]) => Object.values(({SHOWN})()).filter((shown) => shown.includes(step)).length >= charts",
        arg=[step, charts],
    )


def test_the_range_moves_every_chart(demo: Page):
    requests = []
    demo.on("websocket", lambda socket: requests.append(socket.url))
    demo.on("request", lambda request: requests.append(request.url))
    range_of(demo).fill("20")
    wait_for_step(demo, STEPS[20])
    assert demo.evaluate(SHOWN)["activations"] != [STEPS[20]]  # out of sight, left for later
    demo.mouse.move(700, 800)
    demo.mouse.wheel(0, 5000)
    wait_for_step(demo, STEPS[20], IN_SIGHT + 1)
    for chart in demo.get_by_role("figure").all():
        chart.scroll_into_view_if_needed()
    wait_for_step(demo, STEPS[20], CHARTS)
    # The browser looks at the page's icon again where the address changes.
    assert [request for request in requests if not request.endswith("/favicon.png")] == []


def test_the_drawing_itself_changes_and_comes_back(demo: Page):
    drawing = "() => document.querySelector('.chart .scatterlayer').innerHTML"
    last = demo.evaluate(drawing)
    range_of(demo).fill("0")
    wait_for_step(demo, 0)
    assert demo.evaluate(drawing) != last
    assert demo.evaluate(AS_DRAWN_ANEW)
    range_of(demo).fill("59")
    wait_for_step(demo, 500)
    assert demo.evaluate(drawing) == last


def test_buttons(demo: Page):
    def button(name):
        return demo.get_by_role("button", name=name, exact=True)

    expect(button("Last step")).to_be_disabled()
    button("Step back").click()
    wait_for_step(demo, STEPS[58])
    button("First step").click()
    wait_for_step(demo, 0)
    expect(button("First step")).to_be_disabled()
    expect(button("Step back")).to_be_disabled()
    button("Step forward").click()
    wait_for_step(demo, STEPS[1])
    button("Last step").click()
    wait_for_step(demo, 500)
    button("Play").click()  # from the end: once more from the beginning
    expect(button("Pause")).to_be_visible()
    demo.wait_for_function("() => Number(document.documentElement.dataset.backpropClinicStep) < 300")
    button("Pause").click()
    expect(button("Play")).to_be_visible()
    paused = demo.evaluate("() => document.documentElement.dataset.backpropClinicStep")
    demo.wait_for_timeout(300)
    assert demo.evaluate("() => document.documentElement.dataset.backpropClinicStep") == paused


def test_the_keyboard_stays_on_the_timeline_where_a_button_has_done_its_work(demo: Page):
    range_of(demo).fill("30")
    demo.get_by_role("button", name="First step", exact=True).press("Enter")
    wait_for_step(demo, 0)
    expect(range_of(demo)).to_be_focused()
    demo.keyboard.press("ArrowRight")
    wait_for_step(demo, STEPS[1])


def test_playing_ends_at_the_last_step(demo: Page):
    range_of(demo).fill("55")
    demo.get_by_role("button", name="Play").click()
    wait_for_step(demo, 500)
    expect(demo.get_by_role("button", name="Play")).to_be_visible()


def test_keys_of_the_range(demo: Page):
    range_of(demo).focus()
    for key, index in (
        ("ArrowLeft", 58),
        ("ArrowDown", 57),
        ("ArrowRight", 58),
        ("Home", 0),
        ("ArrowUp", 1),
        ("End", 59),
    ):
        demo.keyboard.press(key)
        wait_for_step(demo, STEPS[index])
    expect(range_of(demo)).to_have_attribute("aria-valuetext", "step 500 of 500")


def test_space_plays_from_the_range_and_from_the_page(demo: Page):
    range_of(demo).focus()
    for _ in range(2):
        demo.keyboard.press("Space")
        expect(demo.get_by_role("button", name="Pause")).to_be_visible()
        demo.keyboard.press("Space")
        expect(demo.get_by_role("button", name="Play")).to_be_visible()
        demo.evaluate("() => document.activeElement.blur()")


def test_space_keeps_its_meaning_elsewhere(demo: Page):
    play = demo.get_by_role("button", name="Play")
    name = demo.get_by_role("textbox", name="Name")
    name.focus()
    demo.keyboard.type("a b")
    expect(name).to_have_value("a b")
    expect(play).to_be_visible()
    demo.get_by_role("button", name="First step").focus()
    demo.keyboard.press("Space")
    wait_for_step(demo, 0)
    expect(play).to_be_visible()
    play.focus()
    demo.keyboard.press("Space")
    expect(demo.get_by_role("button", name="Pause")).to_be_visible()


def test_the_position_survives_a_rerun(demo: Page):
    range_of(demo).fill("20")
    wait_for_step(demo, STEPS[20])
    demo.get_by_role("button", name="Rerun").click()
    demo.wait_for_timeout(500)
    wait_for_step(demo, STEPS[20])


def test_the_position_survives_other_runs(demo: Page):
    range_of(demo).fill("20")
    wait_for_step(demo, STEPS[20])
    demo.get_by_text("Shorter run").click()  # other figures
    expect(demo.get_by_text(f"step {STEPS[20]} of 237").first).to_be_visible()
    wait_for_step(demo, STEPS[20])
    range_of(demo).press("End")
    wait_for_step(demo, 237)
    demo.get_by_text("Shorter run").click()  # the end stays the end
    expect(demo.get_by_text("step 500 of 500").first).to_be_visible()
    wait_for_step(demo, 500)
    range_of(demo).fill("40")
    demo.get_by_text("Shorter run").click()  # a position that is no more: the nearest
    expect(demo.get_by_text("step 237 of 237").first).to_be_visible()
    wait_for_step(demo, 237)
    demo.get_by_text("Shorter run").click()  # as it was found
    wait_for_step(demo, 500)


def test_a_late_chart_never_shows_another_step(fresh: Page):
    fresh.set_viewport_size({"width": 1440, "height": 1400})
    range_of(fresh).fill("22")
    wait_for_step(fresh, STEPS[22])
    # What is on screen at each repaint, from the first one with the late chart in it.
    fresh.evaluate(
        """() => {
          window.painted = new Set();
          const look = () => {
            const chart = document.querySelector('.chart[aria-label=late]');
            if (chart?._fullData?.length) window.painted.add(chart._fullData[0].y);
            requestAnimationFrame(() => setTimeout(look));
          };
          look();
        }"""
    )
    fresh.get_by_text("Late chart").click()
    wait_for_charts(fresh, CHARTS + 1)
    before = STEPS[21]  # it has every third frame, and shows the latest before the step
    fresh.wait_for_function(f"(step) => String(({SHOWN})().late) === String(step)", arg=before)
    assert fresh.evaluate("() => window.painted.size") == 1


def test_a_chart_that_went_out_of_sight_and_came_back_goes_along(own_page: Page, address: str):
    own_page.add_init_script(TOLD_TOGETHER)
    own_page.goto(address)
    wait_for_charts(own_page)
    wait_for_step(own_page, 500, CHARTS)
    own_page.evaluate("tell")
    for place in (5000, 0):
        own_page.evaluate("(place) => document.querySelector('.stMain').scrollTo(0, place)", place)
        own_page.evaluate(TWO_FRAMES)
    own_page.evaluate("tell")
    range_of(own_page).fill("20")
    wait_for_step(own_page, STEPS[20])
    assert own_page.evaluate(SHOWN)["activations"] != [STEPS[20]]


def test_the_step_is_spoken_but_not_while_playing(demo: Page):
    live = spoken(demo)
    expect(live).to_have_attribute("aria-live", "polite")
    range_of(demo).fill("50")
    range_of(demo).fill("52")
    expect(live).to_have_text(f"step {STEPS[52]} of 500")
    demo.get_by_role("button", name="Play").click()
    demo.wait_for_function(
        "(step) => Number(document.documentElement.dataset.backpropClinicStep) > step", arg=STEPS[55]
    )
    expect(live).to_have_text(f"step {STEPS[52]} of 500")
    expect(live).to_have_text("step 500 of 500")


def test_the_server_can_jump_once(demo: Page):
    demo.get_by_role("button", name="Jump").click()
    wait_for_step(demo, 237)
    range_of(demo).fill("3")
    wait_for_step(demo, STEPS[3])
    demo.get_by_text("Shorter run").click()  # the same token again, with new data
    expect(demo.get_by_text(f"step {STEPS[3]} of 237").first).to_be_visible()
    demo.get_by_role("button", name="Jump").click()
    expect(demo.get_by_text("step 237 of 237").first).to_be_visible()
    demo.get_by_text("Shorter run").click()  # as it was found
    wait_for_step(demo, 500)


def test_other_elements_hear_of_the_step(demo: Page):
    demo.evaluate("() => addEventListener('backprop-clinic:step', (event) => (window.heard = event.detail.step))")
    range_of(demo).fill("7")
    demo.wait_for_function("() => window.heard")
    assert demo.evaluate("() => window.heard") == STEPS[7]


def test_themes(demo: Page):
    range_of(demo).fill("20")
    wait_for_step(demo, STEPS[20])
    for scheme in ("light", "dark", "light"):
        demo.emulate_media(color_scheme=scheme)
        # A change of theme draws every chart again.
        demo.wait_for_function(f"(paper) => ({LABEL_COLORS})().every(([, one]) => one === paper)", arg=PAPER[scheme])
        wait_for_step(demo, STEPS[20])
        colors = demo.evaluate(LABEL_COLORS)
        assert len(colors) > 30
        assert min(contrast(ink, paper) for ink, paper in colors) >= 4.5  # WCAG 2.1, 1.4.3


def test_phone(page: Page, address: str):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    wait_for_charts(page)
    bar = page.get_by_role("group", name="Timeline")
    boxes = [box for part in (bar, *bar.get_by_role("button").all()) if (box := part.bounding_box())]
    assert len(boxes) == 7
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    assert all(min(box["width"], box["height"]) >= 32 for box in boxes)
    assert page.evaluate("() => document.querySelector('.stMain').scrollWidth") <= 390
    page.get_by_role("figure", name="activations").scroll_into_view_if_needed()
    expect(range_of(page)).to_be_in_viewport()  # it goes along
    range_of(page).fill("0")
    page.wait_for_function(f"() => String(({SHOWN})().activations) === '0'")


def test_no_steps():
    with pytest.raises(ValueError, match="at least one step"):
        timeline([], 500)


def contrast(one: str, other: str) -> float:
    dark, light = sorted(luminance(color) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    """Relative luminance of a CSS color rgb(...), as WCAG defines it."""
    channels = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
