"""The needs-mapping inbox: what sources named that their site does not know."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby
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
from inference.access import sites_for, sites_in_use
from inference.models import Camera, ModelVersion, Site
from review.actions.mapping import (
    Parked,
    bring_back,
    create_missing,
    known_among,
    map_name,
    retired_namesakes,
    unmap_name,
)
from review.models import NameMap, Parking, ParkingCause, TaxonomyClass

# Names on the page, those first that wait longest; and how many of what a site has are offered for each.
SHOWN, OFFERED = 50, 500
# Models that are looked up behind the classes on the page, and how many are named in a row.
MODELS, NAMED = 500, 3
# What looks this much like the unknown name is offered with one click.
LIKE, LIKELIEST = 0.5, 2


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that an unknown name may stand for: a Camera, a ModelVersion or the name of a class."""

    target: Camera | ModelVersion | str
    label: str


Choices = dict[tuple[UUID, str], list[Choice]]
# Site, cause and value of a row.
Waiting = tuple[UUID, str, str]


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
    rows = Parking.objects.filter(site__in=sites, resolved_at=None).order_by()
    grouped = rows.values("site_id", "cause", "value").annotate(count=Count("pk"), first_at=Min("parked_at"))
    shown = list(grouped.order_by("first_at", "value")[:SHOWN])
    said_by = models_behind(shown)
    parked = {(*key, model) for key, models in said_by.items() for model in models}
    on_their_way = known_among(parked)
    versions = newest_of({(site_id, model) for site_id, _cause, _value, model in parked if model})
    choices = choices_of([sites_by_id[pk] for pk in {str(row["site_id"]) for row in shown}])
    retired = retired_namesakes((row["site_id"], row["value"]) for row in shown if row["cause"] == ParkingCause.CAMERA)
    restorable = set(sites_for(request.user, Right.MANAGE_SOURCES).values_list("pk", flat=True))
    may = may_settle(request)
    found = NameMap.objects.filter(site__in=sites, ended_at=None).select_related("site", "camera", "model_version")
    maps = list(found.select_related("created_by").order_by("cause", "value")[:500])
    context = {
        "rows": [
            row_of(dict(row), sites_by_id, choices, said_by, versions, on_their_way)
            | retired_of(dict(row), retired)
            | {"may": (row["site_id"], row["cause"]) in may}
            for row in shown
        ],
        "restorable": restorable,
        "names": grouped.count(),
        "shown": SHOWN,
        "lists": [{"id": list_id(*key), "choices": known[:OFFERED]} for key, known in choices.items()],
        "maps": maps,
        "endable": {row.pk for row in maps if (row.site_id, row.cause) in may},
    }
    return render(request, "review/inbox.html", context)


def mapped_sites(request: HttpRequest) -> Any:
    sites = sites_in_use(request.user, Right.MANAGE_QUEUES) | sites_in_use(request.user, Right.MANAGE_SOURCES)
    return (sites | sites_in_use(request.user, Right.MANAGE_TAXONOMY)).distinct()


def models_behind(shown: Collection[Mapping[str, Any]]) -> dict[Waiting, list[str]]:
    """The models that said each of the names: some of those of a class, and nameless for what is none."""
    found: dict[Waiting, list[str]] = {(row["site_id"], row["cause"], row["value"]): [""] for row in shown}
    words = [row for row in shown if row["cause"] == ParkingCause.CLASS]
    rows = Parking.objects.filter(
        site__in={row["site_id"] for row in words},
        cause=ParkingCause.CLASS,
        value__in={row["value"] for row in words},
        resolved_at=None,
    )
    said = rows.order_by("site_id", "value", "model_name").values_list("site_id", "value", "model_name").distinct()
    by_word = groupby(said[:MODELS], key=lambda row: row[:2])
    return found | {
        (site_id, str(ParkingCause.CLASS), value): [row[2] for row in rows] for (site_id, value), rows in by_word
    }


def newest_of(models: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], UUID]:
    """The id of the newest registered version of each model, by site and name."""
    sites, names = {site_id for site_id, _name in models}, {name for _site_id, name in models}
    rows = ModelVersion.objects.filter(site__in=sites, name__in=names).order_by("created_at")
    return {(site_id, name): pk for site_id, name, pk in rows.values_list("site_id", "name", "pk")}


def may_settle(request: HttpRequest) -> set[tuple[UUID, str]]:
    """The sites, with a kind of name each, for which the person may say what a name is."""
    rights = {right for makers in MAKERS.values() for right in makers}
    reach = {right: set(sites_for(request.user, right).values_list("pk", flat=True)) for right in rights}
    return {(pk, str(cause)) for cause, makers in MAKERS.items() for right in makers for pk in reach[right]}


def row_of(
    row: dict[str, Any],
    sites: dict[str, Site],
    choices: Choices,
    said_by: dict[Waiting, list[str]],
    versions: dict[tuple[UUID, str], UUID],
    on_their_way: set[Parked],
) -> dict[str, Any]:
    key = (row["site_id"], row["cause"])
    models = said_by[*key, row["value"]]
    return {
        "kind": row["cause"],
        "kind_label": ParkingCause(row["cause"]).label,
        "value": row["value"],
        "count": row["count"],
        "first_at": row["first_at"],
        "site": sites[str(row["site_id"])],
        "likeliest": likeliest(choices.get(key, []), row["value"]),
        "list": list_id(*key) if choices.get(key) else "",
        "models": [(name, versions.get((row["site_id"], name))) for name in models if name][:NAMED],
        "on_its_way": all((*key, row["value"], name) in on_their_way for name in models),
    }


