"""A real browser, and a demo of its own to point it at."""

import json
import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from deploy.demo_process import DemoProcess
from tests import prepared

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SignIn = Callable[[str], Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one module: two of Playwright's loops cannot run in one process."""
    if CHROMIUM is None:
        pytest.skip("no system Chromium: install Debian's package chromium, or name one in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    with DemoProcess(prepared.demo(tmp_path_factory, tmp_path_factory.mktemp("demo"))) as running:
        yield running


@pytest.fixture
def sign_in(chromium: Browser, demo: DemoProcess) -> Iterator[SignIn]:
    """Signs a demo person in, by keyboard, in a browser context of his own; page errors fail the test."""
    pages, problems = [], []

    def enter(login: str) -> Page:
        page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
        page.goto(demo.address)
        page.get_by_label("Name").fill(login)
        page.get_by_label("Password").fill(demo.people()[login]["password"])
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/accounts/login" not in url)
        pages.append(page)
        return page

    yield enter
    for page in pages:
        page.context.close()
    assert not problems, json.dumps(problems)
