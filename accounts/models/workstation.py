from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.ids import new_id

PIN_TRIES = 5
# Under what a session keeps the id of its shift.
SHIFT = "second_look.shift"
# The browser locks on the minute. The server is later by more than the page's reports of activity are apart.
GRACE = timedelta(seconds=60)


class WorkstationQuerySet(models.QuerySet["Workstation"]):
    def live(self) -> "WorkstationQuerySet":
        return self.filter(retired_at=None)


class Workstation(models.Model):
    """A browser that several people share, known by a signed cookie that holds the id.

    The site is named by its id, because sites belong to an app above this one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=80)
    site_id = models.UUIDField(null=True)
    # Empty: what the settings say.
    idle_minutes = models.PositiveSmallIntegerField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    # Badges that opened nothing, and since when they are counted: guessing through all numbers must not work.
    refused_badges = models.PositiveSmallIntegerField(default=0)
    refused_since = models.DateTimeField(null=True)

    objects = WorkstationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["site_id", "name"], name="workstation_of_site")]

    def __str__(self) -> str:
        return self.name

    @property
    def idle(self) -> timedelta:
        """How long nobody may touch it before it locks."""
        return timedelta(minutes=self.idle_minutes or settings.SECONDLOOK["LOCK_MINUTES"])


class ShiftQuerySet(models.QuerySet["Shift"]):
    def live(self, now: datetime) -> "ShiftQuerySet":
        """Full sign-ins that still count: neither ended nor too old.

        Columns of this table only: a join would turn conditional UPDATEs into ones by a list of ids, whose conditions
        PostgreSQL does not look at again when it has waited for somebody else's.
        """
        return self.filter(ended_at=None, ends_at__gt=now)


class Shift(models.Model):
    """One full sign-in of a person at a browser, and what it carries for some hours: lock, activity, PIN.

    The session names its shift. Lock and activity stand here and not in the session, because a session is written as a
    whole: a request that began before the lock would write the lock away when it ends after it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="shifts")
    # None: a browser that is not shared.
    workstation = models.ForeignKey(Workstation, null=True, on_delete=models.PROTECT, related_name="shifts")
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    last_active_at = models.DateTimeField()
    locked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # How the person signed in, as allauth keeps it, for the session that a PIN or a badge opens.
    sign_in = models.JSONField(default=dict)
    # Django's session hash at that time: a new password ends what the old one opened.
    account_hash = models.CharField(max_length=128)
    pin_hash = models.CharField(max_length=256, blank=True)
    # Tries since the last right one, each counted before it is looked at.
    pin_tries = models.PositiveSmallIntegerField(default=0)

    objects = ShiftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "workstation"],
                condition=Q(ended_at=None, workstation__isnull=False),
                name="shift_one_open_per_workstation",
            ),
            models.CheckConstraint(condition=Q(pin_tries__lte=PIN_TRIES), name="shift_pin_tries_are_few"),
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("began_at")), name="shift_ends_after_it_began"),
        ]
        # The lock screen: who is on shift here.
        indexes = [models.Index(fields=["workstation", "ends_at"], name="shift_at_workstation")]

    def __str__(self) -> str:
        return f"{self.person} · {self.workstation or '–'}"

    @property
    def idle(self) -> timedelta | None:
        """How long the browser may stay untouched before it locks; None for as long as one likes."""
        if self.workstation is not None:
            return self.workstation.idle
        minutes = settings.SECONDLOOK["PERSONAL_LOCK_MINUTES"]
        return timedelta(minutes=minutes) if minutes else None

    @property
    def idle_seconds(self) -> int | None:
        """The same for the page's module."""
        return int(self.idle.total_seconds()) if self.idle else None

    def is_over(self, now: datetime) -> bool:
        return self.ended_at is not None or self.ends_at <= now

    def is_locked(self, now: datetime) -> bool:
        """Whether the session must show nothing: locked, over, or untouched for too long, script or not."""
        if self.locked_at is not None or self.is_over(now):
            return True
        return self.idle is not None and self.last_active_at + self.idle + GRACE <= now


class BadgeQuerySet(models.QuerySet["Badge"]):
    def live(self) -> "BadgeQuerySet":
        return self.filter(revoked_at=None)


class Badge(models.Model):
    """A card whose reader types its number. Only a keyed digest of the number is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="badges")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = BadgeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], condition=Q(revoked_at=None), name="badge_belongs_to_one_person")
        ]
        indexes = [models.Index(fields=["person", "revoked_at"], name="badge_of_person")]

    def __str__(self) -> str:
        return f"{self.name} ({self.person})"
