"""Whose browser this is, whether its session is locked, and what works while it is. The routes are a closed list.

A locked session is signed out for everything but the list: the visitor of such a request is nobody, so a view that
forgets to ask shows nothing either.
"""

from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, login
from django.contrib.auth.models import AnonymousUser
from django.core.signing import BadSignature, dumps, loads
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from accounts.actions import shifts
from accounts.authentication import UNLOCKED_AT, UNLOCKED_WITH
from accounts.doors import View, wants_fragment
from accounts.models import Shift, User, Workstation
from accounts.models.workstation import SHIFT

# What the session keeps of the sign-in; that of a person who comes back by PIN says the same, with the old times.
SIGN_IN = (BACKEND_SESSION_KEY, "account_authentication_methods", "account_authentication_methods_user")
COOKIE_SALT = "secondlook.workstation"
COOKIE_LASTS = timedelta(days=365)
ACTIVE_EVERY = timedelta(seconds=30)

# URL names that answer a locked session. The API goes by tokens and knows no session.
WORKS_LOCKED = frozenset({"lock", "lock-unlock", "lock-leave", "lock-urgent", "healthz", "readyz"})
API_NAMESPACE = "api-1"


def cookie_name() -> str:
    """With the prefix that binds a cookie to this very host, where cookies travel by TLS only."""
    return "__Host-workstation" if settings.SESSION_COOKIE_SECURE else "workstation"


def workstation_of(request: HttpRequest) -> Workstation | None:
    """The shared workstation that this browser is; None for a personal one and for one that was retired."""
    signed = request.COOKIES.get(cookie_name())
    if not signed:
        return None
    try:
        pk = UUID(loads(signed, salt=COOKIE_SALT))
    except (BadSignature, ValueError, TypeError):
        return None
    return Workstation.objects.live().filter(pk=pk).first()


def remember_workstation(response: HttpResponse, workstation: Workstation) -> None:
    """Make the browser the workstation: an opaque id, signed, out of reach of scripts."""
    response.set_cookie(
        cookie_name(),
        dumps(str(workstation.pk), salt=COOKIE_SALT),
        max_age=COOKIE_LASTS,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )


def forget_workstation(response: HttpResponse) -> None:
    response.delete_cookie(cookie_name(), samesite="Lax")


def shift_of(session: Any, person: Any) -> Shift | None:
    """The shift that the session of `person` belongs to; None for a session that nothing locks."""
    pk = session.get(SHIFT)
    if pk is None or not isinstance(person, User):
        return None
    return Shift.objects.select_related("person", "workstation").filter(pk=pk, person=person).first()


def is_locked(session: Any, person: Any) -> bool:
    """Whether the session of `person` must show nothing now. One query where the browser is shared, else none."""
    shift = shift_of(session, person)
    if shift is None:
        return isinstance(person, User) and SHIFT in session
    return shift.is_locked(timezone.now())


def close_if_locked(request: HttpRequest) -> bool:
    """Look whether the request's session is locked, and make its visitor nobody if so.

    `request.shift` names the shift from here on; None where there is none.
    """
    shift = shift_of(request.session, request.user)
    request.shift = shift  # type: ignore[attr-defined]
    if shift is None and SHIFT not in request.session:
        return False
    now = timezone.now()
    if shift is None or shift.is_locked(now):
        request.user = AnonymousUser()
        return True
    if is_an_act(request) and now - shift.last_active_at >= ACTIVE_EVERY:
        shifts.stay(shift=shift, now=now)
    return False


def is_an_act(request: HttpRequest) -> bool:
    """Whether a person asked for this: a page that he opened or a form that he sent.

    What scripts fetch is none, because pages fetch by themselves. A page that reloads itself is none either, where the
    browser tells. What the hand does within a page is reported by `static/js/lock.js`.
    """
    if "text/html" not in request.headers.get("Accept", "") or wants_fragment(request):
        return False
    return "Sec-Fetch-Mode" not in request.headers or request.headers.get("Sec-Fetch-User") == "?1"


def works_locked(request: HttpRequest) -> bool:
    """Whether this route answers a locked session too."""
    match = request.resolver_match
    return match is not None and (match.namespace == API_NAMESPACE or match.view_name in WORKS_LOCKED)


def settle(request: HttpRequest) -> None:
    """After the view: a full sign-in at a browser that locks begins a shift. Every way to sign in comes by here."""
    personal = settings.SECONDLOOK["PERSONAL_LOCK_MINUTES"]
    if not personal and cookie_name() not in request.COOKIES:
        return
    if not isinstance(request.user, User) or SHIFT in request.session:
        return
    workstation = workstation_of(request)
    if workstation is not None or personal:
        begin_shift(request, workstation)


def begin_shift(request: HttpRequest, workstation: Workstation | None) -> Shift:
    """Let the session of somebody who has fully signed in be lockable from now on."""
    assert isinstance(request.user, User)
    sign_in = {key: request.session[key] for key in SIGN_IN if key in request.session}
    shift = shifts.begin(person=request.user, workstation=workstation, sign_in=sign_in, now=timezone.now())
    request.session[SHIFT] = str(shift.pk)
    for key in (UNLOCKED_WITH, UNLOCKED_AT):
        request.session.pop(key, None)
    request.shift = shift  # type: ignore[attr-defined]
    return shift


def open_session(request: HttpRequest, shift: Shift, unlocked_with: str, now: datetime) -> User | None:
    """Give the browser to the person of `shift`, who has proved who he is. Returns whom it was taken from, if any.

    The same person goes on in his session. Anybody else gets a new one: its key, its data, its CSRF secret.
    """
    if request.session.get(SHIFT) == str(shift.pk):
        request.session.update({UNLOCKED_WITH: unlocked_with, UNLOCKED_AT: now.timestamp()})
        return None
    before = getattr(request, "shift", None)
    request.session.flush()
    login(request, shift.person, backend=shift.sign_in[BACKEND_SESSION_KEY])
    opened = {SHIFT: str(shift.pk), UNLOCKED_WITH: unlocked_with, UNLOCKED_AT: now.timestamp()}
    request.session.update(shift.sign_in | opened)
    request.session.set_expiry(max(1, int((shift.ends_at - now).total_seconds())))
    request.shift = shift  # type: ignore[attr-defined]
    return before.person if before else None


def clear_cache(response: HttpResponseBase) -> None:
    """Let the browser forget the pages and pictures of whoever leaves.

    Not its storage: unsent answers lie there, encrypted for their owner; scripts remove the rest.
    """
    response["Clear-Site-Data"] = '"cache"'


def leaving(view: View) -> View:
    """For the sign-out: the shift at this browser ends with the session, and the browser forgets pages and pictures."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        shift: Shift | None = getattr(request, "shift", None)
        response = view(request, *args, **kwargs)
        if request.method != "POST" or request.user.is_authenticated:
            return response
        if shift is not None:
            shifts.end(shift=shift, why="signed out", now=timezone.now())
        if shift is not None and shift.workstation is not None:
            response = redirect("lock")
        clear_cache(response)
        return response

    return door
