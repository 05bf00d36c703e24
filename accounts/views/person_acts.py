"""What can be done about a person's roles, account and tokens. Each form comes back to the person's page."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.access import grants_for, people_for, person_for
from accounts.actions import grants, people, tokens
from accounts.doors import freshly_signed_in, person_of, signed_in
from accounts.exceptions import Conflict, Invalid, NotFound
from accounts.forms import RoleForm
from accounts.models import Grant, PersonalToken, User
from accounts.views.people import given, role_form
from accounts.views.person import shown


def done(request: HttpRequest, person: User, act: Callable[[], Any], said: str | Promise) -> HttpResponse:
    """Do it and come back to the person's page; what cannot be, and what has changed, is said there."""
    try:
        act()
    except (Conflict, Invalid) as error:
        return shown(request, User.objects.get(pk=person.pk), error=error)
    messages.success(request, str(said))
    # Whose last role here was taken back is nobody's business here any more.
    seen = people_for(request.user).filter(pk=person.pk).exists()
    return redirect("person", person.public_id) if seen else redirect("people")


def signed(request: HttpRequest) -> dict[str, Any]:
    """Who does it, why and when, as the actions about accounts take them."""
    return {"actor": person_of(request), "reason": request.POST.get("reason", ""), "now": timezone.now()}


def filled(request: HttpRequest) -> RoleForm:
    """The form of a role, valid. Raises Invalid with what is wrong with it."""
    form = role_form(request, RoleForm)
    if not form.is_valid():
        raise Invalid(" ".join(f"{label_of(form, name)}: {said[0]}" for name, said in form.errors.items()), code="form")
    return form


def label_of(form: RoleForm, name: str) -> str:
    return str(form[name].label) if name in form.fields else ""


@require_POST
@signed_in("grant_all or grant_operator on the scope, for a person whom one may see")
@freshly_signed_in
def give_role(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = person_for(request.user, pk)

    def act() -> None:
        form = filled(request)
        why, now = form.cleaned_data["reason"], timezone.now()
        grants.give(person=person, reason=why, giver=person_of(request), now=now, **given(form))

    return done(request, person, act, _("The role was given."))


def grant_of(request: HttpRequest, pk: UUID) -> Grant:
    """A grant that the viewer may know of, over or not; whether it still is, the action decides."""
    grant = grants_for(request.user).select_related("person").filter(pk=pk).first()
    if grant is None:
        raise NotFound
    return grant


@require_POST
@signed_in("grant_all or grant_operator on the grant's scope and on the new one")
@freshly_signed_in
def change_grant(request: HttpRequest, pk: UUID) -> HttpResponse:
    grant = grant_of(request, pk)

    def act() -> None:
        form, now = filled(request), timezone.now()
        why = form.cleaned_data["reason"]
        grants.change(grant=grant, wanted=form.wanted(now), reason=why, changer=person_of(request), now=now)

    return done(request, grant.person, act, _("The role was changed."))


@require_POST
@signed_in("grant_all or grant_operator on the grant's scope")
@freshly_signed_in
def end_grant(request: HttpRequest, pk: UUID) -> HttpResponse:
    grant, by = grant_of(request, pk), signed(request)
    act = partial(grants.take_back, grant=grant, taker=by["actor"], reason=by["reason"], now=by["now"])
    return done(request, grant.person, act, _("The role was taken back."))


@require_POST
@signed_in("grant_all wherever the person holds a role")
@freshly_signed_in
def deactivate(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = person_for(request.user, pk)
    act = partial(people.deactivate, person=person, **signed(request))
    return done(request, person, act, _("The account is deactivated: sessions and tokens ended."))


@require_POST
@signed_in("grant_all wherever the person holds a role")
@freshly_signed_in
def reactivate(request: HttpRequest, pk: UUID) -> HttpResponse:
    person = person_for(request.user, pk)
    return done(request, person, partial(people.reactivate, person=person, **signed(request)), _("Active again."))


@require_POST
@signed_in("grant_all wherever the person holds a role")
@freshly_signed_in
def rename(request: HttpRequest, pk: UUID) -> HttpResponse:
    person, before, name = person_for(request.user, pk), request.POST.get("before", ""), request.POST.get("name", "")
    act = partial(people.rename, person=person, name=name, before=before, **signed(request))
    return done(request, person, act, _("The name was changed."))


@require_POST
@signed_in("grant_all wherever the token's person holds a role")
@freshly_signed_in
def revoke_token(request: HttpRequest, pk: UUID) -> HttpResponse:
    token = PersonalToken.objects.filter(pk=pk, person__in=people_for(request.user)).select_related("person").first()
    if token is None:
        raise NotFound
    by = signed(request)
    act = partial(tokens.revoke, token=token, person=by["actor"], reason=by["reason"], now=by["now"])
    return done(request, token.person, act, _("The token was revoked."))
