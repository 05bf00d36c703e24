"""Sends what waits in the outbox, one event at a time, oldest first.

While the server cannot be reached there is one try per back-off, not one per event.
"""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import httpx

from inference.edge import log
from inference.edge.backoff import Backoff
from inference.edge.config import Server
from inference.edge.gate import Gate
from inference.edge.outbox import Outbox, Waiting
from inference.edge.version import VERSION

_IDLE_S = 0.2
_MAX_RETRY_AFTER_S = 3600.0
_FAILING_AFTER = 3
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# The server refuses the device, not the event: nothing may be thrown away because of a wrong token or address.
_REFUSES_DEVICE = frozenset({401, 402, 403, 404, 405, 407})
_TRY_AGAIN = frozenset({408, 425, 429})


class Ending(Enum):
    """What becomes of an event that was posted."""

    SENT = "sent"
    AGAIN = "again"
    REFUSED = "refused"
    REJECTED = "rejected"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """How the server answered; `wait_s` is its Retry-After."""

    ending: Ending
    word: str
    detail: str = ""
    wait_s: float | None = None


class Uplink:
    """One thread between the outbox and the server."""

    def __init__(self, server: Server, url: str, token: str, outbox: Outbox, gate: Gate) -> None:
        self.gone = False
        self._outbox = outbox
        self._gate = gate
        self._server = server
        self._backoff = Backoff(server.retry_min_s, server.retry_max_s)
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/api/v1/",
            headers={"Authorization": f"Bearer {token}", "User-Agent": f"secondlook-edge/{VERSION}"},
            timeout=server.timeout_s,
            # A proxy from the environment is for the network, not for this machine.
            trust_env=urlsplit(url).hostname not in _LOOPBACK,
        )
        self._state = "unknown"
        self._ask_at_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """End after the request that is under way; a request that hangs is cut off and sent again next time."""
        self._stop.set()
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._client.close()

    @property
    def failing(self) -> bool:
        """Whether several tries in a row did not come through."""
        return self.gone or self._backoff.failures >= _FAILING_AFTER

    def _run(self) -> None:
        while not self._stop.is_set() and not self.gone:
            try:
                wait_s = self._step()
            except Exception as error:  # noqa: BLE001  top of a thread: it must outlive any single failure
                wait_s = self._backoff.failed()
                log.warn("uplink_failed", problem=f"{type(error).__name__}: {error}")
            self._stop.wait(wait_s)

    def _step(self) -> float:
        """Do one thing; how long to wait before the next, in seconds."""
        if self._gate.limited and time.monotonic() >= self._ask_at_s:
            self._ask_at_s = time.monotonic() + self._server.ask_every_s
            self._ask()
        waiting = self._outbox.next()
        return _IDLE_S if waiting is None else self._settle(waiting, self._post(waiting))

    def _settle(self, waiting: Waiting, answer: Answer) -> float:
        self._note(answer)
        match answer.ending:
            case Ending.SENT:
                self._outbox.sent(waiting.seq, answer.word)
            case Ending.REJECTED:
                self._outbox.bury(waiting.seq, answer.word, answer.detail)
                log.warn("event_rejected", seq=waiting.seq, code=answer.word, detail=answer.detail[:300])
            case Ending.GONE:
                self.gone = True
                return 0.0
            case Ending.AGAIN | Ending.REFUSED:
                wait_s = self._backoff.failed()
                return wait_s if answer.wait_s is None else answer.wait_s
        self._backoff.succeeded()
        return 0.0

    def _post(self, waiting: Waiting) -> Answer:
        parts: list[tuple[str, tuple[str | None, bytes, str]]] = [("event", (None, waiting.body, "application/json"))]
        try:
            for name, sha256, content_type in waiting.evidence:
                parts.append((name, (name, self._outbox.blobs.read(sha256), content_type)))
        except OSError as error:
            return Answer(Ending.REJECTED, "evidence_missing", str(error))
        try:
            response = self._client.post("events", files=parts)
        except httpx.HTTPError as error:
            return Answer(Ending.AGAIN, "unreachable", f"{type(error).__name__}: {error}")
        return judge(response, waiting.event_id)

    def _ask(self) -> None:
        """Ask how many items of this source are open; a server that does not know the question sets no limit."""
        try:
            response = self._client.get("source")
        except httpx.HTTPError:
            return
        if response.status_code == 404:
            self._gate.told(None)
            return
        open_items = _json(response).get("open_items")
        if response.status_code == 200 and isinstance(open_items, int):
            self._gate.told(open_items)

    def _note(self, answer: Answer) -> None:
        """Log a change of state once, not each try."""
        state = "online" if answer.ending in (Ending.SENT, Ending.REJECTED) else answer.word
        if state == self._state:
            return
        self._state = state
        if state == "online":
            log.write("uplink_online")
        else:
            log.warn("uplink_waiting", reason=answer.word, detail=answer.detail[:300], ending=answer.ending.value)


def judge(response: httpx.Response, event_id: str) -> Answer:
    """What an answer to `POST events` means for the event."""
    status = response.status_code
    if status in (200, 201):
        return _judge_success(response, event_id)
    problem = _json(response)
    code = str(problem.get("code") or f"http_{status}")
    detail = str(problem.get("detail") or problem.get("title") or "")
    if status == 410:
        return Answer(Ending.GONE, code, detail)
    if status in _REFUSES_DEVICE:
        return Answer(Ending.REFUSED, code, detail, retry_after_s(response))
    if status in _TRY_AGAIN or not 400 <= status < 500:
        return Answer(Ending.AGAIN, code, detail, retry_after_s(response))
    return Answer(Ending.REJECTED, code, detail)


def retry_after_s(response: httpx.Response) -> float | None:
    """Seconds of the Retry-After header (RFC 9110, 10.2.3), as a number or a date; at most an hour."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isdecimal():
        return min(float(text), _MAX_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), _MAX_RETRY_AFTER_S)


def _judge_success(response: httpx.Response, event_id: str) -> Answer:
    """Only the words `created` and `duplicate` for this very event count; a captive portal says 200 too."""
    said = _json(response)
    status = said.get("status")
    if status in ("created", "duplicate") and str(said.get("event_id", "")).lower() == event_id:
        return Answer(Ending.SENT, status)
    return Answer(Ending.AGAIN, "answer_not_understood", response.text[:200])


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        data = response.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
