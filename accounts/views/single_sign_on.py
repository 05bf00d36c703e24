"""Going to an identity provider and coming back."""

import base64
import hashlib
import hmac
import secrets
import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.actions import single_sign_on
from accounts.authentication import is_fresh
from accounts.doors import public
from accounts.exceptions import NotFound, SecondLookError
from accounts.models import User
from accounts.sso import client
from accounts.sso.providers import Provider, providers

COOKIE = "sign-on"
SALT = "accounts.sign-on.2"
LASTS_S = 600


def provider_called(name: str) -> Provider:
    """Raises NotFound for one that is not configured."""
    found = providers().get(name)
    if found is None:
        raise NotFound
    return found


def address_back(request: HttpRequest, provider: Provider) -> str:
    """Where the provider sends the browser: the address of the settings, or the one under which we were called."""
    path = reverse("sso-back", args=[provider.name])
    base: str = settings.SECONDLOOK["ADDRESS"]
    return f"{base}{path}" if base else request.build_absolute_uri(path)


@require_GET
@public("sign-in at an identity provider")
def start(request: HttpRequest, name: str) -> HttpResponse:
    """Send the browser to the provider. What has to be remembered goes into a signed cookie, nothing is written."""
    provider = provider_called(name)
    linking = request.GET.get("process") == "link" and request.user.is_authenticated
    if linking and not is_fresh(request):
        return redirect(f"{reverse('account_reauthenticate')}?next={reverse('security')}")
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    since = int(time.time()) if request.user.is_authenticated else None
    begun = client.Start(secrets.token_urlsafe(24), secrets.token_urlsafe(24), verifier, challenge, since)
    try:
        where = client.address_to_ask(provider, begun, address_back(request, provider))
    except client.SignOnFailed as error:
        return plainly(request, error)
    response = HttpResponseRedirect(where)
    kept = {
        "provider": provider.name,
        "state": begun.state,
        "nonce": begun.nonce,
        "verifier": begun.verifier,
        "again_since": begun.again_since,
        "next": request.GET.get("next", "")[:2000],
        "link": request.user.pk if linking else None,
    }
    response.set_cookie(
        COOKIE,
        signing.dumps(kept, salt=SALT),
        max_age=LASTS_S,
        path=reverse("account_login").replace("login/", "sso/"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_GET
@public("sign-in: the way back from an identity provider")
def back(request: HttpRequest, name: str) -> HttpResponse:
    """Verify what the provider says, and sign in or link. The protocol comes back with GET."""
    provider = provider_called(name)
    try:
        kept = begun_by(request, provider)
        begun = client.Start(kept["state"], kept["nonce"], kept["verifier"], "", kept["again_since"])
        claims = client.claims_for(provider, begun, request.GET["code"], address_back(request, provider))
        response = link(request, provider, claims, kept) if kept["link"] else come_in(request, provider, claims, kept)
    except SecondLookError as error:
        response = plainly(request, error)
    response.delete_cookie(COOKIE, path=reverse("account_login").replace("login/", "sso/"))
    return response


def begun_by(request: HttpRequest, provider: Provider) -> dict[str, Any]:
    """What this browser kept when it left for this provider. Raises SignOnFailed when it did not, or long ago."""
    try:
        kept: dict[str, Any] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LASTS_S)
    except signing.BadSignature:
        raise client.failed("no_start", provider) from None
    state = request.GET.get("state", "")
    if kept["provider"] != provider.name or not hmac.compare_digest(kept["state"].encode(), state.encode()):
        raise client.failed("state", provider)
    if request.GET.get("iss", provider.issuer) != provider.issuer:
        raise client.failed("issuer_of_answer", provider)
    if not request.GET.get("code"):
        raise client.failed("refused_there", provider)
    return kept


def come_in(request: HttpRequest, provider: Provider, claims: dict[str, Any], kept: dict[str, Any]) -> HttpResponse:
    """Sign in whom the claims belong to; whoever was signed in before is signed out."""
    person = single_sign_on.sign_on(provider=provider, claims=claims, now=timezone.now())
    if request.user.is_authenticated:
        get_adapter().logout(request)
    mfa = provider.used_factor(claims) or None
    record_authentication(request, person, method="sso", issuer=provider.issuer, mfa=mfa)
    next_url = kept["next"] if kept["next"] and get_adapter().is_safe_url(kept["next"]) else None
    response: HttpResponse = perform_login(request, Login(user=person, redirect_url=next_url))
    return response


def link(request: HttpRequest, provider: Provider, claims: dict[str, Any], kept: dict[str, Any]) -> HttpResponse:
    person = request.user
    if not isinstance(person, User) or person.pk != kept["link"]:
        raise client.failed("other_person", provider)
    if not is_fresh(request):
        # It was when he left, but that may be long ago: the screen may have been opened with a PIN since then.
        messages.error(request, _("The link was not made: it took too long. Prove who you are, then link again."))
        return redirect(f"{reverse('account_reauthenticate')}?next={reverse('security')}")
    groups = single_sign_on.groups_in(claims, provider.groups_claim)
    single_sign_on.link(person=person, issuer=provider.issuer, subject=claims["sub"], groups=groups, now=timezone.now())
    messages.success(request, _("Your account is linked. From now on you can sign in with it."))
    return redirect("security")


def plainly(request: HttpRequest, error: SecondLookError) -> HttpResponse:
    """One plain page for everything that can go wrong on the way."""
    return render(request, "account/sso_failed.html", {"detail": error.detail}, status=error.status)
