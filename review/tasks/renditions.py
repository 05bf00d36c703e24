"""Thumbnails and working copies, made after intake."""

from uuid import UUID

from django.db import transaction
from django.tasks import task

from review import broadcast, evidence_store, images
from review.models import Evidence, EvidenceState, Item, ItemState, Rendition, RenditionKind
from review.models.evidence import rendition_path

LONGEST_PX = {RenditionKind.THUMBNAIL: 320, RenditionKind.WORKING: 1600}
QUALITY = {RenditionKind.THUMBNAIL: 80, RenditionKind.WORKING: 88}


@task()
def make_renditions(evidence_id: str) -> None:
    """Decode a picture once, and write its upright copies; what cannot be decoded is marked damaged and kept."""
    evidence = Evidence.objects.get(pk=UUID(evidence_id))
    present = set(evidence.renditions.values_list("kind", flat=True))
    missing = [kind for kind in RenditionKind if kind not in present]
    if evidence.state == EvidenceState.DAMAGED or not missing:
        return
    try:
        picture = images.upright(evidence_store.read(evidence.path))
    except FileNotFoundError:
        # Any other fault of the disk is not the picture's: the task fails, and is taken up again.
        mark_damaged(evidence, "its file is missing")
        return
    except (ValueError, images.UnsupportedType) as error:
        mark_damaged(evidence, str(error))
        return
    rows = []
    for kind in missing:
        copy = images.rendition(picture, LONGEST_PX[kind], QUALITY[kind])
        evidence_store.write(rendition_path(str(evidence.pk), kind), copy)
        ratio = min(1.0, LONGEST_PX[kind] / max(picture.size))
        width, height = (max(1, round(side * ratio)) for side in picture.size)
        rows.append(Rendition(evidence=evidence, kind=kind, width=width, height=height, size=len(copy)))
    with transaction.atomic():
        Rendition.objects.bulk_create(rows, ignore_conflicts=True)
        Evidence.objects.filter(pk=evidence.pk, colour="").update(colour=images.average_colour(picture))
        tell_queues(evidence)


def mark_damaged(evidence: Evidence, damage: str) -> None:
    with transaction.atomic():
        Evidence.objects.filter(pk=evidence.pk).update(state=EvidenceState.DAMAGED, damage=damage[:200])
        tell_queues(evidence)


def tell_queues(evidence: Evidence) -> None:
    """Say on commit that the items which this evidence shows look different now."""
    items = Item.objects.filter(event__evidence_rows__evidence=evidence, state=ItemState.OPEN)
    for queue_id in set(items.values_list("queue_id", flat=True)):
        broadcast.queue_changed(queue_id)
