"""A source with one event and one picture, and what must be there of them in the end."""

import json
from pathlib import Path
from typing import Any

import httpx

from tests.factories import event_body, jpeg, sha256
from tests.faults.invariants import query_of
from tests.faults.ledger import INSIDE
from tests.faults.product import Product


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


def is_there_once(device: Device) -> None:
    key = str(device.body["event_id"]).replace("-", "")
    rows = query_of(device.product)(
        "SELECT v.sha256, v.evidence_id IS NOT NULL FROM review_event e "
        f"JOIN review_eventevidence v ON v.event_id = e.id WHERE e.event_id = '{key}'"
    )
    assert rows == [(sha256(device.picture), 1)]
    assert device.path.read_bytes() == device.picture
