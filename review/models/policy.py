import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from inference.models import Site

from .queue import Queue


class PolicyState(models.TextChoices):
    DRAFT = "draft", _("draft")
    SHADOW = "shadow", _("shadow")
    LIVE = "live", _("live")
    RETIRED = "retired", _("retired")


class Policy(models.Model):
    """One version of a site's ordered routing rules; exactly one version of a site is live."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="policies")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=PolicyState.choices, default=PolicyState.DRAFT)
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(fields=["site", "version"], name="policy_version_per_site"),
            models.UniqueConstraint(fields=["site"], condition=Q(state=PolicyState.LIVE), name="policy_one_live"),
            models.CheckConstraint(condition=Q(state__in=PolicyState.values), name="policy_state_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.site} v{self.version}"


class Rule(models.Model):
    """One line of a policy: when a subject prediction meets every condition, this is what happens.

    Empty conditions match anything. A band is `low <= confidence < high` (`<=` at 1.0), its own one per class that
    `bands` names.
    `key` stays the same from version to version, so that an edit does not roll the sampling dice again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="rules")
    key = models.UUIDField(default=uuid.uuid4)
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    explanation = models.CharField(max_length=200, blank=True)
    kinds: Any = models.JSONField(default=list, blank=True)
    cameras: Any = models.JSONField(default=list, blank=True)
    classes: Any = models.JSONField(default=list, blank=True)
    flags: Any = models.JSONField(default=list, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    bands: Any = models.JSONField(default=dict, blank=True)
    # Without a queue the rule passes: accepted, kept, and nobody is asked.
    queue = models.ForeignKey(Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="rules")
    priority = models.PositiveSmallIntegerField(default=3)
    due_in = models.DurationField(null=True, blank=True)
    sampling_rate = models.FloatField(default=1.0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "position"], name="rule_position_per_policy"),
            models.UniqueConstraint(fields=["policy", "key"], name="rule_key_per_policy"),
            models.CheckConstraint(
                condition=Q(sampling_rate__gte=0, sampling_rate__lte=1), name="rule_sampling_rate_is_a_share"
            ),
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=5), name="rule_priority_1_to_5"),
            models.CheckConstraint(
                condition=Q(low=None) | Q(high=None) | Q(low__gte=0, high__lte=1, low__lte=F("high")),
                name="rule_band_is_a_band",
            ),
        ]

    def __str__(self) -> str:
        return self.name
