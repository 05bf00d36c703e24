"""Releases: freeze a selection, watch it being built, read its data sheet, download it."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound, SecondLookError
from accounts.models import User
from accounts.roles import Right
from inference.access import sites_for
from inference.models import Site
from review.access import manifest_for, manifests_for, release_for, releases_for
from review.actions.releases import make_release
from review.forms import ReleaseForm
from review.models import Outcome, Queue, Release, ReleaseState
from review.ranges import ranged
from review.releases.archive import archive_chunks, archive_name, archive_size, open_file
from review.releases.words import reason_text, warning_text

SHOWN = 100
CHUNK = 1 << 20
WORKING = {ReleaseState.FROZEN, ReleaseState.BUILDING, ReleaseState.VERIFYING}


@require_http_methods(["GET", "POST"])
@signed_in("see_releases or see_manifests on the site; making: make_releases")
def releases(request: HttpRequest) -> HttpResponse:
    sites = sites_for(request.user, Right.MAKE_RELEASES)
    queues = Queue.objects.filter(site__in=sites).select_related("site", "taxonomy").order_by("site__name", "name")
    form = ReleaseForm(queues, request.POST or None) if sites.exists() else None
    if request.method == "POST":
        if form is None:
            raise NotFound
        if form.is_valid() and (made := freeze(request, form)):
            return redirect("release", made.pk)
    rows = [list_row(release) for release in manifests_for(request.user)[:SHOWN]]
    status = 422 if form is not None and form.is_bound else 200
    return render(request, "review/releases.html", {"rows": rows, "form": form}, status=status)


def freeze(request: HttpRequest, form: ReleaseForm) -> Release | None:
    """Make the release that the form asks for; None, with the reason on the form, when it cannot be."""
    data = form.cleaned_data
    queues = list(data["queues"])
    try:
        return make_release(
            person=person_of(request),
            site=queues[0].site,
            queues=queues,
            name=data["name"],
            since=day_edge(data["since"], queues[0].site, time.min),
            until=day_edge(data["until"], queues[0].site, time.max),
            now=timezone.now(),
        )
    except SecondLookError as error:
        form.add_error(None, str(error.detail))
        return None


def day_edge(day: date | None, site: Site, edge: time) -> datetime | None:
    """The first or last instant of a day at the site."""
    return datetime.combine(day, edge, tzinfo=site.zone) if day else None


def list_row(release: Release) -> dict[str, Any]:
    summary = release.summary
    return {
        "release": with_words(release),
        "count": release.total,
        "classes": {name: sum(splits.values()) for name, splits in summary.get("classes", {}).items()},
        "splits": {name: split["pictures"] for name, split in summary.get("splits", {}).items()},
    }


def with_words(release: Release) -> dict[str, Any]:
    """A release as the templates show it; progress in percent."""
    return {
        "id": release.pk,
        "number": release.number,
        "name": release.name,
        "state": release.state,
        "state_label": release.get_state_display(),
        "progress": 100 * release.done // release.total if release.total else 0,
        "error": release.failure,
        "created_at": release.created_at,
        "created_by": release.created_by,
        "site": release.site,
    }


@require_safe
@signed_in("see_releases or see_manifests on the site")
def release(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = manifest_for(request.user, pk)
    ready = found.state == ReleaseState.READY
    downloads = ready and releases_for(request.user, Right.MAKE_RELEASES).filter(pk=pk).exists()
    summary = found.summary
    context = {
        "release": with_words(found),
        "building": found.state in WORKING,
        "files": [file_row(found, name, size, sha256, downloads) for name, size, sha256 in data_files(found)]
        if ready
        else [],
        "counts": summary.get("classes", {}),
        "outcomes": {Outcome(name).label: count for name, count in summary.get("outcomes", {}).items()},
        "excluded": [
            {"reason": reason_text(code), "count": count} for code, count in summary.get("excluded", {}).items()
        ],
        "warnings": [warning_text(code) for code in summary.get("warnings", [])],
        "archive_url": reverse("release-archive", args=[pk]) if downloads else "",
        "manifest_url": reverse("release-file", args=[pk, "manifest.json"]) if ready else "",
        "pictures": summary.get("pictures", 0),
    }
    return render(request, "review/release.html", context)


def data_files(found: Release) -> list[tuple[str, int, str]]:
    """The files that describe a release; its pictures are counted and not listed one by one."""
    rows = found.files.exclude(name__contains="images/").exclude(name__contains="labels/")
    return list(rows.values_list("name", "size", "sha256")[:200])


def file_row(found: Release, name: str, size: int, sha256: str, downloads: bool) -> dict[str, Any]:
    url = reverse("release-file", args=[found.pk, name]) if downloads else ""
    return {"name": name, "size": size, "sha256": sha256, "url": url}


@require_safe
@signed_in("see_releases or see_manifests on the site")
def state(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = manifest_for(request.user, pk)
    context = {"release": with_words(found), "building": found.state in WORKING}
    return render(request, "review/_release_state.html", context)


@require_safe
@signed_in("make_releases on the site; the manifest: see_manifests or see_releases")
def file(request: HttpRequest, pk: UUID, name: str) -> HttpResponseBase:
    return send_file(request, release_with(person_of(request), pk, name), name)


def release_with(person: User, pk: UUID, name: str) -> Release:
    """The release of which `person` may have the file `name`: the manifest sooner than the rest."""
    if name == "manifest.json":
        return manifest_for(person, pk)
    return release_for(person, pk, Right.MAKE_RELEASES)


def send_file(request: HttpRequest, found: Release, name: str) -> HttpResponseBase:
    """One file of a ready release, in ranges where the client asks. Raises NotFound for any other name."""
    row, opened = open_file(found, name)
    opened.close()
    record_download(request, found, name)
    return ranged(
        request,
        size=row.size,
        chunks=lambda start, stop: file_chunks(found, name, start, stop),
        content_type="application/octet-stream",
        filename=name.rsplit("/", 1)[-1],
        etag=f'"{row.sha256}"',
    )


def file_chunks(found: Release, name: str, start: int, stop: int) -> Iterator[bytes]:
    _row, opened = open_file(found, name)
    with opened:
        opened.seek(start)
        while start < stop and (chunk := opened.read(min(CHUNK, stop - start))):
            yield chunk
            start += len(chunk)


@require_safe
@signed_in("make_releases on the site")
def archive(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return send_archive(request, release_for(request.user, pk, Right.MAKE_RELEASES))


def send_archive(request: HttpRequest, found: Release) -> HttpResponseBase:
    """The whole release as a ZIP, streamed, in ranges where the client asks. Raises NotFound until it is ready."""
    size = archive_size(found)
    record_download(request, found, "archive.zip")
    return ranged(
        request,
        size=size,
        chunks=lambda start, stop: archive_chunks(found, start, stop),
        content_type="application/zip",
        filename=archive_name(found),
        etag=f'"{found.pk}"',
    )


def record_download(request: HttpRequest, found: Release, name: str) -> None:
    person = getattr(request, "auth", None) or person_of(request)
    with transaction.atomic():
        audit.record(
            "release.downloaded",
            actor=person,
            on=found,
            site_id=found.site_id,
            action=audit.Action.ACCESS,
            file=name,
        )
