"""The needs-mapping inbox: make or map what an event named, then route the events that waited for it.

What a name stands for is a row of its own (`NameMap`), and what it made of a parked event is a row beside the event
(`EventNames`): events themselves never change. Many events are routed by a task, a batch at a time; each of them
exactly once, because closing its parking is a conditional UPDATE in the same transaction.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.models import User
from inference.actions.retiring import restore_camera
from inference.actions.sites import create_camera, register_model_version, require_in_use
from inference.models import Camera, ModelVersion, Site
from inference.models.site import camera_slug
from review import names
from review.actions.routing import route
from review.actions.taxonomies import append_class
from review.models import Event, EventNames, NameMap, Parking, ParkingCause, Taxonomy, TaxonomyClass

# As many as are routed at once; the rest follows in the background.
BATCH = 200
# Site, cause and value of what waits, and for a class the model that said it (else blank).
Parked = tuple[UUID, str, str, str]


def create_missing(*, site: Site, cause: ParkingCause, value: str, person: User, now: datetime) -> int:
    """Create the camera, model version or class that parked events name, and route them; how many came through at once.

    What was made by other ways in the meantime is not made again: the events that wait for it are routed all the same.
    Raises Invalid when nothing waits for it, Conflict `camera_retired` when a retired camera has the name.
    """
    require_in_use(site)
    first = first_waiting(site, cause, value)
    with transaction.atomic():
        # Two who resolve at one site at once go one after the other.
        Site.objects.select_for_update().get(pk=site.pk)
        if cause == ParkingCause.CAMERA:
            add_camera(site, value, person)
        elif cause == ParkingCause.MODEL:
            register_from(first, value, person)
        else:
            add_class(site, value, person)
        return resolve(site=site, cause=cause, value=value, person=person, now=now)


def bring_back(*, site: Site, value: str, person: User, now: datetime) -> int:
    """Bring back the retired camera that has the name of parked events, and route them; how many came through at once.

    Raises Invalid when nothing waits for the name, Conflict `camera_not_retired` when no retired camera has it now.
    """
    first_waiting(site, ParkingCause.CAMERA, value)
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)
        camera = retired_namesakes([(site.pk, value)]).get((site.pk, value))
        if camera is None:
            raise Conflict(_("No retired camera has this name any more."), code="camera_not_retired")
        restore_camera(camera=camera, person=person)
        if camera.slug in {value, camera_slug(value)}:
            return resolve(site=site, cause=ParkingCause.CAMERA, value=value, person=person, now=now)
        return map_name(site=site, cause=ParkingCause.CAMERA, value=value, target=camera, person=person, now=now)


def retired_namesakes(said: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], Camera]:
    """Those of the names (site, value) that a retired camera has and none in use: as short name, or as people say it.

    Of several it is the one that was retired last.
    """
    asked = set(said)
    cameras = Camera.objects.filter(site__in={site_id for site_id, _value in asked}).order_by("retired_at")
    retired: dict[tuple[UUID, str], Camera] = {}
    in_use: set[tuple[UUID, str]] = set()
    for camera in cameras:
        keys = [(camera.site_id, camera.slug), (camera.site_id, camera.name.casefold())]
        if camera.retired_at is None:
            in_use.update(keys)
        else:
            retired |= dict.fromkeys(keys, camera)
    found: dict[tuple[UUID, str], Camera] = {}
    for site_id, value in asked:
        keys = [(site_id, key) for key in (value, camera_slug(value), " ".join(value.split()).casefold())]
        named = [retired[key] for key in keys if key in retired]
        if named and not in_use.intersection(keys):
            found[site_id, value] = named[0]
    return found


def map_name(
    *,
    site: Site,
    cause: ParkingCause,
    value: str,
    target: Any,
    person: User,
    now: datetime,
    model_name: str = "",
) -> int:
    """Let a name stand for something that the site knows, now and from now on; how many events came through at once.

    `target` is a Camera, a ModelVersion or the name of a class; a class that stands for itself is left as it is, and
    shown so, though no taxonomy has it. With a `model_name`, a class is mapped for this model alone, also one that the
    site has under that name. Raises Invalid `unknown_target` for one of another site, and Conflict `mapped_already`.
    """
    require_in_use(site)
    fields = target_fields(site, cause, value, target) | {"model_name": model_name}
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)
        rows = NameMap.objects.filter(site=site, cause=cause, value=value, model_name=model_name, ended_at=None)
        if rows.exists():
            raise Conflict(_("Somebody has just said what this name stands for."), code="mapped_already")
        made = NameMap.objects.create(
            site=site, cause=cause, value=value[:200], created_by=person, created_at=now, **fields
        )
        audit.record(
            "word.mapped" if model_name else "name.mapped",
            actor=person,
            on=site,
            site_id=site.pk,
            cause=cause,
            value=value,
            target=made.target,
            **of_model(model_name),
        )
        transaction.on_commit(names.forget)
        names.forget()
        return resolve(site=site, cause=cause, value=value, person=person, now=now, model_name=model_name or None)


def target_fields(site: Site, cause: ParkingCause, value: str, target: Any) -> dict[str, Any]:
    """The columns of a map. Raises Invalid `unknown_target` for what the site does not know."""
    if cause == ParkingCause.CAMERA and isinstance(target, Camera) and target.site_id == site.pk:
        return {"camera": target}
    if cause == ParkingCause.MODEL and isinstance(target, ModelVersion) and target.site_id == site.pk:
        return {"model_version": target}
    classes = TaxonomyClass.objects.filter(taxonomy__site=site, retired_at=None)
    if cause == ParkingCause.CLASS and target and (target == value or classes.filter(name=target).exists()):
        return {"class_name": target}
    raise Invalid(_("Choose something that this site knows."), code="unknown_target")


def unmap_name(*, row: NameMap, person: User, reason: str, now: datetime) -> None:
    """From now on the name stands for nothing again. What was decided under it stays.

    Raises Invalid without a reason, and Conflict when it is over already.
    """
    if not reason.strip():
        raise Invalid(_("Say why."), code="reason_required")
    with transaction.atomic():
        if not NameMap.objects.filter(pk=row.pk, ended_at=None).update(ended_at=now):
            raise Conflict(_("This is over already."), code="map_ended")
        audit.record(
            "word.unmapped" if row.model_name else "name.unmapped",
            actor=person,
            on=row.site,
            site_id=row.site_id,
            cause=row.cause,
            value=row.value,
            target=row.target,
            **of_model(row.model_name),
            reason=reason.strip()[:300],
        )
        transaction.on_commit(names.forget)


def of_model(name: str) -> dict[str, Any]:
    """What the trail says besides about a word of one model."""
    return {"model": name} if name else {}


def first_waiting(site: Site, cause: ParkingCause, value: str) -> Event:
    waiting = Parking.objects.filter(site=site, cause=cause, value=value, resolved_at=None)
    first = waiting.select_related("event__site").first()
    if first is None:
        raise Invalid(_("Nothing waits for this any more."), code="nothing_parked")
    return first.event


def add_camera(site: Site, name: str, person: User) -> None:
    if retired_namesakes([(site.pk, name)]):
        raise Conflict(_("A retired camera has this name. Bring it back instead."), code="camera_retired")
    slug = camera_slug(name)
    if not Camera.objects.filter(site=site, slug__in=[name, slug]).exists():
        create_camera(site=site, slug=slug, name=name, maker=person)


def register_from(event: Event, value: str, person: User) -> None:
    """Register the model version of a parked event.

    A second file under a known version becomes a version of its own, named by its digest.
    """
    version = event.model_version_name
    other = value != names.model_value(event.model_name, version)
    if other:
        version = f"{version[:46]} @{event.model_sha256[:12]}"
    known = ModelVersion.objects.filter(site=event.site, name=event.model_name, version=version).first()
    if known is None:
        register_model_version(
            site=event.site,
            name=event.model_name,
            version=version,
            sha256=event.model_sha256,
            task=event.task,
            maker=person,
        )


def add_class(site: Site, name: str, person: User) -> None:
    """Append a class to every taxonomy of the site, each with the next free index."""
    missing = Taxonomy.objects.filter(site=site).exclude(classes__name=name).exclude(former_names__name=name)
    for taxonomy in missing.order_by("pk"):
        append_class(taxonomy=taxonomy, name=name, person=person)


def resolve(
    *, site: Site, cause: ParkingCause, value: str, person: User, now: datetime, model_name: str | None = None
) -> int:
    """Route the first of the events that waited for a name, and leave many to the task. Inside a transaction."""
    from review.tasks.mapping import replay_parked

    count = parkings(site.pk, cause, value, model_name).count()
    if not count:
        return 0
    audit.record("mapping.resolved", actor=person, on=site, site_id=site.pk, cause=cause, value=value, events=count)
    through = resolve_batch(site_id=site.pk, cause=cause, value=value, now=now, model_name=model_name)
    if count > BATCH:
        transaction.on_commit(lambda: replay_parked.enqueue(str(site.pk), str(cause), value, model_name))
    return through


def parkings(site_id: UUID, cause: str, value: str, model_name: str | None = None) -> QuerySet[Parking]:
    """What waits for a name at a site: whoever said it, or one model."""
    rows = Parking.objects.filter(site_id=site_id, cause=cause, value=value, resolved_at=None)
    return rows if model_name is None else rows.filter(model_name=model_name)


def resolve_batch(*, site_id: UUID, cause: str, value: str, now: datetime, model_name: str | None = None) -> int:
    """Close a batch of parkings of one name, and route those of their events that wait for nothing else.

    How many were routed. Two who do it at once take different events; of one that was killed nothing is left half done.
    """
    with transaction.atomic():
        # One after the other at a site: two parkings of one event must not both see the other one open.
        Site.objects.select_for_update().get(pk=site_id)
        batch = list(first_of(parkings(site_id, cause, value, model_name)))
        mine = [row for row in batch if Parking.objects.filter(pk=row.pk, resolved_at=None).update(resolved_at=now)]
        return sum(through(row.event, cause, value, now) for row in mine)


def first_of(rows: QuerySet[Parking]) -> QuerySet[Parking]:
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return rows.select_related("event__site", "event__source").order_by("pk")[:BATCH]


def through(event: Event, cause: str, value: str, now: datetime) -> bool:
    """Note what a name of `event` stands for, and route it when nothing else is unknown; whether it was routed."""
    if cause == ParkingCause.CAMERA:
        EventNames.objects.update_or_create(event=event, defaults={"camera": camera_for(event, value)})
    elif cause == ParkingCause.MODEL:
        found = model_for(event, value)
        if differs(event, found):
            # Another file under a known version must not pass as it: it waits under a name that says so.
            again = names.model_value(event.model_name, event.model_version_name, event.model_sha256)
            Parking.objects.get_or_create(
                event=event, cause=cause, value=again, defaults={"site_id": event.site_id, "parked_at": now}
            )
            return False
        EventNames.objects.update_or_create(event=event, defaults={"model_version": found})
    if Parking.objects.filter(event=event, resolved_at=None).exists():
        return False
    route(event=event, now=now)
    return True


def camera_for(event: Event, value: str) -> Camera | None:
    mapped = names.mapped_camera(event.site, value)
    rows = Camera.objects.filter(site_id=event.site_id, slug__in=[value, camera_slug(value)])
    return mapped or rows.order_by("created_at").first()


def model_for(event: Event, value: str) -> ModelVersion | None:
    """What a parked name of a model stands for: as it was mapped, or the version of that name."""
    if row := names.maps_of(event.site_id).get((ParkingCause.MODEL, value)):
        return row.model_version
    name, version = event.model_name, event.model_version_name
    other = value != names.model_value(name, version)
    wanted = f"{version[:46]} @{event.model_sha256[:12]}" if other else version
    return ModelVersion.objects.filter(site_id=event.site_id, name=name, version=wanted).first()


def known_among(parked: Iterable[Parked]) -> set[Parked]:
    """Those of the parked names that their site knows by now: their events are on their way."""
    rows = set(parked)
    sites = {site_id for site_id, *_name in rows}
    maps = NameMap.objects.filter(site__in=sites, ended_at=None)
    mapped = set(maps.values_list("site_id", "cause", "value", "model_name"))
    classes = TaxonomyClass.objects.filter(taxonomy__site__in=sites).values_list("taxonomy__site_id", "name")
    versions = ModelVersion.objects.filter(site__in=sites).values_list("site_id", "name", "version")
    slugs = set(Camera.objects.filter(site__in=sites).values_list("site_id", "slug"))
    known = {row[:3] for row in mapped if not row[3]}
    known |= {(site_id, str(ParkingCause.CLASS), name) for site_id, name in classes}
    known |= {(site_id, str(ParkingCause.MODEL), names.model_value(*both)) for site_id, *both in versions}
    cameras = {row for row in rows if row[1] == ParkingCause.CAMERA}
    seen = {row for row in cameras if {(row[0], row[2]), (row[0], camera_slug(row[2]))} & slugs}
    return {row for row in rows if row in mapped or row[:3] in known} | seen


def differs(event: Event, found: ModelVersion | None) -> bool:
    """Whether the event was made by another file than the one that is registered under its version."""
    if found is None or not found.sha256 or not event.model_sha256 or found.sha256 == event.model_sha256:
        return False
    # Somebody who maps a name to another version says so knowingly.
    return (found.name, found.version) == (event.model_name, event.model_version_name)
