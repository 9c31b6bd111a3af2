"""A browser for tests that look at pages as people do.

Fixtures: `browser` (Chromium, one per module) and `page` (a fresh profile per test; a failed test leaves a picture and
the page's words). The browser is Debian's: Playwright's package brings the driver alone, and nothing downloads another.
Where Chromium is missing, root on Debian installs it; elsewhere these tests are skipped, saying why; where CI=true that
is an error.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

WIDTH, HEIGHT = 1440, 900
ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # Reason: as root, as in CI, Chromium starts with no sandbox or not at all.
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_TEXT = 6000


class ChromiumUnavailable(Exception):
    """There is no Chromium on this machine, and none can be installed."""


def executable() -> str:
    """The path of Chromium, installed by apt-get if it is missing (a minute).

    Raises:
        ChromiumUnavailable: It is missing, and this is not root on Debian, or installing it failed.
    """
    if found := _found():
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ChromiumUnavailable("install Chromium; only root on Debian can have the tests install it")
    with (Path(tempfile.gettempdir()) / "meta-ads-tests-chromium.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Reason: of several test processes one installs it.
        if found := _found():
            return found
        for command in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "install", "--yes", "chromium"]):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)
            if done.returncode:
                raise ChromiumUnavailable(f"{' '.join(command)} failed: {done.stderr[-1000:]}")
    if found := _found():
        return found
    raise ChromiumUnavailable("the package chromium brought no program of that name")


def launch(playwright: Playwright) -> Browser:
    """A running Chromium.

    Raises:
        ChromiumUnavailable: There is none.
    """
    return playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))


def new_page(browser: Browser) -> Page:
    """An empty page with a profile of its own: nothing is cached or remembered.

    Its time zone is UTC, so that what a page shows does not depend on the machine.
    """
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1, locale="en-US", timezone_id="UTC"
    )
    return context.new_page()


# Reason for the scope: while it runs, Playwright's event loop is that of the thread, and other modules have their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of a module."""
    from playwright.sync_api import sync_playwright

    try:
        executable()
    except ChromiumUnavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test in a browser: {error}")
        pytest.skip(f"no Chromium: {error}")
    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with a profile of its own; if the test fails, what it showed is kept and told."""
    opened = new_page(browser)
    yield opened
    opened.context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Adds what the page of a failed test showed."""
    report = yield
    shown = getattr(item, "funcargs", {}).get("page")
    if report.failed and call.when == "call" and shown is not None:
        picture = item.funcargs["tmp_path"] / "failed.png" if "tmp_path" in item.funcargs else None
        report.sections.append(("browser", _told(shown, picture)))
    return report


def _told(page: Page, picture: Path | None) -> str:
    """Where the page was, its words, and where its picture is."""
    try:
        if picture:
            page.screenshot(path=picture)
        words = page.locator("body").aria_snapshot()[:_TEXT]
    except Exception as problem:  # noqa: BLE001 - the page may be what broke, and the test's own failure matters
        words = f"The page cannot be read: {problem}"
    return f"{page.url}\npicture: {picture}\n{words}"


def _found() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)
