"""Building a release: pictures, annotation files, lineage, manifest; then re-reading everything; only then `ready`.

The rows say how far it is, so a build that was killed is taken up where it stopped. One worker builds a release: it
takes it by a conditional update, and every later step is conditional on `touched_at` being what this worker wrote last,
so a worker that was thought dead cannot write over its successor's progress.
"""

import errno
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.exceptions import SecondLookError
from accounts.giving_way import give_way
from review import broadcast, evidence_store
from review.decoding import DecoderBroken
from review.images import UnsupportedType
from review.models import Evidence, Release, ReleaseFile, ReleaseState
from review.models.evidence import evidence_path
from review.tasks.renditions import mark_damaged

from . import frozen, manifest
from .contents import Picture
from .exceptions import BuildFailed, Superseded
from .formats import FORMATS
from .lineage import Lineage, LineageWriter
from .recipe import Head
from .store import ReleaseStore, Sums
from .upright import upright_jpeg
from .verify import verify

logger = structlog.get_logger(__name__)
# Progress is written, and told to open pages, about this often.
BEAT_S = 1.0
# After so many pictures their files are recorded, so that a build taken up again repeats no more than these.
CHECKPOINT = 64
FAILURE_LETTERS = 300
# Steps before others may go first.
STRETCH = 20


class Progress:
    """This worker's hold on a release: its state and how far it is. Raises Superseded once another worker has it."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.beaten_at = self.told_at = time.monotonic()
        self.steps = 0

    def due(self) -> bool:
        return time.monotonic() - self.beaten_at >= BEAT_S

    def write(self, **changes: Any) -> None:
        """Change columns of the release, if it is still this worker's."""
        now = timezone.now()
        held = Release.objects.filter(pk=self.release.pk, state=self.release.state, touched_at=self.release.touched_at)
        if not held.update(touched_at=now, **changes):
            raise Superseded
        for name, value in (changes | {"touched_at": now}).items():
            setattr(self.release, name, value)
        self.beaten_at = time.monotonic()
        if "state" in changes or self.beaten_at - self.told_at >= BEAT_S:
            self.told_at = self.beaten_at
            broadcast.release_changed(self.release.pk)

    def step(self, pictures: int = 0) -> None:
        """Count pictures, and write that down when it is due."""
        self.steps += 1
        if self.steps % STRETCH == 0:
            give_way()
        self.release.done += pictures
        if self.due():
            self.write(done=min(self.release.done, self.release.total))


def build(release_id: UUID) -> Release | None:
    """Build and verify a frozen release; returns it `ready` or `failed`, or None when it is not there to be built.

    Database errors and a decoder that decodes nothing are raised: the release stays as it is and is taken up again.
    """
    release = take(release_id)
    if release is None:
        return None
    progress = Progress(release)
    try:
        run(progress)
    except Superseded:
        logger.warning("another worker builds this release now", release=str(release_id))
        return None
    except (DatabaseError, DecoderBroken):
        raise
    except OSError as error:
        fail(progress, storage_failure(error))
    except SecondLookError as error:
        fail(progress, str(error.detail))
    except Exception as error:
        # The top of a worker: what nobody foresaw must not be tried for ever.
        logger.exception("building a release failed", release=str(release_id))
        fail(progress, _("An unforeseen error: %(error)s") % {"error": repr(error)})
    return release


def take(release_id: UUID) -> Release | None:
    """The release for this worker alone; None when it is not frozen (any more)."""
    now = timezone.now()
    with transaction.atomic():
        taken = Release.objects.filter(pk=release_id, state=ReleaseState.FROZEN).update(
            state=ReleaseState.BUILDING, touched_at=now
        )
        if not taken:
            return None
        broadcast.release_changed(release_id)
    release = Release.objects.select_related("site", "taxonomy").get(pk=release_id)
    release.touched_at = now
    return release


def run(progress: Progress) -> None:
    release, store = progress.release, ReleaseStore(progress.release.pk)
    store.clear_staging()
    write_pictures(progress, store)
    folder = store.new_staging()
    lineage = write_whole_files(progress, store, folder)
    write_manifest(progress, store, folder, lineage)
    store.clear_staging()
    store.sweep()
    progress.write(state=ReleaseState.VERIFYING, done=0)
    problem = next(verify(release, step=progress.step), None)
    if problem is not None:
        raise BuildFailed(str(problem))
    finish(progress, timezone.now())


