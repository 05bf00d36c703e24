"""Thumbnails and working copies, made after intake."""

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.tasks import task

from review import broadcast, evidence_store
from review.decoding import Decoded, Undecodable, Wanted, decode, decode_clip, playable_copy
from review.models import EventEvidence, Evidence, EvidenceState, Item, ItemState, Rendition, RenditionKind
from review.models.evidence import rendition_path

MISSING, ALTERED = "its file is missing", "its file is not what was stored"
# A rendition is usually there within a second; one that is not after this long was lost.
OVERDUE = timedelta(minutes=10)
SWEEP = 200
WANTED = {
    RenditionKind.THUMBNAIL: Wanted(RenditionKind.THUMBNAIL.value, longest_px=320, quality=80),
    RenditionKind.WORKING: Wanted(RenditionKind.WORKING.value, longest_px=1600, quality=88),
}


@task()
def make_renditions(evidence_id: str) -> None:
    """Decode a picture once, and write its upright copies; what cannot be decoded is marked damaged and kept."""
    evidence = Evidence.objects.get(pk=UUID(evidence_id))
    present = set(evidence.renditions.values_list("kind", flat=True))
    missing = tuple(wanted for kind, wanted in WANTED.items() if kind not in present)
    if (
        evidence.removed_at is not None
        or evidence.state == EvidenceState.DAMAGED
        or not (missing or wants_clip(evidence, present))
    ):
        return
    try:
        decoded, clip = decoded_copies(evidence, missing, with_clip=wants_clip(evidence, present))
    except FileNotFoundError:
        # Any other fault of the disk is not the picture's: the task fails, and the sweep takes it up again.
        mark_damaged(evidence, MISSING)
        return
    except Undecodable as error:
        mark_damaged(evidence, str(error))
        return
    for copy in decoded.copies:
        evidence_store.write(rendition_path(str(evidence.pk), copy.name), copy.data)
    rows = clip_rows(evidence, clip) if clip else []
    rows += [
        Rendition(
            evidence=evidence,
            kind=copy.name,
            width=copy.width,
            height=copy.height,
            size=len(copy.data),
            sha256=sha256(copy.data).hexdigest(),
        )
        for copy in decoded.copies
    ]
    with transaction.atomic():
        Rendition.objects.bulk_create(rows, ignore_conflicts=True)
        Evidence.objects.filter(pk=evidence.pk, colour="").update(colour=decoded.colour)
        tell_queues(evidence)


def wants_clip(evidence: Evidence, present: set[str]) -> bool:
    return evidence.is_clip and RenditionKind.CLIP not in present


def decoded_copies(
    evidence: Evidence, missing: tuple[Wanted, ...], *, with_clip: bool
) -> tuple[Decoded, tuple[bytes, int, int] | None]:
    """The copies that are missing, made of the bytes that were stored and no others.

    Raises FileNotFoundError, and Undecodable also when the file was altered since.
    """
    data = evidence_store.read(evidence.path)
    if sha256(data).hexdigest() != evidence.sha256:
        raise Undecodable(ALTERED)
    if not evidence.is_clip:
        return decode(data, missing), None
    return decode_clip(data, missing), playable_copy(data) if with_clip else None


def clip_rows(evidence: Evidence, clip: tuple[bytes, int, int]) -> list[Rendition]:
    """Write the clip to play; its row."""
    data, width, height = clip
    evidence_store.write(rendition_path(str(evidence.pk), RenditionKind.CLIP), data)
    digest = sha256(data).hexdigest()
    return [
        Rendition(evidence=evidence, kind=RenditionKind.CLIP, width=width, height=height, size=len(data), sha256=digest)
    ]


def sweep_renditions(*, now: datetime) -> int:
    """Enqueue again what a dead worker or a full disk left undone; how many there were."""
    waiting = Evidence.objects.filter(
        state=EvidenceState.STORED, renditions=None, stored_at__lt=now - OVERDUE, removed_at=None
    )
    found = list(waiting.order_by("stored_at").values_list("pk", flat=True)[:SWEEP])
    for pk in found:
        make_renditions.enqueue(str(pk))
    return len(found)


def mark_damaged(evidence: Evidence, damage: str) -> None:
    with transaction.atomic():
        Evidence.objects.filter(pk=evidence.pk).update(state=EvidenceState.DAMAGED, damage=damage[:200])
        tell_queues(evidence)


def mark_whole(evidence: Evidence) -> None:
    """The file of damaged evidence is back as it was stored."""
    with transaction.atomic():
        Evidence.objects.filter(pk=evidence.pk).update(state=EvidenceState.STORED, damage="")
        tell_queues(evidence)


def tell_queues(evidence: Evidence) -> None:
    """Say on commit that the items which this evidence shows look different now."""
    items = Item.objects.filter(event__evidence_rows__evidence=evidence, state=ItemState.OPEN)
    for queue_id in set(items.values_list("queue_id", flat=True)):
        broadcast.queue_changed(queue_id)
    # The connect page waits for the picture of the first event.
    sources = EventEvidence.objects.filter(evidence=evidence).values_list("event__source_id", flat=True)
    for source_id in set(sources[:20]):
        broadcast.source_changed(source_id)
