"""What the audit trail keeps of a verdict, and what was in force when it was given."""

import hashlib
from datetime import datetime
from typing import Any

from review.models import Answer, Claim, Item, Taxonomy, Verdict
from review.strict_json import digest


def story(item: Item, claim: Claim, verdict: Verdict, now: datetime) -> dict[str, Any]:
    """What the audit trail keeps of a verdict: both answers side by side, and what was in force."""
    event = item.event
    return {
        "verdict": str(verdict.pk),
        "event": str(event.pk),
        "event_digest": event.digest,
        "item_version": verdict.item_version,
        "answer": verdict.answer,
        "meaning": "review",
        "complete": verdict.complete,
        "predicted": [[p["class"], p["confidence"]] for p in event.subject_predictions][:20],
        "labelled": [label["class"] for label in verdict.labels][:50],
        "content_sha256": digest({"labels": verdict.labels, "predictions": event.predictions}),
        "agrees": verdict.answer == Answer.CONFIRM,
        "note": bool(verdict.note),
        "seconds": verdict.seconds,
        "since_opened_s": round((now - claim.opened_at).total_seconds(), 1) if claim.opened_at else None,
        "key": str(verdict.key),
        "claim": str(claim.pk),
        "claimed_at": claim.created_at.isoformat(),
        "claim_until": claim.expires_at.isoformat(),
        "supersedes": superseded(item, verdict),
        "blind": False,
    } | in_force(item)


def in_force(item: Item) -> dict[str, Any]:
    """The versions that a verdict stands on: model, thresholds, policy and rule, taxonomy and guide."""
    event, reason = item.event, item.reason
    return {
        "model": f"{event.model_name} {event.model_version_name}".strip(),
        "model_sha256": event.model_sha256,
        "thresholds": event.thresholds,
        "policy_version": reason.get("policy_version"),
        "rule": reason.get("rule"),
        "taxonomy": taxonomy_state(item.queue.taxonomy),
        "guide_version": item.queue.guide_version,
        "guide_sha256": hashlib.sha256(item.queue.guide.encode()).hexdigest(),
    }


def taxonomy_state(taxonomy: Taxonomy) -> dict[str, Any]:
    """What tells two states of a taxonomy apart: how many classes there are, how many retired, their digest."""
    rows = list(taxonomy.classes.order_by("index").values_list("index", "name", "retired_at"))
    said = digest([[index, name, retired is not None] for index, name, retired in rows])
    return {
        "id": str(taxonomy.pk),
        "version": taxonomy.version,
        "classes": len(rows),
        "retired": sum(retired is not None for _index, _name, retired in rows),
        "sha256": said,
    }


def superseded(item: Item, verdict: Verdict) -> str | None:
    """The last verdict on the item that was taken back, which this one replaces."""
    if verdict.item_version == 1:
        return None
    rows = Verdict.objects.filter(item=item, retraction__isnull=False).exclude(pk=verdict.pk)
    last = rows.order_by("-created_at").values_list("pk", flat=True).first()
    return str(last) if last else None
