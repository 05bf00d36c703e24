from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.ids import new_id

from .site import Camera, Site


class SourceQuerySet(models.QuerySet["Source"]):
    def live(self, now: datetime) -> "SourceQuerySet":
        """Sources whose token is in force at `now`."""
        return self.filter(revoked_at=None).filter(Q(ends_at=None) | Q(ends_at__gt=now))

    def with_token(self, digest: str, now: datetime) -> "SourceQuerySet":
        """The source whose token has this hash, or had it and is being replaced."""
        return self.filter(Q(token_hash=digest) | Q(previous_hash=digest, previous_until__gt=now))


class Source(models.Model):
    """Who posts events: a service or a device session, bound to one site and perhaps to one camera.

    Only the SHA-256 of its token is kept; the token holds 256 random bits, so a slow hash would add nothing. While a
    token is being replaced, the one before it works until `previous_until`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="sources")
    camera = models.ForeignKey(Camera, null=True, blank=True, on_delete=models.PROTECT, related_name="sources")
    name = models.CharField(max_length=100)
    token_hash = models.CharField(max_length=64, unique=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    # Whoever made it sees its first events, so that connecting a source needs nobody else.
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    # Empty: what the server takes from anybody.
    events_per_second = models.PositiveIntegerField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["previous_hash"], condition=~Q(previous_hash=""), name="source_previous_token_is_its_own"
            ),
            models.CheckConstraint(
                condition=Q(previous_hash="", previous_until=None)
                | (~Q(previous_hash="") & Q(previous_until__isnull=False)),
                name="source_previous_token_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_built_in(self) -> bool:
        """Whether the server itself posts under it: what stands for its token is no digest (`built_in_source`)."""
        return ":" in self.token_hash
