"""Every route says its access rule, and this is how a view says it."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.authentication import is_fresh
from accounts.exceptions import Unauthenticated
from accounts.models import User

View = Callable[..., HttpResponseBase]


def public(rule: str) -> Callable[[View], View]:
    """Anybody may call this view; `rule` says why that is right."""

    def mark(view: View) -> View:
        view.access_rule = f"public: {rule}"  # type: ignore[attr-defined]
        return view

    return mark


def signed_in(rule: str) -> Callable[[View], View]:
    """Only a signed-in person may call this view; `rule` says which right its access call asks for.

    A page sends the visitor to the sign-in; a fragment or a script gets 401.
    """

    def mark(view: View) -> View:
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if request.method == "GET" and not wants_fragment(request):
                    return redirect_to_login(request.get_full_path())
                raise Unauthenticated
            return view(request, *args, **kwargs)

        door.access_rule = f"signed in: {rule}"  # type: ignore[attr-defined]
        return door

    return mark


def freshly_signed_in(view: View) -> View:
    """For dangerous acts; stands below `signed_in`. A proof of identity older than REAUTH_MINUTES is asked for again.

    A page sends him there and back: to itself, or for a form that was sent to the page that held it, because what was
    typed is not kept. A script gets 401 with the code `reauthentication_required` and the address in `where`.
    """

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_fresh(request):
            return view(request, *args, **kwargs)
        where = reverse("account_reauthenticate")
        if wants_fragment(request):
            why = _("This needs a fresh sign-in. Confirm that it is you, then do it again.")
            raise Unauthenticated(why, code="reauthentication_required", where=where)
        return redirect_to_login(way_back(request), where)

    return door


def way_back(request: HttpRequest) -> str:
    """Where somebody continues who was stopped: this page; for anything but GET the page of ours that he came from."""
    if request.method == "GET":
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    return urlunsplit(("", "", *urlsplit(came_from)[2:4], "")) or "/"


def wants_fragment(request: HttpRequest) -> bool:
    """Whether a script asked: htmx, our own modules, or anybody who wants JSON."""
    return (
        "HX-Request" in request.headers
        or request.headers.get("X-Requested-With") == "fetch"
        or "application/json" in request.headers.get("Accept", "")
    )


def person_of(request: HttpRequest) -> User:
    """The signed-in person of a request behind `signed_in`."""
    assert isinstance(request.user, User)
    return request.user
