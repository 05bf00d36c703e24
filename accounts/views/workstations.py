"""Shared computers: the own one under /me/, and all of a site with the badges of its people."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import lock
from accounts.access import (
    badge_for,
    badges_for,
    manages_workstations,
    people_for,
    sites_known_to,
    workstation_for,
    workstations_for,
)
from accounts.actions import badges, pins, workstation
from accounts.doors import freshly_signed_in, person_of, signed_in
from accounts.exceptions import Invalid, NotFound, SecondLookError
from accounts.models import User
from accounts.outbox import keys_of

PAGE = 200


@require_safe
@signed_in("anybody, for the own browser")
def mine(request: HttpRequest) -> HttpResponse:
    """What this browser is, and the person's PIN on it."""
    shift = getattr(request, "shift", None)
    here = lock.workstation_of(request)
    context = {
        "workstation": here,
        "shift": shift,
        "sites": sites_known_to(request.user),
        "can_retire": here is not None and may_retire(request, here),
        "idle_minutes": int(here.idle.total_seconds() // 60) if here else None,
    }
    return render(request, "accounts/my_workstation.html", context)


def may_retire(request: HttpRequest, here: Any) -> bool:
    return here.created_by_id == request.user.pk or workstations_for(request.user).filter(pk=here.pk).exists()


@require_POST
@signed_in("anybody, for the own browser; a site only where the person has a role")
def share(request: HttpRequest) -> HttpResponse:
    """This browser becomes a shared workstation, and this sign-in the beginning of a shift."""
    if lock.workstation_of(request) is not None:
        return redirect("my-workstation")
    said = request.POST
    site = next((one for one in sites_known_to(request.user) if str(one.pk) == said.get("site")), None)
    try:
        made = workstation.share(
            name=said.get("name", ""), site_id=site.pk if site else None, maker=person_of(request), now=timezone.now()
        )
    except SecondLookError as error:
        return told(request, error, "my-workstation")
    lock.begin_shift(request, made)
    messages.success(request, _("This computer is shared now. It locks when nobody touches it."))
    response = redirect("my-workstation")
    lock.remember_workstation(response, made)
    return response


@require_POST
@signed_in("whoever made it shared, or manages the workstations of its site")
def unshare(request: HttpRequest) -> HttpResponse:
    here = lock.workstation_of(request)
    if here is None or not may_retire(request, here):
        return redirect("my-workstation")
    workstation.retire(workstation=here, person=person_of(request), now=timezone.now())
    request.session.flush()
    response = redirect("account_login")
    lock.forget_workstation(response)
    lock.clear_cache(response)
    return response


@require_POST
@signed_in("anybody, for the own shift at this computer")
def pin(request: HttpRequest) -> HttpResponse:
    said, shift = request.POST, getattr(request, "shift", None)
    try:
        if shift is None or shift.workstation is None:
            raise Invalid(_("A PIN works on a shared computer only."), code="no_shift")
        if said.get("pin", "") != said.get("again", ""):
            raise Invalid(_("The two PINs differ. Type the same one twice."), code="pin_differs")
        pins.set_pin(shift=shift, pin=said.get("pin", ""), now=timezone.now())
    except SecondLookError as error:
        return told(request, error, "my-workstation")
    messages.success(request, _("The PIN opens this computer for you until the end of the shift."))
    return redirect("my-workstation")


def told(request: HttpRequest, error: SecondLookError, page: str) -> HttpResponse:
    messages.error(request, str(error.detail))
    return redirect(page)


@require_safe
@signed_in("anybody, the own keys")
def outbox_keys(request: HttpRequest) -> JsonResponse:
    """What the person's unsent answers are encrypted with in the browser."""
    return JsonResponse({"keys": keys_of(person_of(request))})


@require_safe
@signed_in("grant_all or grant_operator on the site")
def workstations(request: HttpRequest) -> HttpResponse:
    return show_all(request)


def show_all(request: HttpRequest, *, trouble: str = "") -> HttpResponse:
    """The page; with `trouble` as the answer to a badge that could not be registered."""
    if not manages_workstations(request.user):
        raise NotFound
    sought = request.GET.get("q", "").replace("\0", "")[:100]
    rows = workstations_for(request.user).select_related("created_by").order_by("name")
    cards = badges_for(request.user).select_related("person", "created_by").order_by("person__name", "name")
    if sought:
        rows, cards = rows.filter(name__icontains=sought), cards.filter(person__name__icontains=sought)
    names = {site.pk: site.name for site in sites_known_to(request.user)}
    shown = list(cards[:PAGE])
    anew = badges.to_be_registered_anew(shown, timezone.now())
    context = {
        "rows": [{"workstation": row, "site": names.get(row.site_id, "")} for row in rows[:PAGE]],
        "badges": [{"badge": card, "anew": card.pk in anew} for card in shown],
        "most": PAGE,
        "usual_minutes": settings.SECONDLOOK["LOCK_MINUTES"],
        "sought": sought,
        "trouble": trouble,
    }
    return render(request, "accounts/workstations.html", context, status=422 if trouble else 200)


@require_POST
@signed_in("grant_all or grant_operator on the workstation's site")
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    row, said = workstation_for(request.user, pk), request.POST
    try:
        workstation.change(
            workstation=row,
            name=said.get("name", ""),
            idle_minutes=minutes_of(said.get("idle_minutes", "")),
            changer=person_of(request),
            now=timezone.now(),
        )
    except SecondLookError as error:
        return told(request, error, "workstations")
    messages.success(request, _("Saved."))
    return redirect("workstations")


def minutes_of(text: str) -> int | None:
    """The minutes as they were typed; None for the usual ones."""
    typed = text.strip()
    if not typed:
        return None
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 5 else 0


@require_POST
@signed_in("grant_all or grant_operator on the workstation's site")
def retire(request: HttpRequest, pk: UUID) -> HttpResponse:
    row = workstation_for(request.user, pk)
    try:
        workstation.retire(workstation=row, person=person_of(request), now=timezone.now())
    except SecondLookError as error:
        return told(request, error, "workstations")
    messages.success(request, _("The workstation is retired. Whoever was signed in there signs in anew."))
    return redirect("workstations")


@require_POST
@signed_in("grant_all or grant_operator over every role of the person")
@freshly_signed_in
def register_badge(request: HttpRequest) -> HttpResponse:
    if not manages_workstations(request.user):
        raise NotFound
    said = request.POST
    try:
        badges.register(
            person=somebody(request, said.get("person", "")),
            number=said.get("number", ""),
            name=said.get("name", "").replace("\0", "")[:80],
            maker=person_of(request),
            now=timezone.now(),
        )
    except SecondLookError as error:
        return show_all(request, trouble=str(error.detail))
    messages.success(request, _("The badge is registered. It opens after a full sign-in of the shift."))
    return redirect("workstations")


def somebody(request: HttpRequest, username: str) -> User:
    """The active person with this sign-in name. Raises Invalid, also for one whom the asker may not know of."""
    known = people_for(request.user).filter(is_active=True)
    person = known.filter(username=username.replace("\0", "").strip()).first()
    if person is None:
        raise Invalid(_("There is no active person with this sign-in name."), code="unknown_person")
    return person


@require_POST
@signed_in("grant_all or grant_operator on a scope where the person has a role")
def revoke_badge(request: HttpRequest, pk: UUID) -> HttpResponse:
    card = badge_for(request.user, pk)
    try:
        badges.revoke(badge=card, person=person_of(request), now=timezone.now())
    except SecondLookError as error:
        return told(request, error, "workstations")
    messages.success(request, _("The badge opens nothing any more."))
    return redirect("workstations")
