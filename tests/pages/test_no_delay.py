"""What the server answers goes out at once."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn
from streamlit.web.server.starlette import starlette_server
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from pages.components.shell.no_delay import answer_at_once


@pytest.fixture
def at_once() -> Iterator[None]:
    before = AutoHTTPProtocol.connection_made
    answer_at_once()
    yield
    AutoHTTPProtocol.connection_made = before


async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def without_delay() -> bool:
    """Whether a connection to a server on a socket of Streamlit's sends small packets as they come."""

    async def serve() -> int:
        bound = starlette_server._bind_socket("127.0.0.1", 0, backlog=5)
        server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_level="error"))
        running = asyncio.create_task(server.serve(sockets=[bound]))
        client = http.client.HTTPConnection("127.0.0.1", bound.getsockname()[1])
        await asyncio.to_thread(client.request, "GET", "/")
        assert await asyncio.to_thread(lambda: client.getresponse().read()) == b"ok"
        (connection,) = server.server_state.connections
        option = connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        client.close()
        server.should_exit = True
        await running
        return option

    with ThreadPoolExecutor(1) as thread:  # the browser's tests leave a running loop in this one
        return bool(thread.submit(asyncio.run, serve()).result())


def test_a_small_answer_is_not_held_back(at_once: None) -> None:
    assert without_delay()


def test_streamlit_would_hold_it_back() -> None:
    """Where this fails, no_delay.py is not needed any more."""
    assert not without_delay()
