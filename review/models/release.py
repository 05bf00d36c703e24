from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from inference.models import Site

from .event import Event
from .evidence import Evidence
from .item import Item
from .taxonomy import Taxonomy
from .verdict import Verdict


class ReleaseState(models.TextChoices):
    FROZEN = "frozen", _("frozen, waiting to be built")
    BUILDING = "building", _("building")
    VERIFYING = "verifying", _("verifying")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")


class Split(models.TextChoices):
    TRAIN = "train", _("train")
    VAL = "val", _("validation")
    TEST = "test", _("test")


class Release(models.Model):
    """An immutable dataset built from outcomes: frozen first, built, re-read, and only then ready."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="releases")
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=ReleaseState.choices, default=ReleaseState.FROZEN)
    # Queues, dates, formats, seed, and the taxonomy's classes as they were: see review/releases/recipe.py.
    recipe = models.JSONField()
    # What was left out and why, what was warned about, counts per class and split, outcomes.
    summary = models.JSONField(default=dict)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    # When a worker last moved it on; a build whose worker died is taken up again after a while.
    touched_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="release_number_per_site"),
            models.CheckConstraint(condition=Q(state__in=ReleaseState.values), name="release_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state=ReleaseState.READY) | Q(ready_at__isnull=False), name="release_ready_has_ready_at"
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"Release {self.number}"


class ReleaseRow(models.Model):
    """One picture of a frozen selection with the verdict that decided it."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="rows")
    position = models.PositiveIntegerField()
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="release_rows")
    verdict = models.ForeignKey(Verdict, on_delete=models.PROTECT, related_name="+")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="+")
    group = models.CharField(max_length=64)
    split = models.CharField(max_length=5, choices=Split.choices)
    # What the files must say about this picture: labels and ignore regions in pixels of the upright frame.
    content = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["release", "position"], name="release_row_position"),
            models.UniqueConstraint(fields=["release", "evidence"], name="release_one_picture_per_digest"),
            models.CheckConstraint(condition=Q(split__in=Split.values), name="release_row_split_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.release} #{self.position}"


class ReleaseFile(models.Model):
    """A file of a release, by its digest."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    # Of the whole file (ISO 3309), so that the archive can be streamed with its exact size known beforehand.
    crc32 = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["release", "name"], name="release_file_name")]

    def __str__(self) -> str:
        return self.name


class SplitPin(models.Model):
    """Which split a picture of a taxonomy belongs to, for good: what was test stays test."""

    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    split = models.CharField(max_length=5, choices=Split.choices)
    group = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["taxonomy", "sha256"], name="split_pin_once")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} {self.split}"
