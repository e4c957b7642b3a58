"""A server gives back what its visitors have left."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pages.components.lesson.catalogue import lesson_of
from pages.components.shell import start
from pages.components.shell.address import PARTS
from pages.components.shell.runs import histories_of, shared_runs
from tests.pages.opened import in_part, opened
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


def test_no_session_holds_a_history() -> None:
    """Whatever part is open: it keeps its fragments with their arguments; thirty pairs would be twice the server's."""
    lesson, few = lesson_of("overfitting"), {"steps": "60"}
    pages = [in_part(opened(lesson.page, **few), part) for part in PARTS] + [opened(lesson.page, view="stage", **few)]
    trained = histories_of([replace(network, steps=60) for network in (lesson.patient, lesson.treated)])
    kept = [weakref.ref(history) for history in trained]
    del trained
    shared_runs().close()
    eventually(lambda: gc.collect() >= 0 and not any(reference() for reference in kept))
    assert all(page.header for page in pages)
