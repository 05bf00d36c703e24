"""Changes of a queue by the people who steer it."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Invalid
from accounts.models import User
from accounts.typed import named
from inference.actions.changes import require_same
from review import broadcast, known
from review.models import Move, Queue

LONGEST_UNDO = timedelta(minutes=5)
LONGEST_DUE = timedelta(days=90)
CHANGED = ["name", "due_in", "undo_window", "asks_complete", "answers_held", "allows_reopening", "needs_reason"]


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What supervisors say about a queue."""

    name: str
    due_in: timedelta
    undo_window: timedelta
    asks_complete: bool
    answers_held: bool
    needs_reason: tuple[str, ...] = ()
    allows_reopening: bool = True


def settings_of(queue: Queue) -> QueueSettings:
    return QueueSettings(
        name=queue.name,
        due_in=queue.due_in,
        undo_window=queue.undo_window,
        asks_complete=queue.asks_complete,
        answers_held=queue.answers_held,
        needs_reason=tuple(queue.needs_reason),
        allows_reopening=queue.allows_reopening,
    )


def state_of(queue: Queue) -> str:
    """What can be changed of a queue, in one line: for the trail, and to notice that somebody was faster."""
    now = settings_of(queue)
    flags = f"{'asks' if now.asks_complete else 'asks not'} if complete, {'answers' if now.answers_held else 'no'} held"
    flags += f", {'lets' if now.allows_reopening else 'lets not'} reopen"
    reasons = f"why for {', '.join(now.needs_reason) or 'nothing'}"
    return f"{now.name} · due in {now.due_in} · undo {now.undo_window} · {flags} · {reasons}"


def change_queue(*, queue: Queue, wanted: QueueSettings, before: str, person: User) -> None:
    """Change a queue. What waits already keeps its time; what comes from now on has the new one.

    Raises Invalid `name`, `due_in`, `undo_window` or `needs_reason`, Conflict `changed_meanwhile`.
    """
    name = named(wanted.name)
    if not timedelta(minutes=1) <= wanted.due_in <= LONGEST_DUE:
        raise Invalid(_("Items are due within a minute to 90 days."), code="due_in")
    if not timedelta(0) <= wanted.undo_window <= LONGEST_UNDO:
        raise Invalid(_("An answer can be taken back for at most five minutes."), code="undo_window")
    if set(wanted.needs_reason) - set(Move.values):
        raise Invalid(_("Unknown kind."), code="needs_reason")
    with transaction.atomic():
        row = Queue.objects.select_for_update().get(pk=queue.pk)
        old = state_of(row)
        require_same(before, old)
        row.name = name
        row.due_in, row.undo_window = wanted.due_in, wanted.undo_window
        row.asks_complete, row.answers_held = wanted.asks_complete, wanted.answers_held
        row.allows_reopening = wanted.allows_reopening
        row.needs_reason = [move for move in Move.values if move in wanted.needs_reason]
        row.save(update_fields=CHANGED)
        audit.record(
            "queue.changed",
            actor=person,
            on=row,
            site_id=row.site_id,
            queue_id=row.pk,
            before=old,
            after=state_of(row),
        )
        broadcast.queue_changed(row.pk)
        transaction.on_commit(known.forget)
