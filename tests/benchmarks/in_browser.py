"""What only a browser can tell: when something is drawn, what has been sent until then, and how a phone fares."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import which

from playwright.sync_api import Browser, Page, sync_playwright

from engine import SETTINGS
from tests.serving import Server, served

LESSON = "vanishing_gradients"
CHARTS = 3  # of a lesson's first part
TOGGLES = ("tanh", "elu", "selu", "gelu", "silu", "linear")  # of the treated network's activation
LAPTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
SLOWER = 4  # a phone's processor
RELOADS = 5
LONGEST = 60.0  # s that anything is waited for
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

HOME_DRAWN = "() => document.querySelector('h1')"
WARD_DRAWN = "() => document.querySelector('[class*=st-key-case_] svg')"
DRAWN = "(number) => [...document.querySelectorAll('.chart')].filter((c) => c.dataset.version).length === number"

# Milliseconds from the click to the frame in which every chart shows another figure.
TOGGLE = """([button, number]) => {
  const charts = () => [...document.querySelectorAll('.chart')];
  const old = new Set(charts().map((chart) => chart.dataset.version));
  const start = performance.now();
  button.click();
  return new Promise((done) => {
    const look = () => {
      const now = charts();
      if (now.length === number && now.every((chart) => !old.has(chart.dataset.version)))
        requestAnimationFrame(() => done(performance.now() - start));
      else setTimeout(look, 5);
    };
    look();
  });
}"""

# From a page's beginning on: when so many charts were drawn, in milliseconds since it was asked for.
WHEN_DRAWN = """
  const look = () => {
    const drawn = [...document.querySelectorAll('.chart')].filter((chart) => chart.dataset.version);
    if (drawn.length === NUMBER) window.drawnAfter = performance.now();
    else setTimeout(look, 20);
  };
  look();
"""

# Milliseconds of a frame: the timeline's range is moved as by hand, one frame after the other, each as soon as the
# charts show the one before it.
FRAMES = """async () => {
  const host = [...document.querySelectorAll('*')].find((one) => one.shadowRoot?.querySelector('.readout + *, .readout')
    && one.shadowRoot.querySelector('input[type=range]'));
  const range = host.shadowRoot.querySelector('input[type=range]');
  let drawn = [];
  const listen = ({ detail }) => (drawn = detail.drawn);
  window.addEventListener('backprop-clinic:step', listen);
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const last = Number(range.max);
  const taken = [];
  for (let index = 0; index <= last; index += 1) {
    const start = performance.now();
    range.value = index;
    range.dispatchEvent(new Event('input', { bubbles: true }));
    await Promise.all(drawn);
    await frame();
    if (index) taken.push(performance.now() - start); // the first is a jump from the end
  }
  window.removeEventListener('backprop-clinic:step', listen);
  return taken.reduce((sum, one) => sum + one, 0) / taken.length;
}"""


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = next(filter(None, map(which, BROWSERS)), None)
        chromium = playwright.chromium.launch(executable_path=found, args=BROWSER_OPTIONS)
        yield chromium
        chromium.close()


def start_to_first_page(chromium: Browser) -> list[float]:
    """Seconds from the command to the home page, to its pictures, and to a lesson's charts as the first page."""
    seconds = []
    for path, drawn, argument in (("", HOME_DRAWN, None), ("", WARD_DRAWN, None), (LESSON, DRAWN, CHARTS)):
        with served() as server, chromium.new_page(viewport=LAPTOP) as page:
            page.goto(server.address + path)
            page.wait_for_function(drawn, arg=argument, timeout=1000 * LONGEST)
            seconds.append(time.monotonic() - server.started)
    return seconds


def toggles(chromium: Browser, server: Server) -> tuple[list[float], list[float]]:
    """Milliseconds from a toggle to the charts drawn: of runs that are not cached, and cached."""
    fresh, cached = [], []
    for seed in (101, 102):
        with chromium.new_page(viewport=LAPTOP) as page:
            _open(page, f"{server.address}{LESSON}?seed={seed}")
            page.get_by_role("radiogroup", name="Treated: activation", exact=True).get_by_text("more").click()
            page.wait_for_timeout(2000)
            fresh += [_toggle(page, activation) for activation in TOGGLES]
            cached += [_toggle(page, activation) for activation in reversed(TOGGLES[:-1])]
            cached.append(_toggle(page, "relu"))
    return fresh, cached


def _toggle(page: Page, activation: str) -> float:
    group = page.get_by_role("radiogroup", name="Treated: activation", exact=True)
    name = SETTINGS["activation"].in_words(activation)
    button = group.get_by_role("radio", name=name, exact=True).element_handle()
    taken = page.evaluate(TOGGLE, [button, CHARTS])
    page.wait_for_timeout(500)  # the next one starts from rest
    return taken


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(DRAWN, arg=CHARTS, timeout=1000 * LONGEST)


def first_visit_bytes(chromium: Browser, server: Server) -> int:
    """What the lesson's page sends over the websocket to a browser that comes for the first time."""
    received = 0

    def frame(event: dict) -> None:
        nonlocal received
        payload = event["response"]["payloadData"]
        received += len(base64.b64decode(payload)) if event["response"]["opcode"] == 2 else len(payload)

    with chromium.new_context(viewport=LAPTOP) as context, context.new_page() as page:
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.webSocketFrameReceived", frame)
        _open(page, server.address + LESSON)
        page.wait_for_timeout(2000)  # for what comes after the charts
    return received


def timeline_frame(chromium: Browser, server: Server) -> float:
    """Milliseconds of a frame of the timeline with the lesson's first charts."""
    with chromium.new_page(viewport=LAPTOP, reduced_motion="reduce") as page:
        _open(page, server.address + LESSON)
        page.wait_for_timeout(1000)
        page.evaluate(FRAMES)  # what is compiled at first
        return page.evaluate(FRAMES)


def on_a_phone(chromium: Browser, server: Server) -> tuple[float, float, float]:
    """Seconds to the lesson's first charts, of a first visit and of a reload, and milliseconds of a frame.

    What a browser has to compile at first it keeps for the next time.
    """
    with chromium.new_context(
        viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=2, reduced_motion="reduce"
    ) as context:
        context.add_init_script(WHEN_DRAWN.replace("NUMBER", str(CHARTS)))
        with context.new_page() as page:
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            page.goto(server.address + LESSON)
            first = _drawn_after(page)
            reloads = []
            for _ in range(RELOADS):
                page.reload()
                reloads.append(_drawn_after(page))
            page.locator(".chart").first.scroll_into_view_if_needed()
            page.evaluate(FRAMES)
            return first, sorted(reloads)[RELOADS // 2], page.evaluate(FRAMES)


def _drawn_after(page: Page) -> float:
    page.wait_for_function("() => window.drawnAfter", polling=200, timeout=1000 * LONGEST)
    return page.evaluate("() => window.drawnAfter") / 1000
