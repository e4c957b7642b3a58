"""The memory that a long-lived process holds: the collector's and the C library's habits, where they cost much."""

import ctypes
import gc
from contextlib import suppress

M_ARENA_MAX = -8  # glibc's malloc.h


def one_heap() -> None:
    """Let threads that come later share one heap of the C library, where it would give several of them.

    Each heap keeps what was freed in it: after a class of thirty, 50 MB together.  Python's threads take turns anyway.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def give_memory_back() -> None:
    """Free what waits for the collector, and return it to the system where the C library can.

    By itself Python leaves circles of objects alone for minutes, and the library keeps half of what a worker holds.
    """
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
