"""Inviting people, and the links that are out."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import granting, invitations_for
from accounts.actions.invitations import invite, link
from accounts.actions.invitations import revoke as revoke_link
from accounts.doors import freshly_signed_in, person_of, signed_in
from accounts.exceptions import NotFound, SecondLookError
from accounts.forms import RoleForm
from accounts.models import Invitation
from accounts.scopes import Named, names_of
from accounts.views.people import role_form

MOST = 200


class InvitationForm(RoleForm):
    """Who is invited to what."""

    name = forms.CharField(max_length=150, label=gettext_lazy("Name of the person"))
    email = forms.EmailField(required=False, max_length=254, label=gettext_lazy("E-mail address, for your own list"))
    field_order = ["name", "email", "role", "scope"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("until", "ends_at", "reason"):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        return self.cleaned_data


@require_http_methods(["GET", "POST"])
@signed_in("grant_all or grant_operator on some scope")
@freshly_signed_in
def invitations(request: HttpRequest) -> HttpResponse:
    if not granting(request.user):
        raise NotFound
    form = role_form(request, InvitationForm)
    if request.method != "POST" or not form.is_valid():
        return listed(request, form)
    given = form.cleaned_data
    scope, scope_id = given["scope"]
    try:
        made, token = invite(
            name=given["name"],
            email=given["email"],
            role=given["role"],
            scope=scope,
            scope_id=scope_id,
            maker=person_of(request),
            now=timezone.now(),
        )
    except SecondLookError as error:
        form.add_error(None, str(error.detail))
        return listed(request, form)
    return listed(request, role_form(request, InvitationForm, data=None), made=made, link=link(made, token))


def listed(request: HttpRequest, form: InvitationForm, **shown: Any) -> HttpResponse:
    rows = list(invitations_for(request.user).select_related("made_by", "person").order_by("-made_at")[:MOST])
    names = names_of({(row.scope_type, row.scope_id) for row in rows if row.role})
    context = {"rows": [row_of(row, names) for row in rows], "form": form} | shown
    return render(request, "accounts/invitations.html", context, status=422 if form.is_bound else 200)


def row_of(row: Invitation, names: dict[tuple[str, UUID | None], Named]) -> dict[str, Any]:
    state = row.state(timezone.now())
    where = names[row.scope_type, row.scope_id].name if row.role else ""
    return {"invitation": row, "where": where, "state": state, "said": Invitation.STATES[state]}


@require_POST
@signed_in("whoever may see the invitation: its maker, or grant_all everywhere")
@freshly_signed_in
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = invitations_for(request.user).filter(pk=pk).first()
    if found is None:
        raise NotFound
    try:
        revoke_link(invitation=found, actor=person_of(request), now=timezone.now())
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("The link does not work any more."))
    return redirect("invitations")
