"""Pictures, through the same door as the events that they show."""

from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponseBase, HttpResponseNotModified
from django.views.decorators.http import require_safe

from accounts.doors import signed_in
from accounts.exceptions import NotFound
from review import evidence_store
from review.access import evidence_for
from review.models import EvidenceState, RenditionKind
from review.models.evidence import rendition_path


@require_safe
@signed_in("an event that shows this evidence")
def media(request: HttpRequest, pk: UUID, kind: str) -> HttpResponseBase:
    """A rendition of evidence. Originals keep their bytes and are behind the raw right, which no page here asks for."""
    if kind not in RenditionKind.values:
        raise NotFound
    evidence = evidence_for(request.user, pk)
    if evidence.state == EvidenceState.DAMAGED:
        raise NotFound
    tag = f'"{evidence.sha256[:32]}-{kind}"'
    if request.headers.get("If-None-Match") == tag:
        return marked(HttpResponseNotModified(), tag)
    try:
        file = evidence_store.file_store().open(rendition_path(str(evidence.pk), kind), "rb")
    except FileNotFoundError:
        raise NotFound from None
    return marked(FileResponse(file, content_type="image/jpeg"), tag)


def marked[R: HttpResponseBase](response: R, tag: str) -> R:
    """Kept for a few minutes by this browser only, so that a prefetched picture is there when it is needed."""
    response["ETag"] = tag
    response["Cache-Control"] = "private, max-age=300"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
