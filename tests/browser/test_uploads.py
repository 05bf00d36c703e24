"""A folder of pictures with YOLO text, chosen in a real browser: what breaks off goes on, and three items wait."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from deploy.demo_process import DemoProcess
from tests import prepared
from tests.review.uploads.files import picture

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    with DemoProcess(prepared.empty(tmp_path_factory, tmp_path_factory.mktemp("serve")), "serve") as running:
        yield running


@pytest.fixture
def page(chromium: Browser, serve: DemoProcess) -> Iterator[Page]:
    owner = json.loads((serve.folder / "first-person.json").read_text(encoding="utf-8"))
    problems: list[str] = []
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    page.goto(serve.address)
    page.get_by_label("Name").fill("owner")
    page.get_by_label("Password").fill(owner["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/accounts/login" not in url)
    yield page
    context.close()
    assert not problems


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    (root / "images").mkdir(parents=True)
    (root / "labels").mkdir()
    for n in range(3):
        (root / "images" / f"{n}.jpg").write_bytes(picture(n))
        (root / "labels" / f"{n}.txt").write_text("0 0.5 0.5 0.25 0.5 0.42\n", encoding="utf-8")
    (root / "classes.txt").write_text("person\n", encoding="utf-8")
    return root


def test_a_folder_that_broke_off_goes_on_and_comes_into_the_queue(page: Page, serve: DemoProcess, folder: Path) -> None:
    sent: list[str] = []

    def break_off(route: Route) -> None:
        sent.append(route.request.url)
        if len(sent) > 3:
            route.fulfill(status=403, content_type="application/problem+json", body='{"code": "stop", "title": "Stop"}')
        else:
            route.continue_()

    page.goto(f"{serve.address}/uploads/")
    page.get_by_label("pictures with a model").check()
    page.get_by_label("Model", exact=True).fill("detector")
    page.get_by_label("Version").fill("1.0")
    page.locator("#upload-folder").set_input_files(folder)
    posts = "**/uploads/*/files/"
    page.route(posts, lambda route: break_off(route) if route.request.method == "POST" else route.continue_())
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    page.unroute(posts)
    page.reload()
    expect(page.get_by_text("receiving files")).to_be_visible()
    again: list[str] = []
    page.on("request", lambda request: again.append(request.url) if request.method == "POST" else None)
    page.locator("#upload-folder").set_input_files(folder)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#upload-state")).to_contain_text("3 in the queue", timeout=60_000)
    # At least one was there already when it broke off; what was on its way then may be there or not.
    assert 4 <= len([url for url in again if url.endswith("/files/")]) <= 6
    page.goto(f"{serve.address}/queues/")
    expect(page.locator(".queues tbody")).to_contain_text("3")
