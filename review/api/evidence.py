"""Evidence that follows its event: at once, or in parts that go on where a connection broke off."""

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Router

from accounts.exceptions import Invalid, NotFound
from inference.models import TallyOutcome
from inference.tallies import tallies
from review import partials
from review.actions.evidence import Stored, is_awaited, require_announced, store_evidence
from review.api.auth import SourceToken, source_of
from review.api.bodies import raw_body
from review.images import TooLarge, UnsupportedType

router = Router(tags=["events"])
SHA256 = re.compile(r"^[0-9a-f]{64}$")
CONTENT_RANGE = re.compile(r"^bytes (\d{1,12})-(\d{1,12})/(\d{1,12})$")


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` up to but without `stop` of a file of `total` bytes (RFC 9110, 14.4)."""

    start: int
    stop: int
    total: int


@router.put("evidence/{sha256}", auth=SourceToken(), summary="Bytes that an event of this source announced")
def put_evidence(request: HttpRequest, sha256: str) -> HttpResponse:
    """The whole file, or with `Content-Range: bytes a-b/total` a part: 202 until it is whole."""
    if not SHA256.match(sha256):
        raise NotFound
    part = part_of(request)
    data = raw_body(request, most=settings.SECONDLOOK["MAX_EVIDENCE_BYTES"])
    if part is None:
        return stored(request, store(request, sha256, data))
    return put_part(request, sha256, part, data)


@router.get("evidence/{sha256}", auth=SourceToken(), summary="How much of an announced file has come")
def get_evidence(request: HttpRequest, sha256: str) -> dict[str, Any]:
    """`stored`, `partial` with the bytes that are there, or `pending`. Nothing of the file itself is given back.

    What was stored and went by a rule since is not asked for again, unless a later event announces it.
    """
    if not SHA256.match(sha256):
        raise NotFound
    source = source_of(request)
    require_announced(source=source, sha256=sha256)
    if not is_awaited(source=source, sha256=sha256):
        return {"status": "stored"}
    there = partials.received(source.pk, sha256)
    return {"status": "partial" if there else "pending", "received": there}


def part_of(request: HttpRequest) -> Part | None:
    """The part that a request brings; None for a whole file. Raises Invalid `bad_range`, TooLarge."""
    said = request.headers.get("Content-Range")
    if said is None:
        return None
    found = CONTENT_RANGE.match(said)
    if not found:
        raise Invalid(_("Send Content-Range as bytes FIRST-LAST/TOTAL."), code="bad_range")
    start, last, total = (int(number) for number in found.groups())
    if not start <= last < total:
        raise Invalid(_("The range does not lie within the file."), code="bad_range")
    if total > settings.SECONDLOOK["MAX_EVIDENCE_BYTES"]:
        raise TooLarge
    return Part(start, last + 1, total)


def put_part(request: HttpRequest, sha256: str, part: Part, data: bytes) -> HttpResponse:
    """Keep a part; with the last one the file is checked and stored like one that came whole."""
    source = source_of(request)
    require_announced(source=source, sha256=sha256)
    if len(data) != part.stop - part.start:
        raise Invalid(_("The body has another length than Content-Range says."), code="bad_range")
    with partials.one_at_a_time(source.pk):
        if not is_awaited(source=source, sha256=sha256):
            return JsonResponse({"status": "stored"})
        there = partials.append(source_id=source.pk, sha256=sha256, start=part.start, data=data)
        if there < part.total:
            return JsonResponse({"status": "partial", "received": there}, status=202)
        try:
            answer = stored(request, store(request, sha256, partials.take(source.pk, sha256)))
        except (Invalid, UnsupportedType, TooLarge):
            # It is not what was announced, and more of it will not help: the source begins anew, if at all.
            partials.drop(source.pk, sha256)
            raise
        partials.drop(source.pk, sha256)
        return answer


def store(request: HttpRequest, sha256: str, data: bytes) -> Stored:
    return store_evidence(
        source=source_of(request),
        sha256=sha256,
        content_type=request.content_type or "",
        data=data,
        now=timezone.now(),
    )


def stored(request: HttpRequest, kept: Stored) -> HttpResponse:
    if kept.created:
        tallies.count(source_of(request).pk, TallyOutcome.EVIDENCE)
    return JsonResponse({"status": "stored"}, status=201 if kept.created else 200)
