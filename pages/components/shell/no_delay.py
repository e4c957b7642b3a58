"""Answers sent at once, where the system would hold a small one back until the browser has confirmed the one before.

That takes 40 ms (Nagle's algorithm and delayed acknowledgements, RFC 896 and 1122), and a first visit asks for a
hundred files.  Python turns it off for the sockets that it binds itself, but not for Streamlit's, as for uvicorn's own:
https://github.com/Kludex/uvicorn/issues/3149.  tests/pages/test_no_delay.py says when this is not needed any more.
"""

import asyncio
import socket

from uvicorn.protocols.http.auto import AutoHTTPProtocol

_connection_made = AutoHTTPProtocol.connection_made


def answer_at_once() -> None:
    """From now on, on every connection of the server; that of a session begins as one of these, too."""
    AutoHTTPProtocol.connection_made = _made_without_delay  # type: ignore[assignment, method-assign]


def _made_without_delay(protocol: asyncio.Protocol, transport: asyncio.Transport) -> None:
    connection = transport.get_extra_info("socket")
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _connection_made(protocol, transport)
