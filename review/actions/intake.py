"""Intake: the one function through which every event comes in."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Conflict, Invalid
from accounts.ids import new_id
from accounts.inserts import Inserts
from inference.models import Camera, ModelVersion, Source
from inference.models.site import camera_slug
from review import broadcast, evidence_store, images, known, media_types, names, pressure
from review.actions import holds, routing
from review.actions.retention import bring_back
from review.models import Event, EventEvidence, Evidence, Hold, Item, Parking, ParkingCause, Routing
from review.models.evidence import evidence_path
from review.schemas import EventIn, EvidenceIn
from review.strict_json import digest
from review.tasks.renditions import make_renditions

SKEW = timedelta(minutes=2)
LATE = timedelta(hours=24)
ATTEMPTS = 3
# A row that says where an event goes.
type Way = Parking | Routing | Item | Hold


@dataclass(frozen=True, slots=True)
class Taken:
    """What intake answers: the event, whether this call made it, and the state of each announced evidence."""

    event: Event
    created: bool
    evidence: dict[str, str]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with an event, already checked against its announcement."""

    announced: EvidenceIn
    data: bytes
    facts: media_types.Facts


def take_in(
    *, source: Source, posted: EventIn, body: Mapping[str, Any], files: Mapping[str, bytes], now: datetime
) -> Taken:
    """Take one event in, effectively once: it is durable when this returns.

    `body` is the posted JSON itself (its digest tells a repeat from a conflict), `files` the bytes by evidence name.
    The same event again returns the first one; another body under the same id raises Conflict `event_conflict`.
    Raises Invalid, images.UnsupportedType (415), images.TooLarge (413) or evidence_store.StoreUnavailable (503); then
    nothing is kept of it.
    """
    body_digest = digest(body)
    uploads = check_files(posted, files)
    evidence_store.require_room()
    pressure.require_quota(source.site, more=sum(len(upload.data) for upload in uploads))
    event = Event(**event_columns(source, posted, body_digest, now))
    fresh = {
        upload.announced.sha256
        for upload in uploads
        if evidence_store.write(evidence_path(str(source.site_id), upload.announced.sha256), upload.data)
    }
    for _attempt in range(ATTEMPTS):
        try:
            return write_rows(event, posted, uploads, fresh, now)
        except IntegrityError as error:
            # A repeat is rare, so the constraint finds it and not a look before each event. Otherwise the same picture
            # came with two events at once, and is there at the next attempt; or the queue was retired meanwhile.
            if first := earlier(source, posted.event_id):
                return repeat(first, body_digest)
            fresh, failure = set(), error
    raise failure


def earlier(source: Source, event_id: UUID) -> Event | None:
    return Event.objects.filter(source=source, event_id=event_id).first()


def repeat(first: Event, body_digest: str) -> Taken:
    if first.digest != body_digest:
        raise Conflict(_("This event_id was posted before with another body."), code="event_conflict", id=str(first.pk))
    states = {row.name: "stored" if row.evidence_id else "pending" for row in first.evidence_rows.all()}
    return Taken(first, False, states)


def check_files(posted: EventIn, files: Mapping[str, bytes]) -> list[Upload]:
    """Match files to what the event announced: name, size, type by content, digest, pixels."""
    announced = {evidence.name: evidence for evidence in posted.evidence}
    if stray := sorted(set(files) - set(announced)):
        raise Invalid(
            _("The event announces no evidence of this name."),
            code="evidence_not_announced",
            errors=[{"path": f"$.evidence[{stray[0][:60]}]", "message": "not announced"}],
        )
    for evidence in posted.evidence:
        media_types.require_taken(evidence.content_type)
    return [check_file(announced[name], data) for name, data in files.items()]


