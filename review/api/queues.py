"""Queues, and claiming from them."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Router

from accounts.roles import Right
from review.access import queue_for, queues_in_use
from review.actions import duties
from review.actions.claims import claim_next, why_empty
from review.api.auth import Personal, caller_of
from review.api.rendering import claim_document
from review.models import Item

router = Router(tags=["review"])


@router.get("queues", auth=Personal("events:read"), summary="The queues that you may see")
def list_queues(request: HttpRequest) -> list[dict[str, Any]]:
    person, now = caller_of(request), timezone.now()
    return [
        {
            "id": str(queue.pk),
            "site": str(queue.site_id),
            "slug": queue.slug,
            "name": queue.name,
            "open": Item.objects.filter(queue=queue).open().count(),
            "claimable": Item.objects.filter(queue=queue).claimable_by(person, now).count(),
        }
        for queue in queues_in_use(person, Right.SEE_EVENTS).order_by("site__name", "name")
    ]


@router.post("queues/{uuid:pk}/claims", auth=Personal("review:write"), summary="Claim the most urgent item")
def post_claim(request: HttpRequest, pk: UUID) -> HttpResponse:
    person, now = caller_of(request), timezone.now()
    queue = queue_for(person, Right.REVIEW, pk)
    duties.report(queue=queue, person=person, now=now)
    claim = claim_next(queue=queue, person=person, now=now)
    if claim is not None:
        return JsonResponse(claim_document(claim), status=201)
    why = why_empty(queue=queue, person=person, now=now)
    return JsonResponse(
        {
            "claim": None,
            "why": {
                "claimed_by_others": why.claimed_by_others,
                "not_yours": why.not_yours,
                "snoozed": why.snoozed,
            },
        }
    )
