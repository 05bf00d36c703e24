"""Routing what waited in the inbox, a batch at a time."""

from datetime import datetime
from uuid import UUID

from django.db.models import Count
from django.tasks import task
from django.utils import timezone

from review.actions.mapping import known_among, resolve_batch
from review.models import Parking

MOST = 5000


@task()
def replay_parked(site_id: str, cause: str, value: str) -> None:
    """Route every event that still waits for a name which is known by now. Safe to run twice, and after a kill."""
    waiting = Parking.objects.filter(site_id=UUID(site_id), cause=cause, value=value, resolved_at=None)
    while waiting.exists():
        resolve_batch(site_id=UUID(site_id), cause=cause, value=value, now=timezone.now())


def sweep_parked(*, now: datetime) -> int:
    """Enqueue again what a dead worker left: names that are known by now and still have events waiting.

    Of very many unknown names another sample is looked at each time.
    """
    rows = Parking.objects.filter(resolved_at=None).values("site_id", "cause", "value").annotate(events=Count("pk"))
    sample = rows.order_by("?").values_list("site_id", "cause", "value")[:MOST]
    left = known_among(sample) if rows.exists() else set()
    for site_id, cause, value in left:
        replay_parked.enqueue(str(site_id), cause, value)
    return len(left)
