"""Forms with which people prove who they are. Each attempt is counted before it is looked at."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm, LoginWebAuthnForm
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import throttle
from accounts.actions import sign_in
from accounts.adapter import FactorAdapter, begin_attempt
from accounts.factors import use_code

# Longer ones are refused before they are hashed.
LONGEST_PASSWORD = 1000
LONGEST_CODE = 40


class SignInForm(LoginForm):  # type: ignore[misc]
    """Name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].validators.append(MaxLengthValidator(LONGEST_PASSWORD))


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """A code of the app or a recovery code, as the second step."""

    code = forms.CharField(max_length=LONGEST_CODE, label=_("Code"))

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        self.authenticator = right_code(context.request, self.user, code)
        return code


def right_code(request: Any, person: Any, code: str) -> Authenticator:
    """The factor that `code` belongs to. Raises ValidationError for a wrong one, and after too many of them."""
    attempt = begin_attempt(request, person.username, throttle.KNOWN_CODE, throttle.STRANGE_CODE)
    found = use_code(person, code, timezone.now())
    if found is None:
        sign_in.failed(name=person.username, method="code", now=timezone.now())
        raise FactorAdapter().validation_error("incorrect_code")
    attempt.was_right()
    return found


class SafeAnswer:
    """What a browser answers for a passkey may be anything: whatever cannot be read is simply wrong."""

    def clean_credential(self) -> Authenticator:
        try:
            found: Authenticator = super().clean_credential()  # type: ignore[misc]
        except (TypeError, ValueError, KeyError, AttributeError):
            raise FactorAdapter().validation_error("incorrect_code") from None
        return found


class PasskeyForm(SafeAnswer, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second step. There is nothing to guess, so nothing is counted."""


class PasskeySignInForm(SafeAnswer, LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey instead of name and password."""

    def clean_credential(self) -> Authenticator:
        address = context.request.META.get("REMOTE_ADDR", "")
        try:
            attempt = throttle.begin((throttle.ADDRESS, address))
        except throttle.Throttled as error:
            raise ValidationError(str(error.detail), code=error.code) from None
        found = super().clean_credential()
        attempt.was_right()
        return found
