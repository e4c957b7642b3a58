"""Servers and a browser for the tests that click.

Their tabs ask for reduced motion, so that a page stands at the end of its training as soon as it is drawn; what moves
by itself has tests of its own.

All share a server, `home`, and those of a module a tab, `page`, which loads a page again in half the time that a new
one takes; a tab of all modules gets four times as slow as they go.  A test that needs a fresh server asks for `serve`,
a module with a script of its own for `serve_module`, a test that listens to its page or changes what it loads for
`own_page`.  Where it is not the load that is tested, `visit` costs a fifth of it.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.browser.readable import LAPTOP
from tests.patience import SOON
from tests.serving import ROOT, Server, served

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The tabs of a process share what is compiled of Streamlit's and Plotly's scripts: about half the time of a load.
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--process-per-site"]
LOGGED_FAULTS = ("Traceback", "Warning:", "Exception")

# What Back does: Streamlit runs the page of the new address, and nothing is loaded again.
WITHIN_THE_APP = "(url) => (history.pushState({}, '', url), dispatchEvent(new PopStateEvent('popstate')))"

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


def visit(page: Page, url: str) -> None:
    """Open the address, within the app where the tab shows that of this server.

    Then the session stays too, and a bare address finds its lesson as it was left.
    """
    if urlsplit(page.url).netloc == urlsplit(url).netloc:
        page.evaluate(WITHIN_THE_APP, url)
    else:
        page.goto(url)


def settled(page: Page) -> None:
    """Wait until the server has drawn all that it was asked for."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


@pytest.fixture(scope="session")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=LAPTOP, reduced_motion="reduce")
    context.set_default_timeout(1000 * SOON)
    yield context
    context.close()


@pytest.fixture(scope="module")
def tab(context: BrowserContext) -> Iterator[Page]:
    with context.new_page() as page:
        yield page


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """A page of a laptop's size with nothing stored; an error that the page throws fails the test."""
    with _without_errors(tab):
        yield tab
        if tab.url.startswith("http"):
            tab.evaluate("() => (localStorage.clear(), sessionStorage.clear())")
        tab.context.clear_permissions()
        tab.emulate_media(color_scheme="light")
        tab.set_viewport_size(LAPTOP)
        tab.goto("about:blank")


@pytest.fixture
def own_page(context: BrowserContext) -> Iterator[Page]:
    with context.new_page() as page, _without_errors(page):
        yield page


@pytest.fixture(scope="module")
def page_module(context: BrowserContext) -> Iterator[Page]:
    """The same, for a module whose tests can share one: loading a page with charts takes seconds."""
    with context.new_page() as page, _without_errors(page):
        yield page


@contextmanager
def _without_errors(page: Page) -> Iterator[None]:
    errors: list[str] = []

    def listen(error: Error) -> None:
        errors.append(error.stack or str(error))

    page.on("pageerror", listen)
    yield
    page.remove_listener("pageerror", listen)
    assert not errors


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with served() as server:
        yield server


@pytest.fixture(scope="module")
def home(server: Server) -> Iterator[str]:
    """The address of the app on a server that all tests share; a module fails where it has logged a fault."""
    before = server.log.stat().st_size
    yield server.address
    _expect_no_fault(server.log.read_bytes()[before:].decode())


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
    _expect_no_fault(logged)


def _expect_no_fault(logged: str) -> None:
    assert not any(fault in logged for fault in LOGGED_FAULTS), logged
