"""A source that sends everything a source can send, and keeps its own book of what the server promised."""

import json
import random
import threading
from collections.abc import Callable
from typing import Any

import httpx

from tests.factories import event_body, jpeg, sha256
from tests.faults.ledger import INSIDE
from tests.faults.product import Product

STEP_S = 0.02
PART = 300
GOOD = {200, 201, 202}


class GaveUp(Exception):
    """There was no answer, and this time the source does not ask again."""


class MixedLedger(threading.Thread):
    """Events with pictures and without, batches, evidence in parts, and events that a machine waits for.

    What has no good answer is sent again, unchanged, except now and then, when the source gives up. So `promised` holds
    what must be there, by event its pictures, and `sent` what may be.
    """

    def __init__(self, product: Product, port: int, dice: random.Random) -> None:
        super().__init__(daemon=True)
        source = product.site["sources"][0]
        self.camera, self.dice = source["camera"], dice
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1",
            headers={"Authorization": f"Bearer {source['token']}"},
            # A connection for each request: what happens to one is no business of the next.
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=10,
        )
        self.sent: set[str] = set()
        self.promised: dict[str, set[str]] = {}
        self.held: dict[str, str] = {}
        self.unexpected: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        kinds = (self.whole, self.bare, self.batch, self.in_parts, self.waited_for)
        while not self.stopping.wait(STEP_S):
            try:
                self.dice.choice(kinds)()
            except GaveUp:
                continue
            except Exception as error:
                self.unexpected.append(repr(error))
                raise

    def event(self, picture: bytes | None = None, **more: Any) -> dict[str, Any]:
        frame = {"width": 64, "height": 48}
        body = event_body(picture=picture, camera=self.camera, frame=frame, **INSIDE, **more)
        self.sent.add(body["event_id"])
        return body

    def picture(self) -> bytes:
        """One that nobody else sends."""
        return jpeg((9, 9, 9), (64, 48), comment=self.dice.randbytes(600))

    def whole(self) -> None:
        picture = self.picture()
        body = self.event(picture)
        files = {"event": (None, json.dumps(body)), "frame": ("frame.jpg", picture, "image/jpeg")}
        told = self.until_good(lambda: self.client.post("/events", files=files)).json()
        self.keep(body, told["evidence"])

    def bare(self) -> None:
        self.post(self.event())

    def batch(self) -> None:
        bodies = [self.event() for _ in range(self.dice.randint(2, 6))]
        told = self.until_good(lambda: self.client.post("/events/batch", json={"events": bodies})).json()["results"]
        assert [one["event_id"] for one in told] == [body["event_id"] for body in bodies]
        for body, one in zip(bodies, told, strict=True):
            if one["status"] in {"created", "duplicate"}:
                self.promised[body["event_id"]] = set()
            elif one["status"] != "retry":
                self.unexpected.append(str(one))

    def in_parts(self) -> None:
        picture = self.picture()
        body = self.event(picture)
        self.post(body)
        url, there = f"/evidence/{sha256(picture)}", 0
        while there is not None:
            there = self.put_part(url, picture, there)
        self.promised[body["event_id"]] = {sha256(picture)}

    def put_part(self, url: str, picture: bytes, there: int) -> int | None:
        """Send one part; how much is there then, None when it is stored. After a lost answer the server is asked."""
        # A server that died when it had everything is told the last byte again.
        start = min(there, len(picture) - 1)
        part = picture[start : start + PART]
        told = {"Content-Type": "image/jpeg"}
        told["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(picture)}"
        try:
            answer = self.client.put(url, content=part, headers=told)
        except httpx.TransportError:
            answer = self.until_good(lambda: self.client.get(url))
        if not self.is_good(answer):
            return there
        return None if answer.json()["status"] == "stored" else int(answer.json()["received"])

    def waited_for(self) -> None:
        body = self.event(hold={"deadline_s": 3600, "fallback": "reject"})
        key = self.post(body)
        self.held[body["event_id"]] = self.until_good(lambda: self.client.get(f"/events/{key}/answer")).json()["state"]

    def post(self, body: dict[str, Any]) -> str:
        told = self.until_good(lambda: self.client.post("/events", json=body)).json()
        self.keep(body, told["evidence"])
        return str(told["id"])

    def keep(self, body: dict[str, Any], evidence: dict[str, str]) -> None:
        """What the server has just promised."""
        named = {one["name"]: one["sha256"] for one in body["evidence"]}
        self.promised[body["event_id"]] = {named[name] for name, state in evidence.items() if state == "stored"}

    def until_good(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        gives_up = self.dice.random() < 0.1
        while True:
            try:
                answer = ask()
            except httpx.TransportError:
                answer = None
            if answer is not None and self.is_good(answer):
                return answer
            if gives_up or self.stopping.is_set():
                raise GaveUp
            self.stopping.wait(STEP_S)

    def is_good(self, answer: httpx.Response) -> bool:
        if answer.status_code not in GOOD and not (
            answer.status_code in {429, 503} and "Retry-After" in answer.headers
        ):
            self.unexpected.append(f"{answer.request.method} {answer.status_code} {answer.text[:300]}")
        return answer.status_code in GOOD
