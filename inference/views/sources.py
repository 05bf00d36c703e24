"""Sources: who posts, when last, and how to connect one."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.doors import person_of, signed_in
from accounts.exceptions import NotFound, SecondLookError
from accounts.roles import Right
from inference.access import sites_for, sites_in_use, source_for, sources_for
from inference.actions.clones import dismiss_clone
from inference.actions.connecting import connect_source
from inference.actions.sites import bound_source, rename_source, revoke_source, rotate_source
from inference.download import FRIGATE_REQUIREMENTS, REQUIREMENTS, wheel_name
from inference.forms import ConnectForm
from inference.models import Camera, PossibleClone, SeenCount, Source, SourceTally, TallyOutcome

OVERLAPS = {"0": timedelta(0), "1": timedelta(hours=1), "24": timedelta(days=1), "168": timedelta(days=7)}


@require_safe
@signed_in("see_sources on the site")
def sources(request: HttpRequest) -> HttpResponse:
    clones = PossibleClone.objects.filter(source=OuterRef("pk"), dismissed_at=None)
    rows = sources_for(request.user).annotate(cloned=Exists(clones)).order_by("site__name", "name")
    may_connect = sites_in_use(request.user, Right.MANAGE_SOURCES).exists()
    return render(request, "inference/sources.html", {"rows": rows, "may_connect": may_connect})


@require_http_methods(["GET", "POST"])
@signed_in("manage_sources on a site")
def connect(request: HttpRequest) -> HttpResponse:
    """Make a source and show its token, once, with what to do next; the page then waits for the first event."""
    sites = sites_in_use(request.user, Right.MANAGE_SOURCES).order_by("name")
    if not sites:
        raise NotFound
    form = ConnectForm(sites, request.POST or None, initial={"site": request.GET.get("site", sites[0].pk)})
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            source, token = connect_source(
                site=form.cleaned_data["site"],
                camera=form.camera_named(),
                new_camera=form.cleaned_data["camera"],
                name=form.cleaned_data["name"],
                ends_at=form.ends_at(now),
                maker=person_of(request),
            )
        except SecondLookError as error:
            form.add_error(None, str(error.detail))
        else:
            return shown(request, source, token)
    cameras = Camera.objects.in_use().filter(site__in=sites).order_by("slug")[:500]
    context = {"form": form, "cameras": cameras}
    return render(request, "inference/connect.html", context, status=422 if form.is_bound else 200)


def shown(request: HttpRequest, source: Source, token: str = "", status: int = 200) -> HttpResponse:
    """The page of a source; with `token` right after it was made, and never again."""
    may_manage = sites_for(request.user, Right.MANAGE_SOURCES).filter(pk=source.site_id).exists()
    context: dict[str, Any] = {
        "source": source,
        "server": request.build_absolute_uri("/").rstrip("/"),
        "token": token,
        "wheel": wheel_name(),
        "requirements": REQUIREMENTS,
        "frigate_requirements": FRIGATE_REQUIREMENTS,
        "events": last_events(source),
        "may_manage": may_manage,
        "clone": source.possible_clones.filter(dismissed_at=None).first(),
        "now": timezone.now(),
        "figures": figures_of(source, timezone.now()),
        "counts": seen_by(source, timezone.now()),
    }
    return render(request, "inference/source.html", context, status=status)


@require_safe
@signed_in("see_sources on the source's site")
def source(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How to post with this source, in one line each, and what came from it last."""
    return shown(request, source_for(request.user, pk))


@require_safe
@signed_in("see_sources on the source's site")
def events(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What came from a source last, as the fragment that its page asks for."""
    found = source_for(request.user, pk)
    return render(request, "inference/_source_events.html", {"source": found, "events": last_events(found)})


def last_events(source: Source) -> list[Any]:
    return list(source.events.order_by("-received_at")[:20])


@require_POST
@signed_in("manage_sources on the source's site")
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = source_for(request.user, pk, Right.MANAGE_SOURCES)
    try:
        revoke_source(source=found, person=person_of(request), now=timezone.now())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("The token is revoked. Whatever used it is turned away within seconds."))
    return redirect("source", found.pk)


@require_POST
@signed_in("manage_sources on the source's site")
def no_clone(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Somebody looked at what seemed to be a clone, and says what it was."""
    found = source_for(request.user, pk, Right.MANAGE_SOURCES)
    try:
        reason = request.POST.get("reason", "")
        dismiss_clone(source=found, reason=reason, person=person_of(request), now=timezone.now())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("Noted. What arrives from now on is looked at anew."))
    return redirect("source", found.pk)


@require_POST
@signed_in("manage_sources on the source's site")
def rotate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new token, shown once; the old one goes on for the time that was chosen."""
    found = source_for(request.user, pk, Right.MANAGE_SOURCES)
    overlap = OVERLAPS.get(request.POST.get("hours", "24"), timedelta(days=1))
    try:
        token = rotate_source(source=found, person=person_of(request), now=timezone.now(), overlap=overlap)
    except SecondLookError as error:
        messages.error(request, str(error.detail))
        return redirect("source", found.pk)
    found.refresh_from_db()
    return shown(request, found, token)


@require_POST
@signed_in("manage_sources on the source's site")
def rename(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = source_for(request.user, pk, Right.MANAGE_SOURCES)
    try:
        rename_source(source=found, name=request.POST.get("name", ""), person=person_of(request))
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("Renamed."))
    return redirect("source", found.pk)


@require_POST
@signed_in("manage_sources on the source's site")
def rate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How many events a second the source may post; empty for as many as the server takes."""
    found = source_for(request.user, pk, Right.MANAGE_SOURCES)
    try:
        bound_source(source=found, typed=request.POST.get("events_per_second", ""), person=person_of(request))
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("Saved."))
    return redirect("source", found.pk)


def figures_of(source: Source, now: datetime) -> list[dict[str, Any]]:
    """How its calls of the last day ended, the most frequent first; up to what its processes have written so far."""
    rows = SourceTally.objects.filter(source=source, hour__gt=now - timedelta(hours=25)).order_by()
    summed = rows.values("outcome", "reason").annotate(count=Sum("count")).order_by("-count")[:40]
    return [row | {"label": TallyOutcome(row["outcome"]).label} for row in summed]


def seen_by(source: Source, now: datetime) -> list[dict[str, Any]]:
    """What it told to have seen in the last day, by class."""
    rows = SeenCount.objects.filter(source=source, hour__gt=now - timedelta(hours=25)).exclude(class_name="")
    summed = rows.order_by().values("class_name").annotate(seen=Sum("objects_seen")).order_by("-seen")[:40]
    return [dict(row) for row in summed]
