"""How fast the lesson's page is: the page's rows of the design's budgets, measured on a server of their own.

    pip install -r tests/requirements.txt
    python tests/benchmarks/page_speed.py

Prints a Markdown table after two to three minutes.  Nothing here can fail for a slow machine.  A class is
thirty clients that speak Streamlit's protocol over loopback, without browsers, which would slow each other down.
"""

import argparse
import asyncio
import datetime
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from shutil import which
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine import SETTINGS
from tests.serving import Server, served

LESSON = "vanishing_gradients"
CHARTS = 3  # of a lesson's first part
COMPONENT = "backprop_clinic_chart"
SESSIONS, PERIOD, LENGTH = 30, 3.0, 18.0  # of a class: clients, s between two toggles, s
TOGGLES = ("tanh", "elu", "selu", "gelu", "silu", "linear")  # of the treated network's activation, in the browser
RERUNS = 40
REST = 5.0  # s until an idle worker has given its memory back
LONGEST = 60.0  # s that anything is waited for
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# Milliseconds from the click to the frame in which every chart of the window, and every chart at all, shows another
# figure.
TOGGLE = """([button, number]) => {
  const charts = () => [...document.querySelectorAll('.chart')];
  const in_window = (chart) => chart.getBoundingClientRect().top < innerHeight;
  const old = new Set(charts().map((chart) => chart.dataset.version));
  const start = performance.now();
  const drawn = (which) => new Promise((done) => {
    const look = () => {
      const now = charts();
      if (now.length === number && now.filter(which).every((chart) => !old.has(chart.dataset.version)))
        requestAnimationFrame(() => done(performance.now() - start));
      else setTimeout(look, 5);
    };
    look();
  });
  button.click();
  return Promise.all([drawn(in_window), drawn(() => true)]);
}"""
WARD_DRAWN = "() => document.querySelector('[class*=st-key-case_] svg')"
DRAWN = "(number) => [...document.querySelectorAll('.chart')].filter((c) => c.dataset.version).length === number"


def processor_seconds(server: Server) -> float:
    """Of the server itself, without its workers."""
    times = psutil.Process(server.process.pid).cpu_times()
    return times.user + times.system


def resident_bytes(server: Server) -> int:
    """Of server and workers; pages that they share count once in each."""
    process, total = psutil.Process(server.process.pid), 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total


class Drawn(NamedTuple):
    """Milliseconds from a toggle to the charts in the window drawn, and to all of the page."""

    in_window: float
    all: float


# ------------------------------------------------------------------------------------------------------------ browser


def start_to_first_page(browser: Browser) -> list[float]:
    """Seconds from the command to the home page, to its pictures, and to a lesson's charts as the first page."""
    seconds = []
    for path, drawn, argument in (
        ("", "() => document.querySelector('h1')", None),
        ("", WARD_DRAWN, None),
        (LESSON, DRAWN, CHARTS),
    ):
        with served() as server:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(server.address + path)
            page.wait_for_function(drawn, arg=argument, timeout=1000 * LONGEST)
            seconds.append(time.monotonic() - server.started)
            page.close()
    return seconds


def toggles(browser: Browser, server: Server) -> tuple[list[Drawn], list[Drawn]]:
    """Of toggles whose runs are not cached, and cached."""
    fresh, cached = [], []
    for seed in (101, 102):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{server.address}{LESSON}?seed={seed}")
        page.wait_for_function(DRAWN, arg=CHARTS, timeout=1000 * LONGEST)
        page.get_by_role("radiogroup", name="Treated: activation", exact=True).get_by_text("more").click()
        page.wait_for_timeout(2000)
        fresh += [_toggle(page, activation) for activation in TOGGLES]
        cached += [_toggle(page, activation) for activation in reversed(TOGGLES[:-1])]
        cached.append(_toggle(page, "relu"))
        page.close()
    return fresh, cached


def _toggle(page: Page, activation: str) -> Drawn:
    group = page.get_by_role("radiogroup", name="Treated: activation", exact=True)
    name = SETTINGS["activation"].in_words(activation)
    button = group.get_by_role("radio", name=name, exact=True).element_handle()
    taken = Drawn(*page.evaluate(TOGGLE, [button, CHARTS]))
    page.wait_for_timeout(500)  # the next one starts from rest
    return taken


# ------------------------------------------------------------------------------------------------------------ sessions


