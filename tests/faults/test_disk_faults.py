"""F09 and its neighbours: a disk that fails or is full costs a 503 with a code, and nothing else."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.factories import event_body, jpeg, sha256
from tests.faults.invariants import doubled_keys, query_of
from tests.faults.ledger import INSIDE
from tests.faults.product import Product
from tests.faults.tracing import faulty, require_strace

pytestmark = pytest.mark.slow
FILES = [
    ("fsync", "EIO", "storage_unavailable"),
    ("write", "ENOSPC", "storage_full"),
    ("write", "EDQUOT", "storage_full"),
    ("rename", "EIO", "storage_unavailable"),
    ("mkdir", "EACCES", "storage_unavailable"),
]
DATABASE = [("fdatasync", "EIO", "busy"), ("pwrite64", "ENOSPC", "busy"), ("pwrite64", "EIO", "busy")]


class Device:
    """A source that sends one event, and knows what should be there of it."""

    def __init__(self, product: Product, number: int) -> None:
        source = product.site["sources"][0]
        self.product, self.client = product, product.client(source["token"])
        # So many colours that each picture has a folder of its own, which has to be made.
        self.picture = jpeg((8 * number, 77, 33), (64, 48))
        frame = {"width": 64, "height": 48}
        self.body: dict[str, Any] = event_body(picture=self.picture, camera=source["camera"], frame=frame, **INSIDE)

    @property
    def path(self) -> Path:
        name = sha256(self.picture)
        return self.product.folder / "media" / "evidence" / self.product.site["id"] / name[:2] / name

    def post(self) -> httpx.Response:
        files = {"event": (None, json.dumps(self.body)), "frame": ("frame.jpg", self.picture, "image/jpeg")}
        return self.client.post("/events", files=files)

    def announce(self) -> httpx.Response:
        return self.client.post("/events", json=self.body)

    def put(self, **headers: str) -> httpx.Response:
        told = {"Content-Type": "image/jpeg"} | headers
        return self.client.put(f"/evidence/{sha256(self.picture)}", content=self.picture, headers=told)

    def put_as_part(self) -> httpx.Response:
        last = len(self.picture) - 1
        return self.put(**{"Content-Range": f"bytes 0-{last}/{last + 1}"})


def refused(answer: httpx.Response, code: str) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] == code


def temporary(product: Product) -> list[Path]:
    return [path for path in (product.folder / "media").rglob("*") if path.name.endswith(".tmp")]


def is_there_once(device: Device) -> None:
    key = str(device.body["event_id"]).replace("-", "")
    rows = query_of(device.product)(
        "SELECT v.sha256, v.evidence_id IS NOT NULL FROM review_event e "
        f"JOIN review_eventevidence v ON v.event_id = e.id WHERE e.event_id = '{key}'"
    )
    assert rows == [(sha256(device.picture), 1)]
    assert device.path.read_bytes() == device.picture


def test_a_fault_of_the_disk_is_never_a_good_answer_and_the_repeat_is_stored_once(embedded: Product) -> None:
    require_strace()
    devices = []
    for number, (call, error, code) in enumerate(FILES + DATABASE):
        device, later = Device(embedded, 2 * number), Device(embedded, 2 * number + 1)
        devices += [device, later]
        assert later.announce().status_code == 201
        with faulty(embedded, call, error):
            refused(device.post(), code)
            refused(device.post(), code)
            refused(later.put(), code)
            refused(later.put_as_part(), code)
        assert temporary(embedded) == []
        assert [device.post().status_code for _ in range(2)] == [201, 200]
        assert later.put_as_part().status_code == 201
        assert later.put().status_code == 200
    for device in devices:
        is_there_once(device)
    assert embedded.process is not None
    assert embedded.process.poll() is None
    assert doubled_keys(query_of(embedded)) == []
    found = embedded.checked()
    assert found["files"] == []
    assert found["audit"]["ok"], found["audit"]["errors"]
