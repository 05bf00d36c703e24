"""Which source a bearer token belongs to."""

import time
from datetime import datetime

from accounts.tokens import token_hash
from inference.models import Source

# A token that was good stays good this long without a look at the database; revoking it here ends it at once, revoking
# it in another process within this time.
TRUSTED_S = 2.0
MOST = 10_000
_trusted: dict[str, tuple[Source, float]] = {}


def source_by_token(token: str, *, now: datetime) -> Source | None:
    """The source whose token this is and is in force at `now`; with its site and camera."""
    digest = token_hash(token)
    found, until = _trusted.get(digest, (None, 0.0))
    if found is None or until < time.monotonic():
        rows = Source.objects.live(now).select_related("site", "camera")
        found = rows.with_token(digest, now).first()
        if found is None:
            _trusted.pop(digest, None)
            return None
        trust(digest, found)
    return found if found.ends_at is None or found.ends_at > now else None


def trust(digest: str, source: Source) -> None:
    if len(_trusted) >= MOST:
        _trusted.clear()
    _trusted[digest] = (source, time.monotonic() + TRUSTED_S)


def forget_tokens() -> None:
    """Look at the database again for every token."""
    _trusted.clear()
