"""Confirming who one is, before a dangerous act or because the last proof is long ago."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.webauthn.internal import auth as webauthn
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from accounts.doors import person_of, signed_in
from accounts.factors import Type, factors_of
from accounts.sign_in_forms import LONGEST_CODE, LONGEST_PASSWORD, PasskeyForm, right_code
from accounts.sso.providers import providers
from accounts.views.sign_in import refused


class ConfirmForm(forms.Form):
    """One of password, code and passkey."""

    password = forms.CharField(max_length=LONGEST_PASSWORD, required=False, strip=False)
    code = forms.CharField(max_length=LONGEST_CODE, required=False)
    credential = forms.CharField(max_length=20_000, required=False)

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(*args)
        self.request, self.person = request, person_of(request)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("password"):
            self.by_password(given["password"])
        elif given.get("code"):
            post_authentication(self.request, right_code(self.request, self.person, given["code"]), True)
        elif given.get("credential"):
            self.by_passkey(given["credential"])
        elif not self.errors:
            raise ValidationError(get_adapter().error_messages["incorrect_password"], code="empty")
        return given

    def by_password(self, password: str) -> None:
        if not get_adapter().reauthenticate(self.person, password):
            raise get_adapter().validation_error("incorrect_password")
        record_authentication(self.request, self.person, "password", reauthenticated=True)

    def by_passkey(self, credential: str) -> None:
        form = PasskeyForm(user=self.person, data={"credential": credential})
        if not form.is_valid():
            raise ValidationError(form.errors["credential"][0], code="passkey")
        post_authentication(self.request, form.cleaned_data["credential"], True)


@require_http_methods(["GET", "POST"])
@signed_in("anybody, for the own session")
def reauthenticate(request: HttpRequest) -> HttpResponse:
    form = ConfirmForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect(next_of(request) or "/")
    person = person_of(request)
    kinds = {row.type for row in factors_of(person)}
    context: dict[str, Any] = {
        "form": form,
        "next": next_of(request),
        "has_password": person.has_usable_password(),
        "has_code": bool(kinds & {Type.TOTP, Type.RECOVERY_CODES}),
        "options": webauthn.begin_authentication(person) if Type.WEBAUTHN in kinds else None,
        "providers": providers_of(request),
    }
    response = render(request, "account/reauthenticate.html", context)
    return refused(request, response) if request.method == "POST" else response


def next_of(request: HttpRequest) -> str:
    """Where to go on, if that is an address of this site; otherwise empty."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    fine = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if fine and wanted.startswith("/") else ""


def providers_of(request: HttpRequest) -> list[Any]:
    """The providers that can vouch for this person."""
    issuers = set(person_of(request).identities.values_list("issuer", flat=True))
    return [one for one in providers().values() if one.issuer in issuers]
