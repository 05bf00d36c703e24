"""Uploads as people make them: a job with files, and a worker that does all of its turns."""

import io
import zipfile
from typing import Any

from django.utils import timezone

from accounts.models import User
from review.actions.uploads import Wishes, add_file, begin_upload, start_upload
from review.models import UploadFile, UploadJob
from review.models.upload import AT_WORK
from review.uploads.worker import advance
from tests.factories import Place, jpeg

MODEL = {"model_name": "detector", "model_version_name": "1.0", "kind": "sample", "task": "detection"}


def picture(shade: int) -> bytes:
    """A JPEG that no other number gives: shades alone may be the same bytes."""
    return jpeg((shade % 256, 60, 90), size=(64, 48), comment=str(shade).encode())


def begin(place: Place, person: User, **wishes: Any) -> UploadJob:
    wanted = Wishes(**({"task": "detection"} | wishes))
    return begin_upload(person=person, site=place.site, camera=place.camera, wishes=wanted, now=timezone.now())


def add(job: UploadJob, name: str, data: bytes, **more: Any) -> UploadFile:
    told = {"written_at": None, "now": timezone.now()} | more
    return add_file(job=job, name=name, file=io.BytesIO(data), **told).file


def send(job: UploadJob, person: User) -> None:
    start_upload(job=job, person=person, now=timezone.now())


def turn(job: UploadJob) -> None:
    """One turn of a worker."""
    advance(job.pk, UploadJob.objects.get(pk=job.pk).turn)


def work_off(job: UploadJob) -> UploadJob:
    """All turns of a worker, until there is nothing left to do."""
    for _turn in range(1000):
        job = UploadJob.objects.get(pk=job.pk)
        if job.state not in AT_WORK:
            return job
        turn(job)
    raise AssertionError("the upload does not come to an end")


def whole(place: Place, person: User, files: dict[str, bytes], **wishes: Any) -> UploadJob:
    """An upload from beginning to end."""
    job = begin(place, person, **wishes)
    for name, data in files.items():
        add(job, name, data)
    send(job, person)
    return work_off(job)


def reasons(job: UploadJob) -> dict[str, str]:
    """What is said about each file, by name."""
    return dict(job.files.exclude(reason="").values_list("name", "reason"))


def packed(files: dict[str, bytes], **more: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", more.pop("compression", zipfile.ZIP_DEFLATED)) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()
