"""The needs-mapping inbox: what sources named that their site does not know."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.doors import person_of, signed_in
from accounts.exceptions import Invalid, NotFound, SecondLookError
from accounts.roles import Right
from inference.access import sites_for
from inference.models import Camera, ModelVersion, Site
from review.actions.mapping import create_missing, map_name, unmap_name
from review.models import NameMap, Parking, ParkingCause, TaxonomyClass

MOST_CHOICES = 1000
# From this likeness on a name is offered first.
LIKE = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that an unknown name may stand for."""

    key: str
    label: str


# Who may create what: classes are the supervisor's, cameras and model versions the fleet engineer's as well.
MAKERS = {
    ParkingCause.CAMERA: (Right.MANAGE_QUEUES, Right.MANAGE_SOURCES),
    ParkingCause.MODEL: (Right.MANAGE_QUEUES, Right.MANAGE_SOURCES),
    ParkingCause.CLASS: (Right.MANAGE_TAXONOMY,),
}


@require_http_methods(["GET", "POST"])
@signed_in("manage_queues, manage_sources or manage_taxonomy on the site, by what is missing")
def inbox(request: HttpRequest) -> HttpResponse:
    sites_by_id = {str(site.pk): site for site in mapped_sites(request)}
    if request.method == "POST":
        settle(request, sites_by_id)
        return redirect("inbox")
    sites = list(sites_by_id.values())
    rows = Parking.objects.filter(site__in=sites, resolved_at=None)
    grouped = rows.values("site_id", "cause", "value").annotate(count=Count("pk"), first_at=Min("parked_at"))
    choices = choices_of(sites)
    maps = NameMap.objects.filter(site__in=sites, ended_at=None).select_related("site", "camera", "model_version")
    context = {
        "rows": [row_of(dict(row), sites_by_id, choices) for row in grouped.order_by("first_at")[:200]],
        "maps": maps.select_related("created_by").order_by("cause", "value")[:500],
    }
    return render(request, "review/inbox.html", context)


def mapped_sites(request: HttpRequest) -> Any:
    sites = sites_for(request.user, Right.MANAGE_QUEUES) | sites_for(request.user, Right.MANAGE_SOURCES)
    return (sites | sites_for(request.user, Right.MANAGE_TAXONOMY)).distinct()


def row_of(row: dict[str, Any], sites: dict[str, Site], choices: dict[tuple[Any, str], list[Choice]]) -> dict[str, Any]:
    return {
        "kind": row["cause"],
        "kind_label": ParkingCause(row["cause"]).label,
        "value": row["value"],
        "count": row["count"],
        "first_at": row["first_at"],
        "site": sites[str(row["site_id"])],
        "choices": likeliest_first(choices.get((row["site_id"], row["cause"]), []), row["value"]),
    }


def choices_of(sites: list[Site]) -> dict[tuple[Any, str], list[Choice]]:
    """What a name may stand for at each site, by kind, in three queries."""
    found: dict[tuple[Any, str], list[Choice]] = {}

    def offer(site_id: Any, cause: ParkingCause, key: str, label: str) -> None:
        found.setdefault((site_id, cause), []).append(Choice(key, label))

    for camera in Camera.objects.filter(site__in=sites).order_by("name")[:MOST_CHOICES]:
        offer(camera.site_id, ParkingCause.CAMERA, str(camera.pk), camera.name)
    for version in ModelVersion.objects.filter(site__in=sites).order_by("name", "version")[:MOST_CHOICES]:
        offer(version.site_id, ParkingCause.MODEL, str(version.pk), str(version))
    classes = TaxonomyClass.objects.filter(taxonomy__site__in=sites, retired_at=None).order_by("name")
    for site_id, name in classes.values_list("taxonomy__site_id", "name").distinct()[:MOST_CHOICES]:
        offer(site_id, ParkingCause.CLASS, name, name)
    return found


def likeliest_first(choices: list[Choice], value: str) -> list[Choice]:
    """The names that look most like the unknown one first, the others as they were."""

    def likeness(choice: Choice) -> float:
        return SequenceMatcher(None, choice.label.casefold(), value.casefold()).ratio()

    best = sorted((one for one in choices if likeness(one) > LIKE), key=likeness, reverse=True)[:3]
    return [*best, *(one for one in choices if one not in best)]


def settle(request: HttpRequest, sites: dict[str, Site]) -> None:
    """Create what is missing, or map the name to what was chosen."""
    site, cause = sites.get(request.POST.get("site", "")), request.POST.get("kind", "")
    if site is None:
        raise NotFound
    if cause not in ParkingCause.values:
        raise Invalid(_("Unknown kind."), code="schema")
    require_maker(request, site, ParkingCause(cause))
    try:
        count = settled(request, site, ParkingCause(cause))
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, ngettext("%d event was routed.", "%d events were routed.", count) % count)


def settled(request: HttpRequest, site: Site, cause: ParkingCause) -> int:
    """How many events came through at once."""
    value, target = request.POST.get("value", "").replace("\0", "")[:200], request.POST.get("target", "")
    person, now = person_of(request), timezone.now()
    if not target:
        return create_missing(site=site, cause=cause, value=value, person=person, now=now)
    chosen = target_of(site, cause, target)
    return map_name(site=site, cause=cause, value=value, target=chosen, person=person, now=now)


def require_maker(request: HttpRequest, site: Site, cause: ParkingCause) -> None:
    rights = MAKERS[cause]
    if not any(sites_for(request.user, right).filter(pk=site.pk).exists() for right in rights):
        raise NotFound


def target_of(site: Site, cause: str, key: str) -> Any:
    """What was chosen, if it is the site's; what is not is refused by the action."""
    if cause == ParkingCause.CLASS:
        return key
    model = Camera if cause == ParkingCause.CAMERA else ModelVersion
    try:
        return model.objects.filter(site=site, pk=UUID(key)).first()
    except ValueError:
        return None


@require_POST
@signed_in("manage_queues, manage_sources or manage_taxonomy on the site, by what was mapped")
def unmap(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = NameMap.objects.select_related("site", "camera", "model_version").filter(pk=pk).first()
    if row is None:
        raise NotFound
    require_maker(request, row.site, ParkingCause(row.cause))
    try:
        unmap_name(row=row, person=person_of(request), reason=request.POST.get("reason", ""), now=timezone.now())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("The name stands for nothing any more. What was decided under it stays."))
    return redirect("inbox")
