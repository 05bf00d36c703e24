"""The review bands of a site's live policy, beside what its sources report at least."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.doors import person_of, signed_in
from accounts.exceptions import SecondLookError
from accounts.roles import Right
from inference.access import site_for, sites_in_use
from inference.models import Site
from review.actions.policies import REST, change_bands
from review.forms import BandForm
from review.models import Event, Policy, PolicyState, Rule

RECENT = timedelta(hours=24)


@require_safe
@signed_in("manage_queues on the site")
def policies(request: HttpRequest) -> HttpResponse:
    sites = list(sites_in_use(request.user, Right.MANAGE_QUEUES))
    if len(sites) == 1:
        return redirect("policy", sites[0].pk)
    return render(request, "review/sites_policy_list.html", {"sites": sites})


@require_http_methods(["GET", "POST"])
@signed_in("manage_queues on the site")
def policy(request: HttpRequest, pk: UUID) -> HttpResponse:
    site = site_for(request.user, Right.MANAGE_QUEUES, pk)
    live = Policy.objects.select_related("created_by").filter(site=site, state=PolicyState.LIVE).first()
    rows = band_rows(site, live)
    form = BandForm(rows, request.POST or None, initial={"version": live.version if live else 0})
    if request.method == "POST" and form.is_valid() and publish(request, site, form, rows):
        return redirect("policy", site.pk)
    with_fields = [row | fields_of(form, number) for number, row in enumerate(rows)]
    context = {"site": site, "policy": live, "rows": with_fields, "form": form, "floor": floor_of(site)}
    status = 422 if form.is_bound else 200
    return render(request, "review/policy.html", context, status=status)


def publish(request: HttpRequest, site: Site, form: BandForm, rows: list[dict[str, Any]]) -> bool:
    """Publish what the form says; False, with the reason on the form, when it cannot be."""
    changes = form.changes()
    if not changes:
        messages.info(request, _("No band was changed."))
        return True
    try:
        made = change_bands(
            site=site,
            version=form.cleaned_data["version"],
            changes=changes,
            floor=floor_of(site)[0],
            person=person_of(request),
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
    except SecondLookError as error:
        form.add_error(None, str(error.detail))
        return False
    messages.success(request, _("Version %d is live. The next event obeys it.") % made.version)
    return True


def fields_of(form: BandForm, number: int) -> dict[str, Any]:
    return {"low_field": form[f"low-{number}"], "high_field": form[f"high-{number}"], "number": number}


def band_rows(site: Site, live: Policy | None) -> list[dict[str, Any]]:
    """One row per rule and class that has a band of its own, and one for the other classes of a rule with a band."""
    if live is None:
        return []
    floor, source = floor_of(site)
    since = timezone.now() - RECENT
    counted = Event.objects.filter(site=site, received_at__gte=since).values("top_class").annotate(count=Count("pk"))
    recent = {row["top_class"]: row["count"] for row in counted}
    return [
        row_of(rule, name, band, floor, source, recent.get(name, 0))
        for rule in live.rules.select_related("queue").order_by("position")
        for name, band in bands_of(rule)
    ]


def bands_of(rule: Rule) -> list[tuple[str, list[float]]]:
    """The bands of a rule by class name; an empty name stands for every other class that it takes."""
    bands = sorted(rule.bands.items())
    covered = bool(rule.classes) and set(rule.classes) <= set(rule.bands)
    if covered or rule.low is None or rule.high is None:
        return bands
    return [*bands, (REST, [rule.low, rule.high])]


def row_of(rule: Rule, name: str, band: list[float], floor: float | None, source: str, recent: int) -> dict[str, Any]:
    return {
        "rule_key": str(rule.key),
        "rule_name": rule.name,
        "class_key": name,
        "class_name": name or (_("every other class") if rule.bands else _("every class of this rule")),
        "queue_name": rule.queue.name if rule.queue else _("nobody (passes)"),
        "low": band[0],
        "high": band[1],
        "floor": floor,
        "floor_source": source,
        "recent": recent,
    }


def floor_of(site: Site) -> tuple[float | None, str]:
    """The highest reporting floor among the site's recent events, and the source that has it.

    Below it at least one source is blind; None when no source said.
    """
    since = timezone.now() - timedelta(days=7)
    rows = Event.objects.filter(site=site, received_at__gte=since, reporting_floor__isnull=False)
    highest = rows.values("source__name").annotate(floor=Max("reporting_floor")).order_by("-floor").first()
    return (highest["floor"], highest["source__name"]) if highest else (None, "")
