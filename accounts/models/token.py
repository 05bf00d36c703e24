from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id

SCOPE_WORDS = {
    "events:read": _("read events, their pictures and verdicts"),
    "review:write": _("claim items and answer them"),
    "releases:read": _("see and download releases"),
    "releases:write": _("make releases"),
    "admin:read": _("read settings (opens nothing yet)"),
}


class PersonalTokenQuerySet(models.QuerySet["PersonalToken"]):
    def live(self, now: datetime) -> "PersonalTokenQuerySet":
        return self.filter(revoked_at=None, person__is_active=True).filter(Q(ends_at=None) | Q(ends_at__gt=now))


class PersonalToken(models.Model):
    """A bearer token of a person for the API. Only its SHA-256 is kept; the token holds 256 random bits.

    A call with it opens what its scopes name, and of that only what the person may do at that moment.
    """

    SCOPES = tuple(SCOPE_WORDS)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=100)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = PersonalTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.person})"
