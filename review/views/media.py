"""Pictures, through the same door as the events that they show."""

import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound
from accounts.throttle import shared_or_own
from review.access import evidence_for, opening_of_evidence, original_for
from review.exceptions import EvidenceRemoved, FileDamaged
from review.file_check import digest_of
from review.files import stored
from review.models import Evidence, EvidenceState, Rendition, RenditionKind
from review.ranges import is_there_already

logger = logging.getLogger(__name__)
EVERY_S = 60
ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/webm": "webm",
}


@require_safe
@signed_in("an event that shows this evidence")
def media(request: HttpRequest, pk: UUID, kind: str) -> HttpResponseBase:
    """A rendition of evidence: upright and without metadata."""
    evidence = evidence_for(request.user, pk)
    require_kept(evidence)
    rendition = Rendition.objects.filter(evidence=evidence, kind=kind).first()
    if rendition is None or evidence.state == EvidenceState.DAMAGED:
        raise NotFound
    record_opened(request, evidence, kind)
    tag = f'"{evidence.sha256[:32]}-{kind}"'
    content_type = "video/webm" if kind == RenditionKind.CLIP else "image/jpeg"
    response = stored(request, rendition.path, content_type=content_type, etag=tag, size=rendition.size)
    # Kept for a few minutes by this browser only, so that a prefetched picture is there when it is needed.
    response["Cache-Control"] = "private, max-age=300"
    return response


def require_kept(evidence: Evidence) -> None:
    """Raise EvidenceRemoved (410) when the bytes are gone for good, to whoever might have seen them."""
    if evidence.removed_at is not None:
        raise EvidenceRemoved(removed_at=evidence.removed_at.isoformat(), why=evidence.removed_why)


def record_opened(request: HttpRequest, evidence: Evidence, kind: str) -> None:
    """One entry for each picture that somebody sees because he gave a reason."""
    if opening := opening_of_evidence(request.user, evidence):
        record(request, "picture.seen", opening.event or evidence, kind=kind, opening=str(opening.pk))


@require_safe
@signed_in("an event that shows this evidence, and see_originals on its site")
def original(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The bytes as the source sent them, metadata included: to be saved, never shown in the browser."""
    evidence = original_for(request.user, pk)
    require_kept(evidence)
    if evidence.state == EvidenceState.DAMAGED:
        # Altered bytes get the same answer before and after a check of the files has found them.
        require_whole(request, evidence)
        raise NotFound
    tag = f'"{evidence.sha256}"'
    # Without a byte of it there is nothing to check and nothing that was downloaded.
    if request.method == "GET" and not is_there_already(request, tag):
        require_whole(request, evidence)
        record_download(request, evidence)
    return stored(
        request,
        evidence.path,
        content_type=evidence.content_type if evidence.content_type in ENDINGS else "application/octet-stream",
        etag=tag,
        filename=f"{evidence.sha256[:16]}.{ENDINGS.get(evidence.content_type, 'bin')}",
    )


def require_whole(request: HttpRequest, evidence: Evidence) -> None:
    """Raise NotFound without the file, and FileDamaged (with an entry) when its bytes are not those that were stored.

    Bytes that are sent cannot be taken back, so they are all read before the first one goes; evidence is small enough.
    """
    found = digest_of(evidence.path)
    if found is None:
        raise NotFound
    if found != evidence.sha256:
        logger.error("stored file %s is not what was stored", evidence.path)
        key = minute_of(request, "damaged", evidence)
        if shared_or_own(lambda store: store.add(key, 1, timeout=EVERY_S)):
            record(request, "original.damaged", evidence, sha256=evidence.sha256, subject=event_of(evidence))
        raise FileDamaged


def record_download(request: HttpRequest, evidence: Evidence) -> None:
    """An entry for each download; one that comes in ranges has one a minute.

    It is remembered as told only once it is: at worst there is an entry too many, never bytes without one.
    """
    key = minute_of(request, "downloaded", evidence)
    if "Range" in request.headers and shared_or_own(lambda store: store.get(key)):
        return
    record(request, "original.downloaded", evidence, sha256=evidence.sha256, subject=event_of(evidence))
    shared_or_own(lambda store: store.set(key, 1, timeout=EVERY_S))


def minute_of(request: HttpRequest, what: str, evidence: Evidence) -> str:
    """Under which name the cache remembers for a minute that it has been told of this person and original."""
    return f"original-{what}:{person_of(request).pk}:{evidence.pk}"


def event_of(evidence: Evidence) -> UUID | None:
    """The event whose story a download of `evidence` belongs to: the first one that shows it."""
    return evidence.event_rows.order_by("pk").values_list("event_id", flat=True).first()


def record(request: HttpRequest, verb: str, on: Any, **facts: Any) -> None:
    with transaction.atomic():
        audit.record(verb, actor=person_of(request), on=on, site_id=on.site_id, action=audit.Action.ACCESS, **facts)
