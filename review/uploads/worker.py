"""Moving an upload on: look at everything, then make an event of each picture, in turns of a few seconds.

A turn ends by enqueueing the next one, so that a long upload does not keep thumbnails and releases waiting. One worker
has the turn: it takes it by a conditional update that counts it up, and each later write needs the number to be
unchanged. Events have ids that follow from job and digest, so what is done twice is there once.
"""

import contextlib
import time
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction
from django.db.models import Count, F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.exceptions import SecondLookError
from review.actions.uploads import enqueue, enqueue_clearing
from review.evidence_store import local_path
from review.models import FileState, UploadFile, UploadJob, UploadRole, UploadState
from review.models.upload import AT_WORK, OVER
from review.uploads import staging
from review.uploads.archive import ArchiveRefused
from review.uploads.check import check
from review.uploads.contents import Contents
from review.uploads.events import make_event
from review.uploads.reasons import reason_text

logger = structlog.get_logger(__name__)
TURN_S = 3.0
BEAT_S = 2.0
BATCH = 20
CLEARED = 200
# Intake says "later" and not "no": the turn is given back, and the sweep takes the job up again.
PASSING = {429, 503}


class Superseded(Exception):
    """Another worker has the job, or its person has cancelled it."""


class Turn:
    """This worker's turn of a job. Raises Superseded once somebody else has it."""

    def __init__(self, job: UploadJob) -> None:
        self.job = job
        self.began = self.said_at = time.monotonic()

    def is_over(self) -> bool:
        return time.monotonic() - self.began >= TURN_S

    def write(self, **changes: Any) -> None:
        """Change columns of the job, if it is still this worker's."""
        changes = {"touched_at": timezone.now()} | changes
        if not UploadJob.objects.filter(pk=self.job.pk, turn=self.job.turn, state=self.job.state).update(**changes):
            raise Superseded
        for name, value in changes.items():
            setattr(self.job, name, value)

    def beat(self) -> None:
        """Say every few seconds that somebody is at work; call it as often as you like."""
        if time.monotonic() - self.said_at >= BEAT_S:
            self.write()
            self.said_at = time.monotonic()

    def pass_on(self, **changes: Any) -> None:
        """End this turn, and have the next one begun."""
        with transaction.atomic():
            self.write(**changes)
            enqueue(self.job.pk, self.job.turn)


def advance(job_id: UUID, turn: int) -> None:
    """Do one turn of a job, if it is this turn's time. Database errors are raised: the sweep tries again."""
    job = take(job_id, turn)
    if job is None:
        return
    mine = Turn(job)
    try:
        work(mine)
    except Superseded:
        logger.info("upload_superseded", job=str(job_id))
    except ArchiveRefused as error:
        fail(mine, reason_text(error.code))
    except SecondLookError as error:
        if error.status not in PASSING:
            fail(mine, str(error.detail))
    except (DatabaseError, OSError):
        raise
    except Exception as error:
        # The top of a worker: what nobody foresaw must not be tried for ever.
        logger.exception("upload_failed", job=str(job_id))
        fail(mine, _("An unforeseen error: %(error)s") % {"error": repr(error)})


def take(job_id: UUID, turn: int) -> UploadJob | None:
    """The job for this worker alone; None when the turn is somebody else's or the job is over."""
    mine = UploadJob.objects.filter(pk=job_id, turn=turn, state__in=AT_WORK)
    if not mine.update(turn=F("turn") + 1, touched_at=timezone.now()):
        return None
    return UploadJob.objects.select_related("site", "camera", "source", "person").get(pk=job_id)


def work(turn: Turn) -> None:
    if turn.job.state == UploadState.CHECKING:
        check(turn.job, turn.beat)
        turn.pass_on(state=UploadState.RUNNING)
        return
    with Contents(turn.job) as contents:
        while not turn.is_over():
            if not make_some(turn, contents):
                finish(turn, timezone.now())
                return
    turn.pass_on()


def make_some(turn: Turn, contents: Contents) -> int:
    """Make events of the next few pictures; how many were looked at."""
    waiting = turn.job.files.filter(role=UploadRole.PICTURE, state=FileState.WAITING)
    rows = list(waiting.order_by("id")[:BATCH])
    if not rows:
        return 0
    # Before each batch: its person may have cancelled it.
    turn.write()
    there = turn.job.files.filter(
        role=UploadRole.PICTURE, state=FileState.TAKEN, sha256__in=[row.sha256 for row in rows]
    )
    seen = set(there.values_list("sha256", flat=True))
    for row in rows:
        if row.sha256 in seen:
            row.state, row.reason = FileState.LEFT_OUT, "same_picture"
        else:
            make_event(turn.job, row, contents, timezone.now())
        if row.state == FileState.TAKEN:
            seen.add(row.sha256)
        row.save(update_fields=["state", "reason", "detail", "event"])
    forget_bytes(rows)
    return len(rows)


def forget_bytes(rows: list[UploadFile]) -> None:
    """Remove staged bytes that are done with: only after the row says so, because a worker may die in between."""
    done = [row for row in rows if row.staged]
    staging.remove([row.path for row in done])
    UploadFile.objects.filter(pk__in=[row.pk for row in done]).update(staged=False)


def finish(turn: Turn, now: datetime) -> None:
    """All pictures are done with."""
    clear_rows(turn.job)
    counts = counts_of(turn.job)
    with transaction.atomic():
        turn.write(state=UploadState.DONE, finished_at=now)
        audit.record(
            "upload.finished",
            actor=None,
            on=turn.job,
            site_id=turn.job.site_id,
            taken=counts["taken"],
            left_out=counts["left_out"],
        )


def counts_of(job: UploadJob) -> dict[str, int]:
    """Pictures that became events, that were left out, and that wait."""
    rows = job.files.filter(role=UploadRole.PICTURE).values("state").annotate(files=Count("pk")).order_by()
    found = {row["state"]: row["files"] for row in rows}
    return {
        "taken": found.get(FileState.TAKEN, 0),
        "left_out": found.get(FileState.LEFT_OUT, 0),
        "waiting": found.get(FileState.WAITING, 0),
    }


def fail(turn: Turn, why: str) -> None:
    """Nothing more can be made of this job; what was made stays."""
    with contextlib.suppress(Superseded), transaction.atomic():
        turn.write(state=UploadState.FAILED, finished_at=timezone.now(), failure=why[:300])
        audit.record("upload.failed", actor=None, on=turn.job, site_id=turn.job.site_id, why=why[:300])
        enqueue_clearing(turn.job.pk)


def clear(job_id: UUID) -> None:
    """Remove what a job that is over left in the staging area."""
    job = UploadJob.objects.filter(pk=job_id, state__in=OVER).first()
    if job is not None:
        clear_rows(job)


def clear_rows(job: UploadJob) -> None:
    while rows := list(job.files.filter(staged=True)[:CLEARED]):
        forget_bytes(rows)
    folder = local_path(f"uploads/{job.pk}")
    if folder is not None:
        with contextlib.suppress(OSError):
            folder.rmdir()
