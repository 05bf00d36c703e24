from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Q


class LeaseManager(models.Manager["Lease"]):
    def take(self, name: str, *, holder: str, now: datetime, lasts: timedelta) -> bool:
        """Whether `holder` now holds the lease `name`; one holder at a time, over all processes."""
        with transaction.atomic():
            self.bulk_create([Lease(name=name, holder="", expires_at=now)], ignore_conflicts=True)
            free = Q(expires_at__lte=now) | Q(holder=holder)
            return self.filter(free, name=name).update(holder=holder, expires_at=now + lasts) == 1

    def one_at_a_time(self, name: str, *, now: datetime) -> None:
        """Wait until no other transaction goes by `name`, and keep them out until the caller's one ends."""
        self.bulk_create([Lease(name=name, holder="", expires_at=now)], ignore_conflicts=True)
        self.select_for_update().get(name=name)


class Lease(models.Model):
    """Who of the workers may do the periodic work called `name`."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=100, blank=True)
    expires_at = models.DateTimeField()

    objects = LeaseManager()

    def __str__(self) -> str:
        return self.name
