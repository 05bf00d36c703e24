"""The answer to a form without its token, recorded like every refused attempt."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.csrf import csrf_failure

from accounts import refusals
from accounts.exceptions import Refused


class TokenMissing(Refused):
    code, title = "csrf", _("The form's token is missing or not ours.")


def failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's answer, with the page `403_csrf.html`."""
    refusals.note(request, TokenMissing(), door="page")
    response: HttpResponse = csrf_failure(request, reason=reason)
    return response
