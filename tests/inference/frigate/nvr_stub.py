"""A real HTTP server that stands in for Frigate's API, and misbehaves on request."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .messages import DETECT


class NvrStub:
    """`pictures` by (id, name), `always` for every id; `status` answers everything, `statuses` what has such a part."""

    def __init__(self) -> None:
        self.pictures: dict[tuple[str, str], bytes] = {}
        self.always: dict[str, bytes] = {}
        self.sizes: dict[str, Any] = {"front_door": DETECT}
        self.listed: list[dict[str, Any]] = []
        self.status: int | None = None
        self.statuses: dict[str, int] = {}
        self.location = ""
        self.answering = threading.Event()
        self.answering.set()
        self.asked: list[str] = []
        self.changed = threading.Condition()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stub._get(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A client that went away is what the tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def wait_for(self, condition: Any, timeout_s: float = 20) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, timeout_s), f"Frigate was not asked for it: {self.asked}"

    def close(self) -> None:
        self.answering.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        with self.changed:
            self.asked.append(request.path)
            self.changed.notify_all()
        self.answering.wait(60)
        status, data = self._answer(request.path)
        request.send_response(status)
        if 300 <= status < 400:
            request.send_header("Location", self.location)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _answer(self, path: str) -> tuple[int, bytes]:
        if self.status is not None:
            return self.status, b""
        parts = urlsplit(path)
        names = parts.path.removeprefix("/api/").split("/")
        for name in names:
            if name in self.statuses:
                return self.statuses[name], b""
        if names == ["config"]:
            detect = {name: {"detect": {"width": w, "height": h}} for name, (w, h) in self.sizes.items()}
            return 200, json.dumps({"cameras": detect}).encode()
        if names == ["events"]:
            return 200, json.dumps(self._page(parse_qs(parts.query))).encode()
        if len(names) == 3 and names[0] == "events":
            data = self.pictures.get((names[1], names[2])) or self.always.get(names[2])
            return (200, data) if data is not None else (404, b'{"success": false}')
        return 404, b""

    def _page(self, asked: dict[str, list[str]]) -> list[dict[str, Any]]:
        after, before = float(asked["after"][0]), float(asked.get("before", ["inf"])[0])
        found = [one for one in self.listed if after < one["start_time"] < before]
        found.sort(key=lambda one: -one["start_time"])
        return found[: int(asked["limit"][0])]
