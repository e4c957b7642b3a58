"""Firefox and WebKitGTK behind one small interface, each as a desktop of the wanted theme would start it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, sync_playwright
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.keys import Keys

LAPTOP = (1440, 900)
PHONE = (390, 844)

FIREFOX = Path("/usr/bin/firefox-esr")
WEBKIT_DRIVER = Path("/usr/bin/WebKitWebDriver")
MOUSE = 6  # a fine pointer, 2, that can hover, 4: without a desktop Firefox believes that it has none

KEYS = {"ArrowRight": Keys.ARROW_RIGHT, "Home": Keys.HOME, "End": Keys.END, "Space": Keys.SPACE}


class Browser(Protocol):
    def open(self, address: str) -> None: ...

    def open_on_a_phone(self, address: str) -> None: ...

    def ask(self, function: str, *arguments: Any) -> Any:
        """What the JavaScript function returns for these arguments."""

    def click(self, x: float, y: float) -> None:
        """With the mouse, in pixels of the window."""

    def press(self, key: str) -> None: ...

    def back(self) -> None: ...


class Firefox:
    def __init__(self, page: Page):
        self.page = page

    def open(self, address: str) -> None:
        self._open(address, LAPTOP)

    def open_on_a_phone(self, address: str) -> None:
        self._open(address, PHONE)

    def _open(self, address: str, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.goto(address)

    def ask(self, function: str, *arguments: Any) -> Any:
        return self.page.evaluate(f"(arguments) => ({function})(...arguments)", list(arguments))

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(x, y)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def back(self) -> None:
        self.page.go_back()


class WebKit:
    def __init__(self, driver: webdriver.WebKitGTK):
        self.driver = driver

    def open(self, address: str) -> None:
        self.driver.get(address)

    def open_on_a_phone(self, address: str) -> None:
        """In a frame of a phone's size: MiniBrowser's window is never so narrow."""
        self.driver.get(urljoin(address, "/_stcore/health"))
        self.driver.execute_script(
            "const [src, width, height] = arguments;"
            "document.body.replaceChildren(Object.assign(document.createElement('iframe'), { src, width, height }))",
            address,
            *PHONE,
        )
        self.driver.switch_to.frame(0)

    def ask(self, function: str, *arguments: Any) -> Any:
        return self.driver.execute_script(f"return ({function})(...arguments)", *arguments)

    def click(self, x: float, y: float) -> None:
        actions = ActionBuilder(self.driver)
        actions.pointer_action.move_to_location(round(x), round(y)).click()
        actions.perform()

    def press(self, key: str) -> None:
        ActionChains(self.driver).send_keys(KEYS[key]).perform()

    def back(self) -> None:
        """As a script goes back: on a busy machine the driver's way passed over an entry made long after its press."""
        self.driver.execute_script("history.back()")


@contextmanager
def firefox(dark: bool, folder: Path) -> Iterator[Browser]:
    if not FIREFOX.exists():
        pytest.skip("Firefox ESR is not installed: apt-get install firefox-esr")
    preferences = {
        "ui.primaryPointerCapabilities": MOUSE,
        "ui.allPointerCapabilities": MOUSE,
        "ui.prefersReducedMotion": 1,
        "ui.systemUsesDarkTheme": int(dark),
    }
    with sync_playwright() as playwright:
        browser = playwright.firefox.launch(
            channel="moz-firefox", executable_path=FIREFOX, firefox_user_prefs=preferences
        )
        # Media are as the preferences have them.
        page = browser.new_page(reduced_motion="null", color_scheme="null", forced_colors="null", contrast="null")
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
        yield Firefox(page)
        browser.close()
    assert not errors


@contextmanager
def webkit(dark: bool, folder: Path) -> Iterator[Browser]:
    """Needs an X server; tests/browsers.sh starts one without a screen."""
    found = next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"), None)
    if not found or not WEBKIT_DRIVER.exists():
        pytest.skip("WebKitGTK is not installed: apt-get install webkit2gtk-driver")
    if "DISPLAY" not in os.environ:
        pytest.skip("WebKitGTK has no X server: apt-get install xvfb")
    settings = folder / "gtk-3.0" / "settings.ini"
    settings.parent.mkdir()
    settings.write_text("[Settings]\ngtk-enable-animations = false\n")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(found)
    options.add_argument("--automation")
    if dark:  # MiniBrowser sets the theme itself, whatever the desktop's settings say
        options.add_argument("--dark-mode")
    service = webdriver.WebKitGTKService(str(WEBKIT_DRIVER), env=os.environ | {"XDG_CONFIG_HOME": str(folder)})
    with webdriver.WebKitGTK(options=options, service=service) as driver:
        driver.set_window_size(*LAPTOP)
        yield WebKit(driver)


ENGINES = {"Firefox": firefox, "WebKit": webkit}
