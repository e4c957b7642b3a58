"""A server gives back what its visitors have left."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from pages.components.shell import start
from tests.patience import eventually


class Visit:
    """Refers to itself, as what a page leaves behind may."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def lazy_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_circles_of_objects_do_not_stay(lazy_collector: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "MEMORY_SECONDS", 0.1)
    start.keep_memory_low()
    left = weakref.ref(Visit())
    eventually(lambda: not left())