def check_file(announced: EvidenceIn, data: bytes) -> Upload:
    limits = settings.SECONDLOOK
    if len(data) > limits["MAX_EVIDENCE_BYTES"]:
        raise images.TooLarge
    if sha256_of(data) != announced.sha256:
        raise Invalid(
            _("The bytes of %(name)s do not have the digest that the event announces.") % {"name": announced.name},
            code="digest_mismatch",
        )
    facts = media_types.inspect(data)
    if facts.content_type != announced.content_type:
        raise images.UnsupportedType(
            _("%(name)s is announced as %(said)s but holds %(is)s.")
            % {"name": announced.name, "said": announced.content_type, "is": facts.content_type}
        )
    return Upload(announced, data, facts)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_rows(event: Event, posted: EventIn, uploads: list[Upload], fresh: set[str], now: datetime) -> Taken:
    """The one transaction of an event: the event, its evidence, and where it goes.

    `fresh` are digests of files that were not there before, which therefore have no row. Whatever can be looked up and
    decided before the transaction is; a name that somebody maps in that moment is found by `sweep_parked`.
    """
    evidence = {u.announced.sha256: new_evidence(event, u, now) for u in uploads if u.announced.sha256 in fresh}
    ways = ways_of(event, posted, now)
    known_later = any(announced.sha256 not in fresh for announced in posted.evidence)
    inserts = None if known_later else Inserts(rows_of(event, posted, evidence, ways))
    with transaction.atomic():
        if inserts is None:
            evidence = known_evidence(event, posted, uploads, now) | evidence
            inserts = Inserts(rows_of(event, posted, evidence, ways))
        for row in evidence.values():
            if row._state.adding:
                make_renditions.enqueue(str(row.pk))
        inserts.write()
        broadcast.source_changed(event.source_id)
        for way in ways:
            if isinstance(way, Item):
                broadcast.item_changed(way)
    states = {e.name: "stored" if e.sha256 in evidence else "pending" for e in posted.evidence}
    return Taken(event, True, states)


def ways_of(event: Event, posted: EventIn, now: datetime) -> list[Way]:
    """New rows that say where an event goes: into the inbox for a name that its site does not know, or where the policy
    sends it; with the machine that waits. Raises as `routing.ways_of` does.
    """
    unknown = unknown_names(event)
    ways: list[Way] = [parking_of(event, cause, value, now) for cause, value in unknown]
    if not unknown:
        ways += routing.ways_of(event=event, now=now, held_until=holds.deadline_of(posted.hold, now))
    if posted.hold is not None:
        item = next((way for way in ways if isinstance(way, Item)), None)
        ways.append(holds.hold_of(event=event, asked=posted.hold, item=item, now=now))
    return ways


def parking_of(event: Event, cause: ParkingCause, value: str, now: datetime) -> Parking:
    return Parking(
        event=event,
        site_id=event.site_id,
        cause=cause,
        value=value[:200],
        model_name=event.model_name if cause == ParkingCause.CLASS else "",
        parked_at=now,
    )


def rows_of(event: Event, posted: EventIn, evidence: Mapping[str, Evidence], ways: Sequence[Way]) -> list[Model]:
    """All rows of an event that are not there yet; `evidence` by digest may be."""
    # In the order of their digests: of two events with the same two pictures one waits for the other, and not both.
    new = [row for _sha256, row in sorted(evidence.items()) if row._state.adding]
    return [event, *new, *evidence_links(event, posted, evidence), *ways]


def event_columns(source: Source, posted: EventIn, body_digest: str, now: datetime) -> dict[str, Any]:
    plain = posted.model_dump(mode="json", by_alias=True, exclude_unset=False)
    camera = find_camera(source, posted.camera)
    model = find_model(source, posted)
    subject = set(posted.subject)
    candidates = [p for p in posted.predictions if not subject or p.id in subject]
    top = max(candidates, key=lambda prediction: prediction.confidence, default=None)
    late = now - posted.captured_at > LATE and not posted.historical
    return {
        "id": new_id(),
        "site": source.site,
        "source": source,
        "event_id": posted.event_id,
        "digest": body_digest,
        "captured_at": posted.captured_at,
        "received_at": now,
        "clock_skewed": posted.captured_at - now > SKEW or late,
        "kind": posted.kind,
        "camera": camera,
        "camera_name": camera.slug if camera else (posted.camera or ""),
        "model_version": model,
        "model_name": posted.model.name if posted.model else "",
        "model_version_name": posted.model.version if posted.model else "",
        "model_sha256": (posted.model.sha256 or "") if posted.model else "",
        "task": posted.task,
        "frame_width_px": posted.frame.width,
        "frame_height_px": posted.frame.height,
        "reporting_floor": posted.reporting_floor,
        "thresholds": plain["thresholds"],
        "predictions": [{key: value for key, value in p.items() if value is not None} for p in plain["predictions"]],
        "subject": plain["subject"],
        "top_class": top.class_ if top else "",
        "top_confidence": top.confidence if top else None,
        "flags": plain["flags"],
        "rule": posted.rule or "",
        "sampling_probability": posted.sampling_probability,
        "action": plain["action"],
        "stamps": {key: value for key, value in plain["stamps"].items() if value is not None},
        "latency_ms": plain["latency_ms"],
        "context": plain["context"],
        "historical": posted.historical,
    }


