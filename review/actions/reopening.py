"""A final answer that was wrong: its item is opened again, with a reason, and answered anew.

Nothing is taken out of what has left already: the feed numbers the new answer after the old one, and a release keeps
what it was made of. The old answer stays as a row, with a `Reopening` beside it.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit, reasons
from accounts.exceptions import Conflict
from accounts.models import User
from review import broadcast
from review.actions.moves import KEPT
from review.closed import refused_when_retired
from review.exceptions import AlreadyDecided, EvidenceRemoved
from review.models import EventEvidence, Item, ItemState, Reopening, Verdict


def reopen(*, verdict: Verdict, person: User, reason: str, now: datetime) -> Item:
    """Open the item of a final verdict again, in front of its queue and kept for `person` for a while.

    The caller has checked that `person` may. Raises Invalid `reason_required`, Conflict `not_final` (it can simply be
    undone), `already_decided` (another answer decides by now) or `queue_retired`, EvidenceRemoved.
    """
    said = reasons.said(reason, _("Say why it is opened again."))
    if now < verdict.final_at:
        raise Conflict(_("This answer can still be undone."), code="not_final")
    if EventEvidence.objects.filter(event_id=verdict.item.event_id, evidence__removed_at__isnull=False).exists():
        raise EvidenceRemoved
    item = verdict.item
    try:
        with refused_when_retired(), transaction.atomic():
            open_again(item, verdict, person, now)
            Reopening.objects.create(verdict=verdict, person=person, reason=said, created_at=now)
            audit.record(
                "verdict.reopened",
                actor=person,
                on=item,
                site_id=item.site_id,
                queue_id=item.queue_id,
                verdict=str(verdict.pk),
                answer=verdict.answer,
                by=str(verdict.person),
                reason=said,
                item_version=item.version + 1,
            )
            broadcast.item_changed(item)
    except IntegrityError:
        raise AlreadyDecided(_("This answer was opened again already."), code="already_reopened") from None
    item.refresh_from_db()
    return item


def open_again(item: Item, verdict: Verdict, person: User, now: datetime) -> None:
    """One conditional update that must change exactly one row."""
    changed = Item.objects.filter(pk=item.pk, state=ItemState.DECIDED, verdict_id=verdict.pk).update(
        state=ItemState.OPEN,
        outcome="",
        verdict_id=None,
        decided_at=None,
        version=item.version + 1,
        priority=1,
        due_at=now + item.queue.due_in,
        reserved_for=person,
        reserved_until=now + KEPT,
    )
    if not changed:
        raise AlreadyDecided(_("Another answer decides this item by now."))
