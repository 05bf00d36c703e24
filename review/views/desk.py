"""The desk: claim, look, answer."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.doors import person_of, signed_in
from accounts.exceptions import Invalid
from accounts.models import User
from accounts.outbox import keys_of
from accounts.roles import Right
from review import schemas
from review.access import claim_for, item_for, queue_for, queues_in_use, reviewers_of, verdict_for
from review.actions import claims, duties, verdicts
from review.actions.held_claims import take_held
from review.actions.keys import keys_for
from review.api.bodies import json_body
from review.desk import class_list, payload, picture_payload
from review.models import Answer, Claim, Item, Parking, Queue
from review.views.queues import open_counts

SNOOZES = [
    (15, gettext_lazy("15 minutes")),
    (30, gettext_lazy("30 minutes")),
    (60, gettext_lazy("an hour")),
    (240, gettext_lazy("four hours")),
    (1440, gettext_lazy("a day")),
]
MOST_COLLEAGUES = 50


@require_safe
@signed_in("review_items on the queue")
def desk(request: HttpRequest, pk: UUID) -> HttpResponse:
    queue = queue_for(request.user, Right.REVIEW, pk)
    config = {
        "queue": {"id": str(queue.pk), "name": queue.name, "site": queue.site.name},
        "classes": class_list(queue),
        "asks_complete": queue.asks_complete,
        "undo_seconds": queue.undo_window.total_seconds(),
        "lease_seconds": settings.SECONDLOOK["LEASE_SECONDS"],
        "heartbeat_seconds": settings.SECONDLOOK["HEARTBEAT_SECONDS"],
        "needs_reason": queue.needs_reason,
        "keys": keys_for(person_of(request)),
        "outbox_keys": keys_of(person_of(request)),
        "time_zone": queue.site.time_zone,
        "urls": {
            "claim": reverse("desk-claim", args=[queue.pk]),
            "counts": reverse("desk-counts", args=[queue.pk]),
            "held": reverse("desk-held", args=[queue.pk]),
            "take": reverse("desk-take", args=[queue.pk]),
            "here": reverse("desk-here", args=[queue.pk]),
            "queues": reverse("queues"),
            "keys": reverse("my-keys"),
        },
    }
    context = {
        "queue": queue,
        "counts": counts_of(queue),
        "desk": config,
        "classes": config["classes"],
        "guide": queue.guide,
        "guide_url": f"{reverse('guide', args=[queue.pk])}?part=1",
        "urls": config["urls"],
        "targets": targets_of(queue, person_of(request)),
        "snoozes": [(minutes, str(words)) for minutes, words in SNOOZES],
        "lease_seconds": config["lease_seconds"],
        "heartbeat_seconds": config["heartbeat_seconds"],
    }
    return render(request, "review/desk.html", context)


def targets_of(queue: Queue, person: User) -> list[dict[str, Any]]:
    """Where an item of `queue` can be sent: the queues of its site on which `person` works, each with its people."""
    rows = queues_in_use(person, Right.REVIEW).filter(site=queue.site)
    others = sorted(rows.exclude(pk=queue.pk), key=lambda row: row.name)
    return [
        {"id": str(row.pk), "name": row.name, "own": row.pk == queue.pk, "people": colleagues(row, person)}
        for row in [*others, queue]
    ]


def colleagues(queue: Queue, person: User) -> list[dict[str, str]]:
    found = User.objects.by_name().filter(pk__in=reviewers_of(queue)).exclude(pk=person.pk)[:MOST_COLLEAGUES]
    return [{"id": str(one.public_id), "name": str(one)} for one in found]


def counts_of(queue: Queue) -> dict[str, Any]:
    return open_counts([queue], timezone.now()).get(queue.pk, {"open": 0, "at_risk": 0, "oldest_at": None})


@require_safe
@signed_in("review_items on the queue")
def counts(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How much is in the queue, for the desk's header."""
    queue = queue_for(request.user, Right.REVIEW, pk)
    urls = {"counts": reverse("desk-counts", args=[queue.pk])}
    context = {"queue": queue, "counts": counts_of(queue), "desk": {"urls": urls}}
    return render(request, "review/_desk_counts.html", context)


