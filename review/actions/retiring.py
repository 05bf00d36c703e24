"""Queues and sites that are no longer used are retired, never deleted: what was done there stays."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.exceptions import Conflict
from accounts.models import User
from accounts.reasons import said
from inference.models import Site
from inference.tokens import forget_tokens
from review import broadcast, known
from review.models import Item, ItemState, PolicyState, Queue, Rule, UploadJob
from review.models.upload import OPEN


def retire_queue(*, queue: Queue, reason: str, person: User, now: datetime) -> None:
    """Take a queue out of lists and choices. Nothing comes into it any more (`review/closed.py`).

    Raises Invalid `reason_required` or `reason_too_long`, Conflict `queue_in_use` while the live policy sends there,
    `work_open` while there are open items or answers that can still be taken back, `queue_retired` when it is already.
    """
    why = said(reason, _("Say why the queue is retired."))
    with transaction.atomic():
        row = Queue.objects.select_for_update(of=("self",)).get(pk=queue.pk)
        if row.retired_at is not None:
            raise Conflict(_("This queue is retired already."), code="queue_retired")
        rule = Rule.objects.filter(policy__state=PolicyState.LIVE, queue=row).first()
        if rule is not None:
            text = _("The rule “%(rule)s” of the live policy sends events here. Change it first.") % {"rule": rule.name}
            raise Conflict(text, code="queue_in_use")
        require_done([row], now)
        Queue.objects.filter(pk=row.pk).update(retired_at=now, retired_because=why)
        audit.record("queue.retired", actor=person, on=row, site_id=row.site_id, queue_id=row.pk, reason=why)
        broadcast.queue_changed(row.pk)
        transaction.on_commit(known.forget)


def restore_queue(*, queue: Queue, person: User) -> None:
    """Bring a retired queue back. Raises Conflict `queue_not_retired` when it is back already."""
    with transaction.atomic():
        rows = Queue.objects.filter(pk=queue.pk, retired_at__isnull=False)
        if not rows.update(retired_at=None, retired_because=""):
            raise Conflict(_("This queue is in use."), code="queue_not_retired")
        audit.record("queue.restored", actor=person, on=queue, site_id=queue.site_id, queue_id=queue.pk)
        broadcast.queue_changed(queue.pk)


def retire_site(*, site: Site, reason: str, person: User, now: datetime) -> None:
    """Close a site: its sources are refused, nothing is made there any more, and what is there stays readable.

    Raises Invalid `reason_required` or `reason_too_long`, Conflict `work_open` while there are open items, answers
    that can still be taken back or running uploads, `site_retired` when it is already.
    """
    why = said(reason, _("Say why the site is retired."))
    with transaction.atomic():
        row = Site.objects.select_for_update().get(pk=site.pk)
        if row.retired_at is not None:
            raise Conflict(_("This site is retired already."), code="site_retired")
        # Whoever puts an item into one of them shares a lock on it, and looks at the site after.
        queues = list(Queue.objects.select_for_update(of=("self",)).filter(site=row).order_by("pk"))
        require_done(queues, now)
        if UploadJob.objects.filter(site=row, state__in=OPEN).exists():
            raise Conflict(_("An upload is running here. Wait for its end, or cancel it."), code="work_open")
        Site.objects.filter(pk=row.pk).update(retired_at=now, retired_because=why)
        audit.record("site.retired", actor=person, on=row, site_id=row.pk, reason=why)
        transaction.on_commit(forget_tokens)


def restore_site(*, site: Site, person: User) -> None:
    """Open a retired site again. Raises Conflict `site_not_retired` when it is open already."""
    with transaction.atomic():
        rows = Site.objects.filter(pk=site.pk, retired_at__isnull=False)
        if not rows.update(retired_at=None, retired_because=""):
            raise Conflict(_("This site is in use."), code="site_not_retired")
        audit.record("site.restored", actor=person, on=site, site_id=site.pk)
        transaction.on_commit(forget_tokens)


def require_done(queues: list[Queue], now: datetime) -> None:
    """Raise Conflict `work_open` while somebody could still be at an item of these queues."""
    count = Item.objects.filter(queue__in=queues).open().count()
    if count:
        text = ngettext("%(n)d item is still open.", "%(n)d items are still open.", count) % {"n": count}
        raise Conflict(text, code="work_open")
    for queue in queues:
        fresh = Item.objects.filter(queue=queue, state=ItemState.DECIDED, decided_at__gt=now - queue.undo_window)
        if fresh.exists():
            raise Conflict(_("The last answer can still be taken back. Try again in a moment."), code="work_open")
