"""One picture of an upload becomes one event, through the same intake as everything else."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.exceptions import SecondLookError
from review import images, schemas
from review.actions.intake import LATE, take_in
from review.models import FileState, UploadFile, UploadJob
from review.uploads.archive import ArchiveRefused
from review.uploads.contents import Contents
from review.uploads.taken_at import taken_at

# Intake and the store say "later" with these; the file waits.
PASSING = {429, 503}


def make_event(job: UploadJob, row: UploadFile, contents: Contents, now: datetime) -> None:
    """Make the event of a picture, or note on the row why not. The caller saves the row.

    The event's id follows from job and digest and its body from the rows, so that the same call again finds the same
    event. Raises SecondLookError 429 or 503 when intake is under pressure: then nothing is noted.
    """
    row.reason = row.detail = ""
    try:
        data = contents.read(row)
        facts = images.inspect(data, max_pixels=settings.SECONDLOOK["MAX_PIXELS"])
        body = event_body(job, row, data, facts)
        if body is None:
            row.state = FileState.LEFT_OUT
            return
        posted = schemas.read(schemas.EventIn, body)
        taken = take_in(source=job.source, posted=posted, body=body, files={"frame": data}, now=now)
    except (ArchiveRefused, FileNotFoundError):
        row.state, row.reason = FileState.LEFT_OUT, "unreadable"
        return
    except SecondLookError as error:
        if error.status in PASSING:
            raise
        row.state, row.reason, row.detail = FileState.LEFT_OUT, error.code[:40], str(error.detail)[:600]
        return
    row.state, row.event = FileState.TAKEN, taken.event


def event_body(job: UploadJob, row: UploadFile, data: bytes, facts: images.PictureFacts) -> dict[str, Any] | None:
    """The event as a source would post it; None, with the reason on the row, when its predictions are missing."""
    said = predictions_of(job, row, facts)
    if said is None:
        return None
    at = taken_at(data, job.site.zone, written_at=row.written_at, received_at=row.received_at)
    body: dict[str, Any] = {
        "event_id": str(uuid5(job.pk, row.sha256)),
        "captured_at": at.isoformat(),
        "kind": job.kind,
        "frame": {"width": facts.width, "height": facts.height},
        "task": job.task,
        "predictions": said,
        "evidence": [
            {"name": "frame", "role": "frame", "sha256": row.sha256, "content_type": facts.content_type},
        ],
        "context": context_of(job, row),
        "historical": row.received_at - at > LATE - timedelta(hours=1),
    }
    if job.camera is not None:
        body["camera"] = job.camera.slug
    if job.has_model:
        body["model"] = {"name": job.model_name, "version": job.model_version_name}
    if job.reporting_floor is not None:
        body["reporting_floor"] = job.reporting_floor
    return body


def context_of(job: UploadJob, row: UploadFile) -> dict[str, str]:
    """What people see beside the picture. Not who brought it: events never change, names of people may."""
    return {"file": row.name} | ({"note": job.note} if job.note else {})


def predictions_of(job: UploadJob, row: UploadFile, facts: images.PictureFacts) -> list[dict[str, Any]] | None:
    """The predictions in pixels of the upright picture; None, with the reason on the row, when it is left out."""
    if not job.has_model:
        return []
    if row.predictions is None:
        row.reason = "no_file_so_empty" if job.empty_without_file else "no_predictions"
        return [] if job.empty_without_file else None
    if row.predictions["faults"]:
        row.reason, row.detail = "predictions_unread", row.predictions["faults"]
        return None
    size = row.predictions["size"]
    if size is not None and tuple(size) != (facts.width, facts.height):
        row.reason = "other_size"
        row.detail = _("predictions for %(theirs)s, the picture has %(ours)s") % {
            "theirs": f"{size[0]} x {size[1]}",
            "ours": f"{facts.width} x {facts.height}",
        }
        return None
    floor = job.reporting_floor or 0.0
    kept = [one for one in row.predictions["list"] if one["confidence"] >= floor]
    if below := len(row.predictions["list"]) - len(kept):
        row.reason, row.detail = "below_floor", str(below)
    return [in_pixels(one, f"p{number}", facts) for number, one in enumerate(kept, start=1)]


def in_pixels(one: dict[str, Any], name: str, facts: images.PictureFacts) -> dict[str, Any]:
    across, down = (facts.width, facts.height) if one["relative"] else (1, 1)
    found: dict[str, Any] = {"id": name, "class": one["class"], "confidence": one["confidence"]}
    if one["box"]:
        x, y, width, height = one["box"]
        found["box"] = [x * across, y * down, width * across, height * down]
    if one["polygon"]:
        found["polygon"] = [[x * across, y * down] for x, y in one["polygon"]]
    return found
