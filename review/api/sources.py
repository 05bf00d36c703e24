"""What a source may know about itself."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from review.api.auth import SourceToken, source_of
from review.models import Item

router = Router(tags=["source"])


@router.get("source", auth=SourceToken(), summary="Who this token is, and how many of its items are open")
def get_source(request: HttpRequest) -> dict[str, Any]:
    found = source_of(request)
    return {
        "name": found.name,
        "site": found.site.slug,
        "camera": found.camera.slug if found.camera else None,
        "open_items": Item.objects.open().filter(site=found.site, event__source=found).count(),
    }
