"""Confirming who one is, before a dangerous act or because the last proof is long ago."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.doors import person_of, signed_in


@require_http_methods(["GET", "POST"])
@signed_in("anybody, for the own session")
def reauthenticate(request: HttpRequest) -> HttpResponse:
    return render(request, "account/reauthenticate.html", {"person": person_of(request)})
