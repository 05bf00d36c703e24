"""How long to wait after a failure."""

import secrets
from dataclasses import dataclass, field

_RANDOM = secrets.SystemRandom()


@dataclass(slots=True)
class Backoff:
    """Full jitter: a random wait between 0 and a bound that doubles up to `max_s`.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015.
    """

    min_s: float
    max_s: float
    failures: int = field(default=0)

    def succeeded(self) -> None:
        """Begin again with the smallest bound."""
        self.failures = 0

    def failed(self) -> float:
        """Seconds to wait now."""
        bound = min(self.max_s, self.min_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return _RANDOM.uniform(0, bound)
