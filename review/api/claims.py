"""Keeping and giving back a claim."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Router

from review.access import claim_for
from review.actions.claims import give_back, heartbeat
from review.api.auth import Personal, caller_of

router = Router(tags=["review"])


@router.put("claims/{uuid:pk}", auth=Personal("review:write"), summary="Heartbeat: keep the claim")
def put_claim(request: HttpRequest, pk: UUID) -> HttpResponse:
    claim = heartbeat(claim=claim_for(caller_of(request), pk), now=timezone.now())
    return JsonResponse({"expires_at": claim.expires_at.isoformat()})


@router.delete("claims/{uuid:pk}", auth=Personal("review:write"), summary="Give the claim back")
def delete_claim(request: HttpRequest, pk: UUID) -> HttpResponse:
    give_back(claim=claim_for(caller_of(request), pk), now=timezone.now())
    return HttpResponse(status=204)
