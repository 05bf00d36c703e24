"""What people do with an item instead of answering it: skip, put off, hand back, escalate.

```
skip        for this person later, for others at once
snooze      back to this person at a time of his choice; until shortly after that to nobody else
escalate    to another queue, to somebody, or to the front of its own queue for anybody else
hand back   to whoever sent it, if somebody did; otherwise to all others
```
A place kept for somebody ends by itself, so that nothing waits for a person who does not come.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.ids import as_uuid
from accounts.models import User
from review import broadcast
from review.access import reviewers_of
from review.actions.claims import end, require_live
from review.actions.leases import items_of, overtake_others
from review.closed import refused_when_retired
from review.exceptions import ClaimLost
from review.models import Claim, Ended, Hold, Item, Move, Queue, Skip

# So long an item is kept for the person it was sent to, or sent back to.
KEPT = timedelta(minutes=30)
# So long it stays his after the time until which he put it off.
GRACE = timedelta(minutes=15)
LONGEST_SNOOZE = timedelta(days=7)
# Somebody who handed an item back, or up from his own queue, does not get it again in this shift, or ever.
SHIFT, EVER = timedelta(hours=12), timedelta(days=3650)


def skip(*, claim: Claim, until: datetime, note: str = "", now: datetime) -> None:
    """Pass an item over until later; others may take it at once. Raises ClaimLost, Invalid `reason_required`."""
    claim.item.queue.require_reason(Move.SKIP, note, field="note")
    with transaction.atomic():
        require_live(claim)
        put_off(claim, until)
        end(claim, now, Ended.MOVED)
        record("item.skipped", claim, until=until.isoformat(), note=note)
        broadcast.item_changed(claim.item)


def snooze(*, claim: Claim, until: datetime, note: str = "", now: datetime) -> None:
    """Put an item off until a time at which it comes back to the same person; until shortly after, nobody else has it.

    Raises ClaimLost, Invalid `reason_required` or `bad_time`, Conflict `held` while a machine waits for the answer.
    """
    claim.item.queue.require_reason(Move.SNOOZE, note, field="note")
    if not now < until <= now + LONGEST_SNOOZE:
        text = _("Choose a time within the next seven days.")
        raise Invalid(text, code="bad_time", errors=[{"path": "$.until", "message": str(text)}])
    with transaction.atomic():
        if claim.shared:
            raise Conflict(_("A machine waits for this answer: it cannot be put off."), code="held")
        move(claim, now, reserved_for=claim.holder, reserved_until=until + GRACE)
        put_off(claim, until)
        record("item.snoozed", claim, until=until.isoformat(), note=note)
        broadcast.item_changed(claim.item)


def hand_back(*, claim: Claim, note: str = "", now: datetime) -> None:
    """Give an item back with a word: to whoever sent it here, for whom it is kept, or else to all others.

    Raises ClaimLost, Invalid `reason_required`.
    """
    claim.item.queue.require_reason(Move.HAND_BACK, note, field="note")
    with transaction.atomic():
        item, sent = claim.item, claim.item.reason.get("escalated") or {}
        back_to, sender = origin_of(item, sent)
        said = {"by": str(claim.holder), "note": note}
        reason = {key: value for key, value in item.reason.items() if key not in {"escalated", "returned"}}
        changed: dict[str, Any] = {"reason": reason | {"returned": said}, "queue": back_to}
        if sender is not None:
            Skip.objects.filter(item=item, person=sender).delete()
            changed |= {"reserved_for": sender, "reserved_until": now + KEPT}
        move(claim, now, **changed)
        put_off(claim, now + SHIFT)
        record(
            "item.handed_back",
            claim,
            note=note,
            to=str(sender) if sender else back_to.name,
            before={"queue": str(item.queue_id)},
            item_version=item.version + 1,
        )
        tell(item, back_to)


def origin_of(item: Item, sent: dict[str, Any]) -> tuple[Queue, User | None]:
    """Where an escalated item came from and who sent it; its own queue and nobody where that is gone."""
    queue_id, person_id = as_uuid(str(sent.get("from_id"))), as_uuid(str(sent.get("by_id")))
    queue = Queue.objects.filter(pk=queue_id, site=item.site_id, retired_at=None).first() if queue_id else None
    queue = queue or item.queue
    return queue, reviewers_of(queue).filter(public_id=person_id).first() if person_id else None


def escalate(*, claim: Claim, to: Queue | None, note: str, now: datetime, person: User | None = None) -> None:
    """Hand an item up: to another queue of the site, or to the front of its own, for somebody else.

    With `person`, who works on that queue, it is kept for him for a while.
    Raises ClaimLost when the claim has ended, Invalid `reason_required`, Conflict `queue_retired`.
    """
    claim.item.queue.require_reason(Move.ESCALATE, note, field="note")
    with refused_when_retired(), transaction.atomic():
        item, target = claim.item, to or claim.item.queue
        sent = {
            "by": str(claim.holder),
            "by_id": str(claim.holder.public_id),
            "note": note,
            "from": str(item.queue),
            "from_id": str(item.queue_id),
        }
        reason = {key: value for key, value in item.reason.items() if key != "returned"} | {"escalated": sent}
        kept = {"reserved_for": person, "reserved_until": now + KEPT} if person else {}
        if claim.shared:
            Hold.objects.waiting().filter(event_id=item.event_id).update(queue=target)
        move(claim, now, queue=target, priority=1, reason=reason, **kept)
        if target.pk == item.queue_id:
            put_off(claim, now + EVER)
        record(
            "item.escalated",
            claim,
            queue_id=target.pk,
            to=f"{target.name}, {person}" if person else target.name,
            note=note,
            item_version=item.version + 1,
            before={"queue": str(item.queue_id)},
        )
        tell(item, target)


def move(claim: Claim, now: datetime, **changed: Any) -> None:
    """Change an open item and end the claim on it. Raises ClaimLost when it is no longer this claim's."""
    item = claim.item
    # Only while it is still this claim's: somebody may have taken it over a moment ago.
    free = {"reserved_for": None, "reserved_until": None} | changed
    if not items_of(claim).filter(version=item.version).update(version=item.version + 1, **free):
        raise ClaimLost
    if claim.shared:
        overtake_others(claim, now)
    end(claim, now, Ended.MOVED)


def put_off(claim: Claim, until: datetime) -> None:
    """The holder is not offered this item again before `until`."""
    Skip.objects.update_or_create(item=claim.item, person=claim.holder, defaults={"until": until})


def record(verb: str, claim: Claim, *, queue_id: UUID | None = None, **facts: Any) -> None:
    item = claim.item
    audit.record(
        verb,
        actor=claim.holder,
        on=item,
        site_id=item.site_id,
        queue_id=queue_id or item.queue_id,
        claim=str(claim.pk),
        **({"item_version": item.version} | facts),
    )


def tell(item: Item, target: Queue) -> None:
    for queue_id in {item.queue_id, target.pk}:
        broadcast.queue_changed(queue_id, held=item.held_until is not None)
