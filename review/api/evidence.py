"""Evidence that follows its event."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Router

from accounts.exceptions import NotFound
from review.actions.evidence import store_evidence
from review.api.auth import SourceToken, source_of
from review.api.bodies import raw_body

router = Router(tags=["events"])
SHA256 = re.compile(r"^[0-9a-f]{64}$")


@router.put("evidence/{sha256}", auth=SourceToken(), summary="Bytes that an event of this source announced")
def put_evidence(request: HttpRequest, sha256: str) -> HttpResponse:
    if not SHA256.match(sha256):
        raise NotFound
    data = raw_body(request, most=settings.SECONDLOOK["MAX_EVIDENCE_BYTES"])
    kept = store_evidence(
        source=source_of(request),
        sha256=sha256,
        content_type=request.content_type or "",
        data=data,
        now=timezone.now(),
    )
    return JsonResponse({"status": "stored"}, status=201 if kept.created else 200)
