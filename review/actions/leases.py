"""What every claim stands on: how long it lasts, what is written of it, and how one ends when another begins."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists

from accounts import audit
from accounts.models import User
from review.models import Claim, Ended, EventEvidence, Item, RenditionKind
from review.querysets import ItemQuerySet


def lease(ahead: bool) -> timedelta:
    return timedelta(seconds=settings.SECONDLOOK["AHEAD_SECONDS" if ahead else "LEASE_SECONDS"])


def items_of(claim: Claim) -> ItemQuerySet:
    """The item while it is open and this claim counts: as the latest one, or as one of several on a held item.

    One of several counts until it ends, and until somebody has the item alone after the deadline.
    """
    rows = Item.objects.open().filter(pk=claim.item_id)
    if not claim.shared:
        return rows.filter(claim_id=claim.pk)
    return rows.filter(Exists(Claim.objects.filter(pk=claim.pk, ended_at=None)), claim_id=None)


def overtake_others(claim: Claim, now: datetime) -> None:
    """End the claims that others share on this held item: it was answered, moved, or is one person's again."""
    others = Claim.objects.filter(item=claim.item_id, shared=True, ended_at=None).exclude(pk=claim.pk)
    others.update(ended_at=now, ended=Ended.OVERTAKEN)


def expire_others(item: Item, finder: User, now: datetime) -> None:
    """End the claims on `item` that ran out, which nobody has noticed until `finder` wants it."""
    for old in Claim.objects.filter(item=item, ended_at=None).select_related("holder"):
        if Claim.objects.filter(pk=old.pk, ended_at=None).update(ended_at=now, ended=Ended.EXPIRED):
            audit.record(
                "claim.expired",
                actor=finder,
                on=item,
                site_id=item.site_id,
                queue_id=item.queue_id,
                claim=str(old.pk),
                item_version=item.version,
                holder=str(old.holder),
                expired_at=old.expires_at.isoformat(),
            )


def record_claim(verb: str, claim: Claim, *, action: int = audit.Action.UPDATE, **facts: Any) -> None:
    """An entry about a claim, with what fences it: its id and the item's version."""
    item = claim.item
    audit.record(
        verb,
        actor=claim.holder,
        on=item,
        site_id=item.site_id,
        queue_id=item.queue_id,
        action=action,
        claim=str(claim.pk),
        item_version=item.version,
        until=claim.expires_at.isoformat(),
        **facts,
    )


def record_seen(claim: Claim, now: datetime) -> None:
    """An audit entry for the picture that is now painted full size, with the predictions that stand beside it."""
    item, event = claim.item, claim.item.event
    evidence = EventEvidence.objects.filter(event_id=item.event_id, role="frame").values_list("sha256", flat=True)
    record_claim(
        "picture.seen",
        claim,
        action=audit.Action.ACCESS,
        opened_at=now.isoformat(),
        evidence=list(evidence),
        rendition=RenditionKind.WORKING,
        predicted=[[p["class"], p["confidence"]] for p in event.subject_predictions][:20],
        predictions_shown=True,
    )
