"""What was turned away: counted as it happens, said once a minute."""

from collections import Counter
from dataclasses import dataclass, field

import structlog

logger = structlog.get_logger(__name__)
EVERY_S = 60.0
# A flood from many addresses must not fill the memory.
ADDRESSES = 1000


@dataclass
class Refusals:
    """Counts by reason since the last line of the log, and since the start."""

    reasons: Counter[str] = field(default_factory=Counter)
    addresses: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    said_at: float = 0.0

    def count(self, reason: str, address: str) -> None:
        self.reasons[reason] += 1
        self.total[reason] += 1
        if address in self.addresses or len(self.addresses) < ADDRESSES:
            self.addresses[address] += 1

    def say(self, now: float, *, connections: int) -> None:
        """One line for what happened since the last one, at most once a minute; none when nothing happened."""
        if not self.reasons or now - self.said_at < EVERY_S:
            return
        self.said_at = now
        busiest = [f"{address}: {count}" for address, count in self.addresses.most_common(3)]
        logger.warning(
            "clients_refused",
            reasons=dict(self.reasons),
            addresses=len(self.addresses),
            busiest=busiest,
            connections=connections,
        )
        self.reasons.clear()
        self.addresses.clear()
