"""A real HTTP server that stands in for Second Look: takes events as `contract.md` says, and misbehaves on request."""

import hashlib
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Said:
    """A prepared answer; `drop` closes the connection after the event was taken, without a word."""

    status: int = 201
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


class Stub:
    """`events` holds accepted bodies by event id; `posts` every try. Prepared answers are used up in order."""

    def __init__(self) -> None:
        self.events: dict[str, bytes] = {}
        self.parts: dict[str, dict[str, bytes]] = {}
        self.posts: list[str] = []
        self.conflicts: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.prepared: deque[Said] = deque()
        self.always: Said | None = None
        self.drop_every = 0
        self.open_items: int | None = None
        self.asked = 0
        self.changed = threading.Condition()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stub._get(self)

            def do_POST(self) -> None:
                stub._post(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A client that was killed is what the tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def bodies(self) -> list[dict[str, Any]]:
        with self.changed:
            return [json.loads(body) for body in self.events.values()]

    def wait_for(self, condition: Any, timeout_s: float = 20) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, timeout_s), "the server never saw what was waited for"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        with self.changed:
            self.asked += 1
            self.changed.notify_all()
        if request.path != "/api/v1/source" or self.open_items is None:
            _say(request, Said(404, {"code": "not_found"}))
            return
        said = {"name": "s", "site": "demo", "camera": "yard-1", "open_items": self.open_items}
        _say(request, Said(200, said))

    def _post(self, request: BaseHTTPRequestHandler) -> None:
        data = request.rfile.read(int(request.headers["Content-Length"]))
        parts = _parts(request.headers["Content-Type"], data)
        event = parts.pop("event")
        event_id = json.loads(event)["event_id"]
        with self.changed:
            self.posts.append(event_id)
            self.headers.append(dict(request.headers.items()))
            said = self.prepared.popleft() if self.prepared else self.always
            dropping = self.drop_every and len(self.posts) % self.drop_every == 0
            if said is None or said.drop:
                status = self._take(event_id, event, parts)
                said = said or Said(201 if status == "created" else 200)
                said.body = {"id": "x", "event_id": event_id, "status": status, "evidence": {}}
            self.changed.notify_all()
        if said.drop or dropping:
            request.close_connection = True
            return
        _say(request, said)

    def _take(self, event_id: str, event: bytes, parts: dict[str, bytes]) -> str:
        known = self.events.get(event_id)
        if known is not None:
            if known != event:
                self.conflicts.append(event_id)
            return "duplicate"
        for evidence in json.loads(event)["evidence"]:
            assert hashlib.sha256(parts[evidence["name"]]).hexdigest() == evidence["sha256"]
        self.events[event_id] = event
        self.parts[event_id] = parts
        return "created"


def _say(request: BaseHTTPRequestHandler, said: Said) -> None:
    data = json.dumps(said.body or {}).encode()
    request.send_response(said.status)
    for name, value in said.headers.items():
        request.send_header(name, value)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)


def _parts(content_type: str, data: bytes) -> dict[str, bytes]:
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + data)
    found = {}
    for part in message.iter_parts():
        payload = part.get_payload(decode=True)
        found[part.get_param("name", header="content-disposition")] = payload
    return found
