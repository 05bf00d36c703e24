"""What a source saw and did not post."""

from datetime import timedelta
from typing import Annotated, Any, Self

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import Field, model_validator

from accounts.exceptions import Invalid
from inference.actions.counts import Total, store_counts
from inference.models import Source, TallyOutcome
from inference.models.counts import BINS
from inference.tallies import tallies
from review import schemas
from review.api.auth import SourceToken, posting_source_of
from review.api.bodies import json_body

router = Router(tags=["events"])
MOST_ROWS = 1000
AHEAD = timedelta(hours=2)
Amount = Annotated[int, Field(strict=True, ge=0, le=10**12)]


class CountIn(schemas.Strict):
    """The total of an hour so far: what one camera and model saw of one class, posted or not."""

    camera: schemas.Name | None = None
    """Short name of the camera; the token's camera when left out."""
    hour: schemas.Instant
    """The beginning of an hour, RFC 3339 with a zone."""
    model: schemas.ModelIn
    """The model that looked; its `sha256` is not kept here."""
    class_: schemas.Name | None = Field(default=None, alias="class")
    """The class in the model's own words; left out in a row that tells of the frames alone."""
    histogram: Annotated[list[Amount], Field(min_length=BINS, max_length=BINS)] | None = None
    """Objects by confidence in 20 bins: [0, .05), [.05, .10), ... [.95, 1]. Goes with a class."""
    frames: Amount
    """Frames that the model looked at in this hour so far."""

    @model_validator(mode="after")
    def whole(self) -> Self:
        if self.hour.minute or self.hour.second or self.hour.microsecond or self.hour.utcoffset() is None:
            raise ValueError("hour: must be the beginning of an hour")
        if (self.class_ is None) != (self.histogram is None):
            raise ValueError("histogram: goes with a class, and a class with a histogram")
        return self


class CountsIn(schemas.Strict):
    """Totals of hours so far."""

    counts: Annotated[list[CountIn], Field(min_length=1, max_length=MOST_ROWS)]
    """One row per camera, hour, model and class."""


@router.post("counts", auth=SourceToken(), summary="Totals of what was seen, hour by hour")
def post_counts(request: HttpRequest) -> HttpResponse:
    """Repeats change nothing, and a larger total of the same hour replaces a smaller one."""
    source, now = posting_source_of(request), timezone.now()
    posted = schemas.read(CountsIn, json_body(request, most=4_000_000))
    if any(row.camera and source.camera and row.camera != source.camera.slug for row in posted.counts):
        raise Invalid(_("This token belongs to another camera."), code="camera_mismatch")
    if any(row.hour > now + AHEAD for row in posted.counts):
        raise Invalid(_("An hour lies in the future."), code="time_out_of_range")
    rows = store_counts(source=source, totals=[total_of(source, row) for row in posted.counts], now=now)
    tallies.count(source.pk, TallyOutcome.COUNTS, n=rows or 1)
    return JsonResponse({"status": "stored", "rows": rows})


def total_of(source: Source, row: CountIn) -> Total:
    known: dict[str, Any] = {"model_name": row.model.name, "model_version_name": row.model.version}
    return Total(
        camera_name=row.camera or (source.camera.slug if source.camera else ""),
        hour=row.hour,
        class_name=row.class_ or "",
        frames=row.frames,
        histogram=tuple(row.histogram or ()),
        **known,
    )
