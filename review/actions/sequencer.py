"""The order of the outcome feed: a number for each verdict once nobody can take it back."""

from datetime import datetime

from django.db import transaction

from review.models import SequencedOutcome, Verdict

BATCH = 500


def sequence_outcomes(*, now: datetime) -> int:
    """Number the verdicts whose undo window is over, oldest first; how many there were.

    Called by the worker that holds the tick's lease. Two at once are harmless: a verdict is numbered once only.
    """
    done = 0
    while True:
        waiting = Verdict.objects.filter(final_at__lte=now, retraction=None, sequenced=None).order_by("final_at", "id")
        batch = list(waiting.values_list("pk", flat=True)[:BATCH])
        with transaction.atomic():
            SequencedOutcome.objects.bulk_create(
                [SequencedOutcome(verdict_id=pk, sequenced_at=now) for pk in batch], ignore_conflicts=True
            )
        done += len(batch)
        if len(batch) < BATCH:
            return done
