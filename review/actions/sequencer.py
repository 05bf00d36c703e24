"""The order of the outcome feed: a number for each verdict once nobody can take it back."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Lease
from review.models import Reopening, Retraction, SequencedOutcome, Verdict

BATCH = 500


def sequence_outcomes(*, now: datetime) -> int:
    """Number the verdicts whose undo window is over, oldest first; how many there were.

    A reader who has seen a number never misses a smaller one: batches are made one after the other, each committed
    before the next one takes its numbers.
    """
    done = 0
    while True:
        with transaction.atomic():
            Lease.objects.one_at_a_time("sequencer", now=now)
            batch = waiting(now)
            SequencedOutcome.objects.bulk_create([SequencedOutcome(verdict_id=pk, sequenced_at=now) for pk in batch])
        done += len(batch)
        if len(batch) < BATCH:
            return done


def waiting(now: datetime) -> list[UUID]:
    """The next verdicts to number, their items locked; inside a transaction.

    An undo or a reopening that is just being written holds its item, which is passed over until next time. One that was
    committed between the look and the lock shows in the second look.
    """
    rows = Verdict.objects.filter(final_at__lte=now, retraction=None, reopening=None, sequenced=None).order_by(
        "final_at", "id"
    )
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_related("item").select_for_update(skip_locked=True, of=("item",))
    found = [verdict.pk for verdict in rows[:BATCH]]
    gone = set(Retraction.objects.filter(verdict__in=found).values_list("verdict_id", flat=True))
    gone |= set(Reopening.objects.filter(verdict__in=found).values_list("verdict_id", flat=True))
    return [pk for pk in found if pk not in gone]
