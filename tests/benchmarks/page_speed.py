"""How fast the lesson's page is: the page's rows of the budgets, measured on servers of their own.

    pip install -r tests/requirements.txt
    python tests/benchmarks/page_speed.py [--minutes 60]

Prints a Markdown table after three to four minutes.  Nothing here can fail for a slow machine.  A class is thirty
clients that speak Streamlit's protocol over loopback, without browsers, which would slow each other down.
--minutes: of mixed traffic on top of that, with the memory after each.
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
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.in_browser import (
    CHARTS,
    LESSON,
    browser,
    first_visit_bytes,
    on_a_phone,
    start_to_first_page,
    timeline_frame,
    toggles,
)
from tests.benchmarks.mixed_traffic import IDLE_SECONDS, mixed_traffic
from tests.benchmarks.visitor import LONGEST, Answer, Visitor, joined, processor_seconds, resident_bytes
from tests.serving import Server, served

SESSIONS, PERIOD, LENGTH = 30, 3.0, 18.0  # of a class: clients, s between two toggles, s
CROWD, ARRIVAL = 100, 1.0  # clients of a lecture hall that open one link, and s within which they come
RERUNS = 40
FRESH = 20  # sessions
GAINS = None, 1.0  # of the treated network: as the patient, which has 1, and the same said
REST = 8.0  # s until an idle worker has given its memory back


async def server_work(server: Server) -> tuple[float, float, float, float, float]:
    """Processor milliseconds of the server for a fresh page and for reruns, all runs cached.

    Reruns: a moved control that asks for other runs, and for the same; the whole page anew, without and with "more
    settings", which few buttons ask for.
    """
    async with joined(server) as socket:
        visitor = Visitor(socket, server)
        await visitor.open(LESSON)
        fresh = await _processor(server, [lambda: _come(server)], FRESH)
        await visitor.press("settings")
        for seed in (10, 11, 10, 11):
            await visitor.set_number("seed", seed)
        other = await _processor(server, [lambda s=s: visitor.set_number("seed", s) for s in (10, 11)])
        same = await _processor(server, [lambda g=g: visitor.set_number("treated_gain", g) for g in GAINS])
        opened = await _processor(server, [lambda: visitor.set_number("seed", 11)])
        await visitor.press("settings")
        closed = await _processor(server, [lambda: visitor.set_number("steps", 300)])
    return fresh, other, same, closed, opened


async def _come(server: Server) -> Answer:
    async with joined(server) as socket:
        return await Visitor(socket, server).open(LESSON)


async def _processor(server: Server, requests: list[Callable], number: int = RERUNS) -> float:
    before = processor_seconds(server)
    for turn in range(number):
        answer = await requests[turn % len(requests)]()
        assert not _faults(answer), _faults(answer)
    return 1000 * (processor_seconds(server) - before) / number


def _faults(answer: Answer) -> list[str]:
    return answer.errors or ([] if answer.charts == CHARTS else [f"{answer.charts} charts"])


@dataclass
class Class:
    """What a class found: the slowest page to open (s), every later answer, most memory of server and workers."""

    opened: float
    answers: list[Answer]
    resident_bytes: int

    @property
    def errors(self) -> list[str]:
        return [error for answer in self.answers for error in _faults(answer)]

    def seconds(self, share: float) -> float:
        times = sorted(answer.seconds for answer in self.answers)
        return times[min(len(times) - 1, int(share * len(times)))]


async def classroom(server: Server, different: bool, sessions: int = SESSIONS, length: float = LENGTH) -> Class:
    """So many clients open the lesson within ARRIVAL seconds, and then change the treated network every PERIOD seconds.

    different: each has a patient of its own, and changes to a network that nobody has asked for; else all open one link
    and toggle between the same two.
    """
    answers: list[Answer] = []
    opened, most = 0.0, 0

    async def student(number: int) -> None:
        nonlocal opened
        await asyncio.sleep(ARRIVAL * number / sessions)
        arrived = time.perf_counter()
        async with joined(server) as socket:
            visitor = Visitor(socket, server)
            first = await visitor.open(LESSON, **{"seed": f"{1000 + number}"} if different else {})
            opened = max(opened, time.perf_counter() - arrived)
            assert not _faults(first), _faults(first)
            if length:
                await visitor.press("settings")  # whose fields are drawn only then
            await start.wait()
            began = time.perf_counter() + PERIOD * number / sessions
            for turn in range(int(length / PERIOD)):
                await asyncio.sleep(max(0.0, began + PERIOD * turn - time.perf_counter()))
                if time.perf_counter() > began + length:
                    return  # the server cannot keep up, which the seconds so far say
                gain = 1 + (sessions * turn + number + 1) / 1000 if different else 1 + (1 + turn % 2) / 1000
                try:
                    answers.append(await visitor.set_number("treated_gain", gain))
                except Exception as problem:
                    answers.append(Answer(LONGEST, errors=[repr(problem)]))
                    return

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, sum(resident_bytes(server)))
            await asyncio.sleep(0.5)

    start = asyncio.Barrier(sessions)
    watching = asyncio.create_task(watch())
    await asyncio.gather(*map(student, range(sessions)))
    watching.cancel()
    return Class(opened, answers, most)


# --------------------------------------------------------------------------------------------------------------- table


Row = tuple[str, float | str, float, str]  # what, budget, measured, unit


def browser_rows() -> list[Row]:
    with browser() as chromium:
        home, pictures, lesson = start_to_first_page(chromium)
        with served() as server:
            fresh, cached = toggles(chromium, server)
            size = first_visit_bytes(chromium, server)
            frame = timeline_frame(chromium, server)
            first, reload, phone_frame = on_a_phone(chromium, server)
    return [
        ("toggle to all charts drawn, run not cached: median", 400, statistics.median(fresh), "ms"),
        ("the same, run cached", 250, statistics.median(cached), "ms"),
        ("a frame of the timeline, the lesson's first charts", 33, frame, "ms"),
        ("a phone, its processor slowed 4 x: three charts after a reload", 2.5, reload, "s"),
        ("the same on a first visit", "", first, "s"),
        ("the same: a frame of the timeline", 80, phone_frame, "ms"),
        ("over the websocket on a first visit", 350, size / 1000, "kB"),
        ("`streamlit run app.py` to the home page drawn", 2, home, "s"),
        ("the same to the pictures of all patients", "", pictures, "s"),
        ("the same to the lesson's charts drawn", 3, lesson, "s"),
    ]


def server_rows() -> tuple[list[Row], list[str]]:
    """And the errors among all answers."""
    with served() as server:
        fresh, other, same, closed, opened = asyncio.run(server_work(server))
        alike = asyncio.run(classroom(server, different=False))
        unlike = asyncio.run(classroom(server, different=True))
        time.sleep(REST)
        afterwards = sum(resident_bytes(server))
    with served() as server:
        asyncio.run(_come(server))
        crowd = asyncio.run(classroom(server, different=False, sessions=CROWD, length=0))
    errors = unlike.errors + alike.errors
    return [
        ("server CPU of a fresh page", 40, fresh, "ms"),
        ("server CPU of a moved control, other cached runs", 15, other, "ms"),
        ("the same, the same runs", 15, same, "ms"),
        ("server CPU of the whole page drawn anew", "", closed, "ms"),
        ("the same with *More settings* open", "", opened, "ms"),
        (f"{SESSIONS} sessions, all different: 95th percentile", 300, 1000 * unlike.seconds(0.95), "ms"),
        (f"{SESSIONS} sessions, all different: median", "", 1000 * unlike.seconds(0.5), "ms"),
        (f"{SESSIONS} sessions, one link: 95th percentile", 60, 1000 * alike.seconds(0.95), "ms"),
        (f"{SESSIONS} sessions, one link: median", "", 1000 * alike.seconds(0.5), "ms"),
        (f"{SESSIONS} fresh sessions within a second, all different: the slowest", 1.5, unlike.opened, "s"),
        (f"{CROWD} fresh sessions within a second on one link: the slowest", 2, crowd.opened, "s"),
        ("errors among their answers", 0, len(errors), f"of {len(unlike.answers + alike.answers)}"),
        ("resident memory meanwhile", 400, max(unlike.resident_bytes, alike.resident_bytes) / 1e6, "MB"),
        ("resident memory afterwards, idle", 400, afterwards / 1e6, "MB"),
    ], errors  # fmt: skip


def traffic_rows(minutes: int) -> tuple[list[Row], list[str]]:
    with served() as server:
        traffic = mixed_traffic(server, minutes)
    return [
        (f"most resident memory in {minutes} minutes of traffic", "", max(map(sum, traffic.minutes)) / 1e6, "MB"),
        (f"the same, {IDLE_SECONDS:.0f} s afterwards", 450, sum(traffic.idle) / 1e6, "MB"),
    ], traffic.errors  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=0, help="of mixed traffic")
    minutes = parser.parse_args().minutes
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start would compile what an earlier one has
    with served():
        pass
    print(f"{_machine()}, load {os.getloadavg()[0]:.1f}\n", file=sys.stderr)
    rows = browser_rows()
    more, errors = server_rows()
    rows += more
    if minutes:
        more, others = traffic_rows(minutes)
        rows, errors = rows + more, errors + others
    print(f"{_machine()}; load at the end {os.getloadavg()[0]:.1f}.\n")
    print("| what | budget | measured |\n| --- | --- | --- |")
    for what, budget, measured, unit in rows:
        print(f"| {what} | {budget}{f' {unit}' if budget else ''} | {measured:,.1f} {unit} |")
    for error in sorted(set(errors)):
        print(f"\n{error}")


def _machine() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("streamlit", "plotly", "numpy"))
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    return f"{datetime.date.today()}, {machine}, Python {platform.python_version()}, {versions}"


if __name__ == "__main__":
    main()
