"""Routing what waited in the inbox, a batch at a time."""

from datetime import datetime
from uuid import UUID

from django.db.models import Count
from django.tasks import task
from django.utils import timezone

from review.actions.mapping import known_among, parkings, resolve_batch
from review.models import Parking

MOST = 5000


@task()
def replay_parked(site_id: str, cause: str, value: str, model_name: str | None = None) -> None:
    """Route every event that still waits for a name which is known by now; for a class, perhaps of one model only.

    Safe to run twice, and after a kill.
    """
    site = UUID(site_id)
    while parkings(site, cause, value, model_name).exists():
        resolve_batch(site_id=site, cause=cause, value=value, now=timezone.now(), model_name=model_name)


def sweep_parked(*, now: datetime) -> int:
    """Enqueue again what a dead worker left: names that are known by now and still have events waiting.

    Of very many unknown names another sample is looked at each time.
    """
    key = ("site_id", "cause", "value", "model_name")
    waiting = Parking.objects.filter(resolved_at=None, site__retired_at=None)
    rows = waiting.values(*key).annotate(events=Count("pk"))
    sample = rows.order_by("?").values_list(*key)[:MOST]
    left = known_among(sample) if rows.exists() else set()
    for site_id, cause, value, model_name in left:
        replay_parked.enqueue(str(site_id), cause, value, model_name)
    return len(left)
