"""The audit trail as sentences."""

from datetime import date, datetime, time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from accounts.access import audit_entries_for
from accounts.doors import signed_in
from accounts.models import AuditEntry
from accounts.sentences import VERBS, sentence

PAGE = 100


@require_safe
@signed_in("audit_site, audit_releases or audit_devices on the site; everybody the own story")
def audit(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.GET.get(name, "")[:100] for name in ("verb", "person", "from", "to")}
    rows = filtered(audit_entries_for(request.user), chosen).select_related("actor").order_by("-id")
    cursor = request.GET.get("cursor", "")
    if cursor.isascii() and cursor.isdigit() and len(cursor) <= 18:
        rows = rows.filter(pk__lt=int(cursor))
    found: list[AuditEntry] = list(rows[: PAGE + 1])
    context = {
        "rows": [row_of(entry) for entry in found[:PAGE]],
        "next_cursor": found[PAGE - 1].pk if len(found) > PAGE else None,
        "chosen": chosen,
        "verbs": sorted(VERBS),
    }
    return render(request, "accounts/audit.html", context)


def filtered(rows: Any, chosen: dict[str, str]) -> Any:
    if chosen["verb"]:
        rows = rows.filter(verb=chosen["verb"])
    if chosen["person"]:
        rows = rows.filter(actor__username=chosen["person"])
    if begin := read_date(chosen["from"]):
        rows = rows.filter(timestamp__gte=midnight(begin))
    if end := read_date(chosen["to"]):
        rows = rows.filter(timestamp__lte=datetime.combine(end, time.max, tzinfo=timezone.get_current_timezone()))
    return rows


def read_date(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


def row_of(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "at": entry.timestamp,
        "verb": entry.verb,
        "sentence": sentence(entry),
        "person": entry.actor,
        "remote_addr": entry.remote_addr,
        "facts": entry.additional_data or {},
    }
