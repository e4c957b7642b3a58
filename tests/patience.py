"""How long a test waits for what has to happen.  Only a failing test waits so long, on however busy a machine."""

import time
from collections.abc import Callable

SOON = 90.0  # seconds


def eventually(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds; fail where it does not in time."""
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
