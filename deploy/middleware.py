"""What every request gets: an id in answer and log, and answers that no shared cache keeps."""

import re
import secrets
from collections.abc import Callable

import structlog
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from accounts.context import CURRENT, RequestContext
from accounts.exceptions import Invalid, NotFound, SecondLookError
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
        token = CURRENT.set(RequestContext(request_id=request_id, remote_addr=request.META.get("REMOTE_ADDR") or None))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            CURRENT.reset(token)
        response["X-Request-ID"] = request_id
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
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, SecondLookError):
            return problems.answer(request, error)
        if isinstance(error, OperationalError):
            logger.error("database_unavailable", error=str(error))
            return problems.answer(request, problems.from_database(error))
        return None
