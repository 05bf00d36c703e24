from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from inference.models import Site

from .event import Event


class Kept(models.TextChoices):
    """What events ended as, as far as keeping their evidence goes."""

    PASSED = "passed", _("nobody was asked")
    CONFIRMED = "confirmed", _("confirmed")
    CORRECTED = "corrected", _("corrected")
    EMPTY = "empty", _("nothing here")
    UNSURE = "unsure", _("unsure or bad image")
    OTHER = "other", _("withdrawn, lapsed or disputed")


class RetentionRule(models.Model):
    """How long, and up to how many bytes, a site keeps the evidence of events that ended in one way.

    Both empty: for ever. A rule that was never made keeps for ever as well.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="retention_rules")
    kept = models.CharField(max_length=10, choices=Kept.choices)
    days = models.PositiveIntegerField(null=True)
    most_bytes = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "kept"], name="retention_one_rule_per_class"),
            models.CheckConstraint(condition=Q(kept__in=Kept.values), name="retention_class_is_known"),
            models.CheckConstraint(condition=Q(days=None) | Q(days__gte=1), name="retention_a_day_at_least"),
        ]

    def __str__(self) -> str:
        return f"{self.kept}: {self.days} days, {self.most_bytes} bytes"


class RetentionRun(models.Model):
    """One walk over what a site keeps, the oldest first; it goes on where it stopped, also after a kill."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="retention_runs")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # Per class that is over its bytes: until when its events have to go (ISO 8601), as it was when the run began.
    over_since = models.JSONField(default=dict)
    # The last evidence that was looked at.
    after_at = models.DateTimeField(null=True)
    after_id = models.UUIDField(null=True)
    removed = models.PositiveIntegerField(default=0)
    removed_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site"], condition=Q(finished_at=None), name="retention_one_run_per_site")
        ]

    def __str__(self) -> str:
        return f"run of {self.started_at:%Y-%m-%d %H:%M}"


class LegalHold(models.Model):
    """Evidence of an event that must not be removed, until somebody lifts it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="legal_holds")
    reason = models.CharField(max_length=300)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event"], condition=Q(lifted_at=None), name="legal_hold_once_per_event"),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="legal_hold_lifted_says_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"legal hold on {self.event_id}"
