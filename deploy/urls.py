"""Every path of the product."""

import sys

from django.conf import settings
from django.contrib import admin
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.urls import include, path
from django.utils.translation import gettext_lazy as _

from accounts.context import CURRENT
from accounts.exceptions import NotFound, SecondLookError, Unreadable
from deploy import health, metrics
from deploy.tls.views import authority_certificate
from review import problems
from review.api.root import api
from review.views import reference

admin.site.site_header = admin.site.site_title = _("Second Look support desk")

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("trust/authority.crt", authority_certificate, name="authority-certificate"),
    path("api/v1/docs", reference.reference, name="api-reference"),
    path("api/v1/", api.urls),
    *([path("support/", admin.site.urls)] if settings.SECONDLOOK["SUPPORT_DESK"] else []),
    path("", include("accounts.urls")),
    path("", include("inference.urls")),
    path("", include("review.urls")),
]


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that does not exist answers like an object that is not yours."""
    return problems.answer(request, NotFound())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django itself turns away, such as another host's name: often before anything is known of the person."""
    error = Unreadable()
    return problems.answer(request, error) if hasattr(request, "user") else problems.problem(error)


handler400 = bad_request


def broken(request: HttpRequest) -> HttpResponse:
    """A fault of ours: the number under which it stands in the log, and nothing of what happened.

    A database that is out of reach, noticed before any view ran, is no fault: come back in a moment.
    """
    if isinstance(error := sys.exc_info()[1], OperationalError):
        return problems.problem(problems.from_database(error))
    if request.path_info.startswith("/api/"):
        return problems.problem(SecondLookError())
    # Without the request: what a page shows around itself may be what broke.
    page = get_template("500.html").render({"request_id": CURRENT.get().request_id})
    return HttpResponse(page, status=500)


handler404 = page_not_found
handler500 = broken