def write_pictures(progress: Progress, store: ReleaseStore) -> None:
    """The pictures and what lies beside each, from where an earlier worker stopped."""
    release = progress.release
    formats = [FORMATS[name] for name in release.recipe["formats"]]
    columns = (*frozen.PICTURE, "evidence__sha256", "evidence_id")
    pending: list[ReleaseFile] = []
    for batch in frozen.batches(release, *columns, start=release.done):
        evidence_store.require_room()
        for position, split, content, sha256, evidence_id in batch:
            picture = frozen.picture(position, split, content)
            data = picture_bytes(release, picture, sha256, evidence_id)
            pending.append(file_row(release, picture.path, store.put_bytes(picture.path, data)))
            for one in formats:
                if one.takes(picture):
                    pending += [
                        file_row(release, name, store.put_bytes(name, text)) for name, text in one.beside(picture)
                    ]
            if len(pending) >= CHECKPOINT or progress.due():
                checkpoint(progress, pending, position + 1)
    checkpoint(progress, pending, release.total)


def checkpoint(progress: Progress, pending: list[ReleaseFile], done: int) -> None:
    """Record files that are on stable storage, together with how far that takes the release."""
    with transaction.atomic():
        record_files(pending)
        progress.write(done=done)
    pending.clear()


def record_files(rows: list[ReleaseFile]) -> None:
    ReleaseFile.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["release", "name"], update_fields=["size", "sha256", "crc32"]
    )


def file_row(release: Release, name: str, sums: Sums) -> ReleaseFile:
    return ReleaseFile(release=release, name=name, size=sums.size, sha256=sums.sha256, crc32=sums.crc32)


def picture_bytes(release: Release, picture: Picture, sha256: str, evidence_id: UUID) -> bytes:
    """The picture as the release gives it out. Evidence that turns out damaged is marked, so that the next release
    does without it. Raises BuildFailed, naming the row.
    """
    try:
        data = evidence_store.read(evidence_path(str(release.site_id), sha256))
        if Sums.of(data).sha256 != sha256:
            raise ValueError(_("the bytes have changed since they were stored"))
        return upright_jpeg(data)
    except (OSError, ValueError, SyntaxError, EOFError, UnsupportedType) as error:
        if isinstance(error, OSError) and error.errno not in {None, errno.ENOENT}:
            # The store is in trouble, not the picture: the decoder's own errors have no number.
            raise
        mark_damaged(Evidence.objects.get(pk=evidence_id), str(error))
        raise BuildFailed(
            _("Picture %(position)d (%(path)s): its evidence is damaged (%(error)s).")
            % {"position": picture.position, "path": picture.path, "error": error}
        ) from error


def write_whole_files(progress: Progress, store: ReleaseStore, folder: Path) -> Lineage:
    """The annotation files of every format and the lineage, all of them in one pass over the rows."""
    release, head = progress.release, Head.of(progress.release)
    lineage = Lineage(release)
    with ExitStack() as stack:
        lines = LineageWriter(folder)
        stack.callback(lines.close)
        writers = [(FORMATS[name], FORMATS[name].whole(head, folder)) for name in release.recipe["formats"]]
        for _format, writer in writers:
            stack.callback(writer.close)
        for picture, record in lineage.records():
            lines.add(record)
            for one, writer in writers:
                if one.takes(picture):
                    writer.add(picture)
            progress.step()
        finished = [*lines.finish(), *(made for _format, writer in writers for made in writer.finish())]
    record_files([file_row(release, name, store.put_file(name, path, progress.step)) for name, path in finished])
    return lineage


def write_manifest(progress: Progress, store: ReleaseStore, folder: Path, lineage: Lineage) -> None:
    path = folder / manifest.NAME
    manifest.write(progress.release, lineage.summary(), path)
    record_files([file_row(progress.release, manifest.NAME, store.put_file(manifest.NAME, path, progress.step))])


def finish(progress: Progress, now: datetime) -> None:
    """Make the release ready, in one transaction with its audit entry."""
    release = progress.release
    with transaction.atomic():
        progress.write(state=ReleaseState.READY, done=release.total, ready_at=now)
        audit.record(
            "release.ready",
            actor=None,
            on=release,
            site_id=release.site_id,
            pictures=release.total,
            manifest=release.files.get(name=manifest.NAME).sha256,
        )


def fail(progress: Progress, failure: str) -> None:
    """Make the release `failed`, saying why, and delete what was written: half a release is of no use to anybody."""
    release = progress.release
    try:
        # Whoever takes the build up from here starts at the beginning, because the files go first.
        progress.write(done=0)
        ReleaseStore(release.pk).remove()
        with transaction.atomic():
            progress.write(state=ReleaseState.FAILED, failure=failure[:FAILURE_LETTERS])
            release.files.all().delete()
            audit.record("release.failed", actor=None, on=release, site_id=release.site_id, failure=failure)
    except Superseded:
        return


def storage_failure(error: OSError) -> str:
    """What to tell people about an error of the file store or of a picture."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _("The file store is full. Make room, then build the release again.")
    return _("The file store failed: %(error)s") % {"error": error.strerror or str(error)}
