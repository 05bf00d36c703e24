"""The needs-mapping inbox: make or map what an event named, then route the events that waited for it."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Invalid
from accounts.models import User
from inference.actions.sites import create_camera, register_model_version
from inference.models import Camera, ModelVersion, Site
from inference.models.site import camera_slug
from review.actions.routing import route
from review.models import Event, Parking, ParkingCause, Taxonomy, TaxonomyClass


def create_missing(*, site: Site, cause: ParkingCause, value: str, person: User, now: datetime) -> int:
    """Create the camera, model version or class that parked events name, and route them; how many came through.

    What was made by other ways in the meantime is not made again: the events that wait for it are routed all the same.
    Raises Invalid when nothing waits for it.
    """
    waiting = Parking.objects.filter(site=site, cause=cause, value=value, resolved_at=None)
    first = waiting.select_related("event").first()
    if first is None:
        raise Invalid(_("Nothing waits for this any more."), code="nothing_parked")
    with transaction.atomic():
        # Two who resolve at one site at once go one after the other.
        Site.objects.select_for_update().get(pk=site.pk)
        if cause == ParkingCause.CAMERA:
            add_camera(site, value, person)
        elif cause == ParkingCause.MODEL:
            register_from(first.event, person)
        else:
            add_class(site, value, person)
        return resolve(site=site, cause=cause, value=value, person=person, now=now)


def add_camera(site: Site, name: str, person: User) -> None:
    slug = camera_slug(name)
    if not Camera.objects.filter(site=site, slug__in=[name, slug]).exists():
        create_camera(site=site, slug=slug, name=name, maker=person)


def register_from(event: Event, person: User) -> None:
    wanted = {"site": event.site, "name": event.model_name, "version": event.model_version_name}
    if ModelVersion.objects.filter(**wanted).exists():
        return
    register_model_version(
        site=event.site,
        name=event.model_name,
        version=event.model_version_name,
        sha256=event.model_sha256,
        task=event.task,
        maker=person,
    )


def add_class(site: Site, name: str, person: User) -> None:
    """Append a class to every taxonomy of the site, each with the next free index."""
    for taxonomy in Taxonomy.objects.filter(site=site).exclude(classes__name=name):
        append_class(taxonomy=taxonomy, name=name, person=person)


def append_class(*, taxonomy: Taxonomy, name: str, person: User | None) -> TaxonomyClass:
    """A new class at the end of a taxonomy; indexes are permanent, so nothing else moves."""
    last = taxonomy.classes.aggregate(last=Max("index"))["last"]
    with transaction.atomic():
        row = TaxonomyClass.objects.create(taxonomy=taxonomy, name=name, index=0 if last is None else last + 1)
        audit.record("class.added", actor=person, on=taxonomy, site_id=taxonomy.site_id, name=name, index=row.index)
    return row


def resolve(*, site: Site, cause: ParkingCause, value: str, person: User, now: datetime) -> int:
    """Close the parkings of one cause; route the events that wait for nothing else. Inside a transaction."""
    waiting = Parking.objects.filter(site=site, cause=cause, value=value, resolved_at=None)
    events = set(waiting.values_list("event_id", flat=True))
    waiting.update(resolved_at=now)
    still = set(Parking.objects.filter(event__in=events, resolved_at=None).values_list("event_id", flat=True))
    for event in Event.objects.filter(pk__in=events - still).select_related("site").order_by("received_at"):
        route(event=event, now=now)
    audit.record(
        "mapping.resolved", actor=person, on=site, site_id=site.pk, cause=cause, value=value, events=len(events)
    )
    return len(events - still)
