"""Pages in a real browser, Debian's Chromium, opened from files: a page that asks the network for anything fails its test.

def test_it(browse):
    page = browse(path)  # a page of Playwright; browse(path, PHONE), or browse(path, context=page.context): one more tab
    page.get_by_role("button", name="Start").click()
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
OF_A_FILE = ("file:", "data:", "blob:", "about:")


@pytest.fixture(scope="session")
def chromium():
    """The browser, one for all tests of a process. That there is none is an error where CI is set, else a reason to skip."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        reason = "no browser found: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium) -> Iterator[Callable]:
    """Opens a page from a file: browse(path, DESKTOP or PHONE). Its console errors, exceptions and requests fail the test."""
    yield from watched_pages(chromium)


def watched_pages(chromium) -> Iterator[Callable]:
    contexts, troubles = [], []

    def ask(request):
        if not request.url.startswith(OF_A_FILE):
            troubles.append(f"request: {request.url}")

    def watch(page):
        page.on("console", lambda message: message.type == "error" and troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"exception: {error}"))
        page.on("websocket", lambda connection: troubles.append(f"connection: {connection.url}"))

    def browse(path: Path, device: dict = DESKTOP, context=None):
        if context is None:
            context = chromium.new_context(**device, offline=True)
            context.set_default_timeout(10_000)
            context.on("page", watch)
            context.on("request", ask)
            contexts.append(context)
        page = context.new_page()
        page.goto(Path(path).resolve().as_uri())
        return page

    yield browse
    for context in contexts:
        context.close()
    assert not troubles, "\n".join(troubles)
