"""Reads of items in the users' words."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import User


class ItemQuerySet(models.QuerySet["Item"]):  # type: ignore[name-defined]
    def open(self) -> "ItemQuerySet":
        return self.filter(state="open")

    def unclaimed(self, now: datetime) -> "ItemQuerySet":
        """Nobody holds a live claim; an expired one counts as none."""
        return self.filter(Q(claim_expires_at=None) | Q(claim_expires_at__lte=now))

    def claimed(self, now: datetime) -> "ItemQuerySet":
        return self.filter(claim_expires_at__gt=now)

    def not_answered_by(self, person: User) -> "ItemQuerySet":
        from review.models import Verdict

        answered = Verdict.objects.filter(item=OuterRef("pk"), person=person, retraction=None, reopening=None)
        return self.filter(~Exists(answered))

    def not_skipped_by(self, person: User, now: datetime) -> "ItemQuerySet":
        from review.models import Skip

        return self.filter(~Exists(Skip.objects.filter(item=OuterRef("pk"), person=person, until__gt=now)))

    def not_reserved_for_others(self, person: User, now: datetime) -> "ItemQuerySet":
        """Nobody else has it kept for him; what a machine waits for is everybody's."""
        free = Q(reserved_until=None) | Q(reserved_until__lte=now) | Q(reserved_for=person) | Q(held_until__gt=now)
        return self.filter(free)

    def reserved_for_others(self, person: User, now: datetime) -> "ItemQuerySet":
        return self.filter(reserved_until__gt=now).exclude(reserved_for=person)

    def claimable_by(self, person: User, now: datetime) -> "ItemQuerySet":
        """Open items that `person` could claim now; the caller has checked the queue."""
        free = self.open().unclaimed(now).not_reserved_for_others(person, now)
        return free.not_answered_by(person).not_skipped_by(person, now)

    def held(self, now: datetime) -> "ItemQuerySet":
        """A machine waits for the answer."""
        return self.filter(held_until__gt=now)

    def not_held(self, now: datetime) -> "ItemQuerySet":
        """No machine waits for the answer, or none any more."""
        return self.filter(Q(held_until=None) | Q(held_until__lte=now))

    def not_in_hand_of(self, person: User, now: datetime) -> "ItemQuerySet":
        """Held items that `person` is not looking at already."""
        from review.models import Claim

        mine = Claim.objects.filter(item=OuterRef("pk"), holder=person, ended_at=None, shared=True, expires_at__gt=now)
        return self.filter(~Exists(mine))

    def most_urgent_first(self) -> "ItemQuerySet":
        return self.order_by("priority", "due_at", "created_at", "id")

    def overdue(self, now: datetime) -> "ItemQuerySet":
        return self.open().filter(due_at__lte=now)

    def at_risk(self, now: datetime, within: timedelta) -> "ItemQuerySet":
        """Open items that fall due soon."""
        return self.open().filter(due_at__gt=now, due_at__lte=now + within)


class HoldQuerySet(models.QuerySet["Hold"]):  # type: ignore[name-defined]
    def waiting(self) -> "HoldQuerySet":
        return self.filter(state="waiting")


class DutyQuerySet(models.QuerySet["Duty"]):  # type: ignore[name-defined]
    def on_duty(self, now: datetime, lasts: timedelta) -> "DutyQuerySet":
        """Whose desk was heard of within `lasts`."""
        return self.filter(seen_at__gt=now - lasts)
