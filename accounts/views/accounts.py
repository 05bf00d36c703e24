"""New accounts, and the one-time links with which their people set a password."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import person_for, reach
from accounts.actions.invitations import link, make_reset
from accounts.actions.people import welcome
from accounts.doors import freshly_signed_in, person_of, signed_in
from accounts.exceptions import Conflict, Invalid, NotFound
from accounts.forms import NewPersonForm
from accounts.models import User
from accounts.roles import Right
from accounts.views.people import role_form
from accounts.views.person import shown


@require_http_methods(["GET", "POST"])
@signed_in("grant_all on some scope")
@freshly_signed_in
def new_person(request: HttpRequest) -> HttpResponse:
    if not reach(request.user, Right.GRANT_ALL):
        raise NotFound
    form = role_form(request, NewPersonForm)
    try:
        if form.is_valid():
            return link_page(request, made_from(request, form), form.cleaned_data["reason"])
    except (Conflict, Invalid) as error:
        form.add_error(None, str(error.detail))
    return render(request, "accounts/new_person.html", {"form": form}, status=422 if form.is_bound else 200)


def made_from(request: HttpRequest, form: NewPersonForm) -> User:
    data, now = form.cleaned_data, timezone.now()
    return welcome(
        username=data["username"],
        name=data["name"],
        wanted=form.wanted(now),
        maker=person_of(request),
        reason=data["reason"],
        now=now,
    )


def link_page(request: HttpRequest, person: User, reason: str) -> HttpResponse:
    """Make a link with which `person` sets a password, and show it, this once."""
    made, token = make_reset(person=person, maker=person_of(request), reason=reason, now=timezone.now())
    return render(request, "accounts/password_link.html", {"person": person, "link": link(made, token)})


@require_POST
@signed_in("grant_all wherever the person holds a role")
@freshly_signed_in
def password_link(request: HttpRequest, pk: UUID) -> HttpResponse:
    person, why = person_for(request.user, pk), request.POST.get("reason", "")
    try:
        return link_page(request, person, why)
    except (Conflict, Invalid) as error:
        return shown(request, person, error=error)
