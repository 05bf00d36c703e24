"""Sessions that may not go on as they are: a role asks for a second factor, or single sign-on has to be repeated.

Both are decided from what the session and its person already hold, so that no page asks the database for it.
"""

import time
from collections.abc import Callable
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

from allauth.account.internal.flows.logout import logout
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actions.sign_in import note_client
from accounts.authentication import records_of
from accounts.doors import wants_fragment
from accounts.exceptions import Refused, SecondLookError, Unauthenticated

NOTE_EVERY_S = 60
FACTORS = {"totp", "webauthn", "recovery_codes"}
# What somebody who has to set up a factor may still open.
OPEN_ROUTES = frozenset(
    {
        "account_logout",
        "lock",
        "lock-now",
        "lock-active",
        "account_reauthenticate",
        "security",
        "app-set-up",
        "passkey-add",
        "recovery-codes",
        "sso-start",
        "sso-back",
        "healthz",
        "readyz",
    }
)


class Hindrance(StrEnum):
    """Why a session may not go on as it is."""

    SIGN_ON_AGAIN = "sign_on_again"
    SECOND_FACTOR = "second_factor"


class SignInRulesMiddleware:
    """Behind the middleware of authentication and of django-allauth."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        note_activity(request)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        # Calls with a token carry no cookie, and nothing of a session is read for them.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return None
        found = hindrance(request.session, request.user)
        if found == Hindrance.SIGN_ON_AGAIN:
            return sign_on_again(request)
        route = request.resolver_match.view_name if request.resolver_match else ""
        if found == Hindrance.SECOND_FACTOR and route not in OPEN_ROUTES:
            return set_up_first(request)
        return None


def hindrance(session: Any, person: Any) -> Hindrance | None:
    """What keeps this session of `person` from going on; for pages and the live socket alike."""
    visit = SimpleNamespace(session=session, user=person)
    if must_sign_on_again(visit):
        return Hindrance.SIGN_ON_AGAIN
    return Hindrance.SECOND_FACTOR if lacks_factor(visit) else None


def lacks_factor(request: Any) -> bool:
    """Whether a role of the person asks for a second factor and this session has seen none."""
    if not getattr(request.user, "needs_factor", False):
        return False
    return not any(one.get("type") in FACTORS or one.get("mfa") for one in records_of(request))


def must_sign_on_again(request: Any) -> bool:
    """Whether this session came from single sign-on longer ago than settings allow, so that its groups may be stale."""
    came = [one["at"] for one in records_of(request) if one["method"] == "sso"]
    limit: int = settings.SECONDLOOK["SSO_HOURS"]
    return bool(came) and time.time() - max(came) > limit * 3600


def set_up_first(request: HttpRequest) -> HttpResponse:
    if wants_fragment(request):
        why = _("Your role asks for a second factor. Set one up first.")
        return problem(Refused(why, code="second_factor_required"))
    return redirect("security")


def sign_on_again(request: HttpRequest) -> HttpResponse:
    logout(request, show_message=False)
    if request.method != "GET" or wants_fragment(request):
        return problem(Unauthenticated(_("Your single sign-on is too long ago. Sign in again.")))
    return redirect_to_login(request.get_full_path())


def problem(error: SecondLookError) -> JsonResponse:
    """The error for a script. Raised here, before the view, nothing would turn it into an answer."""
    body = {"title": str(error.title), "status": error.status, "detail": str(error.detail), "code": error.code}
    return JsonResponse(body, status=error.status, content_type="application/problem+json")


def note_activity(request: HttpRequest) -> None:
    """Keep when and from where a session was used, at most once a minute."""
    session = getattr(request, "session", None)
    row = getattr(session, "row", None)
    now = timezone.now()
    if row is not None and row.person_id and (now - row.seen_at).total_seconds() > NOTE_EVERY_S:
        note_client(request, now)
