"""Routing what waited in the inbox, a batch at a time."""

from datetime import datetime
from uuid import UUID

from django.tasks import task
from django.utils import timezone

from inference.models import Camera, ModelVersion
from inference.models.site import camera_slug
from review.actions.mapping import resolve_batch
from review.models import NameMap, Parking, ParkingCause, TaxonomyClass


@task()
def replay_parked(site_id: str, cause: str, value: str) -> None:
    """Route every event that still waits for a name which is known by now. Safe to run twice, and after a kill."""
    waiting = Parking.objects.filter(site_id=UUID(site_id), cause=cause, value=value, resolved_at=None)
    while waiting.exists():
        resolve_batch(site_id=UUID(site_id), cause=cause, value=value, now=timezone.now())


def sweep_parked(*, now: datetime) -> int:
    """Enqueue again what a dead worker left: names that are known by now and still have events waiting."""
    rows = Parking.objects.filter(resolved_at=None).order_by().values_list("site_id", "cause", "value").distinct()
    left = [row for row in rows[:200] if is_known(*row)]
    for site_id, cause, value in left:
        replay_parked.enqueue(str(site_id), cause, value)
    return len(left)


def is_known(site_id: UUID, cause: str, value: str) -> bool:
    if NameMap.objects.filter(site_id=site_id, cause=cause, value=value, ended_at=None).exists():
        return True
    if cause == ParkingCause.CAMERA:
        return Camera.objects.filter(site_id=site_id, slug__in=[value, camera_slug(value)]).exists()
    if cause == ParkingCause.CLASS:
        return TaxonomyClass.objects.filter(taxonomy__site_id=site_id, name=value).exists()
    name, _space, version = value.rpartition(" ")
    return ModelVersion.objects.filter(site_id=site_id, name=name, version=version).exists()
