"""A server gives back what its visitors have left."""

import gc
import weakref
from collections.abc import Iterator

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


@pytest.mark.parametrize("part", [*PARTS, None])
def test_a_session_holds_no_history(part: str | None) -> None:
    """It keeps its fragments with their arguments; thirty pairs would be twice what the server may keep."""
    lesson = lesson_of("overfitting")
    page = opened(lesson.page, **({} if part else {"view": "stage"}))
    if part:
        in_part(page, part)
    kept = [weakref.ref(history) for history in histories_of((lesson.patient, lesson.treated))]
    shared_runs().close()
    eventually(lambda: gc.collect() >= 0 and not any(reference() for reference in kept))
    assert page.header
