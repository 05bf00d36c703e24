"""The guide of a queue: text and examples, each change under a new version, which verdicts record."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.models import User
from review.desk import frame_row
from review.models import Event, EvidenceState, GuideExample, GuideVersion, Queue
from review.schemas import is_printable

LONGEST_GUIDE = 20_000
LONGEST_CAPTION = 300
MOST_EXAMPLES = 500
# Of the side of a box, shown around it on every side.
MARGIN = 0.25


@contextmanager
def changing(queue: Queue, person: User, now: datetime) -> Iterator[Queue]:
    """One change of a guide at a time; it becomes the next version with what stands there at the end."""
    with transaction.atomic():
        locked = Queue.objects.select_for_update(of=("self",)).get(pk=queue.pk)
        locked.guide_version += 1
        yield locked
        locked.save(update_fields=["guide", "guide_version"])
        GuideVersion.objects.create(
            queue=locked, version=locked.guide_version, text=locked.guide, changed_by=person, changed_at=now
        )


def write_guide(*, queue: Queue, text: str, looked_at: int, person: User, now: datetime) -> int:
    """Put `text` in place of the guide's; its new version.

    Raises Conflict `guide_changed` when it is no longer the version that was looked at, and Invalid for bad text.
    """
    if len(text) > LONGEST_GUIDE or not is_printable(text):
        raise Invalid(_("A guide has at most 20,000 characters and no control characters."), code="bad_guide")
    with changing(queue, person, now) as locked:
        if looked_at != locked.guide_version - 1:
            raise Conflict(_("Somebody changed the guide meanwhile; look at it again."), code="guide_changed")
        locked.guide = text
        record_guide("guide.written", locked, person)
    return locked.guide_version


def add_example(
    *, queue: Queue, event: Event, class_id: Any, box_of: str, good: bool, caption: str, person: User, now: datetime
) -> GuideExample:
    """Show an event in the guide: the surroundings of one prediction, or the whole frame without one.

    The caller has checked that the person sees the event. Raises Invalid for an event of another site, without a
    picture, or a class or prediction that is none.
    """
    row = frame_row(event)
    if event.site_id != queue.site_id or row is None or row.evidence is None:
        raise Invalid(_("Only an event of the queue's site with a picture can be an example."), code="no_example")
    if row.evidence.state == EvidenceState.DAMAGED:
        raise Invalid(_("The picture is damaged."), code="no_example")
    if len(caption) > LONGEST_CAPTION or not is_printable(caption):
        raise Invalid(_("A caption has at most 300 characters."), code="bad_caption")
    shows = queue.taxonomy.classes.filter(pk=class_id).first()
    if shows is None:
        raise Invalid(_("This is no class of the queue."), code="unknown_class")
    crop = crop_of(event, box_of)
    with changing(queue, person, now) as locked:
        if GuideExample.objects.filter(queue=locked, removed_in=None).count() >= MOST_EXAMPLES:
            raise Invalid(_("A guide holds at most 500 examples."), code="too_many")
        made = GuideExample.objects.create(
            queue=locked,
            shows=shows,
            event=event,
            evidence=row.evidence,
            good=good,
            caption=caption,
            crop=crop,
            added_in=locked.guide_version,
            added_by=person,
            added_at=now,
        )
        record_guide("example.added", locked, person, event=str(event.pk), name=shows.name, good=good)
    return made


def crop_of(event: Event, prediction: str) -> list[float]:
    """The surroundings of a prediction in pixels of the upright frame; the whole frame for none or one without a box.

    Raises Invalid `unknown_prediction`.
    """
    width, height = float(event.frame_width_px), float(event.frame_height_px)
    if not prediction:
        return [0.0, 0.0, width, height]
    found = next((one for one in event.predictions if one["id"] == prediction), None)
    if found is None:
        raise Invalid(_("This is no prediction of the event."), code="unknown_prediction")
    if "box" not in found:
        return [0.0, 0.0, width, height]
    x, y, box_width, box_height = (float(value) for value in found["box"])
    left, top = max(0.0, x - MARGIN * box_width), max(0.0, y - MARGIN * box_height)
    right, bottom = min(width, x + (1 + MARGIN) * box_width), min(height, y + (1 + MARGIN) * box_height)
    if right <= left or bottom <= top:
        return [0.0, 0.0, width, height]
    return [left, top, right - left, bottom - top]


def remove_example(*, example: GuideExample, person: User, now: datetime) -> None:
    """Take an example out of the guide; its picture is no longer kept because of it. Raises Conflict `removed`."""
    with changing(example.queue, person, now) as locked:
        rows = GuideExample.objects.filter(pk=example.pk, removed_in=None)
        if not rows.update(removed_in=locked.guide_version):
            raise Conflict(_("This example is no longer in the guide."), code="removed")
        record_guide("example.removed", locked, person, event=str(example.event_id), name=example.shows.name)


def record_guide(verb: str, queue: Queue, person: User, **facts: Any) -> None:
    audit.record(
        verb,
        actor=person,
        on=queue,
        site_id=queue.site_id,
        queue_id=queue.pk,
        version=queue.guide_version,
        **facts,
    )
