"""BLAS on one thread: quicker on small matrices, and the same bits everywhere."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

try:
    from threadpoolctl import ThreadpoolController
except ImportError:  # a notebook without threadpoolctl: NumPy as it comes
    ThreadpoolController = None


@cache
def _controller() -> Any:
    return ThreadpoolController() if ThreadpoolController else None


def one_blas_thread() -> AbstractContextManager:
    """While it lasts, matrix products run on one thread.  Entering costs a few microseconds."""
    controller = _controller()
    return controller.limit(limits=1, user_api="blas") if controller else nullcontext()
