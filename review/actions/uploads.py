"""Uploads: a person brings pictures; a worker makes events of them (review/uploads/worker.py)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Sum
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid, Refused
from accounts.ids import new_id
from accounts.models import User
from inference.actions.sites import built_in_source, require_in_use
from inference.models import Camera, Site
from review.models import FileState, UploadFile, UploadJob, UploadRole, UploadState
from review.models.upload import AT_WORK, OPEN
from review.uploads import staging
from review.uploads.names import role_of, shown, stem_of

# A job that no worker has moved on for this long has lost its worker, or waited for room.
ABANDONED_AFTER = timedelta(seconds=60)
SOURCE_NAME = "Browser uploads"
# The longest list of predictions or class names, in bytes: it is read as a whole.
LABEL_BYTES = 10_000_000


class TooManyUploads(Conflict):
    code, title = "too_many_uploads", _("Finish or cancel one of your other uploads first.")


class UploadFull(Invalid):
    code, title = "upload_full", _("This upload has as many files or bytes as one upload may have.")


class UploadClosed(Conflict):
    code, title = "upload_closed", _("This upload takes no more files.")


class FileTooLarge(Exception):
    """A file holds more bytes than one of its kind may have."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person says about the pictures. Without a model they are a person's report."""

    task: str
    kind: str = "report"
    model_name: str = ""
    model_version_name: str = ""
    reporting_floor: float | None = None
    confidence: float | None = None
    empty_without_file: bool = False
    classes: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A file of an upload, and whether this call brought it."""

    file: UploadFile
    created: bool


def begin_upload(*, person: User, site: Site, camera: Camera | None, wishes: Wishes, now: datetime) -> UploadJob:
    """A new upload that waits for its files. The caller has checked that `person` may.

    Raises Invalid `camera_mismatch` or `model_missing`, Conflict `site_retired`, Refused `uploads_off`, TooManyUploads.
    """
    if camera is not None and camera.site_id != site.pk:
        raise Invalid(_("This camera belongs to another site."), code="camera_mismatch")
    if bool(wishes.model_name) != bool(wishes.model_version_name) or (
        not wishes.model_name and wishes.kind != "report"
    ):
        raise Invalid(
            _("Name the model and its version, or say that a person took the pictures."), code="model_missing"
        )
    require_in_use(site)
    source = built_in_source(site=site, purpose="uploads", name=SOURCE_NAME, maker=person)
    if source.revoked_at is not None:
        raise Refused(_("Uploads are switched off at this site."), code="uploads_off")
    with transaction.atomic():
        # Two at once of one person go one after the other, so that both are counted.
        User.objects.select_for_update().get(pk=person.pk)
        if UploadJob.objects.filter(person=person, state__in=OPEN).count() >= settings.SECONDLOOK["UPLOADS_PER_PERSON"]:
            raise TooManyUploads
        job = UploadJob.objects.create(
            site=site,
            camera=camera,
            source=source,
            person=person,
            kind=wishes.kind,
            task=wishes.task,
            model_name=wishes.model_name,
            model_version_name=wishes.model_version_name,
            reporting_floor=wishes.reporting_floor,
            confidence=wishes.confidence,
            empty_without_file=wishes.empty_without_file,
            classes=list(wishes.classes),
            note=wishes.note,
            created_at=now,
            touched_at=now,
        )
        audit.record(
            "upload.started",
            actor=person,
            on=job,
            site_id=site.pk,
            action=audit.Action.CREATE,
            camera=camera.slug if camera else None,
            kind=wishes.kind,
            model=f"{wishes.model_name} {wishes.model_version_name}".strip() or None,
        )
    return job


def add_file(*, job: UploadJob, name: str, file: IO[bytes], written_at: datetime | None, now: datetime) -> Received:
    """Keep one file of an upload on stable storage; the same name with the same bytes is there once.

    A file that is too large or of no use is noted with its reason, and its bytes are not kept. Raises UploadClosed,
    UploadFull, StoreUnavailable.
    """
    plain = shown(name)
    role = role_of(plain)
    row = UploadFile(
        id=new_id(), job=job, name=plain, stem=stem_of(plain), role=role, written_at=written_at, received_at=now
    )
    require_receiving(job)
    counted = staging.Counting(file, most_bytes(role), FileTooLarge)
    try:
        receive(row, counted)
        row.size, row.sha256 = counted.size, counted.sha256.hexdigest()
    except FileTooLarge:
        row.size, row.sha256, row.staged = counted.size, "", False
        row.state, row.reason = FileState.LEFT_OUT, "too_large"
    created = False
    try:
        received = insert(row, now)
        created = received.created
    finally:
        if not created:
            staging.remove([row.path])
    return received


def most_bytes(role: str) -> int:
    """How large one file may be that came by itself."""
    limits = settings.SECONDLOOK
    if role == UploadRole.ARCHIVE:
        return int(limits["UPLOAD_ARCHIVE_BYTES"])
    return int(limits["MAX_EVIDENCE_BYTES"]) if role == UploadRole.PICTURE else LABEL_BYTES


def receive(row: UploadFile, counted: staging.Counting) -> None:
    """Write the bytes, or only read them when the file is of no use."""
    if row.role != UploadRole.OTHER:
        staging.keep(row.path, counted)
        row.staged = True
        return
    while counted.read():
        pass
    row.state, row.reason = FileState.LEFT_OUT, "not_used"


def require_receiving(job: UploadJob) -> None:
    if job.state != UploadState.RECEIVING:
        raise UploadClosed


def insert(row: UploadFile, now: datetime) -> Received:
    """The row of a file, if the upload still takes it and it fits."""
    limits = settings.SECONDLOOK
    try:
        with transaction.atomic():
            job = UploadJob.objects.select_for_update().get(pk=row.job_id)
            require_receiving(job)
            if found := same_file(row):
                return Received(found, False)
            mine = job.files.aggregate(files=Count("pk"), size=Sum("size", default=0))
            here = UploadFile.objects.filter(staged=True, job__site=job.site_id).aggregate(size=Sum("size", default=0))
            if (
                mine["files"] >= limits["UPLOAD_FILES"]
                or mine["size"] + row.size > limits["UPLOAD_BYTES"]
                or here["size"] + row.size > limits["UPLOAD_SITE_BYTES"]
            ):
                raise UploadFull
            row.save(force_insert=True)
            UploadJob.objects.filter(pk=job.pk).update(touched_at=now)
    except IntegrityError:
        if found := same_file(row):
            return Received(found, False)
        raise
    return Received(row, True)


def same_file(row: UploadFile) -> UploadFile | None:
    return UploadFile.objects.filter(job=row.job_id, archive=None, name=row.name, sha256=row.sha256).first()


def start_upload(*, job: UploadJob, person: User, now: datetime) -> None:
    """All files are there: check them and make events. Raises UploadClosed, or Invalid `no_files`."""
    with transaction.atomic():
        counts = job.files.filter(staged=True).aggregate(files=Count("pk"), size=Sum("size", default=0))
        if not counts["files"]:
            raise Invalid(_("There is no picture and no archive in this upload yet."), code="no_files")
        waiting = UploadJob.objects.filter(pk=job.pk, state=UploadState.RECEIVING)
        if not waiting.update(state=UploadState.CHECKING, touched_at=now, turn=F("turn") + 1):
            raise UploadClosed
        job.refresh_from_db()
        audit.record(
            "upload.sent",
            actor=person,
            on=job,
            site_id=job.site_id,
            files=counts["files"],
            bytes=counts["size"],
        )
        enqueue(job.pk, job.turn)


def cancel_upload(*, job: UploadJob, person: User | None, now: datetime) -> None:
    """End an upload; events that were made of it stay. Raises Conflict `upload_over`."""
    with transaction.atomic():
        still = UploadJob.objects.filter(pk=job.pk, state__in=OPEN)
        if not still.update(state=UploadState.CANCELLED, finished_at=now, touched_at=now, turn=F("turn") + 1):
            raise Conflict(_("This upload is over already."), code="upload_over")
        taken = job.files.filter(role=UploadRole.PICTURE, state=FileState.TAKEN).count()
        audit.record("upload.cancelled", actor=person, on=job, site_id=job.site_id, taken=taken)
        enqueue_clearing(job.pk)


def enqueue(job_id: UUID, turn: int) -> None:
    """Have the job moved on in the background once the current transaction is committed."""
    from review.tasks.uploads import run_upload

    transaction.on_commit(lambda: run_upload.enqueue(str(job_id), turn))


def enqueue_clearing(job_id: UUID) -> None:
    from review.tasks.uploads import clear_upload

    transaction.on_commit(lambda: clear_upload.enqueue(str(job_id)))


def resume_stuck_uploads(*, now: datetime) -> list[UUID]:
    """Have every job taken up again that nobody has moved on for a minute; returns which."""
    stuck = UploadJob.objects.filter(state__in=AT_WORK, touched_at__lt=now - ABANDONED_AFTER).order_by("created_at")
    resumed = []
    for pk, turn in stuck.values_list("pk", "turn"):
        with transaction.atomic():
            held = UploadJob.objects.filter(pk=pk, state__in=AT_WORK, turn=turn)
            if held.update(turn=turn + 1, touched_at=now):
                enqueue(pk, turn + 1)
                resumed.append(pk)
    return resumed


def sweep_uploads(*, now: datetime) -> None:
    """End uploads that nobody goes on with, and clear what the end of others left in the staging area."""
    age = timedelta(hours=settings.SECONDLOOK["UPLOAD_HOURS"])
    for job in UploadJob.objects.filter(state=UploadState.RECEIVING, touched_at__lt=now - age):
        try:
            cancel_upload(job=job, person=None, now=now)
        except Conflict:
            # Its person was faster.
            continue
    left = UploadJob.objects.filter(finished_at__lt=now - ABANDONED_AFTER, files__staged=True).distinct()
    for pk in left.values_list("pk", flat=True):
        enqueue_clearing(pk)
