"""The person's own pages: my account and roles, my tokens."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions.tokens import issue, revoke
from accounts.doors import freshly_signed_in, person_of, signed_in
from accounts.exceptions import Conflict, Invalid, NotFound
from accounts.forms import TokenForm
from accounts.models import Grant, PersonalToken
from accounts.models.token import SCOPE_WORDS
from accounts.person_page import ended_rows, named_rows
from accounts.reaches import reached

PAST = 20


@require_safe
@signed_in("the own account")
def me(request: HttpRequest) -> HttpResponse:
    person, now = person_of(request), timezone.now()
    mine = Grant.objects.filter(person=person)
    context = {
        "person": person,
        "grants": named_rows(list(mine.live(now).select_related("granted_by").order_by("created_at"))),
        "ended": ended_rows(mine, now),
        "reached": reached(person, mine, now=now),
        "tokens": PersonalToken.objects.live(now).filter(person=person).count(),
    }
    return render(request, "accounts/me.html", context)


@require_http_methods(["GET", "POST"])
@signed_in("the own tokens")
def my_tokens(request: HttpRequest) -> HttpResponseBase:
    return make_token(request) if request.method == "POST" else token_page(request, TokenForm())


@freshly_signed_in
def make_token(request: HttpRequest) -> HttpResponse:
    form, now, secret = TokenForm(request.POST), timezone.now(), ""
    try:
        if form.is_valid():
            asked = {"name": form.cleaned_data["name"], "scopes": form.cleaned_data["scopes"]}
            _row, secret = issue(person=person_of(request), now=now, ends_at=form.ends_at(now), **asked)
    except (Conflict, Invalid) as error:
        form.add_error(None, str(error.detail))
        return token_page(request, form, status=error.status)
    return token_page(request, TokenForm() if secret else form, secret, status=200 if secret else 422)


def token_page(request: HttpRequest, form: TokenForm, secret: str = "", status: int = 200) -> HttpResponse:
    rows, now = PersonalToken.objects.filter(person=person_of(request)).order_by("-created_at"), timezone.now()
    live = list(rows.live(now))
    past = list(rows.exclude(pk__in=[token.pk for token in live])[:PAST])
    context: dict[str, Any] = {"form": form, "secret": secret, "live": live, "past": past, "words": SCOPE_WORDS}
    return render(request, "accounts/tokens.html", context, status=status)


@require_POST
@signed_in("the own token")
def revoke_my_token(request: HttpRequest, pk: UUID) -> HttpResponse:
    token = PersonalToken.objects.filter(pk=pk, person=person_of(request)).select_related("person").first()
    if token is None:
        raise NotFound
    try:
        revoke(token=token, person=person_of(request), now=timezone.now())
    except Conflict as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("The token was revoked. Whatever used it is turned away from now on."))
    return redirect("my-tokens")
