"""The feed of outcomes, in commit order."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Query, Router

from accounts import audit
from accounts.exceptions import Invalid
from accounts.models import User
from accounts.roles import Right
from inference.models import Site, Source
from review.access import items_for
from review.actions.verdicts import OUTCOMES
from review.api.auth import PersonalOrSource
from review.models import Answer, SequencedOutcome

router = Router(tags=["review"])


@router.get("verdicts", auth=PersonalOrSource("events:read"), summary="Final outcomes after a cursor, in commit order")
def list_verdicts(
    request: HttpRequest,
    after: str = "",
    limit: int = Query(100, ge=1, le=500),  # type: ignore[type-arg]
) -> dict[str, Any]:
    if after and not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise Invalid("This cursor was not made here.", code="bad_cursor")
    caller = request.auth  # type: ignore[attr-defined]
    if isinstance(caller, Source):
        rows = SequencedOutcome.objects.filter(verdict__item__event__source=caller)
    else:
        rows = SequencedOutcome.objects.filter(verdict__item__in=items_for(caller, Right.SEE_EVENTS))
    rows = rows.filter(pk__gt=int(after or 0))
    found = list(rows.select_related("verdict__item__event__site").order_by("pk")[:limit])
    record_read(caller, found)
    return {"results": [outcome_document(row) for row in found]}


def outcome_document(row: SequencedOutcome) -> dict[str, Any]:
    verdict, event = row.verdict, row.verdict.item.event
    return {
        "cursor": str(row.pk),
        "event_id": str(event.event_id),
        "source": str(event.source_id),
        "id": str(event.pk),
        "outcome": OUTCOMES[Answer(verdict.answer)],
        "labels": verdict.labels,
        "at": verdict.created_at.isoformat(),
    }


def record_read(caller: User | Source, found: list[SequencedOutcome]) -> None:
    """Per site: how many outcomes somebody (or a source: the entry's circumstances name it) read, from where to where.

    A look that finds nothing new shows nothing, and programs look every few seconds.
    """
    sites: dict[Site, list[SequencedOutcome]] = {}
    for row in found:
        sites.setdefault(row.verdict.item.event.site, []).append(row)
    with transaction.atomic():
        for site, rows in sites.items():
            audit.record(
                "verdicts.read",
                actor=caller if isinstance(caller, User) else None,
                on=site,
                site_id=site.pk,
                action=audit.Action.ACCESS,
                count=len(rows),
                first=rows[0].pk,
                last=rows[-1].pk,
            )