def retired_of(row: dict[str, Any], retired: dict[tuple[UUID, str], Camera]) -> dict[str, Camera | None]:
    """The retired camera that a row's name belongs to."""
    camera = retired.get((row["site_id"], row["value"])) if row["cause"] == ParkingCause.CAMERA else None
    return {"retired": camera}


def list_id(site_id: UUID, cause: str) -> str:
    return f"known-{cause}-{site_id}"


def choices_of(sites: Collection[Site]) -> Choices:
    """What a name may stand for at each site, by kind, in three queries."""
    found: Choices = {}
    for camera in Camera.objects.in_use().filter(site__in=sites).order_by("name"):
        found.setdefault((camera.site_id, ParkingCause.CAMERA), []).append(Choice(camera, camera_label(camera)))
    for version in ModelVersion.objects.filter(site__in=sites).order_by("name", "-created_at"):
        found.setdefault((version.site_id, ParkingCause.MODEL), []).append(Choice(version, str(version)))
    classes = TaxonomyClass.objects.filter(taxonomy__site__in=sites, retired_at=None).order_by("name")
    for site_id, name in classes.values_list("taxonomy__site_id", "name").distinct():
        found.setdefault((site_id, ParkingCause.CLASS), []).append(Choice(name, name))
    return found


def camera_label(camera: Camera) -> str:
    """Its name, and its short name, which no other camera of the site has."""
    return camera.name if camera.name == camera.slug else f"{camera.name} ({camera.slug})"


def likeliest(choices: list[Choice], value: str) -> list[str]:
    """The labels that look most like the unknown name."""
    labels = {choice.label.casefold(): choice.label for choice in choices[:OFFERED]}
    return [labels[found] for found in get_close_matches(value.casefold(), labels, n=LIKELIEST, cutoff=LIKE)]


def settle(request: HttpRequest, sites: dict[str, Site]) -> None:
    """Create what is missing, or map the name to what was chosen."""
    site, cause = sites.get(request.POST.get("site", "")), request.POST.get("kind", "")
    if site is None:
        raise NotFound
    if cause not in ParkingCause.values:
        raise Invalid(_("Unknown kind."), code="schema")
    # Who brings a camera back must be able to do so on its own page.
    require_maker(request, site, ParkingCause(cause), (Right.MANAGE_SOURCES,) if "back" in request.POST else None)
    try:
        count = settled(request, site, ParkingCause(cause))
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, ngettext("%d event was routed.", "%d events were routed.", count) % count)


def settled(request: HttpRequest, site: Site, cause: ParkingCause) -> int:
    """How many events came through at once."""
    value = request.POST.get("value", "").replace("\0", "")[:200]
    person, now = person_of(request), timezone.now()
    if "back" in request.POST and cause == ParkingCause.CAMERA:
        return bring_back(site=site, value=value, person=person, now=now)
    if not {"target", "leave"} & request.POST.keys():
        return create_missing(site=site, cause=cause, value=value, person=person, now=now)
    leaves = "leave" in request.POST and cause == ParkingCause.CLASS
    chosen = value if leaves else target_of(site, cause, request.POST.get("target", ""))
    return map_name(site=site, cause=cause, value=value, target=chosen, person=person, now=now)


def require_maker(
    request: HttpRequest, site: Site, cause: ParkingCause, rights: tuple[Right, ...] | None = None
) -> None:
    """Raise NotFound without one of `rights`, or of those that creating takes."""
    if not may_make(request, site, cause, rights):
        raise NotFound


def may_make(request: HttpRequest, site: Site, cause: ParkingCause, rights: tuple[Right, ...] | None = None) -> bool:
    return any(sites_for(request.user, right).filter(pk=site.pk).exists() for right in rights or MAKERS[cause])


def target_of(site: Site, cause: ParkingCause, typed: str) -> Camera | ModelVersion | str | None:
    """What was chosen or typed, if the site has it; what it has not is refused by the action."""
    wanted = typed.strip().casefold()
    for choice in choices_of([site]).get((site.pk, cause), []):
        short = choice.target.slug if isinstance(choice.target, Camera) else choice.label
        if wanted in {choice.label.casefold(), short.casefold()}:
            return choice.target
    return None


@require_POST
@signed_in("manage_queues, manage_sources or manage_taxonomy on the site, by what was mapped")
def unmap(request: HttpRequest, pk: UUID) -> HttpResponse:
    rows = NameMap.objects.filter(site__in=mapped_sites(request)).select_related("site", "camera", "model_version")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound
    require_maker(request, row.site, ParkingCause(row.cause))
    try:
        unmap_name(row=row, person=person_of(request), reason=request.POST.get("reason", ""), now=timezone.now())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("The name stands for nothing any more. What was decided under it stays."))
    version = ModelVersion.objects.filter(site=row.site, name=row.model_name).order_by("-created_at").first()
    return redirect("model-words", version.pk) if version and "words" in request.POST else redirect("inbox")
