"""Errors as answers: RFC 9457 problem documents for programs, a page of the same family for people."""

from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from accounts.context import CURRENT
from accounts.doors import wants_fragment
from accounts.exceptions import SecondLookError

RETRY_AFTER_S = 2


def problem(error: SecondLookError) -> JsonResponse:
    """The error as `application/problem+json` with its stable `code`."""
    body: dict[str, Any] = {
        "type": f"urn:secondlook:{error.code}",
        "title": str(error.title),
        "status": error.status,
        "detail": str(error.detail),
        "code": error.code,
        "request_id": CURRENT.get().request_id,
    }
    response = JsonResponse(body | error.members, status=error.status, content_type="application/problem+json")
    if error.status in {429, 503}:
        response["Retry-After"] = str(error.members.get("retry_after", RETRY_AFTER_S))
    if error.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def answer(request: HttpRequest, error: SecondLookError) -> HttpResponse:
    """The error for whoever asked: a problem document for scripts, a page for people."""
    if wants_fragment(request) or request.content_type == "application/json" or request.path.startswith("/api/"):
        return problem(error)
    template = f"{error.status}.html" if error.status in {403, 404} else "400.html"
    return render(request, template, {"error": error, "detail": error.detail}, status=error.status)


class Busy(SecondLookError):
    status, code, title = 503, "busy", "The database is busy or out of reach; try again in a moment."


def from_database(error: OperationalError) -> Busy:
    """A database that is locked, gone or full: nothing was kept, and the client may try again."""
    return Busy()
