"""The queues page: what waits, how old it is, who is at it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q
from django.db.models.functions import TruncHour
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.doors import signed_in
from accounts.models import User
from accounts.roles import Right
from review.access import queue_for, queues_for, queues_in_use, upload_sites_for
from review.held_figures import held_figures
from review.models import Item, Queue

AT_RISK_WITHIN = timedelta(minutes=30)
HOURS = 24


@require_safe
@signed_in("see_events; the person's queues only")
def queues(request: HttpRequest) -> HttpResponse:
    found = list(queues_in_use(request.user, Right.SEE_EVENTS).order_by("site__name", "name"))
    rows = sorted(rows_for(found, request, timezone.now()), key=urgency)
    may_upload = upload_sites_for(request.user).exists()
    return render(request, "review/queues.html", {"rows": rows, "may_upload": may_upload})


def urgency(row: dict[str, Any]) -> tuple[int, int, int, int]:
    """Waiting machines first, then overdue work, then what falls due soon, then what is open; then names (stable)."""
    return -row["held"].waiting, -row["overdue"], -row["at_risk"], -row["open"]


@require_safe
@signed_in("see_events on the queue")
def queue_row(request: HttpRequest, pk: UUID) -> HttpResponse:
    queue = queue_for(request.user, Right.SEE_EVENTS, pk)
    return render(request, "review/_queue_row.html", {"row": rows_for([queue], request, timezone.now())[0]})


def rows_for(found: list[Queue], request: HttpRequest, now: datetime) -> list[dict[str, Any]]:
    """One row per queue with a constant number of queries."""
    reviewable = set(queues_for(request.user, Right.REVIEW).values_list("pk", flat=True))
    counts, arrivals, people = open_counts(found, now), arrivals_by_hour(found, now), people_at(found, now)
    held = held_figures(found, now)
    return [
        {
            "queue": queue,
            "can_review": queue.pk in reviewable,
            "arrivals": arrivals.get(queue.pk, [0] * HOURS),
            "people": people.get(queue.pk, []),
            "held": held[queue.pk],
            **counts.get(queue.pk, {"open": 0, "claimable": 0, "overdue": 0, "at_risk": 0, "oldest_at": None}),
        }
        for queue in found
    ]


def open_counts(found: list[Queue], now: datetime) -> dict[UUID, dict[str, Any]]:
    free = Q(claim_expires_at=None) | Q(claim_expires_at__lte=now)
    rows = Item.objects.open().filter(queue__in=found).values("queue_id").order_by()
    counted = rows.annotate(
        open=Count("pk"),
        claimable=Count("pk", filter=free),
        overdue=Count("pk", filter=Q(due_at__lte=now)),
        at_risk=Count("pk", filter=Q(due_at__gt=now, due_at__lte=now + AT_RISK_WITHIN)),
        oldest_at=Min("created_at"),
    )
    return {row.pop("queue_id"): row for row in counted}


def arrivals_by_hour(found: list[Queue], now: datetime) -> dict[UUID, list[int]]:
    """Items that came in each of the last 24 hours, oldest first."""
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    rows = Item.objects.filter(queue__in=found, created_at__gte=first).order_by()
    counted = rows.annotate(hour=TruncHour("created_at")).values("queue_id", "hour").annotate(count=Count("pk"))
    series: dict[UUID, list[int]] = {}
    for row in counted:
        place = int((row["hour"] - first).total_seconds() // 3600)
        series.setdefault(row["queue_id"], [0] * HOURS)[min(max(place, 0), HOURS - 1)] = row["count"]
    return series


def people_at(found: list[Queue], now: datetime) -> dict[UUID, list[str]]:
    """Who holds an item of each queue right now."""
    held = Item.objects.open().claimed(now).filter(queue__in=found)
    pairs = list(held.values_list("queue_id", "claimed_by").distinct())
    people = User.objects.in_bulk([person for _queue, person in pairs])
    named: dict[UUID, list[str]] = {}
    for queue_id, person_id in pairs:
        named.setdefault(queue_id, []).append(str(people[person_id]))
    return named
