"""BLAS on one thread: quicker on small matrices, and the same bits everywhere."""

import threading
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

try:
    from threadpoolctl import ThreadpoolController
except ImportError:  # a notebook without threadpoolctl: NumPy as it comes
    ThreadpoolController = None


class _OneThread(AbstractContextManager):
    """May be entered again, and by several threads at once: BLAS gets its threads back when the last of them leaves.

    Their number is the whole process's: who gave them back earlier would take the one thread from the others.
    """

    def __init__(self, controller: Any) -> None:
        self._controller, self._lock, self._entered = controller, threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            limits = self._controller.limit(limits=1, user_api="blas")
            if not self._entered:
                self._first = limits  # which knows how many threads there were
            self._entered += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._entered -= 1
            if not self._entered:
                self._first.restore_original_limits()


@cache
def one_blas_thread() -> AbstractContextManager:
    """While it lasts, matrix products run on one thread.  Entering costs a few microseconds."""
    return _OneThread(ThreadpoolController()) if ThreadpoolController else nullcontext()
