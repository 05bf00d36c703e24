"""How the calls of sources end, counted in the process and written every few seconds: no row more per event.

What a process has counted and not written yet (`TALLY_SECONDS`) is lost when it is killed. Events and files themselves
never are: what was taken in can always be counted from their rows.
"""

import atexit
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, transaction
from django.db.models import F
from django.utils import timezone

from inference.models import SourceTally, TallyOutcome

logger = structlog.get_logger(__name__)
KEPT_BY_HOUR = timedelta(days=8)
# The hour of the rows that hold what came before those: totals never go down, which a counter of Prometheus relies on.
BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
FOLDED_AT_ONCE = 5000
# A database that is away for long must not fill the memory.
MOST_WAITING = 10_000
Key = tuple[UUID, datetime, str, str]


class Tallies:
    """The counts of one process."""

    def __init__(self) -> None:
        self.waiting: Counter[Key] = Counter()
        self.lock = threading.Lock()
        self.writer: threading.Thread | None = None
        self.stopping = threading.Event()

    def count(self, source_id: UUID, outcome: TallyOutcome, reason: str = "", n: int = 1) -> None:
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        with self.lock:
            if len(self.waiting) < MOST_WAITING:
                self.waiting[source_id, hour, outcome.value, reason[:60]] += n
        self.start()

    def start(self) -> None:
        """Let a thread write from now on, unless the settings want that by hand."""
        every_s = settings.SECONDLOOK["TALLY_SECONDS"]
        if not every_s or (self.writer is not None and self.writer.is_alive()):
            return
        with self.lock:
            if self.writer is None or not self.writer.is_alive():
                self.writer = threading.Thread(target=self.run, args=(every_s,), name="tallies", daemon=True)
                self.writer.start()
                atexit.register(self.stopping.set)

    def run(self, every_s: float) -> None:
        while not self.stopping.wait(every_s):
            close_old_connections()
            self.flush()

    def flush(self) -> int:
        """Write what has been counted; how many rows that were. What cannot be written waits for the next time."""
        with self.lock:
            taken, self.waiting = self.waiting, Counter()
        try:
            with transaction.atomic():
                for key, n in taken.items():
                    add(key, n)
        except DatabaseError:
            logger.warning("tallies_wait", rows=len(taken))
            with self.lock:
                self.waiting.update(taken)
            return 0
        return len(taken)

    def forget(self) -> None:
        """For tests, whose rows are rolled back."""
        with self.lock:
            self.waiting.clear()


def add(key: Key, n: int) -> None:
    source_id, hour, outcome, reason = key
    rows = SourceTally.objects.filter(source_id=source_id, hour=hour, outcome=outcome, reason=reason)
    if rows.update(count=F("count") + n):
        return
    # Another process may make it at this very moment: then ours is added to it.
    new = SourceTally(source_id=source_id, hour=hour, outcome=outcome, reason=reason, count=0)
    SourceTally.objects.bulk_create([new], ignore_conflicts=True)
    rows.update(count=F("count") + n)


tallies = Tallies()


def fold_tallies(*, now: datetime) -> int:
    """Add hours that are long past to one row per source, outcome and reason; how many rows that were.

    Whoever folds at the same moment waits, and then finds them gone.
    """
    old = SourceTally.objects.filter(hour__lt=now - KEPT_BY_HOUR, hour__gt=BEFORE)
    with transaction.atomic():
        rows = list(old.select_for_update().order_by("pk")[:FOLDED_AT_ONCE])
        totals: Counter[Key] = Counter()
        for row in rows:
            totals[row.source_id, BEFORE, row.outcome, row.reason] += row.count
        for key, n in totals.items():
            add(key, n)
        SourceTally.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)
