from django.db import models
from django.db.models import Q

from .site import Site
from .source import Source

# Bins of confidence: [0, .05), [.05, .10), ... [.95, 1].
BINS = 20


class SeenCount(models.Model):
    """What a source saw of one class in one hour, whether it posted it or not, so that rates and weights are honest.

    Names are kept as the source said them: a count is never refused because nobody knows the camera yet. An empty
    `class_name` stands for the frames alone.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="counts")
    camera_name = models.CharField(max_length=100, blank=True)
    # The beginning of the hour, in UTC.
    hour = models.DateTimeField()
    model_name = models.CharField(max_length=100)
    model_version_name = models.CharField(max_length=60)
    class_name = models.CharField(max_length=100, blank=True)
    # Objects by confidence, in `BINS` bins of equal width.
    histogram = models.JSONField(default=list)
    objects_seen = models.PositiveBigIntegerField(default=0)
    # Frames that the model looked at in this hour.
    frames = models.PositiveBigIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "hour", "camera_name", "model_name", "model_version_name", "class_name"],
                name="count_once_per_hour",
            ),
            models.CheckConstraint(condition=Q(objects_seen__gte=0, frames__gte=0), name="count_is_no_debt"),
        ]
        indexes = [
            # Rates of a site in a span of time.
            models.Index(fields=["site", "hour"], name="count_of_site"),
        ]

    def __str__(self) -> str:
        return f"{self.class_name or 'frames'} {self.hour:%Y-%m-%d %H}h: {self.objects_seen}"
