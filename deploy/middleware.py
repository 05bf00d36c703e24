"""What every request gets: an id in answer and log, and answers that no shared cache keeps."""

import re
import secrets
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from accounts import lock, refusals
from accounts.context import CURRENT, RequestContext
from accounts.doors import wants_fragment
from accounts.exceptions import Invalid, Locked, NotFound, SecondLookError, WrongMethod
from review import problems
from review.images import UnsupportedType

GetResponse = Callable[[HttpRequest], HttpResponse]
logger = structlog.get_logger(__name__)
SAFE_ID = re.compile(r"^[A-Za-z0-9_-]{8,64}$")


class RequestContextMiddleware:
    """Give each request an id (the client's own when it is harmless) for the answer, the log and the audit trail."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        wanted = request.headers.get("X-Request-ID", "")
        request_id = wanted if SAFE_ID.match(wanted) else secrets.token_urlsafe(12)
        door = "api" if request.path_info.startswith("/api/") else "page"
        address = request.META.get("REMOTE_ADDR") or None
        token = CURRENT.set(RequestContext(request_id=request_id, remote_addr=address, door=door))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            CURRENT.reset(token)
        response["X-Request-ID"] = request_id
        return response


# What a page of ours never uses, no script in it may either. Only names that browsers know: they complain of others.
UNUSED = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
NOTHING = "default-src 'none'; frame-ancestors 'none'"


class HeadersMiddleware:
    """What every answer says to a browser, also one that was given before anything else was asked.

    No answer has a CORS header: no page of another origin reads anything here.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.always = {
            "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Content-Security-Policy": NOTHING,
            "Cache-Control": "private, no-store",
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in self.always.items():
            response.setdefault(name, value)
        if "private" in response["Cache-Control"]:
            patch_vary_headers(response, ["Cookie", "HX-Request"])
        return response


class PlainRequestsMiddleware:
    """Turns away what no page or program of ours sends and some part behind this would stumble over.

    PostgreSQL keeps no NUL, and a body in a charset that is none of text breaks Django's form parser. The answer is a
    problem document for everybody, because nothing that a page needs is known of the request yet.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            return problems.problem(NotFound())
        if "%00" in request.META.get("QUERY_STRING", ""):
            return problems.problem(Invalid("The address holds a NUL character.", code="nul_character"))
        charset = (request.content_params or {}).get("charset", "utf-8").lower()
        if charset not in {"utf-8", "utf8"}:
            return problems.problem(UnsupportedType("Send text in UTF-8."))
        return self.get_response(request)


class PrivateAnswersMiddleware:
    """Answers of a signed-in session stay with that person: never in a shared cache, never for the next one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        return response


class ErrorsMiddleware:
    """Turns our errors, and a database that is out of reach, into answers. The one place that does."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and request.path_info.startswith("/api/"):
            refused = problems.problem(WrongMethod())
            refused["Allow"] = response["Allow"]
            return refused
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, SecondLookError):
            refusals.note(request, error, door="page")
            return problems.answer(request, error)
        if isinstance(error, OperationalError):
            logger.error("database_unavailable", error=str(error))
            return problems.answer(request, problems.from_database(error))
        return None


class LockMiddleware:
    """A locked session gets nothing but what `accounts.lock` lists: pages lead to the lock screen, scripts get 401."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Before anything is drawn: a page that says "not found" or "forged" does not come by a view.
        request.is_locked_out = lock.close_if_locked(request)  # type: ignore[attr-defined]
        response = self.get_response(request)
        lock.settle(request)
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        if not getattr(request, "is_locked_out", False) or lock.works_locked(request):
            return None
        if not wants_fragment(request) and request.content_type != "application/json":
            onward = {"next": request.get_full_path()} if request.method == "GET" else None
            return redirect(reverse("lock", query=onward))
        response = problems.problem(Locked())
        # htmx follows this; our own modules go by the code.
        response["HX-Redirect"] = reverse("lock")
        return response
