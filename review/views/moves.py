"""What the desk does with an item instead of answering it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.doors import signed_in
from accounts.exceptions import Invalid
from accounts.models import User
from accounts.roles import Right
from review import schemas
from review.access import queue_for, reviewers_of
from review.actions import moves
from review.models import Claim, Queue
from review.views.desk import as_uuid, fields, own_claim

LONGEST_SKIP = 7 * 24 * 60


@require_POST
@signed_in("the own claim")
def skip(request: HttpRequest, pk: UUID) -> HttpResponse:
    claim, now = own_claim(request, pk, {"minutes", "note"}), timezone.now()
    data = fields(request, {"claim_token", "minutes", "note"})
    moves.skip(claim=claim, until=later(data, now, 10), note=note_in(data), now=now)
    return HttpResponse(status=204)


@require_POST
@signed_in("the own claim")
def snooze(request: HttpRequest, pk: UUID) -> HttpResponse:
    claim, now = own_claim(request, pk, {"minutes", "note"}), timezone.now()
    data = fields(request, {"claim_token", "minutes", "note"})
    moves.snooze(claim=claim, until=later(data, now, 30), note=note_in(data), now=now)
    return HttpResponse(status=204)


@require_POST
@signed_in("the own claim")
def hand_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    claim = own_claim(request, pk, {"note"})
    note = note_in(fields(request, {"claim_token", "note"}))
    moves.hand_back(claim=claim, note=note, now=timezone.now())
    return HttpResponse(status=204)


@require_POST
@signed_in("the own claim; the target queue of the same site, and a person who works on it")
def escalate(request: HttpRequest, pk: UUID) -> HttpResponse:
    claim = own_claim(request, pk, {"note", "queue", "person"})
    data = fields(request, {"claim_token", "note", "queue", "person"})
    to = target_of(request, claim, data.get("queue"))
    person = colleague(claim, to or claim.item.queue, data.get("person"))
    moves.escalate(claim=claim, to=to, note=note_in(data), now=timezone.now(), person=person)
    return HttpResponse(status=204)


def later(data: dict[str, Any], now: datetime, otherwise: int) -> datetime:
    """The time that is so many minutes away. Raises Invalid `schema`."""
    minutes = data.get("minutes", otherwise)
    if type(minutes) is not int or not 1 <= minutes <= LONGEST_SKIP:
        raise Invalid(f"minutes: a whole number from 1 to {LONGEST_SKIP}", code="schema")
    return now + timedelta(minutes=minutes)


def note_in(data: dict[str, Any]) -> str:
    """What was typed as a reason. Raises Invalid `schema`."""
    note = data.get("note") or ""
    if not isinstance(note, str) or len(note) > 1000 or not schemas.is_printable(note):
        raise Invalid("note: at most 1000 characters, none of them control characters", code="schema")
    return note


def target_of(request: HttpRequest, claim: Claim, pk: Any) -> Queue | None:
    """The queue to escalate to: one of the same site that the person may work on."""
    if not pk:
        return None
    queue = queue_for(request.user, Right.REVIEW, as_uuid(pk))
    if queue.site_id != claim.item.site_id:
        raise Invalid("queue: belongs to another site", code="other_site")
    return queue


def colleague(claim: Claim, queue: Queue, public_id: Any) -> User | None:
    """Somebody else who works on `queue`. Raises Invalid `unknown_person`, whoever else it is."""
    if not public_id:
        return None
    found = reviewers_of(queue).exclude(pk=claim.holder_id).filter(public_id=as_uuid(public_id)).first()
    if found is None:
        raise Invalid("person: nobody else of this name works on that queue", code="unknown_person")
    return found
