"""Shared by the engine's tests: workers, and the contract's assertions, which explain themselves as a test's own do."""

from collections.abc import Iterator
from functools import partial
from types import ModuleType

import pytest

from engine.executors.backends import worker_processes
from engine.executors.scheduler import Workers

pytest.register_assert_rewrite("tests.engine.contract")


@pytest.fixture(scope="session")
def processes() -> Iterator[Workers]:
    """Two, which take a second to start: of all files, not of each."""
    with Workers([partial(worker_processes, 2)]) as workers:
        yield workers


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """The network once more, in PyTorch; without PyTorch the test is skipped."""
    from tests.engine import oracle

    return oracle
