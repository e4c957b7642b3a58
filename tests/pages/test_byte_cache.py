"""What a server keeps stays within its bytes, and is made once for all."""

import threading
import time

import pytest

from pages.components.shell.byte_cache import ByteCache


def test_what_is_kept_is_not_made_again() -> None:
    kept = ByteCache(10)
    assert kept.get("a", lambda: b"one") == b"one"
    assert kept.get("a", lambda: b"other") == kept.find("a") == b"one"
    assert kept.find("b") is None
    assert kept.nbytes == 3


def test_kept_up_to_a_number_of_bytes() -> None:
    kept = ByteCache(10)
    for key in "abc":
        kept.get(key, lambda: b"1234")
        kept.get("a", lambda: b"made anew")
    assert kept.nbytes == 8
    assert kept.get("a", lambda: b"-") == kept.get("c", lambda: b"-") == b"1234"
    assert kept.get("b", lambda: b"-") == b"-", "it was not wanted longest"
    assert kept.get("large", lambda: b"x" * 11) == b"x" * 11
    assert kept.nbytes == 0, "too large to be kept beside anything"


def test_many_threads_make_one_thing_once_and_stay_within_the_bytes() -> None:
    kept, made = ByteCache(500), []

    def make(key: int) -> bytes:
        made.append(key)
        time.sleep(0.01)
        return bytes([key]) * 100

    def visit() -> None:
        for key in range(5):
            assert kept.get(key, lambda key=key: make(key)) == bytes([key]) * 100

    threads = [threading.Thread(target=visit) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == list(range(5))
    assert kept.nbytes == 500


def test_what_fails_is_tried_again() -> None:
    kept = ByteCache(10)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: bytes(1 // 0))
    assert kept.get("a", lambda: b"one") == b"one"
