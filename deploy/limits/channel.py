"""Daphne's connections with bounds. Import only after `daphne.server`, which chooses Twisted's reactor."""

import json
from enum import Enum, auto
from hashlib import blake2b
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.web import http

from deploy.limits.bodies import METHODS
from deploy.limits.doorkeeper import Doorkeeper

# Twisted's channel is half typed, and tells nothing about what we override.
HTTPChannel: Any = http.HTTPChannel
DATE: Any = http.datetimeToString
ALLOW = b", ".join(sorted(METHODS))
TITLES = {
    400: "The request cannot be read.",
    405: "This method is not served.",
    408: "The request came too slowly.",
    413: "The request is larger than allowed.",
    429: "Too many requests; wait a moment.",
}
REASONS = {400: "Bad Request", 405: "Method Not Allowed", 408: "Request Timeout", 413: "Content Too Large"}
CODES = {400: "bad_request", 405: "method_not_allowed", 408: "too_slow", 413: "too_large", 429: "too_many_requests"}


class Phase(Enum):
    """What a connection is waiting for."""

    IDLE = auto()  # the next request
    HEAD = auto()  # the rest of request line and headers
    BODY = auto()  # the rest of the body
    SERVED = auto()  # us
    LINGER = auto()  # refused; the client may still read why


