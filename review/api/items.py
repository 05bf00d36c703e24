"""Answering an item."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Router

from accounts.roles import Right
from review import schemas
from review.access import item_for
from review.actions.verdicts import OUTCOMES, give_verdict
from review.api.auth import Personal, caller_of
from review.api.bodies import json_body
from review.models import Answer

router = Router(tags=["review"])


@router.post(
    "items/{uuid:pk}/verdicts",
    auth=Personal("review:write"),
    summary="Answer an item, effectively once by `key`",
)
def post_verdict(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = caller_of(request)
    item = item_for(person, Right.REVIEW, pk)
    answer = schemas.read(schemas.VerdictIn, json_body(request))
    given = give_verdict(item=item, person=person, answer=answer, now=timezone.now())
    body = {"id": str(given.verdict.pk), "outcome": OUTCOMES[Answer(given.verdict.answer)]}
    return JsonResponse(body, status=201 if given.created else 200)
