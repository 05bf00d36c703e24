"""Every route says its access rule, and this is how a view says it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

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
