"""Servers and a browser for the tests that click.

Their tabs ask for reduced motion, so that a page stands at the end of its training as soon as it is drawn; what moves
by itself has tests of its own.

All share a server, `home`, and those of a module a tab, `page`, which loads a page again in half the time that a new
one takes; a tab of all modules gets four times as slow as they go.  A module with a script of its own asks for
`serve_module`, a test that listens to its page or changes what it loads for `own_page`.  Where it is not the load that
is tested, `visit` costs a fifth of it, and where it is not the charts, `part=read` has none.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partialmethod
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.browser.readable import LAPTOP
from tests.patience import SOON
from tests.serving import ROOT, Server, served

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    # The tabs share what is compiled of Streamlit's and Plotly's scripts: about half the time of a load.
    "--process-per-site",
    # A page lives for seconds here, and never earns back what it costs to optimize its scripts: a seventh of a load.
    "--js-flags=--no-maglev --no-turbofan",
]  # fmt: skip
LOGGED_FAULTS = ("Traceback", "Warning:", "Exception")

# What Back does: Streamlit runs the page of the new address, and nothing is loaded again.
WITHIN_THE_APP = "(url) => (history.pushState({}, '', url), dispatchEvent(new PopStateEvent('popstate')))"

# Whether no run was asked for or under way for longer than a moved control waits with its request.
STANDS = """(asked) => {
  const stands = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "notRunning";
  if (!stands || window.stands?.asked !== asked) window.stands = { asked, since: performance.now() };
  return stands && performance.now() - window.stands.since >= 300;
}"""  # no promise: Playwright takes one for true, whatever comes of it

expect.set_options(timeout=1000 * SOON)
# By itself Playwright looks at every frame whether what is waited for is there, and makes the browser draw it.
Page.wait_for_function = partialmethod(Page.wait_for_function, polling=50)  # type: ignore[assignment]


def pytest_itemcollected(item: pytest.Item) -> None:
    """On a busy machine a click may come between two drawings of a page, once in some thousands.

    So what fails is tried once more, and the summary names it where it passes then: a test that is named twice has a
    fault, or finds one.
    """
    item.add_marker(pytest.mark.flaky(reruns=1))


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
    """Wait until the server has drawn all that it was asked for, what a control is about to ask for included."""
    page.wait_for_function(STANDS, arg=time.monotonic())


@pytest.fixture(scope="session")
def context(chromium: Browser, server: Server) -> Iterator[BrowserContext]:
    """One tab stays open, and with it the process of all the others, with what it has compiled."""
    context = chromium.new_context(viewport=LAPTOP, reduced_motion="reduce")
    context.set_default_timeout(1000 * SOON)
    context.new_page().goto(server.address + "_stcore/health")
    yield context
    context.close()


@pytest.fixture(scope="module")
def tab(context: BrowserContext) -> Iterator[Page]:
    with context.new_page() as page:
        yield page


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """A page of a laptop's size with nothing stored; an error that the page throws fails the test."""
    with without_errors(tab):
        yield tab
        if tab.url.startswith("http"):
            tab.evaluate("() => (localStorage.clear(), sessionStorage.clear())")
        tab.context.clear_permissions()
        tab.emulate_media(color_scheme="light")
        tab.set_viewport_size(LAPTOP)
        tab.goto("about:blank")


@pytest.fixture
def own_page(context: BrowserContext) -> Iterator[Page]:
    with context.new_page() as page, without_errors(page):
        yield page


@pytest.fixture(scope="module")
def page_module(context: BrowserContext) -> Iterator[Page]:
    """The same, for a module whose tests can share one: loading a page with charts takes seconds."""
    with context.new_page() as page, without_errors(page):
        yield page


@contextmanager
def without_errors(page: Page) -> Iterator[None]:
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


@pytest.fixture(scope="module")
def serve_module() -> Iterator[Callable[[str | Path], str]]:
    """serve_module(script) starts a fresh server and returns its address.

    The script is relative to the checkout.  The server stops with the module, and fails it if it has logged a traceback
    or a warning.
    """
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(_server(ROOT / script))


@contextmanager
def _server(script: Path) -> Iterator[str]:
    with served(script) as server:
        yield server.address
        logged = server.log.read_text()  # before the end, which may say things of its own
    _expect_no_fault(logged)


def _expect_no_fault(logged: str) -> None:
    assert not any(fault in logged for fault in LOGGED_FAULTS), logged
