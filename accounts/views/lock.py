"""The lock screen: who is locked, what is urgent, and the ways back: PIN, badge, somebody else, password."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts import lock
from accounts.actions import shifts, workstation
from accounts.doors import public, signed_in, wants_fragment
from accounts.exceptions import SecondLookError
from accounts.ids import as_uuid
from accounts.models import Shift, Workstation
from accounts.models.workstation import SHIFT
from accounts.urgent import Urgent, urgent_for

NEIGHBOURS = 11
CODE_MOST = 200


@require_safe
@public("the lock screen: names of people on shift at this very computer, and counts")
def screen(request: HttpRequest) -> HttpResponse:
    here, shift = lock.workstation_of(request), locked_shift(request)
    if request.user.is_authenticated:
        return redirect(way_on(request, request.GET))
    if shift is None and SHIFT not in request.session and not others_here(here, None, timezone.now()):
        return redirect("account_login")
    return show(request, here, shift)


def locked_shift(request: HttpRequest) -> Shift | None:
    """The shift whose session is locked in this browser; None when nobody is signed in here."""
    shift: Shift | None = getattr(request, "shift", None)
    return None if shift is None or request.user.is_authenticated else shift


def show(request: HttpRequest, here: Workstation | None, shift: Shift | None, **more: Any) -> HttpResponse:
    now = timezone.now()
    others = others_here(here, shift, now)
    chosen = more.pop("chosen", None) or (shift.person.public_id if shift else None)
    context = {
        "workstation": here,
        "shift": shift,
        "over": shift is not None and shift.is_over(now),
        "people": ([shift] if shift and not shift.is_over(now) and here else []) + others,
        "chosen": chosen,
        "urgent": urgent_here(shift, now),
        "next": way_on(request, request.POST or request.GET, fallback=""),
    }
    return render(request, "accounts/lock.html", context | more, status=422 if more else 200)


def others_here(here: Workstation | None, shift: Shift | None, now: datetime) -> list[Shift]:
    """Who else has fully signed in here in this shift; the last one at work first."""
    if here is None:
        return []
    rows = Shift.objects.live(now).filter(workstation=here, person__is_active=True).select_related("person")
    rows = rows.exclude(person_id=shift.person_id) if shift else rows
    return list(rows.order_by("-last_active_at")[:NEIGHBOURS])


def urgent_here(shift: Shift | None, now: datetime) -> Urgent | None:
    return urgent_for(shift.person, now) if shift and shift.person.is_active else None


@require_safe
@public("counts of the locked person's own queues, in the locked session only")
def urgent(request: HttpRequest) -> HttpResponse:
    found = urgent_here(locked_shift(request), timezone.now())
    return render(request, "accounts/_lock_urgent.html", {"urgent": found})


@require_POST
@signed_in("anybody, for the own session")
def lock_now(request: HttpRequest) -> HttpResponse:
    """Lock this session. A browser that is not shared is opened again by its person's password only."""
    shift = getattr(request, "shift", None) or lock.begin_shift(request, lock.workstation_of(request))
    why = "idle" if request.GET.get("why") == "idle" else "asked"
    shifts.lock(shift=shift, why=why, now=timezone.now())
    onward = way_on(request, request.POST, fallback="")
    screen_of = reverse("lock", query={"next": onward} if onward else None)
    response = HttpResponse(status=204) if wants_fragment(request) else redirect(screen_of)
    lock.clear_cache(response)
    return response


@require_POST
@signed_in("anybody, for the own session")
def active(request: HttpRequest) -> HttpResponse:
    """Somebody touched the page: the server's clock of idleness begins anew."""
    shift = getattr(request, "shift", None)
    if shift is not None:
        shifts.stay(shift=shift, now=timezone.now())
    return HttpResponse(status=204)


@require_POST
@public("opens with a PIN or a badge of somebody who fully signed in at this very computer")
def unlock(request: HttpRequest) -> HttpResponse:
    here, shift, now = lock.workstation_of(request), locked_shift(request), timezone.now()
    if request.user.is_authenticated or here is None:
        return redirect("lock")
    code, chosen = request.POST.get("code", "")[:CODE_MOST].strip(), as_uuid(request.POST.get("person", ""))
    try:
        opened, way = workstation.come_back(workstation=here, code=code, chosen=chosen, now=now)
        shifts.unlock(shift=opened, way=way, before=shift.person if shift else None, now=now)
    except SecondLookError as error:
        return show(request, here, current(shift), chosen=chosen, trouble=error.detail)
    before = lock.open_session(request, opened, way, now)
    onward = way_on(request, request.POST) if before is None and shift is not None else reverse("home")
    response = redirect(onward)
    if before is not None and shift is not None and shift.locked_at is None:
        # Only time had locked it, without a page that asked for it: what the browser keeps was not cleared yet.
        lock.clear_cache(response)
    return response


def current(shift: Shift | None) -> Shift | None:
    """The locked shift as it is after a refused try, which may have ended it."""
    if shift is not None:
        shift.refresh_from_db(fields=["ended_at", "locked_at"])
    return shift


@require_POST
@public("ends the locked session, which shows nothing; the sign-in follows")
def leave(request: HttpRequest) -> HttpResponse:
    """On to the sign-in with password. The locked person's shift goes on: a PIN or a badge still opens it here."""
    onward = way_on(request, request.POST, fallback="")
    if not request.user.is_authenticated:
        request.session.flush()
    response = redirect(reverse("account_login", query={"next": onward} if onward else None))
    lock.clear_cache(response)
    return response


def way_on(request: HttpRequest, said: Any, fallback: str = "/") -> str:
    """Where somebody goes on: the page of ours that the request names, never another host."""
    onward = str(said.get("next", ""))[:2000]
    fits = url_has_allowed_host_and_scheme(onward, {request.get_host()}, require_https=request.is_secure())
    return onward if fits and onward.startswith("/") and not onward.startswith(reverse("lock")) else fallback
