"""The bytes of an upload's files, wherever they lie; one archive is kept open at a time."""

import zipfile
from contextlib import ExitStack
from typing import Self
from uuid import UUID

from django.conf import settings

from review.actions.uploads import LABEL_BYTES
from review.models import UploadFile, UploadJob, UploadRole
from review.models.upload import staged_path
from review.uploads import staging
from review.uploads.archive import Bounds, open_archive, read_member


def bounds() -> Bounds:
    """What an archive may hold by itself."""
    limits = settings.SECONDLOOK
    return Bounds(
        entries=limits["UPLOAD_FILES"],
        total=limits["UPLOAD_BYTES"],
        picture=limits["MAX_EVIDENCE_BYTES"],
        other=LABEL_BYTES,
    )


class Contents:
    """Reads files of a job; a context manager."""

    def __init__(self, job: UploadJob) -> None:
        self.job = job
        self.open_files = ExitStack()
        self.archive_id: UUID | None = None
        self.archive: zipfile.ZipFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.open_files.close()

    def read(self, row: UploadFile) -> bytes:
        """All bytes of a file. Raises FileNotFoundError, archive.ArchiveRefused."""
        if row.archive_id is None or row.member is None:
            with staging.open_staged(row.path) as file:
                return bytes(file.read())
        return read_member(self.opened(row.archive_id), row.member, bounds().of(UploadRole(row.role)))

    def opened(self, archive_id: UUID) -> zipfile.ZipFile:
        """The archive of a job, open until another one is asked for."""
        if self.archive is None or self.archive_id != archive_id:
            self.open_files.close()
            file = self.open_files.enter_context(staging.open_staged(staged_path(str(self.job.pk), str(archive_id))))
            self.archive = self.open_files.enter_context(open_archive(file, bounds()))
            self.archive_id = archive_id
        return self.archive
