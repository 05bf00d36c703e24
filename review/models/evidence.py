from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from inference.models import Site


class EvidenceState(models.TextChoices):
    STORED = "stored", _("stored")
    DAMAGED = "damaged", _("damaged")


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    def used_as_example(self) -> "EvidenceQuerySet":
        """Pictures that a guide shows: never deleted while they are in it."""
        from .guide import GuideExample

        return self.filter(Exists(GuideExample.objects.filter(evidence=OuterRef("pk"), removed_in=None)))


class Evidence(models.Model):
    """A file that shows an event, stored once per site and named by its SHA-256."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="evidence")
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=40)
    size = models.PositiveBigIntegerField()
    # Pixels of the upright picture, EXIF orientation applied.
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    # Of a clip, as its header says; empty for a picture.
    duration_s = models.FloatField(null=True)
    state = models.CharField(max_length=10, choices=EvidenceState.choices, default=EvidenceState.STORED)
    damage = models.CharField(max_length=200, blank=True)
    # "#rrggbb", the average colour, which stands in until the picture is there.
    colour = models.CharField(max_length=7, blank=True)
    stored_at = models.DateTimeField()
    # Its bytes are gone by a rule of retention, or because somebody erased them; the row stays, and says why.
    removed_at = models.DateTimeField(null=True)
    removed_why = models.CharField(max_length=200, blank=True)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "evidence"
        constraints = [
            models.UniqueConstraint(fields=["site", "sha256"], name="evidence_once_per_site"),
            models.CheckConstraint(condition=Q(state__in=EvidenceState.values), name="evidence_state_is_known"),
            models.CheckConstraint(
                condition=Q(removed_at=None, removed_why="") | (Q(removed_at__isnull=False) & ~Q(removed_why="")),
                name="evidence_removed_says_why",
            ),
        ]
        indexes = [
            # Retention: what a site keeps, the oldest first; and how many bytes that is.
            models.Index(fields=["site", "stored_at", "id"], condition=Q(removed_at=None), name="evidence_kept"),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def can_be_shown(self) -> bool:
        """Whether its bytes are there and are what they should be, as far as anybody knows."""
        return self.removed_at is None and self.state == EvidenceState.STORED

    @property
    def is_clip(self) -> bool:
        return self.duration_s is not None

    @property
    def path(self) -> str:
        """Where the original lies in the file store."""
        return evidence_path(str(self.site_id), self.sha256)


def evidence_path(site_id: str, sha256: str) -> str:
    """The server-made name of an original; nothing that a source says is part of it but the digest."""
    return f"evidence/{site_id}/{sha256[:2]}/{sha256}"


class RenditionKind(models.TextChoices):
    THUMBNAIL = "thumbnail", _("thumbnail")
    WORKING = "working", _("working copy")
    # Of a clip only: what every browser plays.
    CLIP = "clip", _("clip to play")


class Rendition(models.Model):
    """An upright copy without metadata: thumbnail (320 px), working copy (1600 px), or a clip to play (960 px)."""

    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="renditions")
    kind = models.CharField(max_length=10, choices=RenditionKind.choices)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    # Empty for copies from before there was one, until the check of files has seen them.
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["evidence", "kind"], name="rendition_once_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.evidence_id}"

    @property
    def path(self) -> str:
        return rendition_path(str(self.evidence_id), self.kind)


def rendition_path(evidence_id: str, kind: str) -> str:
    ending = "webm" if kind == RenditionKind.CLIP else "jpg"
    return f"renditions/{evidence_id[-2:]}/{evidence_id}-{kind}.{ending}"
