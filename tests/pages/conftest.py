"""Shared by the tests of pages."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from pages.components.shell.runs import shared_runs


@pytest.fixture(scope="session", autouse=True)
def one_search_for_components() -> Iterator[None]:
    """Every AppTest reads what each installed package says of itself, which takes longer than to draw most pages."""
    search = cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", search)
        yield


@pytest.fixture(scope="session", autouse=True)
def workers() -> Iterator[None]:
    """Of all files: they take a second to start, and keep the runs of the lessons, which many files show."""
    yield
    shared_runs().close()
