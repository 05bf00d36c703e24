"""How sign-in differs from django-allauth's default: nobody opens an account by himself, attempts are counted our way,
sessions and sign-ins are on record, and one goes on to addresses of this site only."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts import browsers, throttle
from accounts.actions import sign_in
from accounts.models import User


class ClosedAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _(
            "Name and password do not belong together. Check both, and that caps lock is off."
        ),
        "incorrect_password": _("This is not your password. Check that caps lock is off."),
    }

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt. The same for a name that exists and one that does not."""
        request.attempt = begin_attempt(request, credentials.get("username", ""))  # type: ignore[attr-defined]

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """As inherited; a switched-off account answers like a wrong password.

        The name is looked for, and its attempts are counted, in the form in which names are kept.
        """
        credentials["username"] = User.normalize_username(credentials.get("username", ""))
        found: User | None = super().authenticate(request, **credentials)
        person = found if found is not None and found.is_active else None
        if person is None:
            sign_in.failed(name=credentials.get("username", ""), now=timezone.now())
        else:
            request.attempt.was_right()  # type: ignore[attr-defined]
        return person

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        sign_in.signed_in(request=request, person=user, now=timezone.now())

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        browsers.remember(request, response, user.username)
        return response

    def logout(self, request: HttpRequest) -> None:
        person = request.user
        super().logout(request)
        if isinstance(person, User):
            sign_in.signed_out(person=person, now=timezone.now())

    def is_safe_url(self, url: str) -> bool:
        """This site, by the name under which it was called, and no other of its names."""
        request = context.request
        # Django's helper takes a bare word for a relative address; a redirect takes it for the name of a view.
        if not url.startswith("/"):
            return False
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def get_client_ip(self, request: HttpRequest) -> str:
        return request.META.get("REMOTE_ADDR") or ""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """There are no e-mail addresses to tell: what happens to an account is in its story."""


def begin_attempt(
    request: HttpRequest,
    account: str,
    known_limit: throttle.Limit = throttle.KNOWN_BROWSER,
    strange_limit: throttle.Limit = throttle.STRANGE_BROWSER,
) -> throttle.Attempt:
    """Count an attempt to prove that one is `account`, for its own browsers apart from strange ones.

    From a known browser the address does not count: others behind the same address could use that up. Raises
    ValidationError `too_many_attempts`, which forms show.
    """
    account = account.strip().casefold()
    known = browsers.number_for(request, account)
    address = request.META.get("REMOTE_ADDR", "")
    try:
        if known:
            return throttle.begin((known_limit, f"{account}\0{known}"))
        return throttle.begin((throttle.ADDRESS, address), (strange_limit, account))
    except throttle.Throttled as error:
        request.throttled = error  # type: ignore[attr-defined]
        raise ValidationError(str(error.detail), code=error.code) from None


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: their secrets are encrypted, so that a copy of the database alone makes no codes."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("This did not work. Try again, with the newest code or the same key."),
    }

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises InvalidToken when the secret key changed without keeping the old one in SECRET_KEY_FALLBACKS."""
        return cipher().decrypt(encrypted_text.encode()).decode()

    def _get_site_name(self) -> str:
        return "Second Look"


def cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(fernet_key(str(key))) for key in keys])


def fernet_key(secret: str) -> bytes:
    """A key of its own, derived so that nothing else that is made of the secret key tells of it."""
    return base64.urlsafe_b64encode(hashlib.blake2b(secret.encode(), digest_size=32, person=b"second factors").digest())


__all__ = ["ClosedAdapter", "FactorAdapter", "InvalidToken", "begin_attempt"]
