"""The whole job on the started demo: live events, answers by keyboard, a threshold, a release that a reader accepts."""

import io
import json
import re
import sqlite3
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect
from pycocotools.coco import COCO

from deploy.demo_process import DemoProcess
from tests.browser.conftest import SignIn

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE_S = 90
PAYLOAD = re.compile(r'<script id="[^"]+" type="application/json">(.*?)</script>', re.DOTALL)


def rows(demo: DemoProcess, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the demo's database says, read beside the server."""
    with sqlite3.connect(f"file:{demo.folder / 'secondlook.sqlite3'}?mode=ro", uri=True) as connection:
        return connection.execute(query, values).fetchall()


def wait_for[T](look: Callable[[], T], what: str) -> T:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.25)
    raise AssertionError(f"never happened: {what}")


class Desk:
    """The desk as somebody at the keyboard sees it; remembers what the server handed out."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.handed: dict[str, dict[str, Any]] = {}
        page.on("response", self.remember)

    def remember(self, response: Response) -> None:
        if response.url.endswith("/desk/claim/") and (found := PAYLOAD.search(response.text())):
            payload = json.loads(found.group(1))
            self.handed[payload["item"]] = payload

    def item_after(self, last: str | None) -> dict[str, Any]:
        """Wait until another item than `last` is painted; its payload."""
        self.page.wait_for_function(
            """last => {
                const desk = document.querySelector("[data-desk][data-state=ready]")
                // A picture may be a moment later than its item, and nothing is answered before it is there.
                return desk && desk.dataset.item !== last && desk.querySelector(".stage__picture")
            }""",
            arg=last,
            timeout=PATIENCE_S * 1000,
        )
        return self.handed[self.page.locator("[data-desk]").get_attribute("data-item") or ""]


def answered(demo: DemoProcess, count: int) -> list[tuple[Any, ...]]:
    query = "SELECT answer, labels FROM review_verdict ORDER BY created_at"
    return wait_for(lambda: found if len(found := rows(demo, query)) == count else [], f"{count} verdicts")


def test_the_whole_loop_on_the_demo(demo: DemoProcess, sign_in: SignIn, tmp_path: Path) -> None:
    corrected, confirmed, bad = three_answers(demo, sign_in("operator"))
    a_threshold_that_the_next_event_obeys(demo, sign_in("supervisor"))
    archive = a_release(demo, sign_in("mlengineer"))
    what_a_reader_finds(archive, tmp_path, corrected, confirmed, bad)


def three_answers(demo: DemoProcess, page: Page) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """As operator, by keyboard only: correct a box, confirm, answer bad picture."""
    wait_for(lambda: rows(demo, "SELECT 1 FROM review_item WHERE state = 'open' LIMIT 1"), "a live event")
    desk = Desk(page)
    page.goto(f"{demo.address}/queues/")
    page.get_by_role("row", name="Yard · unsure").get_by_role("link", name="Start").press("Enter")
    first = desk.item_after(None)
    for key in ("Shift+ArrowRight", "ArrowDown", "1"):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Correct")).to_be_visible()
    page.keyboard.press("Enter")
    second = another_picture(desk, [first])
    page.keyboard.press("Enter")
    third = another_picture(desk, [first, second])
    page.keyboard.press("b")
    answers = answered(demo, 3)
    assert [answer for answer, _labels in answers] == ["correct", "confirm", "bad_image"]
    moved = subject_label(first, json.loads(answers[0][1]))
    was = next(p for p in first["event"]["predictions"] if p["id"] == moved["prediction"])
    assert moved["class"] == "person"
    assert moved["box"][0] > was["box"][0]
    return first, second, third


def another_picture(desk: Desk, answered: list[dict[str, Any]]) -> dict[str, Any]:
    """The next item that shows a picture not answered yet: the footage repeats, and two answers on the same bytes that
    differ keep a picture out of every release.
    """
    last = answered[-1]["item"]
    while True:
        item = desk.item_after(last)
        if item["picture"] not in {one["picture"] for one in answered}:
            return item
        desk.page.keyboard.press("s")
        last = item["item"]


def subject_label(item: dict[str, Any], labels: list[dict[str, Any]]) -> dict[str, Any]:
    return next(label for label in labels if label.get("prediction") in item["event"]["subject"])


def a_threshold_that_the_next_event_obeys(demo: DemoProcess, page: Page) -> None:
    """As supervisor: below the floor is refused with the reason; a narrower band makes the next doubts pass."""
    page.goto(f"{demo.address}/policy/")
    person = page.get_by_role("row", name="person unsure")
    person.locator("input[name^='low-']").fill("0.2")
    page.get_by_label("Why this change").fill("walkers are safe here")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("reports nothing below 0.40")).to_be_visible()
    person.locator("input[name^='low-']").fill("0.59")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Version 2 is live")).to_be_visible()
    query = """
        SELECT decision FROM review_routing JOIN review_event ON review_event.id = review_routing.event_id
        JOIN review_policy ON review_policy.id = review_routing.policy_id
        WHERE review_policy.version = 2 AND top_class = 'person' AND top_confidence BETWEEN 0.40 AND 0.589
    """
    decided = wait_for(lambda: rows(demo, query), "a doubtful person after the change")
    assert {decision for (decision,) in decided} == {"passed"}


def a_release(demo: DemoProcess, page: Page) -> zipfile.ZipFile:
    """As ML engineer: freeze and build what is final, and download it."""
    final = "SELECT COUNT(*) FROM review_sequencedoutcome"
    release = "SELECT state, failure FROM review_release WHERE state IN ('ready', 'failed')"
    wait_for(lambda: rows(demo, final)[0][0] == 3, "three final outcomes")
    page.goto(f"{demo.address}/releases/")
    page.get_by_label("Yard · unsure").check()
    page.get_by_role("button", name="Freeze and build").click()
    # Whatever keeps it from being made says so on the page.
    expect(page.get_by_role("heading", name="Release 1")).to_be_visible(timeout=30_000)
    try:
        ended = wait_for(lambda: rows(demo, release), "a release that is built or has failed")
    except AssertionError as error:
        tasks = "SELECT task_path, status, enqueued_at, started_at, finished_at FROM django_tasks_db_dbtaskresult"
        error.add_note(f"{rows(demo, f'{tasks} ORDER BY enqueued_at DESC LIMIT 20')}")
        error.add_note(demo.log.read_text(encoding="utf-8")[-4000:])
        raise
    assert ended == [("ready", "")]
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as ZIP").click()
    return zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))


def what_a_reader_finds(
    archive: zipfile.ZipFile, folder: Path, corrected: dict[str, Any], confirmed: dict[str, Any], bad: dict[str, Any]
) -> None:
    """pycocotools reads exactly the outcomes that were given, and the manifest names the picture that stayed out."""
    archive.extractall(folder)
    manifest = json.loads(next(folder.rglob("manifest.json")).read_text(encoding="utf-8"))
    assert manifest["counts"]["outcomes"] == {"confirmed": 1, "corrected": 1}
    assert {entry["reason"]: entry["outcomes"] for entry in manifest["excluded"]} == {"bad_image": 1}
    found = [COCO(str(path)) for path in sorted(folder.rglob("annotations/*.json"))]
    boxes = [annotation for coco in found for annotation in coco.anns.values()]
    pictures = [picture for coco in found for picture in coco.imgs.values()]
    wanted = len(corrected["event"]["predictions"]) + len(confirmed["event"]["predictions"])
    assert len(pictures) == 2
    assert len(boxes) == wanted
    files = {path.name for path in folder.rglob("*.jpg")}
    assert {Path(picture["file_name"]).name for picture in pictures} <= files
    assert bad["item"] not in json.dumps(manifest)
