from datetime import datetime

from django.db import models
from django.db.models import Q

from accounts.ids import new_id

from .site import Camera, Site


class SourceQuerySet(models.QuerySet["Source"]):
    def live(self, now: datetime) -> "SourceQuerySet":
        """Sources whose token is in force at `now`."""
        return self.filter(revoked_at=None).filter(Q(ends_at=None) | Q(ends_at__gt=now))


class Source(models.Model):
    """Who posts events: a service or a device session, bound to one site and perhaps to one camera.

    Only the SHA-256 of its token is kept; the token holds 256 random bits, so a slow hash would add nothing.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="sources")
    camera = models.ForeignKey(Camera, null=True, blank=True, on_delete=models.PROTECT, related_name="sources")
    name = models.CharField(max_length=100)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
