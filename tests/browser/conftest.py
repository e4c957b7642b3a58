"""Servers and a browser for the tests that click.

A test that needs a fresh server asks for `serve`, a module whose tests can share one for `serve_module`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.browser.readable import LAPTOP
from tests.patience import SOON
from tests.serving import ROOT, served

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LOGGED_FAULTS = ("Traceback", "Warning:", "Exception")

Serve = Callable[..., str]

expect.set_options(timeout=1000 * SOON)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium or Chrome as installed, else Playwright's own; without one: failure where CI is set, else skip."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=BROWSER_OPTIONS)
        except Error as error:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no browser: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a laptop's size with its own storage; an error that the page throws fails the test."""
    with _page(chromium) as page:
        yield page


@pytest.fixture(scope="module")
def page_module(chromium: Browser) -> Iterator[Page]:
    """The same as `page`, for a module whose tests can share one: loading a page with charts takes seconds."""
    with _page(chromium) as page:
        yield page


@contextmanager
def _page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=LAPTOP)
    context.set_default_timeout(1000 * SOON)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
    yield page
    context.close()
    assert not errors


@pytest.fixture
def serve() -> Iterator[Serve]:
    """serve(script, query="") starts a fresh server and returns its address with the query after the slash.

    The script is relative to the checkout.  The server stops with the test, and fails it if it has logged a traceback
    or a warning.
    """
    with ExitStack() as stack:
        yield _starter(stack)


@pytest.fixture(scope="module")
def serve_module() -> Iterator[Serve]:
    """The same as `serve`, for servers that last as long as the module's tests."""
    with ExitStack() as stack:
        yield _starter(stack)


def _starter(stack: ExitStack) -> Serve:
    def start(script: str | Path, query: str = "") -> str:
        return stack.enter_context(_server(ROOT / script)) + query

    return start


@contextmanager
def _server(script: Path) -> Iterator[str]:
    with served(script) as server:
        yield server.address
        logged = server.log.read_text()  # before the end, which may say things of its own
    assert not any(fault in logged for fault in LOGGED_FAULTS), logged
