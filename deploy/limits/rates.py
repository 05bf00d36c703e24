"""Requests per second, per address and per credential."""

from dataclasses import dataclass, field

# Beyond this many keys the ones that are full again are forgotten.
SWEEP = 10_000


@dataclass
class Buckets:
    """Token buckets: each key may do `rate` things a second, and `burst` at once after a rest."""

    rate: float
    burst: float
    levels: dict[bytes, tuple[float, float]] = field(default_factory=dict)

    def allows(self, key: bytes, now: float) -> bool:
        """Whether one more thing is allowed now; if so it is counted."""
        level, then = self.levels.get(key, (self.burst, now))
        level = min(self.burst, level + (now - then) * self.rate)
        allowed = level >= 1
        if len(self.levels) >= SWEEP:
            self.sweep(now)
        self.levels[key] = (level - 1 if allowed else level, now)
        return allowed

    def sweep(self, now: float) -> None:
        rest = self.burst / self.rate
        self.levels = {key: (level, then) for key, (level, then) in self.levels.items() if now - then < rest}
