"""Held events: a machine waits for the answer to one, and the server owns the deadline.

```
intake -> Hold waiting --- verdict before the deadline --> answered     (acts at once, no undo)
                      \\-- nobody in time --------------> expired       (the machine falls back)
          no queue looks at it ----------------------> withdrawn
```
Leaving `waiting` is one conditional UPDATE, which the verdict's transaction, the reader of the answer and the sweep all
make: whoever comes first decides, and what a machine was told is never contradicted.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import audit
from review import broadcast
from review.actions.leases import overtake_others
from review.models import Claim, Event, Hold, HoldState, Item
from review.schemas import HoldIn

SWEEP = 500


def deadline_of(asked: HoldIn | None, now: datetime) -> datetime | None:
    """When the machine stops waiting, counted from when the server has the event: the machine's clock may be wrong."""
    return now + timedelta(seconds=asked.deadline_s) if asked else None


def hold_of(*, event: Event, asked: HoldIn, item: Item | None, now: datetime) -> Hold:
    """The hold of an event that has just come in, not written yet.

    Without an item nobody will look, and the machine need not wait.
    """
    waits = item is not None
    return Hold(
        event=event,
        site_id=event.site_id,
        queue=item.queue if item else None,
        fallback=asked.fallback,
        deadline_at=now + timedelta(seconds=asked.deadline_s),
        state=HoldState.WAITING if waits else HoldState.WITHDRAWN,
        resolved_at=None if waits else now,
    )


def answer(*, item: Item, verdict_id: UUID, claim: Claim, now: datetime) -> bool:
    """Let a verdict act on the machine that waits for it, if its time is not over; inside the verdict's transaction.

    Everybody else who had the item is told by the end of his claim.
    """
    overtake_others(claim, now)
    waiting = Hold.objects.filter(event_id=item.event_id, state=HoldState.WAITING, deadline_at__gt=now)
    acts = waiting.update(state=HoldState.ANSWERED, verdict_id=verdict_id, resolved_at=now) == 1
    if acts:
        broadcast.hold_changed(item.event_id)
    return acts


def settle(*, hold: Hold, now: datetime) -> Hold:
    """The hold as a machine may be told of it now: one whose time is over expires before anybody hears of it."""
    if hold.state == HoldState.WAITING and hold.deadline_at <= now:
        expire(hold, now)
        hold.refresh_from_db()
    return hold


def expire_due(*, now: datetime) -> int:
    """Expire what nobody answered in time and no machine has asked about since; how many there were."""
    due = list(Hold.objects.waiting().filter(deadline_at__lte=now).order_by("deadline_at")[:SWEEP])
    return sum(expire(hold, now) for hold in due)


def expire(hold: Hold, now: datetime) -> bool:
    """The fallback has acted. False when a verdict, or somebody else who looked, was faster."""
    with transaction.atomic():
        if not Hold.objects.waiting().filter(pk=hold.pk).update(state=HoldState.EXPIRED, resolved_at=now):
            return False
        audit.record(
            "hold.expired",
            actor=None,
            on=hold.event,
            site_id=hold.site_id,
            queue_id=hold.queue_id,
            fallback=hold.fallback,
            deadline_at=hold.deadline_at.isoformat(),
        )
        broadcast.hold_changed(hold.event_id)
        if hold.queue_id:
            broadcast.queue_changed(hold.queue_id, held=True)
    return True
