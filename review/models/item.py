import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from inference.models import Site
from review.querysets import ItemQuerySet

from .event import Event
from .queue import Queue


class ItemState(models.TextChoices):
    OPEN = "open", _("open")
    DECIDED = "decided", _("decided")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Outcome(models.TextChoices):
    CONFIRMED = "confirmed", _("confirmed")
    CORRECTED = "corrected", _("corrected")
    EMPTY = "empty", _("nothing here")
    UNSURE = "unsure", _("unsure")
    BAD_IMAGE = "bad_image", _("bad image")
    DISPUTED = "disputed", _("disputed")
    WITHDRAWN = "withdrawn", _("withdrawn")
    LAPSED = "lapsed", _("lapsed")


class Item(models.Model):
    """One event waiting in one queue, and what became of it.

    `version` grows with every change of state; `claim_id` names the latest claim (fencing), which counts as live while
    `claim_expires_at` lies ahead.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="items")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="items")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="items")
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.OPEN)
    version = models.PositiveIntegerField(default=1)
    priority = models.PositiveSmallIntegerField(default=3)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    # Why it is here: rule, its sentence, policy version, the prediction that matched.
    reason = models.JSONField(default=dict)
    # Source x server; empty when the source did not say, because unknown stays unknown.
    sampling_probability = models.FloatField(null=True)
    # Until then a machine waits for the answer: everybody on duty may look at once, and the first answer wins.
    held_until = models.DateTimeField(null=True)
    # Until then it is offered to this person alone: sent to him, sent back to him, or put off by him. Then to anybody.
    reserved_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reserved_until = models.DateTimeField(null=True)
    claim_id = models.UUIDField(null=True)
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    claim_expires_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    verdict_id = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event"], condition=Q(state=ItemState.OPEN), name="item_one_open_per_event"
            ),
            models.CheckConstraint(condition=Q(state__in=ItemState.values), name="item_state_is_known"),
            models.CheckConstraint(
                condition=Q(state=ItemState.OPEN, outcome="", decided_at=None, verdict_id=None)
                | (~Q(state=ItemState.OPEN) & Q(outcome__in=Outcome.values, decided_at__isnull=False)),
                name="item_closed_has_its_outcome",
            ),
            models.CheckConstraint(
                condition=Q(claim_id=None, claimed_by=None, claim_expires_at=None)
                | Q(claim_id__isnull=False, claimed_by__isnull=False, claim_expires_at__isnull=False),
                name="item_claim_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(reserved_for=None, reserved_until=None)
                | Q(reserved_for__isnull=False, reserved_until__isnull=False),
                name="item_reserved_says_until",
            ),
        ]
        indexes = [
            # Claim: the most urgent open item of a queue.
            models.Index(
                fields=["queue", "priority", "due_at", "created_at", "id"],
                condition=Q(state=ItemState.OPEN),
                name="item_urgency",
            ),
            # The queue page: what is overdue, and how old the oldest is.
            models.Index(fields=["queue", "due_at"], condition=Q(state=ItemState.OPEN), name="item_due"),
            models.Index(fields=["queue", "created_at"], name="item_arrivals"),
            # Releases and scorecards: outcomes of a queue in a span of time.
            models.Index(fields=["queue", "decided_at"], condition=Q(state=ItemState.DECIDED), name="item_decided"),
            # Who works where, and what one person holds.
            models.Index(
                fields=["queue", "claimed_by"],
                condition=Q(state=ItemState.OPEN, claimed_by__isnull=False),
                name="item_claimed",
            ),
            # What one person put off or was sent.
            models.Index(
                fields=["reserved_for", "queue"],
                condition=Q(state=ItemState.OPEN, reserved_for__isnull=False),
                name="item_reserved",
            ),
        ]

    def __str__(self) -> str:
        return f"item …{str(self.id)[-4:]}"

    @property
    def audit_subject(self) -> uuid.UUID:
        """Entries about an item belong to the story of its event."""
        return self.event_id
