"""A websocket is opened by our own pages only: browsers send cookies with every handshake, whoever's page began it."""

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import validate_host

PORTS = {"http": 80, "https": 443}


class SameOrigin:
    """Refuses (403) a handshake whose `Origin` is not the host that it is made to, or whose host is none of ours.

    Stricter than a list of hosts: with a wildcard among them a list would let every page in. A proxy must pass the
    `Host` on; when it drops the port, the port is not compared.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        if scope["type"] == "websocket" and not is_own_page(scope["headers"]):
            return await WebsocketDenier()(scope, receive, send)
        return await self.application(scope, receive, send)


def is_own_page(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a handshake comes from a page of the host that it is made to (RFC 6454, RFC 6455 section 10.2)."""
    origins = [value for name, value in headers if name == b"origin"]
    hosts = [value for name, value in headers if name == b"host"]
    if len(origins) != 1 or len(hosts) != 1:
        return False
    try:
        origin, host = urlsplit(origins[0].decode("ascii")), urlsplit(f"//{hosts[0].decode('ascii')}")
        ports = origin.port or PORTS[origin.scheme], host.port
        if origin.scheme not in PORTS:
            return False
    except (ValueError, KeyError):
        return False
    if settings.SESSION_COOKIE_SECURE and origin.scheme != "https":
        return False
    name = f"[{host.hostname}]" if ":" in (host.hostname or "") else host.hostname or ""
    same = origin.hostname == host.hostname and (ports[1] is None or ports[0] == ports[1])
    return bool(name) and same and validate_host(name, settings.ALLOWED_HOSTS)
