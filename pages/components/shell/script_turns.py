"""Scripts of all sessions, a few at a time and in the order in which they came.

Python's threads share one processor: a hundred scripts at a time would all be ready when the last of them is.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.runtime.scriptrunner import script_runner

AT_A_TIME = 2  # so that a long one does not stop all others
LONGEST_WAIT = 2.0  # s, after which a script goes on without its turn, whatever holds up the others


class Turns:
    """So many at a time; whoever waits longest comes next.  Thread-safe."""

    def __init__(self, at_a_time: int):
        self._free = at_a_time  # below 0 where some could not wait
        self._waiting: deque[threading.Lock] = deque()  # each is held until its turn has come
        self._lock = threading.Lock()

    def take(self, longest: float = LONGEST_WAIT) -> None:
        """Wait for a turn, which has to be given back."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if not turn.acquire(timeout=longest):
            with self._lock:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                    self._free -= 1

    def give_back(self) -> None:
        """Let the next one go on."""
        with self._lock:
            if self._waiting and self._free >= 0:
                self._waiting.popleft().release()
            else:
                self._free += 1


_turns = Turns(AT_A_TIME)
_mine = threading.local()  # .taken: whether this thread has a turn
_run = script_runner.exec_func_with_error_handling


def _run_in_turn(script: Callable[[], Any], context: Any) -> Any:
    _turns.take()
    _mine.taken = True
    try:
        return _run(script, context)
    finally:
        if _mine.taken:
            _give_back()


def _give_back() -> None:
    _mine.taken = False
    _turns.give_back()


@contextmanager
def letting_others() -> Iterator[None]:
    """While this script waits for something, others have its turn; what ends it in here needs none any more."""
    taken = getattr(_mine, "taken", False)
    if taken:
        _give_back()
    yield
    if taken:
        _turns.take()
        _mine.taken = True


def take_turns() -> None:
    """From now on, in all sessions of the server."""
    script_runner.exec_func_with_error_handling = _run_in_turn  # type: ignore[assignment]
