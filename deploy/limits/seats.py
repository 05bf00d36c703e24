"""Who sits: connections per address and in total, and who has to get up for a newcomer."""

import resource
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Protocol

from accounts.authentication import is_trusted

KEPT_BACK = 100


class Guest(Protocol):
    """A connection as seen from here."""

    address: str

    def waits(self, now: float) -> float | None:
        """Since when it does nothing but wait for its client (monotonic seconds); None while it is served."""

    def leave(self, reason: str) -> None:
        """Close it at once."""


def room(wanted: int) -> int:
    """`wanted` connections, or as many as the open-files limit allows.

    Each needs two files, itself and the body that it brings. When there is none left the system hands out no new
    connection, so some are kept back: for those on their way out, the database of each thread, the log.
    """
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else max(8, min(wanted, (soft - KEPT_BACK) // 2))


@dataclass
class Seats:
    """Admits connections. At a bound the one that has waited longest without being served gives up its place.

    So a crowd of half-open connections displaces itself, and somebody who sends a whole request comes through, also
    from the crowd's own address. Where nobody waits, the newcomer is turned away.
    """

    total: int
    per_address: int
    sockets_per_address: int
    trusted: tuple[str, ...] = ()
    taken: dict[str, set[Guest]] = field(default_factory=lambda: defaultdict(set))
    sockets: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    count: int = 0

    def admit(self, guest: Guest, now: float) -> bool:
        """Whether `guest` gets a place; if so it is counted until `free`."""
        own = self.taken[guest.address]
        if len(own) >= self.per_address and not self.is_trusted(guest.address) and not displace(own, now):
            return False
        if self.count >= self.total and not displace(self.largest_group(), now):
            self.forget_if_empty(guest.address)
            return False
        # Displacing may have emptied, and so forgotten, the group.
        self.taken[guest.address].add(guest)
        self.count += 1
        return True

    def free(self, guest: Guest) -> None:
        own = self.taken[guest.address]
        if guest in own:
            own.remove(guest)
            self.count -= 1
        self.forget_if_empty(guest.address)

    def forget_if_empty(self, address: str) -> None:
        if not self.taken[address]:
            del self.taken[address]

    def largest_group(self) -> set[Guest]:
        return max(self.taken.values(), key=len, default=set())

    def open_socket(self, address: str) -> bool:
        """Whether one more websocket from `address` may be opened; if so it is counted until `close_socket`."""
        if self.sockets[address] >= self.sockets_per_address and not self.is_trusted(address):
            return False
        self.sockets[address] += 1
        return True

    def close_socket(self, address: str) -> None:
        self.sockets[address] -= 1
        if self.sockets[address] <= 0:
            del self.sockets[address]

    def is_trusted(self, address: str) -> bool:
        """Whether a proxy of ours sits there, behind which many people come."""
        return bool(self.trusted) and is_trusted(address, self.trusted)


def displace(group: set[Guest], now: float) -> bool:
    """Make the one leave that has waited longest; False when nobody waits."""
    waiting = [(since, guest) for guest in group if (since := guest.waits(now)) is not None]
    if not waiting:
        return False
    min(waiting, key=lambda pair: pair[0])[1].leave("displaced")
    return True
