"""A visitor may clear Streamlit's caches, by a message that any browser can send: nobody's training ends by that."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.patience import SOON
from tests.serving import Server, served

LESSON = "vanishing_gradients"
LONG = "depth=12&width=16&steps=1000"  # a second of training


@pytest.fixture
def server() -> Iterator[Server]:
    with served() as server:
        yield server


class Visitor:
    """What a browser sends and sees."""

    def __init__(self, connection: ClientConnection):
        self.connection = connection
        self.charts = 0
        self.errors: list[str] = []

    def open(self, query: str) -> None:
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = LESSON
        self.connection.send(message.SerializeToString())

    def clear_cache(self) -> None:
        self.connection.send(BackMsg(clear_cache=True).SerializeToString())

    def see_until(self, last: str) -> None:
        """Take in what comes up to an element of this type, or the end of the page."""
        end = time.monotonic() + SOON
        while True:
            message = ForwardMsg.FromString(self.connection.recv(max(0.0, end - time.monotonic()), decode=False))
            element = message.delta.new_element
            kind = element.WhichOneof("type") if message.HasField("delta") else message.WhichOneof("type")
            if kind == "exception":
                self.errors.append(element.exception.message)
            elif kind == "bidi_component":
                self.charts += element.bidi_component.component_name == "backprop_clinic_chart_place"
            if kind == last:
                return


@contextmanager
def visit(port: int) -> Iterator[Visitor]:
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None, max_queue=None
    ) as connection:
        yield Visitor(connection)


def test_who_waits_for_a_run_gets_it_though_somebody_clears_the_caches(server: Server) -> None:
    process = psutil.Process(server.process.pid)
    with visit(server.port) as first:
        first.open("steps=1")
        first.see_until("script_finished")  # then all workers have been started
    with visit(server.port) as one, visit(server.port) as other:
        one.open(LONG)
        one.see_until("progress")
        before = {child.pid for child in process.children()}
        other.clear_cache()
        one.see_until("script_finished")
        other.open(f"{LONG}&seed=1")
        other.see_until("progress")
        other.clear_cache()
        other.see_until("script_finished")
        assert not one.errors + other.errors, server.log.read_text()
        assert one.charts == other.charts > 0
        assert {child.pid for child in process.children()} == before
