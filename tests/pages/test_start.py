"""The first second of a server: whoever comes then gets the page, whichever it is, and on however busy a machine."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.pages.opened import LESSONS
from tests.patience import SOON
from tests.serving import Server, served

SERVERS, AT_ONCE = 6, 3
BETWEEN = 0.15  # s between two visitors
VISITED = ("", "backpropagation", "vanishing_gradients?depth=6", "mystery_patient", "overfitting")
# Packages that are looked up in sys.modules, or take long, and our own.
HEAVY = ("numpy", "pandas", "PIL", "pyarrow", "plotly", "_plotly_utils", "engine", "pages")

OPEN_ALL_PAGES = f"""
import sys
from dataclasses import replace
from streamlit.testing.v1 import AppTest
from engine.doctor import cases
from pages.components.shell import runs
trained = runs.histories_of
def short(wanted, *data, **how):
    return trained(wanted if data else [replace(each, steps=30) for each in wanted], *data, **how)
runs.histories_of = short
cases.holds = lambda *case: True  # the first patient will do
from pages.components.shell import frame
import app
from tests.pages.opened import opened
AppTest.from_string("").run()
before = set(sys.modules)
for row in frame.PAGES:
    page = opened(row.name, **{{"steps": "30"}} if row.name in {LESSONS} else {{}})
    if row.name == "underfitting":
        page.button(key="data_learning_curves").click().run()
print(*sorted(name for name in set(sys.modules) - before if name.split(".")[0] in {HEAVY}))
"""


async def visit(server: Server, page: str, delay: float) -> list[str]:
    """The errors on a page, up to where it waits for its networks to be trained."""
    errors: list[str] = []
    await asyncio.sleep(delay)
    stream = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    async with (
        asyncio.timeout(SOON),
        connect(stream, subprotocols=[Subprotocol("streamlit")], max_size=None, max_queue=None, proxy=None) as socket,
    ):
        message = BackMsg()
        message.rerun_script.page_name, _, message.rerun_script.query_string = page.partition("?")
        message.rerun_script.context_info.url = server.address + page
        await socket.send(message.SerializeToString())
        while True:
            heard = ForwardMsg.FromString(await socket.recv(decode=False))
            drawn = heard.delta.new_element.WhichOneof("type")
            if drawn == "exception":
                errors.append(heard.delta.new_element.exception.message)
            if drawn == "progress" or heard.WhichOneof("type") == "script_finished":
                return errors


async def visited(server: Server) -> list[str]:
    visits = (visit(server, page, BETWEEN * number) for number, page in enumerate(VISITED))
    return [error for errors in await asyncio.gather(*visits) for error in errors]


def first_visitors(_: int) -> tuple[list[str], str]:
    """The errors of the first visitors of a server of theirs, and its log."""
    with served() as server:
        return asyncio.run(visited(server)), server.log.read_text()


def test_the_first_visitors_of_a_server_get_their_pages() -> None:
    # Several at a time, so that each has a machine that is busy with the others.  In threads: tests in a browser
    # leave an event loop running in this one.
    with ThreadPoolExecutor(AT_ONCE) as visits:
        for errors, log in visits.map(first_visitors, range(SERVERS)):
            assert not errors, log


def test_no_page_imports_what_the_start_has_not() -> None:
    run = subprocess.run([sys.executable, "-c", OPEN_ALL_PAGES], capture_output=True, text=True, timeout=3 * SOON)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
