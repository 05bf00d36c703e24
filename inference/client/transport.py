"""Requests that are repeated until there is an answer: effectively once, because the server knows repeats."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from inference.client.exceptions import Refused, Unreachable
from inference.edge.backoff import Backoff

LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
MOST_WAIT_S = 300.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Transport:
    """One connection pool to one server, with a token in the header."""

    def __init__(
        self, server: str, token: str, *, timeout_s: float, tries: int, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.tries = tries
        self.sleep = sleep
        self.http = httpx.Client(
            base_url=server.rstrip("/") + "/api/v1/",
            headers={"Authorization": f"Bearer {token}", "User-Agent": "secondlook-client"},
            timeout=timeout_s,
            # A proxy from the environment is for the network, not for this machine.
            trust_env=urlsplit(server).hostname not in LOOPBACK,
        )

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer to a request, repeated while the server is away or asks to come later (`Retry-After`).

        Raises Refused for a final no, Unreachable after the last try.
        """
        backoff, why = Backoff(0.5, 30.0), "nothing was tried"
        for attempt in range(self.tries):
            wait = 0.0
            try:
                response = self.http.request(method, path, **request)
            except httpx.HTTPError as error:
                why = f"no answer ({type(error).__name__})"
            else:
                if response.status_code < 400:
                    return response
                if response.status_code not in LATER:
                    raise Refused(response.status_code, problem_of(response))
                why, wait = f"the server said {response.status_code}", asked_wait(response)
            if attempt + 1 < self.tries:
                self.sleep(max(wait, backoff.failed()))
        raise Unreachable(f"{method} {path}: {why}, {self.tries} times")

    def close(self) -> None:
        self.http.close()


def problem_of(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {"detail": response.text[:200]}
    return body if isinstance(body, dict) else {}


def asked_wait(response: httpx.Response) -> float:
    """Seconds of `Retry-After` (RFC 9110, 10.2.3), at most `MOST_WAIT_S`; 0 without one."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isdigit():
        return min(float(said), MOST_WAIT_S)
    try:
        when = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return 0.0
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return min(max((aware - datetime.now(UTC)).total_seconds(), 0.0), MOST_WAIT_S)
