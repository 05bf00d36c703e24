"""The first event of a source, for whoever connects it: what came, what became of it, or what was wrong."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound
from accounts.roles import Right
from inference.access import source_for
from inference.models import Source
from review.access import first_event_for, queues_for
from review.desk import event_payload, frame_row
from review.faults import faults_of
from review.files import stored
from review.models import Event, Evidence, EvidenceState, Rendition, RenditionKind, Routed

# How far the sides of a picture may be from the proportion that its event says: a rounded pixel is no fault.
MISFIT = 0.02


@require_safe
@signed_in("see_sources on the source's site; its first event for who made the source or may see the site's events")
def first(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the connect page waits for, as the fragment that it asks for."""
    source = source_for(request.user, pk)
    event = first_event_for(request.user, source)
    context: dict[str, Any] = {
        "source": source,
        "came": source.events.exists(),
        "event": event,
        "faults": faults_of(source.pk),
    }
    if event is not None:
        context |= {"payload": first_payload(source, event), "misfit": misfit(event), **became(event)}
        mine = queues_for(request.user, Right.REVIEW)
        context["may_answer"] = context["item"] is not None and mine.filter(pk=context["item"].queue_id).exists()
        record_seen(request, event)
    return render(request, "review/_source_first.html", context)


def first_payload(source: Source, event: Event) -> dict[str, Any]:
    """What draws the event, as on its own page; the picture comes by the door of this page."""
    row = frame_row(event)
    ready = picture_of(event) is not None
    return {
        "event": event_payload(event),
        "picture": reverse("source-first-picture", args=[source.pk]) if ready else None,
        "picture_state": "ready" if ready else "pending" if row else "none",
        "colour": (row.evidence.colour if row and row.evidence else "") or "#3a4452",
        "labels": [],
        "classes": [],
    }


def misfit(event: Event) -> Evidence | None:
    """The picture, when its sides are not in the proportion that the event says: then no box can fit it."""
    row = frame_row(event)
    if row is None or row.role != "frame" or row.evidence is None or row.evidence.is_clip:
        return None
    picture = row.evidence
    across, down = picture.width * event.frame_height_px, picture.height * event.frame_width_px
    return picture if abs(across - down) > MISFIT * max(across, down) else None


def became(event: Event) -> dict[str, Any]:
    """Where the event went: an item in a queue, passed over, or parked because of names that nobody knows."""
    routing = event.routings.order_by("-routed_at").first()
    item = event.items.select_related("queue").order_by("-created_at").first()
    return {
        "item": item,
        "routing": routing,
        "passed": routing is not None and routing.decision != Routed.QUEUED,
        "parked": list(event.parkings.filter(resolved_at=None)),
    }


def picture_of(event: Event) -> Rendition | None:
    row = frame_row(event)
    if row is None or row.evidence is None or row.evidence.state != EvidenceState.STORED:
        return None
    kinds = {rendition.kind: rendition for rendition in row.evidence.renditions.all()}
    return kinds.get(RenditionKind.WORKING)


def record_seen(request: HttpRequest, event: Event) -> None:
    """The picture is painted full size, so there is an entry."""
    with transaction.atomic():
        audit.record(
            "picture.seen",
            actor=person_of(request),
            on=event,
            site_id=event.site_id,
            action=audit.Action.ACCESS,
            rendition=RenditionKind.WORKING,
            connecting=True,
        )


@require_safe
@signed_in("the first event of a source, for who made it or may see the site's events")
def picture(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The working copy of the first event's frame."""
    event = first_event_for(request.user, source_for(request.user, pk))
    rendition = picture_of(event) if event else None
    if rendition is None:
        raise NotFound
    tag = f'"{rendition.sha256[:32]}-first"'
    response = stored(request, rendition.path, content_type="image/jpeg", etag=tag, size=rendition.size)
    response["Cache-Control"] = "private, max-age=300"
    return response
