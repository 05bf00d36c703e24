from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.ids import new_id
from inference.models import Site

from .event import Event


class OpeningQuerySet(models.QuerySet["Opening"]):
    def live(self, now: datetime) -> "OpeningQuerySet":
        return self.filter(ends_at__gt=now)


class Opening(models.Model):
    """Somebody who may see events only with a reason gave one: for an event, or for all of a site. Never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="openings")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="openings")
    event = models.ForeignKey(Event, null=True, on_delete=models.PROTECT, related_name="openings")
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    objects = OpeningQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("created_at")), name="opening_ends_after_it_began"),
            models.CheckConstraint(condition=~Q(reason=""), name="opening_has_its_reason"),
        ]
        # The doors ask what one person has open now.
        indexes = [models.Index(fields=["person", "ends_at"], name="opening_of_person")]

    def __str__(self) -> str:
        return f"{self.person} · {self.event or self.site}"