@dataclass
class Answer:
    """What came back for one request."""

    seconds: float
    charts: int = 0
    chart_bytes: int = 0
    errors: list[str] = field(default_factory=list)


class Session:
    """A visitor without a browser.  Holds what a browser would: page, address, and the ids of the widgets."""

    def __init__(self, socket: ClientConnection, server: Server):
        self.socket = socket
        self.server = server
        self.parameters: dict[str, str] = {}  # of the address
        self.page = ""
        self.more_settings = ""  # id of the button
        self.widgets: dict[str, str] = {}  # parameter of the address -> id
        self.state: dict[str, dict[str, float | bool]] = {}  # id -> field and value

    async def open(self, **parameters: str) -> Answer:
        self.parameters = parameters
        first = await self._request()
        self.state[self.more_settings] = {"trigger_value": True}  # fields that are drawn only then
        await self._request()
        del self.state[self.more_settings]
        return first

    async def set_number(self, parameter: str, value: float) -> Answer:
        self.parameters[parameter] = f"{value:g}"
        self.state[self.widgets[parameter]] = {"double_value": value}
        return await self._request()

    async def _request(self) -> Answer:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = urlencode(self.parameters)
        state.context_info.url = self.server.address + LESSON
        if self.page:
            state.page_script_hash = self.page
        else:
            state.page_name = LESSON
        for identity, value in self.state.items():
            state.widget_states.widgets.add(id=identity, **value)
        answer = Answer(time.perf_counter())
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(LONGEST):
            while not self._heard(ForwardMsg.FromString(await self.socket.recv(decode=False)), answer):
                pass
        answer.seconds = time.perf_counter() - answer.seconds
        if answer.charts != CHARTS:
            answer.errors.append(f"{answer.charts} charts")
        return answer

    def _heard(self, message: ForwardMsg, answer: Answer) -> bool:
        """Take a message in; whether it was the last."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            answer.charts = answer.chart_bytes = 0
        elif kind == "navigation":
            self.page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.parameters = dict(parse_qsl(message.page_info_changed.query_string))
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            which_one = element.WhichOneof("type")
            if which_one == "bidi_component" and element.bidi_component.component_name == COMPONENT:
                answer.charts += 1
                answer.chart_bytes += element.bidi_component.ByteSize()
            elif which_one == "exception":
                answer.errors.append(element.exception.message)
            elif which_one == "number_input":
                identity = element.number_input.id  # it ends with the key, the parameter's name
                self.widgets[identity.rpartition("-")[2]] = identity
            elif which_one == "button" and element.button.label.startswith("More settings"):
                self.more_settings = element.button.id
        elif kind == "script_finished":
            return message.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
            )
        return False


def joined(server: Server):
    """A connection as a browser opens it."""
    stream = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    return connect(stream, subprotocols=["streamlit"], max_size=None, proxy=None)  # type: ignore[list-item]


async def cached_reruns(server: Server) -> tuple[float, float, int]:
    """Processor milliseconds of a rerun with other cached runs, of one with the same, and bytes of a page's charts."""
    async with joined(server) as socket:
        session = Session(socket, server)
        size = (await session.open()).chart_bytes
        for seed in (10, 11, 10, 11):
            await session.set_number("seed", seed)
        other = await _processor(server, [lambda s=s: session.set_number("seed", s) for s in (10, 11)])
        same = await _processor(server, [lambda: session.set_number("seed", 11)])
    return other, same, size


async def _processor(server: Server, requests: list[Callable]) -> float:
    before = processor_seconds(server)
    for turn in range(RERUNS):
        answer = await requests[turn % len(requests)]()
        assert not answer.errors, answer.errors
    return 1000 * (processor_seconds(server) - before) / RERUNS


@dataclass
class Class:
    """What a class found: the slowest page to open (s), every later answer, most memory of server and workers."""

    opened: float
    answers: list[Answer]
    resident_bytes: int

    @property
    def errors(self) -> list[str]:
        return [error for answer in self.answers for error in answer.errors]

    def seconds(self, share: float) -> float:
        times = sorted(answer.seconds for answer in self.answers)
        return times[min(len(times) - 1, int(share * len(times)))]


