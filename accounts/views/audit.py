"""The audit trail as sentences, with its filters and its seal."""

from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import audit as trail
from accounts.access import Reach, audited_sites
from accounts.alarms import alarms
from accounts.doors import person_of, signed_in
from accounts.models import AuditEntry, User
from accounts.models.grant import Scope
from accounts.scopes import rows_of, within
from accounts.seal import SealState, state
from accounts.sentences import sentence
from accounts.trail.filters import Asked, streams
from accounts.trail.kinds import ALL, group_of
from accounts.trail.paging import Page, cursor_of, page_of

RULE = "audit_site, audit_releases or audit_devices on the site; everybody the own story"


@require_safe
@signed_in(RULE)
def audit(request: HttpRequest) -> HttpResponse:
    person, asked = person_of(request), Asked.of(request.GET)
    before, after = cursor_of(request.GET.get("before", "")), cursor_of(request.GET.get("after", ""))
    if before is None and after is None:
        record_search(person, asked)
    page = page_of(streams(person, asked), before=before, after=after)
    where = audited_sites(person)
    context = {
        "rows": [row_of(entry) for entry in page.entries],
        "pager": pager_of(page, asked.values),
        "asked": asked,
        "asked_query": urlencode(asked.values),
        "kinds": ALL,
        "sites": scopes(where, Scope.SITE),
        "queues": scopes(where, Scope.QUEUE),
        "exports": bool(where),
        "seal": seal_of(where),
        "alarms": alarms(where),
    }
    return render(request, "accounts/audit.html", context)


def record_search(person: User, asked: Asked) -> None:
    """Looking for what one person did, or for all about one thing, is a search in personal data."""
    typed = {name: value for name, value in asked.values.items() if name in {"person", "object"}}
    if typed:
        with transaction.atomic():
            trail.record("search.made", actor=person, action=trail.Action.ACCESS, area="audit", filter=typed)


def row_of(entry: AuditEntry) -> dict[str, Any]:
    group = group_of(entry.verb)
    return {
        "id": entry.pk,
        "at": entry.timestamp,
        "group": group,
        "sentence": sentence(entry),
        "subject": entry.subject_id,
        "door": (entry.circumstances or {}).get("door", ""),
        "remote_addr": entry.remote_addr,
    }


def pager_of(page: Page, asked: dict[str, str]) -> dict[str, str]:
    """The addresses of the pages beside this one."""
    found = {}
    if page.newer is not None:
        found["newer"] = "?" + urlencode(asked | {"after": str(page.newer)})
    if page.older is not None:
        found["older"] = "?" + urlencode(asked | {"before": str(page.older)})
    return found


def scopes(where: Reach, scope: Scope) -> list[Any]:
    """The sites or queues to choose from: those whose trail the person reads, and no others."""
    return list(rows_of(scope).filter(within(where, scope)).order_by("name")[:500]) if where else []


def seal_of(where: Reach) -> dict[str, Any]:
    """The seal as this person may see it: sizes and times of the whole log tell how busy other sites are."""
    now: SealState = state()
    failed = now.verification is not None and not now.verification.ok
    trouble = "failed" if failed else "unread" if now.unreadable else ""
    return {
        "state": trouble or ("none" if now.checkpoint is None else "warn" if now.problems else "good"),
        "verified_at": now.verification.finished_at if now.verification else None,
        "problems": now.problems if where.everywhere else [],
        "whole": now if where.everywhere else None,
    }
