"""Releases for programs: make, watch, download."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from ninja import Router
from pydantic import Field

from accounts.exceptions import Invalid
from accounts.roles import Right
from review import schemas
from review.access import queue_for, release_for, releases_for
from review.actions.releases import make_release
from review.api.auth import Personal, caller_of
from review.api.bodies import json_body
from review.models import Release
from review.releases.formats import FORMATS
from review.views.releases import release_with, send_archive, send_file

router = Router(tags=["releases"])


class RecipeIn(schemas.Strict):
    """What a release is made of: queues of one site, perhaps a span of time, a name, formats."""

    queues: list[UUID] = Field(min_length=1, max_length=100)
    """Ids of queues of one site with one taxonomy."""
    from_: schemas.Instant | None = Field(default=None, alias="from")
    """Outcomes decided at this time or later."""
    to: schemas.Instant | None = None
    """Outcomes decided at this time or earlier; now when left out."""
    name: schemas.Title = ""
    """For people."""
    formats: list[schemas.Name] | None = Field(default=None, max_length=20)
    """`coco`, `yolo`; all when left out."""


@router.post("releases", auth=Personal("releases:write"), summary="Freeze and build a release")
def post_release(request: HttpRequest) -> HttpResponse:
    recipe = schemas.read(RecipeIn, json_body(request))
    person = caller_of(request)
    queues = [queue_for(person, Right.MAKE_RELEASES, pk) for pk in recipe.queues]
    formats = tuple(FORMATS) if recipe.formats is None else recipe.formats
    if recipe.from_ and recipe.to and recipe.from_ > recipe.to:
        said = "lies after to"
        raise Invalid(f"from: {said}", code="schema", errors=[{"path": "$.from", "message": said}])
    made = make_release(
        person=person,
        site=queues[0].site,
        queues=queues,
        name=recipe.name,
        since=recipe.from_,
        until=recipe.to,
        now=timezone.now(),
        formats=formats,
    )
    return JsonResponse({"id": str(made.pk), "state": made.state}, status=202)


@router.get("releases", auth=Personal("releases:read"), summary="The releases that you may see, newest first")
def list_releases(request: HttpRequest) -> dict[str, Any]:
    return {"results": [document(release) for release in releases_for(caller_of(request))[:200]]}


@router.get("releases/{uuid:pk}", auth=Personal("releases:read"), summary="One release with its counts and files")
def get_release(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    found = release_for(caller_of(request), pk)
    files = found.files.exclude(name__contains="images/").exclude(name__contains="labels/")
    rows = files.values("name", "size", "sha256")[:1000]
    return document(found) | {"summary": found.summary, "recipe": found.recipe, "files": list(rows)}


@router.get("releases/{uuid:pk}/files/{path:name}", auth=Personal("releases:read"), summary="One file of a release")
def get_release_file(request: HttpRequest, pk: UUID, name: str) -> HttpResponseBase:
    return send_file(request, release_with(caller_of(request), pk, name), name)


@router.get(
    "releases/{uuid:pk}/archive", auth=Personal("releases:read"), summary="The whole release as a ZIP, in ranges"
)
def get_release_archive(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return send_archive(request, release_for(caller_of(request), pk, Right.MAKE_RELEASES))


def document(release: Release) -> dict[str, Any]:
    return {
        "id": str(release.pk),
        "site": str(release.site_id),
        "number": release.number,
        "name": release.name,
        "state": release.state,
        "done": release.done,
        "total": release.total,
        "failure": release.failure or None,
        "created_at": release.created_at.isoformat(),
        "ready_at": release.ready_at.isoformat() if release.ready_at else None,
    }