async def classroom(server: Server, different: bool) -> Class:
    """SESSIONS clients open the lesson and then change the treated network every PERIOD seconds, for LENGTH seconds.

    different: each has a patient of its own, and changes to a network that nobody has asked for; else all open one link
    and toggle between the same two.
    """
    answers: list[Answer] = []
    opened, most = 0.0, 0

    async def student(number: int) -> None:
        nonlocal opened
        async with joined(server) as socket:
            session = Session(socket, server)
            first = await session.open(**{"seed": f"{1000 + number}"} if different else {})
            opened = max(opened, first.seconds)
            await start.wait()
            began = time.perf_counter() + PERIOD * number / SESSIONS
            for turn in range(int(LENGTH / PERIOD)):
                await asyncio.sleep(max(0.0, began + PERIOD * turn - time.perf_counter()))
                if time.perf_counter() > began + LENGTH:
                    return  # the server cannot keep up, which the seconds so far say
                gain = 1 + (SESSIONS * turn + number + 1) / 1000 if different else 1 + (1 + turn % 2) / 1000
                try:
                    answers.append(await session.set_number("treated_gain", gain))
                except Exception as problem:
                    answers.append(Answer(LONGEST, errors=[repr(problem)]))
                    return

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, resident_bytes(server))
            await asyncio.sleep(0.5)

    start = asyncio.Barrier(SESSIONS)
    watching = asyncio.create_task(watch())
    await asyncio.gather(*map(student, range(SESSIONS)))
    watching.cancel()
    return Class(opened, answers, most)


# --------------------------------------------------------------------------------------------------------------- table


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(f"{_machine()}, load {os.getloadavg()[0]:.1f}\n", file=sys.stderr)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(which, BROWSERS)), None), args=BROWSER_OPTIONS
        )
        home, pictures, lesson = start_to_first_page(browser)
        with served() as server:
            fresh, cached = toggles(browser, server)
        browser.close()
    with served() as server:
        other, same, size = asyncio.run(cached_reruns(server))
        alike = asyncio.run(classroom(server, different=False))
        unlike = asyncio.run(classroom(server, different=True))
        time.sleep(REST)
        afterwards = resident_bytes(server)
    answers = unlike.answers + alike.answers
    rows = [
        *(
            (f"toggle to {which} drawn, run {run}: median", budget, statistics.median(times), "ms")
            for run, budget, toggled in (("not cached", 500, fresh), ("cached", 300, cached))
            for which, times in zip(("the charts in the window", "all charts"), zip(*toggled, strict=True), strict=True)
        ),
        ("charts of the default page", 600, size / 1000, "kB"),
        ("server CPU for a rerun with cached runs: other runs", 25, other, "ms"),
        ("server CPU for a rerun with cached runs: the same", 25, same, "ms"),
        (f"{SESSIONS} sessions, all different: 95th percentile", 1200, 1000 * unlike.seconds(0.95), "ms"),
        (f"{SESSIONS} sessions, all different: median", "", 1000 * unlike.seconds(0.5), "ms"),
        (f"{SESSIONS} sessions, one link: 95th percentile", 500, 1000 * alike.seconds(0.95), "ms"),
        (f"{SESSIONS} sessions, one link: median", "", 1000 * alike.seconds(0.5), "ms"),
        (f"{SESSIONS} sessions open one link at once: the slowest", "", 1000 * alike.opened, "ms"),
        ("errors among their answers", 0, len(unlike.errors + alike.errors), f"of {len(answers)}"),
        ("resident memory meanwhile", 400, max(unlike.resident_bytes, alike.resident_bytes) / 1e6, "MB"),
        ("resident memory afterwards, idle", 400, afterwards / 1e6, "MB"),
        ("`streamlit run app.py` to the home page drawn", 5, home, "s"),
        ("the same to the pictures of all patients", "", pictures, "s"),
        ("the same to the lesson's charts drawn", "", lesson, "s"),
    ]  # fmt: skip
    print(f"{_machine()}; load at the end {os.getloadavg()[0]:.1f}.\n")
    print("| what | budget | measured |\n| --- | --- | --- |")
    for what, budget, measured, unit in rows:
        print(f"| {what} | {budget}{f' {unit}' if budget else ''} | {measured:,.1f} {unit} |")
    for error in sorted({*unlike.errors, *alike.errors}):
        print(f"\n{error}")


def _machine() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("streamlit", "plotly", "numpy"))
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    return f"{datetime.date.today()}, {machine}, Python {platform.python_version()}, {versions}"


if __name__ == "__main__":
    main()
