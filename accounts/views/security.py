"""The own sign-in: password, second factors, browsers that are signed in, linked identities."""

import base64
import hashlib
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import clear_totp_secret, get_totp_secret
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import factors, single_sign_on
from accounts.actions.sessions import end_session, end_sessions
from accounts.adapter import FactorAdapter
from accounts.browser_names import browser_name
from accounts.doors import freshly_signed_in, person_of, signed_in
from accounts.exceptions import NotFound, SecondLookError
from accounts.factors import Type, factors_of, passkeys_of
from accounts.forms_security import AppForm, PasskeyNameForm, PasswordForm
from accounts.models import Session
from accounts.sign_in_rules import lacks_factor
from accounts.sso.providers import providers

OWN = "anybody, for the own account"


@require_http_methods(["GET"])
@signed_in(OWN)
def security(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    rows = factors_of(person)
    kinds = {row.type: row for row in rows}
    issuers = {one.issuer: one.label for one in providers().values()}
    linked = list(person.identities.order_by("linked_at"))
    codes = kinds.get(Type.RECOVERY_CODES)
    context = {
        "has_password": person.has_usable_password(),
        "app": kinds.get(Type.TOTP),
        "passkeys": passkeys_of(person),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "has_factor": bool(kinds.keys() - {Type.RECOVERY_CODES}),
        "lacks_factor": lacks_factor(request),
        "sessions": sessions_of(request),
        "identities": [(one, issuers.get(one.issuer, one.issuer)) for one in linked],
        "linkable": [one for one in providers().values() if one.issuer not in {row.issuer for row in linked}],
    }
    return render(request, "account/security.html", context)


def sessions_of(request: HttpRequest) -> list[dict[str, Any]]:
    """The open sessions of the person, this one first. A session is named by a digest, because its key opens it."""
    rows = Session.objects.open(timezone.now()).filter(person=person_of(request)).order_by("-seen_at")
    here = request.session.session_key
    found = [
        {
            "name": named(row.session_key),
            "browser": browser_name(row.browser),
            "address": row.address,
            "seen_at": row.seen_at,
            "opened_at": row.opened_at,
            "here": row.session_key == here,
        }
        for row in rows
    ]
    return sorted(found, key=lambda one: not one["here"])


def named(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


@require_http_methods(["GET", "POST"])
@signed_in(OWN)
@freshly_signed_in
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = person_of(request)
        new, keep = form.cleaned_data["password"], request.session.session_key
        try:
            factors.set_password(person=person, password=new, keep=keep, actor=person, now=timezone.now())
        except SecondLookError as error:
            form.add_error("password", str(error.detail))
        else:
            update_session_auth_hash(request, person)
            messages.success(request, _("The password was changed. Other browsers have to sign in again."))
            return redirect("security")
    return page(request, "password.html", {"form": form})


@require_http_methods(["GET", "POST"])
@signed_in(OWN)
@freshly_signed_in
def app(request: HttpRequest) -> HttpResponse:
    """The key is made here, shown as a picture and as text, and kept once the app has shown a right code."""
    person, secret = person_of(request), get_totp_secret()
    form = AppForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = factors.add_app(person=person, secret=secret, code=form.cleaned_data["code"], now=timezone.now())
        except SecondLookError as error:
            form.add_error("code", str(error.detail))
        else:
            clear_totp_secret(request)
            record_authentication(request, person, "mfa", id=made.pk, type=str(Type.TOTP))
            return after_first_factor(request)
    adapter = FactorAdapter()
    picture = adapter.build_totp_svg(adapter.build_totp_url(person, secret))
    data = base64.b64encode(picture.encode()).decode()
    return page(request, "app.html", {"form": form, "secret": secret, "picture": data})


@require_http_methods(["GET", "POST"])
@signed_in(OWN)
@freshly_signed_in
def passkey(request: HttpRequest) -> HttpResponse:
    person, form = person_of(request), PasskeyNameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = factors.add_passkey(person=person, **form.cleaned_data)
        except SecondLookError as error:
            form.add_error(None, str(error.detail))
        else:
            record_authentication(request, person, "mfa", id=made.pk, type=str(Type.WEBAUTHN))
            return after_first_factor(request)
    return page(request, "passkey.html", {"form": form, "options": webauthn.begin_registration(person, True)})


def after_first_factor(request: HttpRequest) -> HttpResponse:
    """On to the recovery codes when there are none; otherwise back."""
    messages.success(request, _("Done. You are asked for it at your next sign-in."))
    has_codes = any(row.type == Type.RECOVERY_CODES for row in factors_of(person_of(request)))
    return redirect("security" if has_codes else "recovery-codes")


@require_POST
@signed_in(OWN)
@freshly_signed_in
def remove(request: HttpRequest, number: int) -> HttpResponse:
    factors.remove_factor(person=person_of(request), pk=number, now=timezone.now())
    messages.success(request, _("It was removed."))
    return redirect("security")


@require_http_methods(["GET", "POST"])
@signed_in(OWN)
@freshly_signed_in
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Made by the form, and shown in its answer only."""
    codes: list[str] = []
    if request.method == "POST":
        codes = factors.make_recovery_codes(person=person_of(request))
    return render(request, "account/recovery_codes.html", {"codes": codes, "lines": "%0A".join(codes)})


@require_POST
@signed_in(OWN)
@freshly_signed_in
def end(request: HttpRequest) -> HttpResponse:
    """End one of the own sessions, or with `others` all but this one."""
    person, now = person_of(request), timezone.now()
    if request.POST.get("session") == "others":
        reason = _("Ended by their owner")
        many = end_sessions(person=person, keep=request.session.session_key, actor=person, reason=reason, now=now)
        messages.success(request, _("%s other sessions have ended.") % many)
        return redirect("security")
    keys = Session.objects.open(now).filter(person=person).values_list("session_key", flat=True)
    key = next((key for key in keys if named(key) == request.POST.get("session")), None)
    if key is None:
        raise NotFound
    end_session(person=person, key=key, actor=person, now=now)
    if key == request.session.session_key:
        request.session.flush()
        return redirect("account_login")
    messages.success(request, _("The session has ended."))
    return redirect("security")


@require_POST
@signed_in(OWN)
@freshly_signed_in
def unlink(request: HttpRequest, pk: UUID) -> HttpResponse:
    try:
        single_sign_on.unlink(person=person_of(request), pk=pk, now=timezone.now())
    except NotFound:
        raise
    except SecondLookError as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, _("The link was undone."))
    return redirect("security")


def page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, f"account/{template}", context, status=status)
