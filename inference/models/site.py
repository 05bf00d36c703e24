import hashlib
import secrets
from typing import Self
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from accounts.roles import SITE_PERMISSIONS

SLUG_LENGTH = 60


def new_sampling_key() -> bytes:
    return secrets.token_bytes(32)


class InUseQuerySet[Row: models.Model](models.QuerySet[Row]):
    def in_use(self) -> Self:
        """Those that are not retired."""
        return self.filter(retired_at=None)


def says_why(name: str) -> models.CheckConstraint:
    """What is retired says why, and what is in use does not."""
    retired = Q(retired_at__isnull=False) & ~Q(retired_because="")
    return models.CheckConstraint(condition=Q(retired_at=None, retired_because="") | retired, name=name)


class Site(models.Model):
    """A place. Owns its cameras, sources, queues, evidence and model versions."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=SLUG_LENGTH, unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60, default="UTC")
    # Keys the hash that decides about sampling, so that a source cannot aim at or around the sample.
    sampling_key = models.BinaryField(max_length=32, default=new_sampling_key, editable=False)
    # The most bytes of evidence (originals) that the site keeps; empty: what the disk holds.
    evidence_quota_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    registers_models = models.BooleanField(
        _("register new model versions"),
        default=False,
        help_text=_("A version that is not known yet is registered by its first event instead of being parked."),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # A retired site takes nothing in and is offered nowhere. What it has stays, under its rules of retention.
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_because = models.CharField(max_length=300, blank=True)

    objects = InUseQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = SITE_PERMISSIONS
        constraints = [says_why("site_retired_says_why")]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def camera_slug(name: str) -> str:
    """The short name under which a camera is kept that sources call `name`.

    A name that is one already stays as it is. Any other one gets its digest's first letters, so that two names never
    become one camera and the same name always finds its own again.
    """
    plain = slugify(name)
    if plain == name and len(name) <= SLUG_LENGTH:
        return name
    return f"{plain[:40] or 'camera'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


class Camera(models.Model):
    """A point of view at a site."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="cameras")
    slug = models.SlugField(max_length=SLUG_LENGTH)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    # A retired camera is offered nowhere. What it brought stays, and what is still posted about it is taken in.
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_because = models.CharField(max_length=300, blank=True)

    objects = InUseQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["site", "slug"], name="camera_slug_per_site"),
            says_why("camera_retired_says_why"),
        ]

    def __str__(self) -> str:
        return self.name
