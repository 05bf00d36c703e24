"""A source that keeps its own book of what the server promised."""

import hashlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.factories import event_body, jpeg
from tests.faults.product import Product

UNTIL_S = 40
PAUSE_S = 0.05


class Ledger(threading.Thread):
    """Posts until it is stopped, and writes down (synced) what was acknowledged, after each answer.

    What has no good answer is posted again, unchanged, as any source must.
    """

    def __init__(self, product: Product, path: Path) -> None:
        super().__init__(daemon=True)
        source = product.site["sources"][0]
        self.product, self.camera, self.token = product, source["camera"], source["token"]
        self.path = path
        self.stopping = threading.Event()
        self.sent: dict[str, tuple[dict[str, Any], bytes]] = {}
        self.acknowledged: dict[str, str] = {}
        self.statuses: list[int] = []
        self.unexpected: list[str] = []

    def run(self) -> None:
        number = 0
        while not self.stopping.wait(PAUSE_S):
            number += 1
            picture = jpeg((number % 256, number // 256, 9), (64, 48))
            body = event_body(picture=picture, camera=self.camera, frame={"width": 64, "height": 48}, **INSIDE)
            self.sent[body["event_id"]] = (body, picture)
            while not self.stopping.is_set() and not self.post(body, picture):
                self.stopping.wait(0.1)

    def post(self, body: dict[str, Any], picture: bytes) -> bool:
        """Post once; whether it was acknowledged. Any other answer than "try again" is noted as unexpected."""
        files = {"event": (None, json.dumps(body)), "frame": ("frame.jpg", picture, "image/jpeg")}
        try:
            with self.product.client(self.token) as client:
                answer = client.post("/events", files=files)
        except httpx.TransportError:
            return False
        self.statuses.append(answer.status_code)
        if answer.status_code not in {200, 201}:
            if answer.status_code not in {429, 503} or "Retry-After" not in answer.headers:
                self.unexpected.append(f"{answer.status_code} {answer.text[:300]}")
            return False
        self.acknowledged[body["event_id"]] = hashlib.sha256(picture).hexdigest()
        self.write(body["event_id"])
        return True

    def write(self, key: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "media_sha": self.acknowledged[key]}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def until(self, count: int) -> None:
        """Wait until so many more events are acknowledged."""
        wanted, deadline = len(self.acknowledged) + count, time.monotonic() + UNTIL_S
        while len(self.acknowledged) < wanted:
            assert self.is_alive(), "the ledger died"
            assert time.monotonic() < deadline, self.statuses[-5:]
            self.join(0.02)

    def stop(self) -> None:
        self.stopping.set()
        self.join(15)
        assert self.unexpected == []

    def resend(self) -> None:
        """Everything again, as devices do whose server knows nothing of what it acknowledged."""
        deadline = time.monotonic() + UNTIL_S
        for body, picture in list(self.sent.values()):
            while not self.post(body, picture):
                assert time.monotonic() < deadline, self.statuses[-5:]
                time.sleep(0.1)
        assert self.unexpected == []


INSIDE = {
    "predictions": [{"id": "p1", "class": "bird", "confidence": 0.42, "box": [5.0, 5.0, 20.0, 20.0]}],
    "subject": ["p1"],
}
