"""Claims: who works on what, one person per item, for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, Exists, Min, OuterRef, Q

from accounts import audit
from accounts.models import User
from review import broadcast
from review.actions.held_claims import keep_shared, take_held
from review.actions.leases import expire_others, items_of, lease, overtake_others, record_claim, record_seen
from review.exceptions import ClaimLost
from review.models import Claim, Ended, Item, Queue, Skip, Verdict

ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class EmptyQueue:
    """Why there is nothing to claim."""

    claimed_by_others: int
    not_yours: int
    snoozed: int
    # When the first of the snoozed ones comes back.
    snoozed_until: datetime | None = None


def claim_next(*, queue: Queue, person: User, now: datetime, ahead: bool = False) -> Claim | None:
    """Claim the most urgent item of `queue` that `person` may work on: priority, then due time, then age.

    Atomic on both databases: a conditional UPDATE must change exactly one row, and PostgreSQL skips rows that somebody
    else is just taking. With `ahead` the lease is short and the item counts as seen only when it is opened.
    What a machine waits for comes first, and is never claimed ahead.
    Returns None when there is nothing (see `why_empty`).
    """
    if not ahead and (claim := take_held(queue=queue, person=person, now=now)):
        return claim
    for _attempt in range(ATTEMPTS):
        with transaction.atomic():
            candidates = candidates_for(queue, person, now)
            for item in candidates:
                if claim := take(item, person, now, lease(ahead), opened=not ahead):
                    return claim
            if not candidates:
                return None
    return None


def candidates_for(queue: Queue, person: User, now: datetime) -> list[Item]:
    """The item to take next, if there is one: what is kept for this person goes before what is anybody's."""
    rows = Item.objects.filter(queue=queue).claimable_by(person, now).not_held(now).most_urgent_first()
    rows = rows.select_related("event", "event__site", "queue__taxonomy")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return list(rows.filter(reserved_for=person)[:1]) or list(rows[:1])


def take(item: Item, person: User, now: datetime, lasts: timedelta, *, opened: bool) -> Claim | None:
    """Take one item unless somebody was faster; inside the caller's transaction."""
    claim = Claim(item=item, holder=person, created_at=now, expires_at=now + lasts, opened_at=now if opened else None)
    free = Item.objects.open().unclaimed(now).filter(pk=item.pk, version=item.version)
    if not free.update(claim_id=claim.pk, claimed_by=person, claim_expires_at=claim.expires_at):
        return None
    if item.claim_id is not None:
        expire_others(item, person, now)
    if item.held_until is not None:
        # Its deadline is over: those who shared it have it no longer.
        overtake_others(claim, now)
    claim.save(force_insert=True)
    item.claim_id, item.claimed_by, item.claim_expires_at = claim.pk, person, claim.expires_at
    record_claim("claim.taken", claim, action=audit.Action.CREATE, ahead=not opened)
    if opened:
        record_seen(claim, now)
    broadcast.item_changed(item)
    return claim


def open_claim(*, claim: Claim, now: datetime) -> Claim:
    """The claimed item comes on screen: the full lease begins. Raises ClaimLost when it has ended."""
    with transaction.atomic():
        renew(claim, now)
        if Claim.objects.filter(pk=claim.pk, opened_at=None).update(opened_at=now):
            record_seen(claim, now)
    return claim


def heartbeat(*, claim: Claim, now: datetime) -> Claim:
    """Extend a live claim. Raises ClaimLost when somebody else has the item, or when it was decided."""
    with transaction.atomic():
        renew(claim, now)
    return claim


def renew(claim: Claim, now: datetime) -> None:
    """Extend the lease in item and claim. An expired claim that nobody took over revives."""
    expires_at = now + lease(ahead=False)
    if claim.shared:
        keep_shared(claim, expires_at, now)
    elif not items_of(claim).update(claim_expires_at=expires_at):
        raise ClaimLost
    if not Claim.objects.filter(pk=claim.pk, ended_at=None).update(expires_at=expires_at):
        raise ClaimLost
    if claim.expires_at <= now:
        record_claim("claim.renewed", claim, ran_out_at=claim.expires_at.isoformat())
    claim.expires_at = expires_at


def give_back(*, claim: Claim, now: datetime) -> None:
    """End a claim, so that the item is free at once. Giving back what is gone already is no error."""
    with transaction.atomic():
        if end(claim, now, Ended.RELEASED):
            record_claim("claim.released", claim, ended_at=now.isoformat())
        broadcast.item_changed(claim.item)


def give_back_all(person: User, now: datetime) -> None:
    """End every claim of somebody who leaves, and what is kept for him, so that others can take the items at once."""
    for claim in Claim.objects.filter(holder=person, ended_at=None).select_related("item").order_by("item"):
        give_back(claim=claim, now=now)
    Item.objects.open().filter(reserved_for=person).update(reserved_for=None, reserved_until=None)


def end(claim: Claim, now: datetime, how: Ended) -> bool:
    """Close the claim and free its item, if it still holds it; whether it was open."""
    # The item first, as everywhere: two that take the rows in different orders would wait for each other for ever.
    Item.objects.filter(pk=claim.item_id, claim_id=claim.pk).update(
        claim_id=None, claimed_by=None, claim_expires_at=None
    )
    return Claim.objects.filter(pk=claim.pk, ended_at=None).update(ended_at=now, ended=how) == 1


def require_live(claim: Claim) -> None:
    """Raise ClaimLost unless this claim is still the item's latest and the item is open."""
    if claim.ended_at is not None or not items_of(claim).exists():
        raise ClaimLost


def why_empty(*, queue: Queue, person: User, now: datetime) -> EmptyQueue:
    """Why `person` gets nothing from `queue`: what others hold, what he answered, what he put off."""
    items = Item.objects.filter(queue=queue).open()
    put_off = Skip.objects.filter(person=person, until__gt=now, item__in=items).aggregate(
        n=Count("pk"), at=Min("until")
    )
    others = Q(claim_expires_at__gt=now) & ~Q(claimed_by=person) | Q(reserved_until__gt=now) & ~Q(reserved_for=person)
    answered = Verdict.objects.filter(item=OuterRef("pk"), person=person, retraction=None, reopening=None)
    return EmptyQueue(
        claimed_by_others=items.filter(others).count(),
        not_yours=items.filter(Exists(answered)).count(),
        snoozed=put_off["n"],
        snoozed_until=put_off["at"],
    )
