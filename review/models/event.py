from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from inference.models import Camera, ModelVersion, Site, Source
from inference.models.registry import Task

from .evidence import Evidence


class EventKind(models.TextChoices):
    UNSURE = "unsure", _("unsure")
    FLAGGED = "flagged", _("flagged")
    SAMPLE = "sample", _("sample")
    REPORT = "report", _("report")


class Event(models.Model):
    """One frame that a model saw and a source posted, as it was posted. Rows never change.

    Boxes are `[x, y, width, height]` in pixels of the upright frame, origin top left, y down.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="events")
    # No index of its own, like the camera: those below begin with it.
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="events", db_index=False)
    event_id = models.UUIDField()
    digest = models.CharField(max_length=64)
    captured_at = models.DateTimeField()
    received_at = models.DateTimeField()
    clock_skewed = models.BooleanField(default=False)
    kind = models.CharField(max_length=10, choices=EventKind.choices)
    camera = models.ForeignKey(Camera, null=True, on_delete=models.PROTECT, related_name="events", db_index=False)
    camera_name = models.CharField(max_length=100, blank=True)
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="events")
    model_name = models.CharField(max_length=100, blank=True)
    model_version_name = models.CharField(max_length=60, blank=True)
    model_sha256 = models.CharField(max_length=64, blank=True)
    task = models.CharField(max_length=20, choices=Task.choices)
    frame_width_px = models.PositiveIntegerField()
    frame_height_px = models.PositiveIntegerField()
    reporting_floor = models.FloatField(null=True)
    thresholds = models.JSONField(default=dict)
    predictions = models.JSONField(default=list)
    subject = models.JSONField(default=list)
    # Of the first subject prediction (the most confident one without a subject), for lists and filters.
    top_class = models.CharField(max_length=100, blank=True)
    top_confidence = models.FloatField(null=True)
    flags = models.JSONField(default=list)
    rule = models.CharField(max_length=100, blank=True)
    sampling_probability = models.FloatField(null=True)
    action = models.JSONField(null=True)
    stamps = models.JSONField(default=dict)
    latency_ms = models.JSONField(default=dict)
    context = models.JSONField(default=dict)
    historical = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "event_id"], name="event_once_per_source"),
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="event_kind_is_known"),
            models.CheckConstraint(condition=Q(task__in=Task.values), name="event_task_is_known"),
        ]
        indexes = [
            # The event browser: newest first within a site.
            models.Index(fields=["site", "-received_at", "-id"], name="event_newest"),
            # Neighbouring events of one camera on the desk.
            models.Index(fields=["camera", "captured_at"], name="event_of_camera"),
            # The last events of a source, while somebody connects it.
            models.Index(fields=["source", "-received_at"], name="event_of_source"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.top_class} …{str(self.id)[-4:]}"

    @property
    def subject_predictions(self) -> list[dict[str, Any]]:
        """The predictions that made this an event; all of them when the source named none."""
        if not self.subject:
            return list(self.predictions)
        wanted = set(self.subject)
        return [prediction for prediction in self.predictions if prediction["id"] in wanted]


class EventEvidence(models.Model):
    """What an event announced as evidence; `evidence` is empty until the bytes have arrived."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="evidence_rows")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    role = models.CharField(max_length=10)
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=40)
    offset_x_px = models.FloatField(default=0)
    offset_y_px = models.FloatField(default=0)
    scale = models.FloatField(default=1)
    level = models.PositiveSmallIntegerField(default=6)
    evidence = models.ForeignKey(Evidence, null=True, on_delete=models.PROTECT, related_name="event_rows")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["event", "name"], name="evidence_name_per_event")]
        indexes = [models.Index(fields=["sha256"], name="event_evidence_digest")]

    def __str__(self) -> str:
        return f"{self.name} of {self.event_id}"


class Routed(models.TextChoices):
    QUEUED = "queued", _("queued")
    PASSED = "passed", _("passed")
    NOT_SAMPLED = "not_sampled", _("not in the sample")
    UNMATCHED = "unmatched", _("no rule matched")
    NO_POLICY = "no_policy", _("the site has no live policy")


class Routing(models.Model):
    """What a policy version made of an event; append-only, the newest row tells today's state."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="routings")
    policy = models.ForeignKey("review.Policy", null=True, on_delete=models.PROTECT, related_name="+")
    rule_key = models.UUIDField(null=True)
    rule_name = models.CharField(max_length=120, blank=True)
    decision = models.CharField(max_length=12, choices=Routed.choices)
    # The chance that the server put it before people: the rule's sampling rate.
    probability = models.FloatField(null=True)
    routed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(decision__in=Routed.values), name="routing_is_known")]

    def __str__(self) -> str:
        return f"{self.decision} {self.rule_name}"


class ParkingCause(models.TextChoices):
    CAMERA = "camera", _("unknown camera")
    MODEL = "model", _("unknown model version")
    CLASS = "class", _("unknown class")


class Parking(models.Model):
    """An event that waits for somebody to map what it names; gone from the inbox once `resolved_at` is set."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="parkings")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(max_length=10, choices=ParkingCause.choices)
    value = models.CharField(max_length=200)
    # The model that said it, for a class; blank for the others.
    model_name = models.CharField(max_length=100, blank=True)
    parked_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(cause__in=ParkingCause.values), name="parking_cause_is_known"),
            models.UniqueConstraint(fields=["event", "cause", "value"], name="parked_once_per_cause"),
        ]
        indexes = [
            models.Index(
                fields=["site", "cause", "value", "model_name"], condition=Q(resolved_at=None), name="parking_inbox"
            )
        ]

    def __str__(self) -> str:
        return f"{self.cause}: {self.value}"