class LimitedRequest(WebRequest):  # type: ignore[misc]
    """A request that stops taking a body whose length nobody announced once it is over the bound."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # Nobody reads what Twisted makes of a form, on the event loop; Django parses it within bounds.
        super().__init__(*args, parsePOSTFormSubmission=False, **options)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if not self.channel.takes(len(data)):
            return
        super().handleContentChunk(data)

    def process(self) -> Any:
        upgrade = self.requestHeaders.getRawHeaders(b"Upgrade")
        if not upgrade or upgrade[0].lower() != b"websocket":
            return super().process()
        channel, transport, seats = self.channel, self.transport, self.channel.keeper.seats
        if not seats.open_socket(channel.address):
            channel.refuse(429, "sockets")
            return None
        done = super().process()
        made = getattr(transport, "wrappedProtocol", None) or transport.protocol
        if isinstance(made, LimitedSocket):
            made.channel = channel
        else:
            seats.close_socket(channel.address)
        return done


class LimitedChannel(HTTPChannel):  # type: ignore[misc]
    """One connection. Its time-outs are looked at once a second for all connections, not by a timer each."""

    maxHeaders = 100  # noqa: N815
    requestFactory = LimitedRequest  # noqa: N815
    keeper: Doorkeeper
    address = ""
    phase = Phase.HEAD

    def connectionMade(self) -> None:  # noqa: N802
        self.timeOut = None
        super().connectionMade()
        self.keeper = self.factory.keeper
        self.address = str(getattr(self.transport.getPeer(), "host", ""))
        now = self.keeper.clock()
        self.since = self.heard_at = self.progress_at = now
        self.received = self.received_before = self.taken = self.unsent = 0
        self.most = 0
        self.blocked_at: float | None = None
        self.abandoned = False
        if not self.keeper.seats.admit(self, now):
            self.phase = Phase.LINGER
            self.keeper.refusals.count("connections", self.address)
            self.transport.abortConnection()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.keeper.seats.free(self)
        super().connectionLost(reason)

    # What comes in

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if self.phase is Phase.LINGER:
            return
        now = self.heard_at = self.keeper.clock()
        if self.phase is Phase.IDLE:
            self.enter(Phase.HEAD, now)
        elif self.phase is Phase.BODY:
            self.received += len(data)
            # A body in crumbs costs more on the wire than it holds.
            if self.length is None and self.received > 2 * self.most + 65536:
                self.refuse(413, "body")
                return
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        if self.phase is not Phase.LINGER:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802
        if self.phase is not Phase.LINGER:
            super().rawDataReceived(data)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        self.refuse(400, "headers")

    def allHeadersReceived(self) -> None:  # noqa: N802
        """Everything that can be decided by the head is decided here, before `100 Continue` and before the body."""
        refused = self.keeper.judge(self)
        if refused:
            self.refuse(*refused)
            # Whatever follows is no request: not even an empty body is passed on.
            self.length = None
            return
        # Daphne lets this header move the whole site below another path; nobody but a proxy of old may want that.
        self.requests[-1].requestHeaders.removeHeader(b"Daphne-Root-Path")
        self.enter(Phase.BODY, self.keeper.clock())
        super().allHeadersReceived()

    def allContentReceived(self) -> None:  # noqa: N802
        self.enter(Phase.SERVED, self.keeper.clock())
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:  # noqa: N802
        if self.phase is Phase.SERVED:
            self.enter(Phase.IDLE, self.keeper.clock())
        super().requestDone(request)

    def enter(self, phase: Phase, now: float) -> None:
        self.phase, self.since, self.progress_at = phase, now, now
        if phase is Phase.BODY:
            self.received = self.received_before = self.taken = 0

    def takes(self, count: int) -> bool:
        """Whether `count` more bytes of body fit."""
        self.taken += count
        if self.taken > self.most and self.phase is not Phase.LINGER:
            self.refuse(413, "body")
        return self.phase is not Phase.LINGER

    def method(self) -> bytes:
        return bytes(self._command)

    def path(self) -> bytes:
        return bytes(self._path)

    def header(self, name: bytes) -> bytes:
        values = self.requests[-1].requestHeaders.getRawHeaders(name)
        return bytes(values[0]) if values else b""

    def caller(self) -> bytes:
        """Names the credentials of the request without holding them."""
        credentials = self.header(b"Authorization")
        return blake2b(credentials, digest_size=16).digest() if credentials else b""

    # What goes out

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.blocked_at is not None:
            self.unsent += len(data)

    def pauseProducing(self) -> None:  # noqa: N802
        """The send buffer is full: from now on the client has to keep reading."""
        if self.blocked_at is None:
            self.blocked_at, self.unsent = self.keeper.clock(), 0
        super().pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802
        self.blocked_at = None
        super().resumeProducing()

    # Seats

    def waits(self, now: float) -> float | None:
        if self.blocked_at is not None:
            return None
        if self.phase in {Phase.IDLE, Phase.HEAD}:
            return self.since
        if self.phase is Phase.BODY and self.keeper.patience.is_dripping(self.received, now - self.since):
            return self.since
        return self.since if self.phase is Phase.LINGER else None

    def leave(self, reason: str) -> None:
        if self.abandoned:
            return
        self.abandoned = True
        self.phase = Phase.LINGER
        self.keeper.refusals.count(reason, self.address)
        self.keeper.seats.free(self)
        self.transport.abortConnection()

    # Refusing

    def refuse(self, status: int, reason: str) -> None:
        """Say why, read no more, and let the client a moment to hear it."""
        if self.phase is Phase.LINGER:
            return
        self.enter(Phase.LINGER, self.keeper.clock())
        self.keeper.refusals.count(reason, self.address)
        self.transport.write(refusal(status))
        # A TLS connection has no half-close; there the answer may be lost to a client that keeps sending.
        if self.isSecure():
            self.loseConnection()
        else:
            self.transport.loseWriteConnection()

    def close_quietly(self) -> None:
        self.enter(Phase.LINGER, self.keeper.clock())
        self.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802
        self.refuse(400, "malformed")


def refusal(status: int) -> bytes:
    """A whole HTTP answer with a problem document."""
    body = json.dumps(
        {"type": f"urn:secondlook:{CODES[status]}", "title": TITLES[status], "status": status, "code": CODES[status]}
    ).encode()
    head = [
        f"HTTP/1.1 {status} {REASONS.get(status, 'Too Many Requests')}".encode(),
        b"Content-Type: application/problem+json",
        b"Cache-Control: no-store",
        b"X-Content-Type-Options: nosniff",
        b"Date: " + DATE(),
        f"Content-Length: {len(body)}".encode(),
        b"Connection: close",
    ]
    if status == 405:
        head.append(b"Allow: " + ALLOW)
    if status == 429:
        head.append(b"Retry-After: 1")
    return b"\r\n".join(head) + b"\r\n\r\n" + body


class LimitedSocket(WebSocketProtocol):  # type: ignore[misc]
    """A websocket, which keeps the place of the connection that it was."""

    channel: LimitedChannel | None = None

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        if self.channel is not None:
            self.channel.keeper.seats.close_socket(self.channel.address)
            self.channel.keeper.seats.free(self.channel)
            self.channel = None
        super().connectionLost(reason)


class LimitedSocketFactory(WebSocketFactory):  # type: ignore[misc]
    protocol = LimitedSocket


class LimitedFactory(HTTPFactory):  # type: ignore[misc]
    """Speaks HTTP/1.1 only, whatever else is installed: the bounds are made for it."""

    protocol = LimitedChannel
    keeper: Doorkeeper

    def buildProtocol(self, address: Any) -> Any:  # noqa: N802
        made = super().buildProtocol(address)
        made.requestFactory = LimitedRequest
        return made

    def acceptableProtocols(self) -> list[bytes]:  # noqa: N802
        return [b"http/1.1"]
