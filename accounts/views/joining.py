"""Pages of the links that work once. The token comes out of the address by script, or is typed."""

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import throttle
from accounts.actions.invitations import LinkOver, accept, set_new_password
from accounts.doors import public
from accounts.exceptions import SecondLookError
from accounts.forms_security import JoinForm, LinkPasswordForm
from accounts.models import User


@require_http_methods(["GET", "POST"])
@public("whoever holds an invitation")
def join(request: HttpRequest) -> HttpResponse:
    form = JoinForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return page(request, "join.html", form)
    given = form.cleaned_data
    try:
        attempt = throttle.begin((throttle.ADDRESS, request.META["REMOTE_ADDR"]))
        person = accept(
            token=given["token"], username=given["username"], password=given["password"], now=timezone.now()
        )
    except SecondLookError as error:
        return refused(request, "join.html", form, error)
    attempt.was_right()
    return enter(request, person)


@require_http_methods(["GET", "POST"])
@public("whoever holds a link for a new password")
def new_password(request: HttpRequest) -> HttpResponse:
    form = LinkPasswordForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return page(request, "new_password.html", form)
    given = form.cleaned_data
    try:
        attempt = throttle.begin((throttle.ADDRESS, request.META["REMOTE_ADDR"]))
        person = set_new_password(token=given["token"], password=given["password"], now=timezone.now())
    except SecondLookError as error:
        return refused(request, "new_password.html", form, error)
    attempt.was_right()
    return enter(request, person)


def enter(request: HttpRequest, person: User) -> HttpResponse:
    """Sign in, by way of the second step when the account has one."""
    if request.user.is_authenticated:
        request.session.flush()
    record_authentication(request, person, method="password")
    response: HttpResponse = perform_login(request, Login(user=person))
    return response


def refused(request: HttpRequest, template: str, form: Any, error: SecondLookError) -> HttpResponse:
    if isinstance(error, LinkOver):
        return render(request, "account/link_over.html", {"detail": error.detail}, status=error.status)
    field = {"weak_password": "password", "username": "username", "username_taken": "username"}.get(error.code)
    form.add_error(field, str(error.detail))
    return page(request, template, form, error.status)


def page(request: HttpRequest, template: str, form: Any, status: int = 422) -> HttpResponse:
    return render(request, f"account/{template}", {"form": form}, status=status if form.is_bound else 200)
