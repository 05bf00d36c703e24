"""What the desk shows of an item: the payload that the page's modules draw."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from review import names
from review.actions.attributes import fitted
from review.models import (
    Claim,
    ClassAttribute,
    Event,
    EventEvidence,
    Evidence,
    EvidenceState,
    Item,
    Queue,
    RenditionKind,
    TaxonomyClass,
)

NEIGHBOURS = 2
# Of the context fields of a source the desk shows so many, each so long; the event's page has them all.
MOST_CONTEXT, LONGEST_CONTEXT = 12, 120


def class_list(queue: Queue) -> list[dict[str, Any]]:
    """The classes that people may answer with, as the desk's keys and colours need them."""
    live = Prefetch("attributes", ClassAttribute.objects.filter(retired_at=None))
    rows: list[TaxonomyClass] = list(queue.taxonomy.classes.filter(retired_at=None).prefetch_related(live))
    return [
        {
            "index": row.index,
            "name": row.name,
            "key": row.key,
            "colour": row.place,
            "letter": row.name[:1].upper(),
            "attributes": [
                {"name": one.name, "values": one.values, "required": one.required} for one in row.attributes.all()
            ],
        }
        for row in rows
    ]


def payload(claim: Claim, person: User, now: datetime) -> dict[str, Any]:
    """Everything that is needed to draw and answer a claimed item."""
    item, event = claim.item, claim.item.event
    shown = event_payload(event, item.queue.taxonomy_id)
    return {
        "item": str(item.pk),
        "version": item.version,
        "claim": {
            "id": str(claim.pk),
            "token": str(claim.token),
            "expires_in_s": max(0.0, (claim.expires_at - now).total_seconds()),
        },
        "event": shown | {"predictions": fitted(shown["predictions"], item.queue.taxonomy_id)},
        **picture_payload(event),
        "context_rows": context_rows(event.context),
        "more": [row for row in evidence_rows(event) if row["role"] != "frame"],
        "reason": reason_payload(item),
        "held_s": max(0.0, (item.held_until - now).total_seconds()) if item.held_until else None,
        "complete_default": item.queue.asks_complete,
        "neighbours": neighbours(event, item.queue),
        "links": links(item, claim),
    }


def context_rows(context: Any) -> list[tuple[str, str]]:
    """What the source says of the circumstances, as names and short values: nested ones by their path."""
    rows: list[tuple[str, str]] = []
    waiting = [("", context)]
    while waiting and len(rows) < MOST_CONTEXT:
        name, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting = [(f"{name}.{key}".lstrip("."), one) for key, one in value.items()] + waiting
        elif value not in (None, "", []):
            said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            rows.append((name[:60], said if len(said) <= LONGEST_CONTEXT else f"{said[:LONGEST_CONTEXT]}…"))
    return rows


def event_payload(event: Event, taxonomy_id: UUID | None = None) -> dict[str, Any]:
    """What was posted, with the class names of a taxonomy, or else those of the site."""
    return {
        "id": str(event.pk),
        "captured_at": event.captured_at.isoformat(),
        "camera": names.camera_of(event),
        "kind": event.kind,
        "task": event.task,
        "frame": {"width": event.frame_width_px, "height": event.frame_height_px},
        "predictions": names.in_our_words(event, event.predictions, taxonomy_id),
        "subject": [prediction["id"] for prediction in event.subject_predictions],
        "reporting_floor": event.reporting_floor,
        "model": {"name": event.model_name, "version": event.model_version_name},
        "thresholds": event.thresholds,
        "context": event.context,
        "clock_skewed": event.clock_skewed,
        "flags": event.flags,
    }


def picture_payload(event: Event) -> dict[str, Any]:
    """Where the frame's working copy is, and what stands in for it until it is there."""
    row = frame_row(event)
    if row is None or row.evidence is None:
        return {"picture": None, "picture_state": "pending", "thumb": None, "colour": "#3a4452", "place": None}
    evidence = row.evidence
    colour, place = evidence.colour or "#3a4452", place_of(row)
    if evidence.removed_at is not None:
        return {"picture": None, "picture_state": "removed", "thumb": None, "colour": colour, "place": place}
    kinds = {rendition.kind for rendition in evidence.renditions.all()}
    state = "damaged" if evidence.state == EvidenceState.DAMAGED else "pending"
    return {
        "picture": media_url(evidence.pk, RenditionKind.WORKING) if RenditionKind.WORKING in kinds else None,
        "picture_state": "ready" if RenditionKind.WORKING in kinds and state != "damaged" else state,
        "thumb": media_url(evidence.pk, RenditionKind.THUMBNAIL) if RenditionKind.THUMBNAIL in kinds else None,
        "colour": colour,
        "place": place,
    }


def place_of(row: EventEvidence) -> list[float] | None:
    """Where a crop lies in the frame, as [x, y, width, height] in pixels; None for what shows the whole of it."""
    evidence = row.evidence
    if row.role != "crop" or evidence is None:
        return None
    return [row.offset_x_px, row.offset_y_px, evidence.width * row.scale, evidence.height * row.scale]


