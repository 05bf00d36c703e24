from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.ids import new_id
from inference.models import Camera, Site, Source
from inference.models.registry import Task

from .event import Event, EventKind

NAME_LETTERS = 200
NOTE_LETTERS = 500


class UploadState(models.TextChoices):
    RECEIVING = "receiving", _("receiving files")
    CHECKING = "checking", _("checking")
    RUNNING = "running", _("making events")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


AT_WORK = (UploadState.CHECKING, UploadState.RUNNING)
OPEN = (UploadState.RECEIVING, *AT_WORK)
OVER = (UploadState.DONE, UploadState.FAILED, UploadState.CANCELLED)


class UploadJob(models.Model):
    """Pictures that a person brings through the browser, with or without what a model predicted on them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="upload_jobs")
    camera = models.ForeignKey(Camera, null=True, on_delete=models.PROTECT, related_name="+")
    # The built-in source of the site, under which its events are kept.
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=UploadState.choices, default=UploadState.RECEIVING)
    kind = models.CharField(max_length=10, choices=EventKind.choices)
    task = models.CharField(max_length=20, choices=Task.choices)
    # Both empty when a person took the pictures and no model has seen them.
    model_name = models.CharField(max_length=100, blank=True)
    model_version_name = models.CharField(max_length=60, blank=True)
    reporting_floor = models.FloatField(null=True)
    # What a line without a confidence counts as; without one such a line is a fault.
    confidence = models.FloatField(null=True)
    # Whether a picture without a file of predictions is one on which the model saw nothing; otherwise it is left out.
    empty_without_file = models.BooleanField(default=False)
    # The names of classes 0, 1, ... as they were pasted; files among the uploaded ones may say them as well.
    classes = models.JSONField(default=list, blank=True)
    note = models.CharField(max_length=NOTE_LETTERS, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    # When it last moved on: a job whose worker died is taken up again, one that nobody goes on with is ended.
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # Counted up by each worker that takes the job: whatever an older one still writes is refused.
    turn = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=UploadState.values), name="upload_state_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=[str(state) for state in OVER], finished_at__isnull=False)
                | Q(state__in=[str(state) for state in OPEN], finished_at=None),
                name="upload_over_has_finished_at",
            ),
            models.CheckConstraint(
                condition=Q(kind="report", model_name="", model_version_name="")
                | (~Q(model_name="") & ~Q(model_version_name="")),
                name="upload_has_a_model_or_is_a_report",
            ),
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="upload_kind_is_known"),
            models.CheckConstraint(condition=Q(task__in=Task.values), name="upload_task_is_known"),
        ]
        indexes = [
            # The list of a site, newest first.
            models.Index(fields=["site", "-created_at"], name="upload_newest"),
            # What is not over yet: bounds per person and site, and the sweep.
            models.Index(fields=["touched_at"], condition=Q(finished_at=None), name="upload_open"),
        ]

    def __str__(self) -> str:
        return str(_("Upload %s") % str(self.pk)[-6:])

    @property
    def has_model(self) -> bool:
        return bool(self.model_name)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class UploadRole(models.TextChoices):
    PICTURE = "picture", _("picture")
    PREDICTIONS = "predictions", _("predictions")
    CLASSES = "classes", _("class names")
    ARCHIVE = "archive", _("archive")
    OTHER = "other", _("other")


class FileState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    # A picture became an event; another file was read and used.
    TAKEN = "taken", _("taken")
    LEFT_OUT = "left_out", _("left out")


class UploadFile(models.Model):
    """One file of an upload, or one inside of an uploaded archive. `name` is text to show and never a path of ours."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(UploadJob, on_delete=models.PROTECT, related_name="files")
    archive = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="members")
    # Which entry of its archive it is.
    member = models.PositiveIntegerField(null=True)
    name = models.CharField(max_length=NAME_LETTERS)
    # The name without folders and extension, by which pictures and predictions find each other.
    stem = models.CharField(max_length=NAME_LETTERS)
    role = models.CharField(max_length=12, choices=UploadRole.choices)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    # What the browser or the archive says about when the file was last written.
    written_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=FileState.choices, default=FileState.WAITING)
    # Why it was left out, or what is to be said about it: a code of review/uploads/reasons.py, and place and fault.
    reason = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=600, blank=True)
    # What the model said about this picture: see review/uploads/predictions. None until somebody has said something.
    predictions: models.JSONField[Any, Any] = models.JSONField(null=True)
    event = models.ForeignKey(Event, null=True, on_delete=models.PROTECT, related_name="+")
    # Whether its bytes lie in the staging area.
    staged = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "name", "sha256"], condition=Q(archive=None), name="upload_file_once"
            ),
            models.UniqueConstraint(fields=["archive", "member"], name="upload_member_once"),
            models.CheckConstraint(condition=Q(role__in=UploadRole.values), name="upload_role_is_known"),
            models.CheckConstraint(condition=Q(state__in=FileState.values), name="upload_file_state_is_known"),
            models.CheckConstraint(condition=~Q(state="left_out") | ~Q(reason=""), name="upload_left_out_has_a_reason"),
            models.CheckConstraint(
                condition=Q(archive=None, member=None) | Q(archive__isnull=False, member__isnull=False, staged=False),
                name="upload_member_is_in_its_archive",
            ),
        ]
        indexes = [
            # The pictures of a job that are still to be done, in order.
            models.Index(fields=["job", "role", "state", "id"], name="upload_to_do"),
            # The predictions of a picture.
            models.Index(fields=["job", "role", "stem"], name="upload_by_stem"),
            # What lies in the staging area, for `fsck` and the bounds.
            models.Index(fields=["job"], condition=Q(staged=True), name="upload_staged"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Where its bytes lie until it is done; nothing that anybody said is part of it."""
        return staged_path(str(self.job_id), str(self.pk))


def staged_path(job_id: str, file_id: str) -> str:
    return f"uploads/{job_id}/{file_id}"
