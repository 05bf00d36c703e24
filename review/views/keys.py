"""The keys of the desk, for the person who presses them."""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.doors import person_of, signed_in
from review.actions.keys import change_keys
from review.views.desk import fields


@require_POST
@signed_in("the own keys")
def change(request: HttpRequest) -> JsonResponse:
    bindings = fields(request, {"bindings"}).get("bindings")
    return JsonResponse({"bindings": change_keys(person=person_of(request), bindings=bindings, now=timezone.now())})
