"""Durable before 201: the order of the server's own system calls, from the bytes that came to the answer that goes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.factories import event_body, jpeg, sha256
from tests.faults.ledger import INSIDE
from tests.faults.product import Product
from tests.faults.tracing import Call, require_strace, traced

pytestmark = pytest.mark.slow
ANSWER = '"HTTP/1.1 201'
COMMIT = "COMMIT"
PICTURE, LATER = jpeg((1, 2, 3), (64, 48)), jpeg((4, 5, 6), (64, 48))


@pytest.fixture(autouse=True)
def _strace() -> None:
    require_strace()


def body_of(product: Product, picture: bytes | None = None) -> dict[str, Any]:
    frame = {"width": 64, "height": 48}
    return event_body(picture=picture, camera=product.site["sources"][0]["camera"], frame=frame, **INSIDE)


def post(client: httpx.Client, body: dict[str, Any], picture: bytes | None = None) -> int:
    if picture is None:
        return client.post("/events", json=body).status_code
    files = {"event": (None, json.dumps(body)), "frame": ("frame.jpg", picture, "image/jpeg")}
    return client.post("/events", files=files).status_code


def put(client: httpx.Client, picture: bytes) -> int:
    headers = {"Content-Type": "image/jpeg"}
    return client.put(f"/evidence/{sha256(picture)}", content=picture, headers=headers).status_code


def plain(key: str) -> str:
    """An id as SQLite keeps it."""
    return key.replace("-", "")


def up_to_answers(calls: list[Call]) -> list[list[Call]]:
    """What was done before each 201 and after the one before it; the answer is the last of each."""
    found: list[list[Call]] = []
    window: list[Call] = []
    for call in calls:
        window.append(call)
        if call.name == "sendto" and ANSWER in call.arguments:
            found.append(window)
            window = []
    return found


def what_is_not_durable(window: list[Call], path: Path) -> Iterator[str]:
    """The file with its bytes, its name in its folder, and each new folder in the one above it."""
    answer = window[-1].began
    renamed = [call for call in window if call.name == "rename" and call.arguments.count(f'"{path}"')]
    if not renamed:
        yield f"{path.name[:8]} was not put in its place"
        return
    temporary = Path(renamed[-1].arguments.split('"')[1])
    written = [call for call in window if call.name == "write" and call.is_on(temporary)]
    if not synced(window, temporary, after=max(call.ended for call in written), before=renamed[-1].began):
        yield "the bytes were not synced before the rename"
    if not synced(window, path.parent, after=renamed[-1].ended, before=answer):
        yield "the folder was not synced after the rename"
    for made in (call for call in window if call.name == "mkdir" and call.result == 0):
        folder = Path(made.arguments.split('"')[1])
        if not synced(window, folder.parent, after=made.ended, before=answer):
            yield f"the new folder {folder.name} was not synced in its parent"


def what_is_not_committed(window: list[Call], log: Path, text: str) -> Iterator[str]:
    """SQLite's log with the rows that hold `text`, and whatever the same thread wrote after them."""
    writes = [call for call in window if call.name == "pwrite64" and call.is_on(log)]
    rows = [call for call in writes if text in call.arguments]
    if not rows:
        yield f"no row holds {text}"
        return
    last = max(call.ended for call in writes if call.thread == rows[-1].thread)
    if not synced(window, log, after=last, before=window[-1].began):
        yield "the database was not synced after its rows were written"


def synced(window: list[Call], path: Path, *, after: int, before: int) -> bool:
    return any(
        call.name in {"fsync", "fdatasync"} and call.is_on(path) and call.result == 0
        for call in window
        if after < call.began and call.ended < before
    )


def evidence(product: Product, picture: bytes) -> Path:
    name = sha256(picture)
    return product.folder / "media" / "evidence" / product.site["id"] / name[:2] / name


def test_file_folders_and_database_are_synced_before_a_201(embedded: Product, folder: Path) -> None:
    log = embedded.folder / "secondlook.sqlite3-wal"
    shown, bare, again, announcing = (body_of(embedded, one) for one in (PICTURE, None, PICTURE, LATER))
    with traced(embedded, folder / "trace") as calls, embedded.client(embedded.site["sources"][0]["token"]) as client:
        assert post(client, shown, PICTURE) == 201
        assert post(client, bare) == 201
        assert post(client, again, PICTURE) == 201
        assert post(client, announcing) == 201
        assert put(client, LATER) == 201
    windows = up_to_answers(calls)
    assert len(windows) == 5
    assert list(what_is_not_durable(windows[0], evidence(embedded, PICTURE))) == []
    assert list(what_is_not_durable(windows[4], evidence(embedded, LATER))) == []
    texts = [*(plain(body["event_id"]) for body in (shown, bare, again, announcing)), sha256(LATER)]
    for window, text in zip(windows, texts, strict=True):
        assert list(what_is_not_committed(window, log, text)) == []
    # Bytes that were there: whoever put them there may have died before their folder was synced.
    assert synced(
        windows[2], evidence(embedded, PICTURE).parent, after=windows[1][-1].ended, before=windows[2][-1].began
    )


def test_file_and_folders_are_synced_before_postgresql_is_told_to_commit(production: Product, folder: Path) -> None:
    body = body_of(production, PICTURE)
    source = production.site["sources"][0]["token"]
    with traced(production, folder / "trace") as calls, production.client(source) as client:
        assert post(client, body, PICTURE) == 201
    (window,) = up_to_answers(calls)
    path = evidence(production, PICTURE)
    put_in_place = next(call for call in window if call.name == "rename" and str(path) in call.arguments)
    commits = [
        call
        for call in window
        if call.thread == put_in_place.thread and call.name == "sendto" and COMMIT in call.arguments
    ]
    before_commit = [call for call in window if call.began < commits[-1].began]
    assert list(what_is_not_durable([*before_commit, commits[-1]], path)) == []
    assert commits[-1].ended < window[-1].began
