"""Servers and a browser for the tests that click.

A test that needs a fresh server asks for `serve`, a module whose tests can share one for `serve_module`.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.patience import SOON

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
STOP_SECONDS = 10
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
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(1000 * SOON)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
    yield page
    context.close()
    assert not errors


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """serve(script, query="") starts a fresh server and returns its address with the query after the slash.

    The script is relative to the checkout.  The server stops with the test, and fails it if it has logged a traceback
    or a warning.
    """
    with ExitStack() as stack:
        yield _starter(stack, tmp_path_factory)


@pytest.fixture(scope="module")
def serve_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """The same as `serve`, for servers that last as long as the module's tests."""
    with ExitStack() as stack:
        yield _starter(stack, tmp_path_factory)


def _starter(stack: ExitStack, directories: pytest.TempPathFactory) -> Serve:
    def start(script: str | Path, query: str = "") -> str:
        return stack.enter_context(_server(ROOT / script, directories.mktemp("server") / "log")) + query

    return start


@contextmanager
def _server(script: Path, log: Path) -> Iterator[str]:
    port = _free_port()
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    options |= {"server.fileWatcherType": "none", "browser.gatherUsageStats": "false"}
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += [f"--{name}={value}" for name, value in options.items()]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}/"
    try:
        _wait_until_up(address, server, log)
        yield address
        logged = log.read_text()  # before the end, which may say things of its own
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    assert not any(fault in logged for fault in LOGGED_FAULTS), logged


def _wait_until_up(address: str, server: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + SOON
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}_stcore/health", timeout=1)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
