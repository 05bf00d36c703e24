from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inference.models import Site
from review.querysets import DutyQuerySet, HoldQuerySet

from .event import Event
from .queue import Queue
from .verdict import Verdict


class HoldState(models.TextChoices):
    WAITING = "waiting", _("a machine waits")
    ANSWERED = "answered", _("answered in time")
    EXPIRED = "expired", _("nobody answered in time")
    WITHDRAWN = "withdrawn", _("nobody will look")


class Hold(models.Model):
    """A machine that waits for the answer to one event, until a deadline that the server owns.

    It leaves `waiting` once and by one conditional UPDATE, so that either the verdict acts or the fallback, never both.
    """

    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="hold")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    # Where people are asked; empty when no queue looks at the event.
    queue = models.ForeignKey(Queue, null=True, on_delete=models.PROTECT, related_name="holds")
    # What the machine does by itself when no answer comes.
    fallback = models.CharField(max_length=100)
    deadline_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=HoldState.choices, default=HoldState.WAITING)
    resolved_at = models.DateTimeField(null=True)
    verdict = models.OneToOneField(Verdict, null=True, on_delete=models.PROTECT, related_name="answered_hold")

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=HoldState.values), name="hold_state_is_known"),
            models.CheckConstraint(
                condition=Q(state=HoldState.WAITING, resolved_at=None)
                | (~Q(state=HoldState.WAITING) & Q(resolved_at__isnull=False)),
                name="hold_resolved_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state=HoldState.ANSWERED, verdict__isnull=False)
                | (~Q(state=HoldState.ANSWERED) & Q(verdict=None)),
                name="hold_answered_has_its_verdict",
            ),
        ]
        indexes = [
            # The sweep, and what a queue offers first.
            models.Index(fields=["queue", "deadline_at"], condition=Q(state=HoldState.WAITING), name="hold_waiting"),
            # "Expired unanswered" of a queue in a span of time.
            models.Index(fields=["queue", "resolved_at"], condition=Q(state=HoldState.EXPIRED), name="hold_expired"),
        ]

    def __str__(self) -> str:
        return f"hold of {self.event_id}: {self.state}"


class Duty(models.Model):
    """A person has the desk of a queue open; it ends by itself when nothing is heard of it any more."""

    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="duties")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField()

    objects = DutyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "duties"
        constraints = [models.UniqueConstraint(fields=["queue", "person"], name="duty_once_per_person")]
        indexes = [models.Index(fields=["queue", "seen_at"], name="duty_of_queue")]

    def __str__(self) -> str:
        return f"{self.person} on {self.queue}"
