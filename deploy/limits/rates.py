"""Requests per second, per address and per credential."""

from collections import OrderedDict
from dataclasses import dataclass, field

# Keys that are remembered at one time; a flood of new ones pushes out those that were quiet the longest.
MOST_KEYS = 10_000


@dataclass
class Buckets:
    """Token buckets: each key may do `rate` things a second, and `burst` at once after a rest.

    The keys lie in the order of their last use, so that forgetting costs no look at the others.
    """

    rate: float
    burst: float
    levels: OrderedDict[bytes, tuple[float, float]] = field(default_factory=OrderedDict)

    def allows(self, key: bytes, now: float) -> bool:
        """Whether one more thing is allowed now; if so it is counted."""
        level, then = self.levels.get(key, (self.burst, now))
        level = min(self.burst, level + (now - then) * self.rate)
        allowed = level >= 1
        self.levels[key] = (level - 1 if allowed else level, now)
        self.levels.move_to_end(key)
        self.sweep(now)
        return allowed

    def sweep(self, now: float) -> None:
        """Forget the keys that are full again, and the oldest of more than `MOST_KEYS`."""
        rest = self.burst / self.rate
        while self.levels:
            _level, then = next(iter(self.levels.values()))
            if now - then < rest and len(self.levels) <= MOST_KEYS:
                return
            self.levels.popitem(last=False)