def find_camera(source: Source, slug: str | None) -> Camera | None:
    """The camera that an event names, or the token's. A token of one camera speaks for no other one."""
    if slug is None or (source.camera is not None and source.camera.slug == slug):
        return source.camera
    if source.camera is not None:
        raise Invalid(_("This token belongs to another camera."), code="camera_mismatch")
    found = Camera.objects.filter(site_id=source.site_id, slug__in=[slug, camera_slug(slug)])
    named = {camera.slug: camera for camera in found}
    return named.get(slug) or named.get(camera_slug(slug)) or names.mapped_camera(source.site, slug)


def find_model(source: Source, posted: EventIn) -> ModelVersion | None:
    """The model version that an event names; registered by its first event where the site wants that."""
    if posted.model is None:
        return None
    name, version = posted.model.name, posted.model.version
    if mapped := names.mapped_model(source.site, name, version):
        return mapped
    found = known.model_version(source.site_id, name, version)
    if found is None and source.site.registers_models:
        found, _made = ModelVersion.objects.get_or_create(
            site_id=source.site_id,
            name=name,
            version=version,
            defaults={"sha256": posted.model.sha256 or "", "task": posted.task},
        )
    if found is not None and found.sha256 and posted.model.sha256 and found.sha256 != posted.model.sha256:
        raise Invalid(_("This model version is registered with another digest."), code="model_digest_mismatch")
    return found


def evidence_links(event: Event, posted: EventIn, evidence: Mapping[str, Evidence]) -> list[EventEvidence]:
    """New rows for what the event announces; without its bytes, where these are to come later."""
    return [
        EventEvidence(
            event=event,
            position=position,
            name=announced.name,
            role=announced.role,
            sha256=announced.sha256,
            content_type=announced.content_type,
            offset_x_px=announced.offset[0],
            offset_y_px=announced.offset[1],
            scale=announced.scale,
            level=announced.level,
            evidence=evidence.get(announced.sha256),
        )
        for position, announced in enumerate(posted.evidence)
    ]


def known_evidence(event: Event, posted: EventIn, uploads: list[Upload], now: datetime) -> dict[str, Evidence]:
    """By digest what the site has of the announced evidence, and new rows for uploads that it has not.

    Bytes that it had and let go are asked for again, like any that never came. The lock keeps a removal from coming
    between the look and the link. Inside a transaction.
    """
    digests = {announced.sha256 for announced in posted.evidence}
    rows = Evidence.objects.select_for_update().filter(site_id=event.site_id, sha256__in=digests).order_by("sha256")
    found = {row.sha256: row for row in rows}
    for upload in uploads:
        row = found.setdefault(upload.announced.sha256, new_evidence(event, upload, now))
        if row.removed_at is not None:
            bring_back(evidence=row, data=upload.data)
    return {sha256: row for sha256, row in found.items() if row.removed_at is None}


def new_evidence(event: Event, upload: Upload, now: datetime) -> Evidence:
    """The row of a stored file, one per site, not written yet."""
    return Evidence(
        site_id=event.site_id,
        sha256=upload.announced.sha256,
        content_type=upload.facts.content_type,
        size=len(upload.data),
        width=upload.facts.width,
        height=upload.facts.height,
        duration_s=upload.facts.duration_s,
        stored_at=now,
    )


def unknown_names(event: Event) -> list[tuple[ParkingCause, str]]:
    """What an event names that its site does not know: camera, model version, classes."""
    unknown: list[tuple[ParkingCause, str]] = []
    if event.camera is None and event.camera_name:
        unknown.append((ParkingCause.CAMERA, event.camera_name))
    if event.model_version is None and event.model_name:
        unknown.append((ParkingCause.MODEL, names.model_value(event.model_name, event.model_version_name)))
    said = {prediction["class"] for prediction in event.predictions}
    missing = known.unknown_classes(event.site_id, said) - names.class_names(event.site_id, event.model_name).keys()
    unknown += [(ParkingCause.CLASS, name) for name in sorted(missing)]
    return unknown
