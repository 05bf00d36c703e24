"""Rows as the documents that the API shows."""

from typing import Any

from django.db.models import Prefetch

from review import names
from review.desk import state_of
from review.models import Claim, Event, EventEvidence, Hold, Item, Verdict

# What `event_document` reads of an event besides its row.
WITH_EVIDENCE = Prefetch("evidence_rows", queryset=EventEvidence.objects.select_related("evidence"))


def event_document(event: Event) -> dict[str, Any]:
    """An event as it was posted, with what the server knows beside it."""
    return {
        "id": str(event.pk),
        "event_id": str(event.event_id),
        "site": str(event.site_id),
        "source": str(event.source_id),
        "captured_at": event.captured_at.isoformat(),
        "received_at": event.received_at.isoformat(),
        "clock_skewed": event.clock_skewed,
        "kind": event.kind,
        "camera": event.camera_name or None,
        "frame": {"width": event.frame_width_px, "height": event.frame_height_px},
        "model": model_document(event),
        "task": event.task,
        "reporting_floor": event.reporting_floor,
        "thresholds": event.thresholds,
        "predictions": event.predictions,
        "subject": event.subject,
        "flags": event.flags,
        "rule": event.rule or None,
        "sampling_probability": event.sampling_probability,
        "evidence": [evidence_document(row) for row in event.evidence_rows.all()],
        "action": event.action,
        "stamps": event.stamps,
        "latency_ms": event.latency_ms,
        "context": event.context,
        "historical": event.historical,
    }


def model_document(event: Event) -> dict[str, Any] | None:
    if not event.model_name:
        return None
    return {
        "name": event.model_name,
        "version": event.model_version_name,
        "sha256": event.model_sha256 or None,
    }


def evidence_document(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "role": row.role,
        "sha256": row.sha256,
        "content_type": row.content_type,
        "offset": [row.offset_x_px, row.offset_y_px],
        "scale": row.scale,
        "level": row.level,
        "state": state_of(row.evidence),
    }


def names_document(event: Event) -> dict[str, Any]:
    """What the names of an event stand for at its site: its camera, and the classes that are called otherwise here."""
    words = names.class_names(event.site_id, event.model_name)
    said = {prediction["class"] for prediction in event.predictions}
    return {
        "camera": names.camera_of(event) or None,
        "classes": {name: words[name] for name in sorted(said & words.keys())},
    }


def item_document(item: Item) -> dict[str, Any]:
    return {
        "id": str(item.pk),
        "queue": str(item.queue_id),
        "state": item.state,
        "version": item.version,
        "priority": item.priority,
        "due_at": item.due_at.isoformat(),
        "held_until": item.held_until.isoformat() if item.held_until else None,
        "reason": item.reason,
        "sampling_probability": item.sampling_probability,
        "outcome": item.outcome or None,
        "decided_at": item.decided_at.isoformat() if item.decided_at else None,
    }


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": str(verdict.pk),
        "answer": verdict.answer,
        "labels": verdict.labels,
        "complete": verdict.complete,
        "note": verdict.note,
        "by": verdict.person.username,
        "at": verdict.created_at.isoformat(),
        "retracted": hasattr(verdict, "retraction"),
    }


def event_story(event: Event) -> dict[str, Any]:
    """The item of an event (the newest one), its verdicts, its outcome, and how it was routed."""
    items = list(event.items.order_by("created_at"))
    verdicts = Verdict.objects.filter(item__event=event).select_related("person", "retraction").order_by("created_at")
    parked = event.parkings.filter(resolved_at=None)
    return {
        "item": item_document(items[-1]) if items else None,
        "names": names_document(event),
        "hold": hold_document(Hold.objects.filter(event=event).first()),
        "verdicts": [verdict_document(verdict) for verdict in verdicts],
        "outcome": (items[-1].outcome or None) if items else None,
        "parked": [{"cause": row.cause, "value": row.value} for row in parked],
        "history": [
            {"at": row.routed_at.isoformat(), "decision": row.decision, "rule": row.rule_name or None}
            for row in event.routings.order_by("routed_at")
        ],
    }


def hold_document(hold: Hold | None) -> dict[str, Any] | None:
    """The machine that waits, or waited, for the answer to an event."""
    if hold is None:
        return None
    return {
        "state": hold.state,
        "fallback": hold.fallback,
        "deadline_at": hold.deadline_at.isoformat(),
        "resolved_at": hold.resolved_at.isoformat() if hold.resolved_at else None,
    }


def answer_document(hold: Hold) -> dict[str, Any]:
    """What a machine that waits is told: exactly one of the verdict and the fallback acts."""
    told: dict[str, Any] = {"state": hold.state}
    if hold.verdict is not None and hold.resolved_at is not None:
        said = verdict_document(hold.verdict)
        told["verdict"] = {key: said[key] for key in ("id", "answer", "labels", "complete", "note")}
        told["answered_at"] = hold.resolved_at.isoformat()
        told["by"] = said["by"]
    return told


def claim_document(claim: Claim) -> dict[str, Any]:
    item = claim.item
    return {
        "claim": {"id": str(claim.pk), "token": str(claim.token), "expires_at": claim.expires_at.isoformat()},
        "item": item_document(item)
        | {"event": event_document(item.event) | {"names": names_document(item.event)}, "reason": item.reason},
    }