@require_POST
@signed_in("review_items on the queue")
def claim_next(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The next item as a fragment, or a fragment that says why there is none."""
    queue, now = queue_for(request.user, Right.REVIEW, pk), timezone.now()
    ahead = bool(fields(request, {"ahead", "holding"}).get("ahead"))
    duties.report(queue=queue, person=person_of(request), now=now)
    claim = claims.claim_next(queue=queue, person=person_of(request), now=now, ahead=ahead)
    if claim is None:
        return empty(request, queue)
    return fragment(request, claim)


@require_safe
@signed_in("review_items on the queue")
def held(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the desk offers because a machine waits; empty when none does."""
    queue, now = queue_for(request.user, Right.REVIEW, pk), timezone.now()
    rows = Item.objects.filter(queue=queue).claimable_by(person_of(request), now).held(now)
    item = rows.not_in_hand_of(person_of(request), now).select_related("event").order_by("held_until", "id").first()
    left_s = (item.held_until - now).total_seconds() if item and item.held_until else 0
    return render(request, "review/_held_offer.html", {"item": item, "queue": queue, "left_s": left_s})


@require_POST
@signed_in("review_items on the queue")
def take_offer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take what a machine waits for: the item that was offered, if it still waits, otherwise why there is none."""
    queue = queue_for(request.user, Right.REVIEW, pk)
    item = item_for(request.user, Right.REVIEW, as_uuid(fields(request, {"item"}).get("item")))
    claim = take_held(queue=queue, person=person_of(request), now=timezone.now(), item_id=item.pk)
    return fragment(request, claim) if claim else render(request, "review/_held_gone.html")


@require_POST
@signed_in("review_items on the queue")
def here(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The desk is open: its person is on duty for the queue."""
    queue = queue_for(request.user, Right.REVIEW, pk)
    duties.report(queue=queue, person=person_of(request), now=timezone.now())
    return HttpResponse(status=204)


def fragment(request: HttpRequest, claim: Claim) -> HttpResponse:
    data = payload(claim, person_of(request), timezone.now())
    context = {"payload": data, "payload_id": f"item-{claim.item_id}", "item": claim.item, "event": claim.item.event}
    return render(request, "review/_item.html", context)


def empty(request: HttpRequest, queue: Queue) -> HttpResponse:
    why = claims.why_empty(queue=queue, person=person_of(request), now=timezone.now())
    parked = Parking.objects.filter(site=queue.site, resolved_at=None).values("event").distinct().count()
    return render(request, "review/_empty.html", {"queue": queue, "why": why, "parked": parked})


@require_POST
@signed_in("the own claim")
def open_claim(request: HttpRequest, pk: UUID) -> JsonResponse:
    claim = own_claim(request, pk)
    return lease_left(claims.open_claim(claim=claim, now=timezone.now()))


@require_safe
@signed_in("the own claim")
def picture(request: HttpRequest, pk: UUID) -> JsonResponse:
    """Where the picture of a claimed item is by now: the desk asks again while it is on its way."""
    claim = claim_for(request.user, pk)
    return JsonResponse(picture_payload(claim.item.event))


@require_POST
@signed_in("the own claim")
def heartbeat(request: HttpRequest, pk: UUID) -> JsonResponse:
    claim = own_claim(request, pk)
    return lease_left(claims.heartbeat(claim=claim, now=timezone.now()))


@require_POST
@signed_in("the own claim")
def release(request: HttpRequest, pk: UUID) -> HttpResponse:
    claims.give_back(claim=own_claim(request, pk), now=timezone.now())
    return HttpResponse(status=204)


@require_POST
@signed_in("review_items on the item's queue, with the own claim")
def verdict(request: HttpRequest, pk: UUID) -> JsonResponse:
    item = item_for(request.user, Right.REVIEW, pk)
    answer = schemas.read(schemas.VerdictIn, json_body(request))
    given = verdicts.give_verdict(item=item, person=person_of(request), answer=answer, now=timezone.now())
    left = (given.verdict.final_at - timezone.now()).total_seconds()
    body = {
        "id": str(given.verdict.pk),
        "outcome": verdicts.OUTCOMES[Answer(given.verdict.answer)],
        "undo_until_s": max(0.0, left),
        "links": {"undo": reverse("verdict-undo", args=[given.verdict.pk])},
    }
    return JsonResponse(body, status=201 if given.created else 200)


@require_POST
@signed_in("the own verdict within its undo window")
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    claim = verdicts.undo(verdict=verdict_for(request.user, pk), now=timezone.now())
    return fragment(request, claim)


def own_claim(request: HttpRequest, pk: UUID, more: set[str] | None = None) -> Claim:
    """The person's claim, proved by its token: a tab whose claim was replaced holds an old one."""
    claim = claim_for(request.user, pk)
    if fields(request, {"claim_token"} | (more or set())).get("claim_token") != str(claim.token):
        raise Invalid("claim_token: does not belong to this claim", code="bad_claim_token")
    return claim


def fields(request: HttpRequest, allowed: set[str]) -> dict[str, Any]:
    """The JSON object of a small request. Raises Invalid for anything else or an unknown key."""
    data = json_body(request, most=20_000) if request.body else {}
    if not isinstance(data, dict) or set(data) - allowed:
        raise Invalid("Send a JSON object with known keys only.", code="schema")
    return data


def as_uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Invalid("Not an id.", code="schema") from None


def lease_left(claim: Claim) -> JsonResponse:
    """What a desk hears while it keeps an item: how long it has it, and what its queue wants a reason for by now."""
    left_s = max(0.0, (claim.expires_at - timezone.now()).total_seconds())
    return JsonResponse({"expires_in_s": left_s, "needs_reason": claim.item.queue.needs_reason})
