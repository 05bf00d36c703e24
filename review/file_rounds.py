"""All stored files against their rows, once a day, in slices of the tick, so that nothing else waits for it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from review.file_check import FileCheck, evidence_rows, name_of, release_rows, rendition_rows
from review.models import FileDamage, FileRound, ReleaseState

# One slice ends with the file that goes beyond one of these: bytes read, files, files found wrong.
SLICE_BYTES = 8_000_000
SLICE_FILES = 200
SLICE_FOUND = 20
# So many names are kept of what a round found; all of them are rows of FileDamage.
KEPT = 100
STEPS: dict[str, Callable[[], QuerySet[Any]]] = {
    "evidence": evidence_rows,
    "renditions": rendition_rows,
    # What a builder is writing is its own business.
    "releases": lambda: release_rows().filter(release__state=ReleaseState.READY),
}
ORDER = list(STEPS)


def check_files_when_due(*, now: datetime) -> None:
    """The tick's part: the next slice of a round that is under way, or the first one of a new round."""
    last = FileRound.objects.order_by("-id").first()
    if last is None or (last.finished_at is not None and is_due(last, now)):
        last = FileRound.objects.create(started_at=now, step=ORDER[0])
    if last.finished_at is None:
        go_on(last, now=now)


def is_due(last: FileRound, now: datetime) -> bool:
    """A clock that stepped back does not put the next round off."""
    every = timedelta(hours=settings.SECONDLOOK["FILE_CHECK_HOURS"])
    return now - last.started_at >= every or now < last.started_at


def go_on(running: FileRound, *, now: datetime) -> None:
    """Look at the next files, and keep how far it has come."""
    was = {"step": running.step, "after": running.after}
    rows = next_rows(running)
    known = FileDamage.objects.filter(name__in=[name_of(row) for row in rows])
    check = FileCheck(now=now, mend=True, known=set(known.values_list("name", flat=True)))
    for row in rows:
        if check.bytes_read >= SLICE_BYTES or len(check.findings.bad) >= SLICE_FOUND:
            break
        check.look_at(row)
        running.after, running.files = str(row.pk), running.files + 1
    else:
        if len(rows) < SLICE_FILES:
            next_step(running, now)
    count(running, check)
    keep(running, was)


def next_rows(running: FileRound) -> list[Any]:
    rows = STEPS[running.step]()
    return list((rows.filter(pk__gt=running.after) if running.after else rows)[:SLICE_FILES])


def next_step(running: FileRound, now: datetime) -> None:
    if running.step == ORDER[-1]:
        running.finished_at = now
    else:
        running.step, running.after = ORDER[ORDER.index(running.step) + 1], ""


def count(running: FileRound, check: FileCheck) -> None:
    running.bytes += check.bytes_read
    running.missing += len(check.findings.missing_files)
    running.damaged += len(check.findings.damaged)
    running.mended += len(check.findings.mended)
    running.found = (running.found + check.findings.bad)[:KEPT]


def keep(running: FileRound, was: dict[str, str]) -> None:
    """Write the progress, unless another worker has gone on from the same place meanwhile; the end has its entry."""
    told = ("step", "after", "files", "bytes", "missing", "damaged", "mended", "found", "finished_at")
    with transaction.atomic():
        same_place = FileRound.objects.filter(pk=running.pk, finished_at=None, **was)
        mine = same_place.update(**{name: getattr(running, name) for name in told})
        if mine and running.finished_at and running.files:
            record_checked(running)


def record_checked(done: FileRound) -> None:
    audit.record(
        "files.checked",
        actor=None,
        on=done,
        action=audit.Action.CREATE,
        files=done.files,
        bytes=done.bytes,
        missing=done.missing,
        damaged=done.damaged,
        mended=done.mended,
        problems=done.missing + done.damaged - done.mended,
        found=done.found,
    )
