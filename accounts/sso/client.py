"""The three calls of the authorization code flow, and the checks of OpenID Connect Core 1.0, 3.1.3.7.

Every ID token's signature is verified, although the standard allows to leave that out on a TLS connection.
"""

import hmac
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
import structlog
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import SecondLookError
from accounts.sso.providers import Provider, storable

logger = structlog.get_logger(__name__)
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
TIMEOUT_S = 8.0
LEEWAY_S = 60
KEEP_S = 3600
ASK_AGAIN_S = 30
LARGEST_ANSWER = 1_000_000
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# What each issuer published, by address, until its time is over.
_published: dict[str, tuple[float, dict[str, Any]]] = {}


class SignOnFailed(SecondLookError):
    """The identity provider did not vouch for anybody, or not in a way that can be believed."""

    status, code = 403, "sign_on_failed"
    title = _("Single sign-on did not work. Start again; if it stays so, tell your administrator.")


@dataclass(frozen=True, slots=True)
class Start:
    """What one sign-on keeps until the browser comes back.

    `again_since` is when the provider was asked to prove the person anew, in seconds since 1970; None when it was not.
    """

    state: str
    nonce: str
    verifier: str
    challenge: str
    again_since: int | None = None


def failed(why: str, provider: Provider, **more: Any) -> SignOnFailed:
    """Say in the log what was wrong, without tokens; the person reads one sentence for everything."""
    logger.warning("sign_on_failed", provider=provider.name, why=why, **more)
    return SignOnFailed()


def address_to_ask(provider: Provider, start: Start, back: str) -> str:
    """Where the browser is sent. With `again_since` the provider shall ask the person anew, whatever session it has."""
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": back,
        "scope": provider.scope,
        "state": start.state,
        "nonce": start.nonce,
        "code_challenge": start.challenge,
        "code_challenge_method": "S256",
    }
    if start.again_since is not None:
        asked |= {"prompt": "login", "max_age": "0"}
    where = configuration(provider)["authorization_endpoint"]
    return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"


def claims_for(provider: Provider, start: Start, code: str, back: str) -> dict[str, Any]:
    """The verified claims for an authorization code. Raises SignOnFailed."""
    tokens = exchange(provider, code, start.verifier, back)
    claims = verified(provider, str(tokens.get("id_token", "")), start)
    if provider.groups_claim not in claims and configuration(provider).get("userinfo_endpoint"):
        more = user_info(provider, str(tokens.get("access_token", "")))
        if more.get("sub") != claims["sub"]:
            raise failed("userinfo", provider)
        claims = more | claims
    return claims


def exchange(provider: Provider, code: str, verifier: str, back: str) -> dict[str, Any]:
    """Redeem the code, as the client whose secret we hold."""
    published = configuration(provider)
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
    methods = published.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in methods:
        basic = httpx.BasicAuth(provider.client_id, provider.client_secret)
        return answer(provider, "POST", published["token_endpoint"], data=body, auth=basic)
    body |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    return answer(provider, "POST", published["token_endpoint"], data=body)


def verified(provider: Provider, token: str, start: Start) -> dict[str, Any]:
    """The claims of an ID token that this issuer signed for us, just now, for this sign-on."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key_for(provider, token),
            algorithms=ALGORITHMS,
            issuer=provider.issuer,
            audience=provider.client_id,
            leeway=LEEWAY_S,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.PyJWTError as error:
        raise failed("id_token", provider, error=type(error).__name__) from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or storable(subject) != subject:
        raise failed("subject", provider)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode("utf-8", "replace"), start.nonce.encode()):
        raise failed("nonce", provider)
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise failed("authorized_party", provider)
    if start.again_since is not None and not proved_since(claims, start.again_since):
        raise failed("auth_time", provider)
    return claims


def proved_since(claims: dict[str, Any], moment: int) -> bool:
    """Whether the person proved himself since then (OpenID Connect Core 1.0, 3.1.3.7, 13: after `max_age`)."""
    said = claims.get("auth_time")
    return isinstance(said, int | float) and not isinstance(said, bool) and said >= moment - LEEWAY_S


def key_for(provider: Provider, token: str) -> Any:
    """The issuer's key that the token names. A new key is looked for at most every half minute."""
    kid = jwt.get_unverified_header(token).get("kid")
    where = configuration(provider)["jwks_uri"]
    for longest in (KEEP_S, ASK_AGAIN_S):
        keys = jwt.PyJWKSet.from_dict(published(provider, where, longest)).keys
        fitting = [one for one in keys if one.key_id == kid or (kid is None and len(keys) == 1)]
        if fitting:
            return fitting[0]
    raise jwt.InvalidKeyError("no such key")


def user_info(provider: Provider, access_token: str) -> dict[str, Any]:
    """The claims that the provider tells apart from the ID token."""
    where = configuration(provider)["userinfo_endpoint"]
    return answer(provider, "GET", where, headers={"Authorization": f"Bearer {access_token}"})


def configuration(provider: Provider) -> dict[str, Any]:
    """What the issuer published about itself (OpenID Connect Discovery 1.0), under exactly the name that we expect."""
    where = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    found = published(provider, where, KEEP_S)
    if found.get("issuer") != provider.issuer:
        _published.pop(where, None)
        raise failed("issuer", provider)
    if not all(isinstance(found.get(name), str) for name in ENDPOINTS):
        raise failed("discovery", provider)
    return found


def published(provider: Provider, where: str, longest_s: int) -> dict[str, Any]:
    """A published document, asked for again when it is older than `longest_s`."""
    asked_at, found = _published.get(where, (0.0, {}))
    if time.monotonic() - asked_at > longest_s or not found:
        found = answer(provider, "GET", where)
        _published[where] = (time.monotonic(), found)
    return found


def answer(provider: Provider, method: str, where: str, **more: Any) -> dict[str, Any]:
    """The JSON object that an address of the provider answers, following no redirect and reading no endless body."""
    if where.startswith("http:") and not provider.issuer.startswith("http:"):
        raise failed("plain_http", provider)
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=True) as client,
            client.stream(
                method, where, headers={"Accept": "application/json"} | more.pop("headers", {}), **more
            ) as got,
        ):
            body = b""
            for part in got.iter_bytes():
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise failed("too_large", provider)
            if got.status_code != 200:
                raise failed("status", provider, status=got.status_code)
        found = json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise failed("unreachable", provider, error=type(error).__name__) from None
    if not isinstance(found, dict):
        raise failed("not_an_object", provider)
    return found


def forget() -> None:
    """Ask every issuer anew."""
    _published.clear()
