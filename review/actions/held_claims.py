"""Claims on held items: everybody on duty may have one at once, and the first verdict wins."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import User
from review import broadcast
from review.actions.leases import items_of, lease, overtake_others, record_claim, record_seen
from review.exceptions import ClaimLost
from review.models import Claim, Item, Queue


def take_held(*, queue: Queue, person: User, now: datetime, item_id: UUID | None = None) -> Claim | None:
    """Claim the held item of `queue` whose deadline is nearest, or `item_id`; None when there is none for `person`.

    Everybody on duty may hold it at once, each with a claim of his own; the first verdict wins. Who has one already
    gets another item.
    """
    with transaction.atomic():
        rows = Item.objects.filter(queue=queue).claimable_by(person, now).held(now)
        if item_id is None:
            rows = rows.not_in_hand_of(person, now)
        else:
            rows = rows.filter(pk=item_id)
        rows = rows.select_related("event", "event__site", "queue__taxonomy")
        item = rows.order_by("held_until", "id").first()
        return share(item, person, now) if item else None


def share(item: Item, person: User, now: datetime) -> Claim:
    """A claim on a held item that keeps nobody else away; the person's own one if he has it already."""
    expires_at = now + lease(ahead=False)
    claim, made = Claim.objects.get_or_create(
        item=item,
        holder=person,
        ended_at=None,
        shared=True,
        defaults={"created_at": now, "expires_at": expires_at, "opened_at": now},
    )
    claim.item, claim.holder = item, person
    if not made:
        Claim.objects.filter(pk=claim.pk).update(expires_at=expires_at)
        claim.expires_at = expires_at
        return claim
    record_claim("claim.taken", claim, action=audit.Action.CREATE, ahead=False, held=True)
    record_seen(claim, now)
    broadcast.item_changed(item)
    return claim


def keep_shared(claim: Claim, expires_at: datetime, now: datetime) -> None:
    """Keep one of several claims on a held item. When no machine waits any more, one person has it alone again.

    Raises ClaimLost when the item is closed or somebody else has it by now.
    """
    rows = items_of(claim)
    if rows.held(now).exists():
        return
    mine = {"claim_id": claim.pk, "claimed_by": claim.holder, "claim_expires_at": expires_at}
    if not rows.unclaimed(now).update(**mine):
        raise ClaimLost
    overtake_others(claim, now)
    Claim.objects.filter(pk=claim.pk).update(shared=False)
    claim.shared = False
