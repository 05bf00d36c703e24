"""The needs-mapping inbox: what sources named that their site does not know."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.doors import person_of, signed_in
from accounts.exceptions import Invalid, NotFound, SecondLookError
from accounts.roles import Right
from inference.access import sites_for
from inference.models import Site
from review.actions.mapping import create_missing
from review.models import Parking, ParkingCause

# Who may create what: classes are the supervisor's, cameras and model versions the fleet engineer's as well.
MAKERS = {
    ParkingCause.CAMERA: (Right.MANAGE_QUEUES, Right.MANAGE_SOURCES),
    ParkingCause.MODEL: (Right.MANAGE_QUEUES, Right.MANAGE_SOURCES),
    ParkingCause.CLASS: (Right.MANAGE_TAXONOMY,),
}


@require_http_methods(["GET", "POST"])
@signed_in("manage_queues, manage_sources or manage_taxonomy on the site, by what is missing")
def inbox(request: HttpRequest) -> HttpResponse:
    sites = sites_for(request.user, Right.MANAGE_QUEUES) | sites_for(request.user, Right.MANAGE_SOURCES)
    sites |= sites_for(request.user, Right.MANAGE_TAXONOMY)
    sites_by_id = {str(site.pk): site for site in sites.distinct()}
    if request.method == "POST":
        create(request, sites_by_id)
        return redirect("inbox")
    rows = Parking.objects.filter(site__in=list(sites_by_id.values()), resolved_at=None)
    grouped = rows.values("site_id", "cause", "value").annotate(count=Count("pk"), first_at=Min("parked_at"))
    context = {"rows": [row_of(dict(row), sites_by_id) for row in grouped.order_by("first_at")[:200]]}
    return render(request, "review/inbox.html", context)


def row_of(row: dict[str, Any], sites: dict[str, Site]) -> dict[str, Any]:
    return {
        "kind": row["cause"],
        "kind_label": ParkingCause(row["cause"]).label,
        "value": row["value"],
        "count": row["count"],
        "first_at": row["first_at"],
        "site": sites[str(row["site_id"])],
    }


def create(request: HttpRequest, sites: dict[str, Site]) -> None:
    site = sites.get(request.POST.get("site", ""))
    cause = request.POST.get("kind", "")
    if site is None:
        raise NotFound
    if cause not in ParkingCause.values:
        raise Invalid(_("Unknown kind."), code="schema")
    rights = MAKERS[ParkingCause(cause)]
    if not any(sites_for(request.user, right).filter(pk=site.pk).exists() for right in rights):
        raise NotFound
    try:
        through = create_missing(
            site=site,
            cause=ParkingCause(cause),
            value=request.POST.get("value", "").replace("\0", "")[:200],
            person=person_of(request),
            now=timezone.now(),
        )
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, ngettext("%d event was routed.", "%d events were routed.", through) % through)
