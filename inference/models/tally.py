from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .source import Source


class TallyOutcome(models.TextChoices):
    CREATED = "created", _("taken in")
    DUPLICATE = "duplicate", _("known already")
    REJECTED = "rejected", _("refused")
    LATER = "later", _("asked to come later")
    EVIDENCE = "evidence", _("files stored")
    COUNTS = "counts", _("counts told")


class SourceTally(models.Model):
    """How often a source's calls ended in one way in one hour, with the stable code as the reason."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="tallies")
    # The beginning of the hour, in UTC; hours that are long past are one row under the year 2000.
    hour = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=TallyOutcome.choices)
    reason = models.CharField(max_length=60, blank=True)
    count = models.PositiveBigIntegerField()

    class Meta:
        verbose_name_plural = "source tallies"
        constraints = [
            models.UniqueConstraint(fields=["source", "hour", "outcome", "reason"], name="tally_once_per_hour"),
            models.CheckConstraint(condition=Q(outcome__in=TallyOutcome.values), name="tally_outcome_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.reason}: {self.count}"
