"""The desk in a real browser without a server: its own templates, styles and modules, and scripted answers.

Requests of the page are answered by `Desk`, so a test can hold an answer back, refuse it, or lose it, which a real
server does only by luck. What the real server answers is the business of the tests beside this file.
"""

import json
import mimetypes
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import django_htmx
from django.template.loader import render_to_string
from PIL import Image
from playwright.sync_api import Page, Request, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "http://desk.localhost"
CHROMIUM = "/usr/bin/chromium"
QUEUE = "11111111-1111-4111-8111-111111111111"
CLASSES = ["person", "car", "truck", "bicycle", "bird", "dog"]
PREDICTIONS = [
    {"id": "p1", "class": "bird", "confidence": 0.42, "box": [100.0, 120.0, 60.0, 40.0], "attributes": {}},
    {"id": "p2", "class": "person", "confidence": 0.81, "box": [300.0, 100.0, 40.0, 120.0], "attributes": {}},
]
# What the product sends: nothing inline, nothing from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'"
)

Answer = Callable[[Route], None]


def class_rows() -> list[dict[str, Any]]:
    return [
        {"index": n, "name": name, "key": str(n + 1) if n < 4 else "", "colour": n % 8 + 1, "letter": name[0].upper()}
        for n, name in enumerate(CLASSES)
    ]


def picture() -> bytes:
    """A small grey JPEG, 640 x 480."""
    out = BytesIO()
    Image.new("RGB", (640, 480), (90, 100, 90)).save(out, "JPEG")
    return out.getvalue()


def payload(number: int, predictions: list[dict[str, Any]], *, complete: bool) -> dict[str, Any]:
    """What the server says about item `number`, in the shape of `review/desk.py`."""
    return {
        "item": str(UUID(int=number)),
        "version": 1,
        "claim": {"id": str(UUID(int=number + 1000)), "token": f"token-{number}", "expires_in_s": 60},
        "event": {
            "id": str(UUID(int=number + 2000)),
            "captured_at": "2026-11-23T08:15:30+00:00",
            "camera": "yard-1",
            "task": "detection",
            "frame": {"width": 640, "height": 480},
            "predictions": predictions,
            "subject": [predictions[0]["id"]] if predictions else [],
            "reporting_floor": 0.25,
            "model": {"name": "m", "version": "1"},
        },
        "picture": f"/picture/{number}.jpg",
        "picture_state": "ready",
        "colour": "#405040",
        "reason": {"rule": "implausible", "sentence": f"Because of rule {number}.", "policy_version": 3},
        "complete_default": complete,
        "neighbours": [],
        "links": {
            name: f"/items/{number}/{name}/" for name in ("open", "verdict", "heartbeat", "release", "skip", "escalate")
        },
    }


PERSON = "0197a2b4-0000-7000-8000-000000000001"


