from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.ids import new_id

from .event import Event
from .evidence import Evidence
from .queue import Queue
from .taxonomy import TaxonomyClass


class GuideVersion(models.Model):
    """A state of a queue's guide: its text, and by `GuideExample` the examples that were in it."""

    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="guide_versions")
    version = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["queue", "version"], name="guide_version_per_queue")]

    def __str__(self) -> str:
        return f"{self.queue} guide v{self.version}"


class GuideExample(models.Model):
    """An event that shows what a class is, or what it is not; its picture is kept for as long as it is in the guide.

    In the guide from version `added_in` on, and no longer in `removed_in`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="guide_examples")
    shows = models.ForeignKey(TaxonomyClass, on_delete=models.PROTECT, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="guide_examples")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="guide_examples")
    # Otherwise it shows what the class is not.
    good = models.BooleanField()
    caption = models.CharField(max_length=300, blank=True)
    # `[x, y, width, height]` in pixels of the upright frame.
    crop: Any = models.JSONField()
    added_in = models.PositiveIntegerField()
    removed_in = models.PositiveIntegerField(null=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(removed_in=None) | Q(removed_in__gt=models.F("added_in")),
                name="example_ends_after_it_began",
            )
        ]
        indexes = [
            # May this picture be seen, and must it be kept?
            models.Index(fields=["evidence"], condition=Q(removed_in=None), name="example_in_use"),
        ]

    def __str__(self) -> str:
        return f"example of {self.shows_id}"

    @property
    def view_box(self) -> str:
        """What of the frame is shown, for SVG."""
        return " ".join(f"{float(value):g}" for value in self.crop)
