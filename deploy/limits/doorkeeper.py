"""The bounds of one server process, and the look at all connections once a second."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from accounts.authentication import neighbourhood
from deploy.limits.bodies import METHODS, BodyLimits
from deploy.limits.rates import Buckets
from deploy.limits.refusals import Refusals
from deploy.limits.seats import Seats, room

# A bound for an address is wider than one for a credential: a plant's devices and people share one address.
ADDRESS_SHARE = 4
BURST_S = 2.0


@dataclass(frozen=True)
class Patience:
    """How long we wait for a client, in seconds; and its slowest rates in bytes per second."""

    head_s: float = 10
    idle_s: float = 75
    stall_s: float = 20
    pause_s: float = 2
    window_s: float = 30
    body_rate: float = 1000
    read_s: float = 30
    read_rate: float = 8000
    linger_s: float = 2

    def is_dripping(self, received: int, elapsed_s: float) -> bool:
        """Whether a body comes so slowly that its place goes to somebody else when places are short."""
        return elapsed_s > self.pause_s and received < self.body_rate * elapsed_s


@dataclass
class Doorkeeper:
    """Judges heads of requests and ends connections that wait too long."""

    bodies: BodyLimits
    seats: Seats
    refusals: Refusals
    by_caller: Buckets
    by_address: Buckets
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "Doorkeeper":
        rate = float(settings["REQUESTS_PER_SECOND"])
        return cls(
            bodies=BodyLimits.of(settings),
            seats=Seats(
                total=room(settings["CONNECTIONS"]),
                per_address=settings["CONNECTIONS_PER_ADDRESS"],
                sockets_per_address=settings["SOCKETS_PER_ADDRESS"],
                trusted=tuple(settings["TRUSTED_PROXIES"]),
            ),
            refusals=Refusals(),
            by_caller=Buckets(rate, rate * BURST_S),
            by_address=Buckets(rate * ADDRESS_SHARE, rate * ADDRESS_SHARE * BURST_S),
        )

    def judge(self, channel: Any) -> tuple[int, str] | None:
        """Status and reason when the request whose head `channel` has read is not taken; sets the body's bound."""
        method = channel.method()
        if method not in METHODS:
            return 405, "method"
        if self.too_often(channel):
            return 429, "rate"
        caller = bool(channel.header(b"Authorization"))
        session = bool(channel.header(b"Cookie"))
        channel.most = self.bodies.most(method, channel.path(), credentials=caller, session=session)
        if channel.length is not None and channel.length > channel.most:
            return 413, "body"
        return None

    def too_often(self, channel: Any) -> bool:
        now, caller = self.clock(), channel.caller()
        # The address first: whoever is over its bound cannot fill the memory with invented credentials.
        place = neighbourhood(channel.address).encode()
        if not self.seats.is_trusted(channel.address) and not self.by_address.allows(place, now):
            return True
        return bool(caller) and not self.by_caller.allows(caller, now)

    def look(self) -> None:
        """Once a second: end what is overdue, and say what was refused."""
        now = self.clock()
        for channel in [guest for group in self.seats.taken.values() for guest in group]:
            self.look_at(channel, now)
        self.refusals.say(now, connections=self.seats.count)

    def look_at(self, channel: Any, now: float) -> None:
        """End one connection when its time is over."""
        phase, waited = channel.phase.name, now - channel.since
        if channel.blocked_at is not None:
            allowed = self.patience.read_s + channel.unsent / self.patience.read_rate
            if now - channel.blocked_at > allowed:
                channel.leave("slow reader")
        elif phase == "LINGER":
            if waited > self.patience.linger_s:
                channel.transport.abortConnection()
        elif phase == "IDLE" and waited > self.patience.idle_s:
            channel.close_quietly()
        elif phase == "HEAD" and waited > self.patience.head_s:
            self.end_head(channel)
        elif phase == "BODY" and self.is_slow_body(channel, now):
            channel.refuse(408, "slow body")

    def end_head(self, channel: Any) -> None:
        """A browser opens connections ahead and may never use them: that is no fault, and needs no answer."""
        if channel.requests:
            channel.refuse(408, "slow head")
        else:
            channel.close_quietly()

    def is_slow_body(self, channel: Any, now: float) -> bool:
        """Nothing for a while, or less than the slowest rate over a window that starts again and again."""
        if now - channel.heard_at > self.patience.stall_s:
            return True
        window = now - channel.progress_at
        if window <= self.patience.window_s:
            return False
        slow = channel.received - channel.received_before < self.patience.body_rate * window
        channel.progress_at, channel.received_before = now, channel.received
        return bool(slow)
