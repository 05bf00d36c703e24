"""Evidence that arrives after its event."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid, NotFound
from inference.models import Source
from review import broadcast, evidence_store, images, media_types, pressure
from review.actions.intake import sha256_of
from review.actions.retention import bring_back
from review.models import EventEvidence, Evidence, Item
from review.models.evidence import evidence_path
from review.tasks.renditions import make_renditions


@dataclass(frozen=True, slots=True)
class Stored:
    evidence: Evidence
    created: bool


def require_announced(*, source: Source, sha256: str) -> EventEvidence:
    """What an event of this source announced under this digest. Raises NotFound when none did."""
    announced = EventEvidence.objects.filter(event__source=source, sha256=sha256).first()
    if announced is None:
        raise NotFound
    return announced


def is_awaited(*, source: Source, sha256: str) -> bool:
    """Whether an event of this source still lacks the bytes of this digest."""
    return EventEvidence.objects.filter(event__source=source, sha256=sha256, evidence=None).exists()


def store_evidence(*, source: Source, sha256: str, content_type: str, data: bytes, now: datetime) -> Stored:
    """Keep the bytes that an event of this source announced, and link them to every event of it that waits for them.

    Raises NotFound when nothing of this source announces them, Invalid `digest_mismatch`, UnsupportedType, TooLarge.
    """
    waiting = EventEvidence.objects.filter(event__source=source, sha256=sha256)
    announced = require_announced(source=source, sha256=sha256)
    if sha256_of(data) != sha256:
        raise Invalid(_("These bytes have another digest."), code="digest_mismatch")
    facts = media_types.inspect(data)
    if facts.content_type != content_type or content_type != announced.content_type:
        raise images.UnsupportedType(_("The bytes are not of the type that was announced."))
    evidence_store.require_room()
    pressure.require_quota(source.site, more=len(data))
    evidence_store.write(evidence_path(str(source.site_id), sha256), data)
    with transaction.atomic():
        evidence, made = Evidence.objects.get_or_create(
            site_id=source.site_id,
            sha256=sha256,
            defaults={
                "content_type": facts.content_type,
                "size": len(data),
                "width": facts.width,
                "height": facts.height,
                "duration_s": facts.duration_s,
                "stored_at": now,
            },
        )
        if made:
            make_renditions.enqueue(str(evidence.pk))
        else:
            made = bring_back(evidence=evidence, data=data)
        events = list(waiting.values_list("event_id", flat=True))
        EventEvidence.objects.filter(event__site_id=source.site_id, sha256=sha256, evidence=None).update(
            evidence=evidence
        )
        for queue_id in set(Item.objects.open().filter(event__in=events).values_list("queue_id", flat=True)):
            broadcast.queue_changed(queue_id)
    return Stored(evidence, made)
