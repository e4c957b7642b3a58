"""What a server keeps made for the next visitor who wants the same: up to so many bytes, and out of visitors' reach."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

# Threads that make something at a time, in all caches: more of them are no faster, and each holds what it works with.
_at_work = threading.BoundedSemaphore(2)


class ByteCache:
    """Bytes by key, made once for all who want them at a time.  Thread-safe.  What makes them waits for nothing else.

    Up to `limit` bytes are kept; those that were least recently wanted go first.
    """

    def __init__(self, limit: float):
        self.limit = limit
        self.nbytes = 0
        self._values: OrderedDict[Hashable, bytes] = OrderedDict()  # least recently wanted first
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> bytes | None:
        """What is kept under the key, if anything is."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What is kept under the key, else what `make` gives; where it raises, nothing is kept."""
        if (found := self.find(key)) is not None:
            return found
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if (found := self.find(key)) is not None:  # made by another meanwhile
                return found
            value = None
            try:
                with _at_work:
                    value = make()
                return value
            finally:
                with self._lock:
                    self._making.pop(key, None)
                    if value is not None and key not in self._values:
                        self._values[key] = value
                        self.nbytes += len(value)
                    while self.nbytes > self.limit:
                        self.nbytes -= len(self._values.popitem(last=False)[1])
