"""New accounts, and the one-time links with which their people set a password."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import password_links
from accounts.access import person_for, reach
from accounts.actions.people import make_password_link, set_password, welcome
from accounts.doors import freshly_signed_in, person_of, public, signed_in
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
            return link_page(request, made_from(request, form))
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


def link_page(request: HttpRequest, person: User, path: str = "") -> HttpResponse:
    """The page that shows a link, this once."""
    link = request.build_absolute_uri(path or password_links.path_for(person))
    return render(request, "accounts/password_link.html", {"person": person, "link": link})


@require_POST
@signed_in("grant_all wherever the person holds a role")
@freshly_signed_in
def password_link(request: HttpRequest, pk: UUID) -> HttpResponse:
    person, why = person_for(request.user, pk), request.POST.get("reason", "")
    try:
        path = make_password_link(person=person, actor=person_of(request), reason=why, now=timezone.now())
    except (Conflict, Invalid) as error:
        return shown(request, person, error=error)
    return link_page(request, person, path)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@public("whoever holds a one-time link that an administrator made; anything else is a 404")
def set_first_password(request: HttpRequest, pk: UUID, proof: str) -> HttpResponse:
    person = password_links.person_behind(pk, proof)
    form: SetPasswordForm[User] = SetPasswordForm(person, request.POST or None)
    if not form.is_valid():
        context = {"form": form, "person": person}
        return render(request, "accounts/set_password.html", context, status=422 if form.is_bound else 200)
    set_password(person=person, password=form.cleaned_data["new_password1"], now=timezone.now())
    messages.success(request, _("Your password is set. Sign in with it."))
    return redirect("account_login")
