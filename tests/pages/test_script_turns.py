"""Scripts of all sessions: a few at a time, in the order in which they came; one that waits keeps no others waiting."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from pages.components.shell import script_turns
from pages.components.shell.script_turns import Turns, letting_others, take_turns
from tests.patience import SOON, eventually


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """One at a time, for scripts as well."""
    one = Turns(1)
    monkeypatch.setattr(script_turns, "_turns", one)
    return one


@pytest.fixture
def in_turns(turns: Turns) -> Iterator[None]:
    before = script_runner.exec_func_with_error_handling
    take_turns()
    yield
    script_runner.exec_func_with_error_handling = before


def started(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_who_waits_longest_comes_next(turns: Turns) -> None:
    turns.take()
    came: list[int] = []

    def visit(number: int) -> None:
        turns.take()
        came.append(number)
        turns.give_back()

    for number in range(5):
        started(lambda number=number: visit(number))
        eventually(lambda number=number: len(turns._waiting) == number + 1)
    assert not came
    turns.give_back()
    eventually(lambda: came == [0, 1, 2, 3, 4])


def test_who_has_waited_too_long_goes_on_and_the_next_one_waits_for_both(turns: Turns) -> None:
    turns.take()
    turns.take(longest=0.01)
    third = started(turns.take)
    eventually(lambda: len(turns._waiting) == 1)
    turns.give_back()
    assert third.is_alive()
    turns.give_back()
    third.join(SOON)
    assert not third.is_alive()


def test_scripts_take_turns(in_turns: None, turns: Turns) -> None:
    page = AppTest.from_string("import streamlit as st\nst.text('drawn')")
    turns.take()
    drawing = started(lambda: page.run(timeout=SOON))
    eventually(lambda: turns._waiting)
    turns.give_back()
    drawing.join(SOON)
    assert page.text[0].value == "drawn"


def test_a_script_that_waits_for_something_lets_others_go_on(in_turns: None, turns: Turns) -> None:
    come, seen = threading.Event(), []

    def waits() -> None:
        with letting_others():
            seen.append(come.wait(SOON))

    waiting = started(lambda: script_runner.exec_func_with_error_handling(waits, None))  # type: ignore[arg-type]
    other = started(lambda: script_runner.exec_func_with_error_handling(come.set, None))  # type: ignore[arg-type]
    for thread in (waiting, other):
        thread.join(SOON)
    assert seen == [True]
    assert turns._free == 1


@pytest.mark.parametrize("where", ["alone", "while it waits"])
def test_a_script_that_ends_early_gives_its_turn_back(in_turns: None, turns: Turns, where: str) -> None:

    def ends() -> None:
        if where == "alone":
            raise SystemExit
        with letting_others():
            raise SystemExit

    with pytest.raises(SystemExit):
        script_runner.exec_func_with_error_handling(ends, None)  # type: ignore[arg-type]
    assert turns._free == 1
