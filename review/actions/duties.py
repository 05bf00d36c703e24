"""Who is on duty for a queue: whose desk was heard of a moment ago. Nobody signs on or off."""

import time
from datetime import datetime, timedelta

from accounts.models import User
from review.models import Duty, Queue

# The desk reports every 20 s; two reports may be lost.
LASTS = timedelta(seconds=50)
WRITTEN_EVERY_S = 15.0
MOST = 10_000
_written: dict[tuple[object, int], float] = {}


def report(*, queue: Queue, person: User, now: datetime) -> None:
    """`person` has the desk of `queue` open. At most one row is written each `WRITTEN_EVERY_S` from one process."""
    key = (queue.pk, person.pk)
    if time.monotonic() - _written.get(key, -WRITTEN_EVERY_S) < WRITTEN_EVERY_S:
        return
    if len(_written) >= MOST:
        _written.clear()
    _written[key] = time.monotonic()
    Duty.objects.bulk_create(
        [Duty(queue=queue, person=person, seen_at=now)],
        update_conflicts=True,
        unique_fields=["queue", "person"],
        update_fields=["seen_at"],
    )


def leave(person: User, now: datetime) -> None:
    """The account of `person` was switched off: he is asked no more."""
    for key in [key for key in _written if key[1] == person.pk]:
        _written.pop(key, None)
    Duty.objects.filter(person=person).delete()


def forget() -> None:
    """Write at the next report again; for tests, whose rows are rolled back."""
    _written.clear()
