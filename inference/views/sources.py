"""Sources: who posts, when last, and how to connect one."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.doors import signed_in
from inference.access import source_for, sources_for
from inference.models import Source


@require_safe
@signed_in("see_sources on the site")
def sources(request: HttpRequest) -> HttpResponse:
    return render(request, "inference/sources.html", {"rows": sources_for(request.user).order_by("site__name", "name")})


@require_safe
@signed_in("see_sources on the source's site")
def source(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How to post with this source, in one line each, and what came from it last."""
    found = source_for(request.user, pk)
    server = request.build_absolute_uri("/").rstrip("/")
    context: dict[str, Any] = {"source": found, "server": server, "events": last_events(found)}
    return render(request, "inference/source.html", context)


@require_safe
@signed_in("see_sources on the source's site")
def events(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What came from a source last, as the fragment that its page asks for."""
    found = source_for(request.user, pk)
    return render(request, "inference/_source_events.html", {"source": found, "events": last_events(found)})


def last_events(source: Source) -> list[Any]:
    return list(source.events.order_by("-received_at")[:20])
