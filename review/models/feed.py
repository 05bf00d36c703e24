from django.db import models

from .verdict import Verdict


class SequencedOutcome(models.Model):
    """A final outcome with its place in the feed of outcomes.

    The sequencer numbers verdicts once their undo window is over. One worker does it at a time, so the order of `id` is
    the order of commit, and nobody who follows the feed can miss a row.
    """

    id = models.BigAutoField(primary_key=True)
    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, related_name="sequenced")
    sequenced_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"#{self.pk}"
