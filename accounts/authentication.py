"""How the person of a session proved who he is, when, and from where.

django-allauth keeps one record per proof in the session. A PIN or a badge at a workstation is no proof of that kind.
"""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
LONG_AGO_S = 10**9
UNLOCKED_WITH = "unlocked_with"
# When that was, in seconds of Unix time: what was proved before it does not speak for who sits there now.
UNLOCKED_AT = "unlocked_at"


def records_of(request: Any) -> list[dict[str, Any]]:
    """The proofs of the signed-in person in this session, the oldest first."""
    found: list[dict[str, Any]] = get_authentication_records(request, request.user)
    return found


def age_s(request: Any) -> int:
    """Seconds since the last full proof of identity; a very large number when there was none in this session."""
    records = records_of(request)
    return max(0, int(time.time() - max(one["at"] for one in records))) if records else LONG_AGO_S


def method_of(record: Mapping[str, Any]) -> str:
    """`password`, `totp`, `recovery_codes`, `passkey` or `sso`."""
    if record["method"] == "mfa":
        return {"webauthn": "passkey"}.get(record["type"], str(record["type"]))
    return str(record["method"])


def strength(request: Any) -> dict[str, Any]:
    """How sure we are of the person: `methods` in the order of their first use, `age_s` of the last one,
    `unlocked_with` ("pin", "badge" or None), which says that the screen was opened again with something weaker.

    Works on a request, and on anything with `session` and `user`, such as a websocket's scope turned into an object.
    """
    return {
        "methods": list(dict.fromkeys(method_of(one) for one in records_of(request))),
        "age_s": age_s(request),
        "unlocked_with": request.session.get(UNLOCKED_WITH),
    }


def is_fresh(request: Any) -> bool:
    """Whether the last full proof is young enough for a dangerous act, and was given since the screen was last opened.

    Who opened it with a PIN or a badge holds something weaker, whatever its owner proved before.
    """
    limit: int = settings.SECONDLOOK["REAUTH_MINUTES"]
    proved = max((one["at"] for one in records_of(request)), default=0)
    return age_s(request) < limit * 60 and proved > request.session.get(UNLOCKED_AT, 0)


@lru_cache(maxsize=8)
def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


def is_trusted(text: str, trusted: Sequence[str]) -> bool:
    """Whether `text` is an address of one of the proxies that may say for whom they speak."""
    address = parsed(text)
    return address is not None and any(address in network for network in networks(tuple(trusted)))


def parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def neighbourhood(text: str) -> str:
    """What counts as one address for limits: of IPv6 its /64, all of which one household or machine has."""
    address = parsed(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address) if address else text


def client_address(peer: str, forwarded: str, trusted: Sequence[str]) -> str:
    """The address of the client behind trusted proxies.

    `peer` is the other end of the connection, `forwarded` the header X-Forwarded-For, which counts only when the peer
    is one of `trusted` (`settings.SECONDLOOK["TRUSTED_PROXIES"]`). It is read from its end: each trusted proxy appended
    whom it spoke to, and what stands before the first stranger is what the stranger claims.
    """
    found = peer
    for hop in reversed(forwarded.split(",") if forwarded else []):
        if not is_trusted(found, trusted) or parsed(hop) is None:
            break
        found = str(parsed(hop))
    return found


class ClientAddressMiddleware:
    """Sets REMOTE_ADDR to the client's address, once, before anything reads it.

    Behind it `request.META["REMOTE_ADDR"]` and `accounts.context.CURRENT.get().remote_addr` are right, and nobody looks
    at X-Forwarded-For again. For a websocket call `client_address` with the scope's `client` and header.
    """

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        request.META["REMOTE_ADDR"] = client_address(
            request.META.get("REMOTE_ADDR") or "",
            request.META.get("HTTP_X_FORWARDED_FOR", ""),
            settings.SECONDLOOK["TRUSTED_PROXIES"],
        )
        return self.get_response(request)
