"""A visitor without a browser: it speaks Streamlit's protocol over loopback, and holds what a browser would."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.serving import Server

COMPONENT = "backprop_clinic_chart_place"
CHOICES = "selectbox", "radio"
LONGEST = 60.0  # s that an answer is waited for
POLL_SECONDS = 5.0  # the same, to what the page asks for by itself


@dataclass
class Answer:
    """What came back for one request."""

    seconds: float
    charts: int = 0
    chart_bytes: int = 0
    errors: list[str] = field(default_factory=list)


class Visitor:
    """One session: page, address, ids of the widgets that were drawn, and what the page asks for by itself."""

    def __init__(self, socket: ClientConnection, server: Server):
        self.socket = socket
        self.server = server
        self.parameters: dict[str, str] = {}  # of the address
        self.page = self.page_hash = ""
        self.options: dict[str, list[str]] = {}  # id of a choice -> what it offers
        self.widgets: dict[str, str] = {}  # kind and key, as in "button settings" -> id
        self.fragments: dict[str, str] = {}  # id -> fragment in which the widget is drawn
        self.state: dict[str, dict] = {}  # id -> field and value
        self.polls: dict[str, float] = {}  # fragment -> s between two times that the page asks for it

    async def open(self, page: str, **parameters: str) -> Answer:
        """Come to a page of this address, from another one or as the first."""
        self.page, self.page_hash, self.parameters = page, "", parameters
        self.state, self.widgets, self.polls = {}, {}, {}
        return await self._request()

    async def set_number(self, key: str, value: float | None) -> Answer:
        """None: the field is emptied."""
        identity = self.widgets[f"number_input {key}"]
        self.state[identity] = {} if value is None else {"double_value": value}
        return await self._request(self.fragments[identity])

    async def press(self, key: str) -> Answer:
        identity = self.widgets[f"button {key}"]
        self.state[identity] = {"trigger_value": True}
        try:
            return await self._request(self.fragments[identity])
        finally:
            del self.state[identity]

    async def choose(self, kind: str, key: str, index: int) -> Answer:
        """An option of a list, or of a column of radio buttons."""
        identity = self.widgets[f"{kind} {key}"]
        self.state[identity] = {"string_value": self.options[identity][index]}
        return await self._request(self.fragments[identity])

    async def stay(self, seconds: float) -> None:
        """Look at the page, which asks for what it shows of a sweep by itself."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            await asyncio.sleep(min([left, *self.polls.values()]))
            for fragment in tuple(self.polls):
                try:
                    await self._request(fragment, by_itself=True)
                except TimeoutError:  # it is on the page no more, and then nothing is answered
                    self.polls.pop(fragment, None)

    def keys(self, kind: str, start: str = "") -> list[str]:
        """Keys of the drawn widgets of this kind."""
        names = [name.partition(" ") for name in self.widgets]
        return [key for one, _, key in names if one == kind and key.startswith(start)]

    async def _request(self, fragment: str = "", by_itself: bool = False) -> Answer:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = urlencode(self.parameters)
        state.fragment_id, state.is_auto_rerun = fragment, by_itself
        if self.page_hash:
            state.page_script_hash = self.page_hash
        else:
            state.page_name = self.page
        state.context_info.url = self.server.address + self.page
        for identity, value in self.state.items():
            state.widget_states.widgets.add(id=identity, **value)
        answer = Answer(time.perf_counter())
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(POLL_SECONDS if by_itself else LONGEST):
            while not self._heard(ForwardMsg.FromString(await self.socket.recv(decode=False)), answer):
                pass
        answer.seconds = time.perf_counter() - answer.seconds
        return answer

    def _heard(self, message: ForwardMsg, answer: Answer) -> bool:
        """Take a message in; whether it was the last."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            answer.charts = answer.chart_bytes = 0
        elif kind == "navigation":
            self.page_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.parameters = dict(parse_qsl(message.page_info_changed.query_string))
        elif kind == "auto_rerun":
            self.polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for one in message.stop_auto_rerun.fragment_ids:
                self.polls.pop(one, None)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._drawn(message, answer)
        elif kind == "delta" and message.delta.add_block.HasField("tab_container"):
            tabs = message.delta.add_block.tab_container
            if tabs.query_param_key:  # which tab is open stands in the address
                opened = self.parameters.get(tabs.query_param_key, tabs.default_tab_label)
                self.state[tabs.id] = {"string_value": opened}
        elif kind == "script_finished":
            return message.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
            )
        return False

    def _drawn(self, message: ForwardMsg, answer: Answer) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "bidi_component" and element.bidi_component.component_name == COMPONENT:
            answer.charts += 1
            answer.chart_bytes += element.bidi_component.ByteSize()
        elif kind == "exception":
            answer.errors.append(element.exception.message)
        elif kind in (*CHOICES, "number_input", "button"):
            widget = getattr(element, kind)
            key = widget.id.split("-", 2)[2]  # as in $$ID-<hash>-<key>
            self.widgets[f"{kind} {key}"] = widget.id
            self.fragments[widget.id] = message.delta.fragment_id
            if kind in CHOICES:
                self.options[widget.id] = list(widget.options)


def joined(server: Server):
    """A connection as a browser opens it."""
    stream = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    return connect(stream, subprotocols=["streamlit"], max_size=None, proxy=None)  # type: ignore[list-item]


def processor_seconds(server: Server) -> float:
    """Of the server itself, without its workers."""
    times = psutil.Process(server.process.pid).cpu_times()
    return times.user + times.system


def resident_bytes(server: Server) -> list[int]:
    """Of the server, and of each process that it started; of a page that n share each has an n-th, where that is known.

    So much memory the machine, or a container, has to have for them.
    """
    process, found = psutil.Process(server.process.pid), []
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            memory = one.memory_full_info()
            found.append(getattr(memory, "pss", memory.rss))
    return found
