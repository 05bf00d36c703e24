"""How long evidence is kept: rules with what they would remove, and legal holds on single events."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.doors import person_of, signed_in
from accounts.exceptions import Conflict, Invalid, NotFound, SecondLookError
from accounts.roles import Right
from accounts.typed import whole_number
from inference.access import site_for, sites_for
from inference.models import Site
from review import pressure
from review.access import event_for
from review.actions.retention import Wanted, change_rules, hold_legally, lift_legal_hold, line_of, state_of
from review.desk import media_url
from review.models import Kept, RenditionKind, RetentionRule, RetentionRun
from review.retention import LOOKED_AT, Rules, figures, old_enough

GB = 10**9
RUNS = 10


@require_safe
@signed_in("manage_queues on the site")
def retentions(request: HttpRequest) -> HttpResponse:
    sites = list(sites_for(request.user, Right.MANAGE_QUEUES).order_by("name"))
    if not sites:
        raise NotFound
    if len(sites) == 1:
        return redirect("retention", sites[0].pk)
    rows = [{"site": site, "bytes": pressure.usage(site.pk)} for site in sites]
    return render(request, "review/retentions.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@signed_in("manage_queues on the site")
def retention(request: HttpRequest, pk: UUID) -> HttpResponse:
    site = site_for(request.user, Right.MANAGE_QUEUES, pk)
    if request.method == "GET":
        return page(request, site)
    wanted, quota = None, None
    try:
        wanted, quota = read(request)
        if request.POST.get("shown") != line_of(wanted, quota):
            return page(request, site, wanted=wanted, quota=quota)
        change_rules(
            site=site,
            wanted=wanted,
            quota_bytes=quota,
            before=request.POST.get("before", ""),
            person=person_of(request),
            reason=request.POST.get("reason", ""),
            now=timezone.now(),
        )
    except SecondLookError as error:
        return page(request, site, wanted=wanted, quota=quota, error=error)
    messages.success(request, _("Saved. What goes by these rules goes within the next hours."))
    return redirect("retention", site.pk)


def read(request: HttpRequest) -> tuple[Wanted, int | None]:
    """Days and gigabytes as they were typed; empty fields mean for ever. Raises Invalid."""
    wanted = {kept: (whole(request, f"days-{kept}"), size(request, f"gb-{kept}")) for kept in Kept}
    return wanted, size(request, "quota")


def whole(request: HttpRequest, name: str) -> int | None:
    typed = request.POST.get(name, "")
    found = whole_number(typed, 1, 36_500)
    if typed.strip() and found is None:
        raise Invalid(_("Days are whole numbers from 1 to 36500."), code="days")
    return found


def size(request: HttpRequest, name: str) -> int | None:
    typed = request.POST.get(name, "").strip().replace(",", ".")
    if not typed:
        return None
    try:
        value = float(typed)
    except ValueError:
        value = -1
    if not 0 < value <= 1e6:
        raise Invalid(_("Sizes are gigabytes above 0."), code="bytes")
    return int(value * GB)


def page(
    request: HttpRequest,
    site: Site,
    *,
    wanted: Wanted | None = None,
    quota: int | None = None,
    error: SecondLookError | None = None,
) -> HttpResponse:
    """The rules and what goes by them: those in force, or with `wanted` those that somebody typed and has not saved."""
    now, in_force = timezone.now(), {row.kept: row for row in RetentionRule.objects.filter(site=site)}
    rows = in_force.values() if wanted is None else [rule_of(site, kept, *both) for kept, both in wanted.items()]
    rules = Rules.of(site, rows)
    context: dict[str, Any] = {
        "site": site,
        "rows": [row_of(kept, in_force.get(kept), request) for kept in Kept],
        "quota": typed(request, "quota", site.evidence_quota_bytes and site.evidence_quota_bytes / GB),
        "used": pressure.usage(site.pk),
        # Who was too late to see what somebody else saved goes on from there.
        "before": (not isinstance(error, Conflict) and request.POST.get("before")) or state_of(site),
        "shown": "" if wanted is None else line_of(wanted, quota),
        "reason": request.POST.get("reason", ""),
        "going": [with_examples(row) for row in figures(site, rules, now)],
        "old": old_enough(site.pk, rules, now).count(),
        "looked_at": LOOKED_AT,
        "runs": RetentionRun.objects.filter(site=site).order_by("-started_at")[:RUNS],
        "trouble": str(error.detail) if error else "",
    }
    return render(request, "review/retention.html", context, status=error.status if error else 200)


def rule_of(site: Site, kept: Kept, days: int | None, most_bytes: int | None) -> RetentionRule:
    return RetentionRule(site=site, kept=kept, days=days, most_bytes=most_bytes)


def row_of(kept: Kept, rule: RetentionRule | None, request: HttpRequest) -> dict[str, Any]:
    most = rule.most_bytes / GB if rule and rule.most_bytes else None
    return {
        "kept": kept.value,
        "label": kept.label,
        "days": typed(request, f"days-{kept}", rule.days if rule else None),
        "gb": typed(request, f"gb-{kept}", most),
    }


def typed(request: HttpRequest, name: str, value: Any) -> Any:
    """What was typed, after a mistake; otherwise what is in force."""
    if request.method == "POST":
        return request.POST.get(name, "")
    return "" if value is None else f"{value:g}"


def with_examples(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"examples": [media_url(one.pk, RenditionKind.THUMBNAIL) for one in row["examples"]]}


@require_POST
@signed_in("see_events on the event, and manage_queues on its site")
def legal_hold(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Set or lift the legal hold of an event."""
    event = event_for(request.user, pk)
    site_for(request.user, Right.MANAGE_QUEUES, event.site_id)
    act = lift_legal_hold if request.POST.get("act") == "lift" else hold_legally
    try:
        act(event=event, person=person_of(request), reason=request.POST.get("reason", ""), now=timezone.now())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("Saved."))
    return redirect("event", event.pk)