class Desk:
    """One page of the desk, and what answers its requests."""

    def __init__(self, page: Page, *, items: int = 20) -> None:
        self.page = page
        self.items = items
        self.next_number = 1
        self.predictions: dict[int, list[dict[str, Any]]] = {}
        self.complete = True
        self.needs_reason: list[str] = []
        # Where the picture lies in the frame, when it shows a part of it.
        self.place: list[float] | None = None
        # What is asked about things of a class besides, by the name of the class.
        self.attributes: dict[str, list[dict[str, Any]]] = {}
        # The keys that this person has changed.
        self.keys: dict[str, list[str]] = {}
        # What the queue wants a reason for by now, when it was changed after the page came.
        self.wants_now: list[str] | None = None
        # Numbers of items that machines wait for, in the order in which they are offered, and for how long.
        self.offers: list[int] = []
        self.held_s = 60.0
        self.posts: list[tuple[str, int, dict[str, Any]]] = []
        self.problems: list[str] = []
        # Tests replace these to answer otherwise; each may return None to let the normal answer pass.
        self.on_verdict: Answer | None = None
        self.on_away: Answer | None = None
        self.on_picture: Answer | None = None
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._heard)
        page.route(f"{ORIGIN}/**", self._route)

    def _heard(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.problems.append(message.text)

    def _route(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/desk/":
            route.fulfill(body=self.html(), content_type="text/html", headers={"Content-Security-Policy": POLICY})
        elif path.startswith("/static/"):
            self._static(route, path)
        elif path.startswith("/picture/"):
            (self.on_picture or show_picture)(route)
        elif path == "/claim/":
            self._claim(route)
        elif path == "/me/keys/":
            self.posts.append(("keys", 0, body_of(route.request)))
            route.fulfill(json=body_of(route.request))
        elif path in {"/held/", "/take/", "/here/"}:
            self._held(route, path)
        else:
            self._item(route, path)

    def _static(self, route: Route, path: str) -> None:
        name = path.removeprefix("/static/")
        file = ROOT / "static" / name
        if not file.is_file():
            file = Path(django_htmx.__file__).parent / "static" / name
        route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(name)[0] or "text/plain")

    def html(self) -> str:
        config = {
            "queue": {"id": QUEUE, "name": "unsure", "site": "Yard"},
            "classes": [row | {"attributes": self.attributes.get(row["name"], [])} for row in class_rows()],
            "asks_complete": True,
            "needs_reason": self.needs_reason,
            "undo_seconds": 8,
            "lease_seconds": 60,
            "heartbeat_seconds": 20,
            "keys": self.keys,
            "targets": [],
            "urls": {
                "claim": "/claim/",
                "queues": "/queues/",
                "held": "/held/",
                "take": "/take/",
                "here": "/here/",
                "keys": "/me/keys/",
            },
        }
        context = {"desk": config, "queue": {"id": QUEUE, "name": "unsure"}, "classes": class_rows(), "guide": ""}
        # Whose page it is: unsent answers are kept by person.
        return render_to_string("review/desk.html", context).replace("<body ", f'<body data-person="{PERSON}" ', 1)

    def item_html(self, number: int, *, held: bool = False) -> str:
        predictions = self.predictions.get(number, PREDICTIONS)
        content = payload(number, predictions, complete=self.complete) | {
            "held_s": self.held_s if held else None,
            "place": self.place,
        }
        return render_to_string("review/_item.html", {"payload": content, "payload_id": f"item-{number}"})

    def _claim(self, route: Route) -> None:
        self.posts.append(("claim", 0, body_of(route.request)))
        if self.next_number > self.items:
            empty = render_to_string("review/_empty.html", {"why": {"claimed_by_others": 3}})
            route.fulfill(body=empty, content_type="text/html")
            return
        number, self.next_number = self.next_number, self.next_number + 1
        route.fulfill(body=self.item_html(number), content_type="text/html")

    def _held(self, route: Route, path: str) -> None:
        if path == "/here/":
            route.fulfill(status=204)
        elif path == "/take/":
            self.posts.append(("take", 0, body_of(route.request)))
            route.fulfill(body=self.item_html(self.offers.pop(0), held=True), content_type="text/html")
        else:
            waiting = {"pk": UUID(int=self.offers[0]), "event": {"top_class": "person"}} if self.offers else None
            html = render_to_string("review/_held_offer.html", {"item": waiting, "left_s": self.held_s})
            route.fulfill(body=html, content_type="text/html")

    def _item(self, route: Route, path: str) -> None:
        found = re.fullmatch(r"/items/(\d+)/(\w+)/", path)
        if found is None:
            route.fulfill(status=404)
            return
        number, what = int(found[1]), found[2]
        self.posts.append((what, number, body_of(route.request)))
        if what == "verdict" and self.on_verdict:
            self.on_verdict(route)
        elif what == "verdict":
            accept(route, number)
        elif what == "undo":
            route.fulfill(body=self.item_html(number), content_type="text/html")
        elif what in {"open", "heartbeat"}:
            wanted = self.needs_reason if self.wants_now is None else self.wants_now
            route.fulfill(json={"expires_in_s": 60, "needs_reason": wanted})
        elif what in {"skip", "escalate"} and self.on_away:
            self.on_away(route)
        else:
            route.fulfill(status=204)

    def sent(self, what: str) -> list[dict[str, Any]]:
        """The bodies of all posts of one kind, oldest first."""
        return [body for kind, _number, body in self.posts if kind == what]

    def open(self) -> None:
        """Go to the desk and wait until its first item may be answered."""
        self.page.goto(f"{ORIGIN}/desk/")
        self.wait_ready()

    def wait_ready(self) -> None:
        self.page.wait_for_selector('[data-primary][aria-disabled="false"]')

    def wait_item(self, number: int) -> None:
        """Wait until item `number` is on the screen and may be answered."""
        self.page.wait_for_selector(f'[data-place="why"]:has-text("Because of rule {number}.")')
        self.wait_ready()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


def show_picture(route: Route) -> None:
    route.fulfill(body=picture(), content_type="image/jpeg")


def accept(route: Route, number: int) -> None:
    """The answer to a verdict that was taken."""
    body = {"id": "v", "outcome": "confirmed", "undo_until_s": 8, "links": {"undo": f"/items/{number}/undo/"}}
    route.fulfill(status=201, json=body)


def body_of(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.post_data or "{}")
    return body


@contextmanager
def desk_page(*, width: int = 1440, height: int = 900, touch: bool = False) -> Iterator[Page]:
    """A page of the system's Chromium; a loop of events runs only inside the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            context = browser.new_context(viewport={"width": width, "height": height}, has_touch=touch)
            yield context.new_page()
        finally:
            browser.close()