def evidence_rows(event: Event) -> list[dict[str, Any]]:
    """Each evidence of an event for its page: its state, its pictures, its place in the frame, the clip to play."""
    rows = event.evidence_rows.select_related("evidence").prefetch_related("evidence__renditions")
    return [evidence_row(row) for row in rows]


def state_of(evidence: Evidence | None) -> str:
    """`pending`, `stored`, `damaged` or `removed`."""
    if evidence is None:
        return "pending"
    return "removed" if evidence.removed_at is not None else str(evidence.state)


def evidence_row(row: EventEvidence) -> dict[str, Any]:
    evidence = row.evidence
    shown = evidence is not None and evidence.can_be_shown
    kinds = {rendition.kind for rendition in evidence.renditions.all()} if evidence and shown else set()
    urls = {kind: media_url(evidence.pk, kind) for kind in kinds} if evidence else {}
    return {
        "name": row.name,
        "role": row.role,
        "state": state_of(evidence),
        "is_clip": bool(evidence and evidence.is_clip),
        "thumb": urls.get(RenditionKind.THUMBNAIL),
        "working": urls.get(RenditionKind.WORKING),
        "clip": urls.get(RenditionKind.CLIP),
        "offset": (row.offset_x_px, row.offset_y_px) if row.role == "crop" else None,
    }


def frame_row(event: Event) -> EventEvidence | None:
    """The evidence that shows the whole frame, or else the first picture there is."""
    rows = list(event.evidence_rows.select_related("evidence").prefetch_related("evidence__renditions"))
    return next((row for row in rows if row.role == "frame"), rows[0] if rows else None)


def media_url(evidence_id: Any, kind: str) -> str:
    return reverse("media", args=[evidence_id, kind])


def reason_payload(item: Item) -> dict[str, Any]:
    reason = item.reason
    rate = reason.get("sampling_rate", 1.0)
    return {
        "rule": reason.get("rule", ""),
        "sentence": reason_sentence(item),
        "policy_version": reason.get("policy_version"),
        "sampled": rate < 1.0,
        "escalated": reason.get("escalated"),
        "returned": reason.get("returned"),
    }


def reason_sentence(item: Item) -> str:
    """Why an item is here, in one sentence."""
    reason = item.reason
    if reason.get("explanation"):
        return str(reason["explanation"])
    if reason.get("low") is not None and reason.get("confidence") is not None:
        band = _("%(class)s %(confidence).2f lies in the review band %(low).2f–%(high).2f.")
        return band % {
            "class": reason.get("class", ""),
            "confidence": float(reason["confidence"]),
            "low": float(reason["low"]),
            "high": float(reason.get("high") or 1.0),
        }
    return _("Rule “%s” sends it here.") % str(reason.get("rule", ""))


def neighbours(event: Event, queue: Queue) -> list[dict[str, Any]]:
    """Events of the same camera just before and after, of the same queue, so that everybody here may see them."""
    camera_id = event.camera_id or ((found := names.names_of(event)) and found.camera_id)
    if camera_id is None:
        return []
    same = Q(camera_id=camera_id) | Q(names__camera_id=camera_id)
    rows = Event.objects.filter(same, items__queue=queue).exclude(pk=event.pk)
    rows = rows.prefetch_related("evidence_rows__evidence__renditions")
    before = list(rows.filter(captured_at__lte=event.captured_at).order_by("-captured_at")[:NEIGHBOURS])
    after = list(rows.filter(captured_at__gt=event.captured_at).order_by("captured_at")[:NEIGHBOURS])
    around = [*reversed(before), event, *after]
    return [neighbour(other, current=other is event) for other in around] if len(around) > 1 else []


def neighbour(event: Event, *, current: bool) -> dict[str, Any]:
    return {
        "event": str(event.pk),
        "at": event.captured_at.isoformat(),
        "thumb": thumbnail_url(event),
        "url": reverse("event", args=[event.pk]),
        "current": current,
    }


def thumbnail_url(event: Event) -> str | None:
    """The thumbnail of an event's first picture, once it was made. Uses prefetched rows."""
    for row in event.evidence_rows.all():
        if row.evidence and any(r.kind == RenditionKind.THUMBNAIL for r in row.evidence.renditions.all()):
            return media_url(row.evidence_id, RenditionKind.THUMBNAIL)
    return None


def links(item: Item, claim: Claim) -> dict[str, str]:
    return {
        "open": reverse("claim-open", args=[claim.pk]),
        "picture": reverse("claim-picture", args=[claim.pk]),
        "heartbeat": reverse("claim-heartbeat", args=[claim.pk]),
        "release": reverse("claim-release", args=[claim.pk]),
        "skip": reverse("claim-skip", args=[claim.pk]),
        "snooze": reverse("claim-snooze", args=[claim.pk]),
        "hand_back": reverse("claim-hand-back", args=[claim.pk]),
        "escalate": reverse("claim-escalate", args=[claim.pk]),
        "verdict": reverse("item-verdict", args=[item.pk]),
    }
