"""Sites and cameras: made and changed by those who run them."""

from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.contrib import messages
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import reach
from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound, SecondLookError
from accounts.roles import Right
from inference.access import camera_for, site_for, sites_for, sites_in_use
from inference.actions.changes import change_site, open_camera, open_site, rename_camera, site_state
from inference.actions.retiring import restore_camera, retire_camera
from inference.models import Camera, Site

MOST = 500


def zones() -> list[str]:
    """Time zones as people look for them: those of places, and UTC."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]


@require_safe
@signed_in("see_sources on the site")
def sites(request: HttpRequest) -> HttpResponse:
    return site_list(request)


@require_POST
@signed_in("grant_all everywhere")
def new_site(request: HttpRequest) -> HttpResponse:
    if not reach(request.user, Right.GRANT_ALL).everywhere:
        raise NotFound
    try:
        made = open_site(**typed_site(request), maker=person_of(request), now=timezone.now())
    except SecondLookError as error:
        return site_list(request, trouble=str(error.detail))
    messages.success(request, _("The site is there. Next: a queue, so that events land somewhere."))
    return redirect("site", made.pk)


def site_list(request: HttpRequest, *, trouble: str = "") -> HttpResponse:
    """The sites, and a form for a new one for whoever administers everything."""
    rows = sites_for(request.user, Right.SEE_SOURCES).annotate(
        cameras_n=Count("cameras", filter=Q(cameras__retired_at=None), distinct=True)
    )
    context: dict[str, Any] = {
        "rows": rows.filter(retired_at=None).order_by("name")[:MOST],
        "retired": rows.exclude(retired_at=None).order_by("name")[:MOST],
        "may_make": reach(request.user, Right.GRANT_ALL).everywhere,
        "zones": zones(),
        "trouble": trouble,
        "said": request.POST,
    }
    return render(request, "inference/sites.html", context, status=422 if trouble else 200)


def typed_site(request: HttpRequest) -> dict[str, Any]:
    said = request.POST
    return {
        "name": said.get("name", ""),
        "time_zone": said.get("time_zone", ""),
        "registers_models": "registers_models" in said,
    }


@require_http_methods(["GET", "POST"])
@signed_in("see_sources on the site; changed with manage_sources")
def site(request: HttpRequest, pk: UUID) -> HttpResponse:
    return site_page(request, site_for(request.user, Right.SEE_SOURCES, pk))


def site_page(request: HttpRequest, found: Site, *, refused: str = "") -> HttpResponse:
    """A site with its forms; `refused` says why it was not retired or brought back."""
    trouble = ""
    may_change = sites_for(request.user, Right.MANAGE_SOURCES).filter(pk=found.pk).exists()
    if request.method == "POST" and not refused:
        if not may_change:
            raise NotFound
        try:
            before = request.POST.get("before", "")
            change_site(site=found, **typed_site(request), before=before, person=person_of(request))
        except SecondLookError as error:
            trouble = str(error.detail)
        else:
            messages.success(request, _("Saved."))
            return redirect("site", found.pk)
    context = {
        "site": found,
        "state": site_state(found),
        "cameras": Camera.objects.in_use().filter(site=found).order_by("name")[:MOST],
        "may_change": may_change,
        "may_retire": sites_for(request.user, Right.GRANT_ALL).filter(pk=found.pk).exists(),
        "zones": zones(),
        "trouble": trouble,
        "refused": refused,
        "said": request.POST,
    }
    return render(request, "inference/site.html", context, status=422 if trouble or refused else 200)


@require_http_methods(["GET", "POST"])
@signed_in("see_sources on the site; made with manage_sources")
def cameras(request: HttpRequest) -> HttpResponse:
    """The cameras of all sites, when each was last seen, and a form for a new one."""
    makers, trouble = sites_in_use(request.user, Right.MANAGE_SOURCES).order_by("name"), ""
    if request.method == "POST":
        chosen = makers.filter(pk=id_in(request.POST.get("site", ""))).first()
        if chosen is None:
            raise NotFound
        try:
            open_camera(site=chosen, name=request.POST.get("name", ""), maker=person_of(request))
        except SecondLookError as error:
            trouble = str(error.detail)
        else:
            messages.success(request, _("The camera is there. Connect a source to it."))
            return redirect("cameras")
    rows = Camera.objects.filter(site__in=sites_for(request.user, Right.SEE_SOURCES)).select_related("site")
    # One step in the index for each camera, however many events it has.
    events = Camera._meta.get_field("events").related_model._default_manager
    latest_event = events.filter(camera=OuterRef("pk")).order_by("-captured_at")[:1]
    seen = rows.annotate(last_at=Subquery(latest_event.values("received_at"))).order_by("site__name", "name")
    used, retired = seen.filter(retired_at=None)[:MOST], seen.exclude(retired_at=None)[:MOST]
    context: dict[str, Any] = {
        "rows": used,
        "retired": retired,
        "makers": makers,
        "trouble": trouble,
        "said": request.POST,
    }
    return render(request, "inference/cameras.html", context, status=422 if trouble else 200)


@require_http_methods(["GET", "POST"])
@signed_in("see_sources on the camera's site; changed with manage_sources")
def camera(request: HttpRequest, pk: UUID) -> HttpResponse:
    return camera_page(request, camera_for(request.user, pk))


def camera_page(request: HttpRequest, found: Camera, *, refused: str = "") -> HttpResponse:
    """A camera with its forms; `refused` says why it was not retired or brought back."""
    trouble = ""
    may_change = sites_for(request.user, Right.MANAGE_SOURCES).filter(pk=found.site_id).exists()
    if request.method == "POST" and not refused:
        if not may_change:
            raise NotFound
        try:
            name, before = request.POST.get("name", ""), request.POST.get("before", "")
            rename_camera(camera=found, name=name, before=before, person=person_of(request))
        except SecondLookError as error:
            trouble = str(error.detail)
        else:
            messages.success(request, _("Saved."))
            return redirect("camera", found.pk)
    context = {
        "camera": found,
        "sources": found.sources.order_by("name"),
        "may_change": may_change,
        "trouble": trouble,
        "refused": refused,
        "said": request.POST.get("reason", ""),
    }
    return render(request, "inference/camera.html", context, status=422 if trouble or refused else 200)


@require_POST
@signed_in("manage_sources on the camera's site")
def retire(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = camera_for(request.user, pk, Right.MANAGE_SOURCES)
    try:
        reason = request.POST.get("reason", "")
        retire_camera(camera=found, reason=reason, person=person_of(request), now=timezone.now())
    except SecondLookError as error:
        return camera_page(request, found, refused=str(error.detail))
    messages.success(request, _("Retired. It stands under the cameras in use, and can be brought back."))
    return redirect("camera", found.pk)


@require_POST
@signed_in("manage_sources on the camera's site")
def restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = camera_for(request.user, pk, Right.MANAGE_SOURCES)
    try:
        restore_camera(camera=found, person=person_of(request))
    except SecondLookError as error:
        return camera_page(request, found, refused=str(error.detail))
    messages.success(request, _("The camera is back."))
    return redirect("camera", found.pk)


def id_in(text: str) -> UUID:
    """The id that a form says; one that nothing has when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
