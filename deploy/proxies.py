"""What a proxy says about a request counts only when a proxy of ours says it."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.authentication import is_trusted

# Whatever speaks of another address, host, scheme, path or method than the request's own.
TOLD_BY_PROXIES = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
)


FORWARDED = "secondlook.forwarded"


class TrustedProxiesMiddleware:
    """Forgets the headers of proxies when the request came from somebody else. Stands before everything else.

    The peer is one of `SECONDLOOK_TRUSTED_PROXIES`, or the request's headers are a stranger's and mean nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Somebody stands between us and the client, whether we know him or not: then nobody is this machine itself.
        request.META[FORWARDED] = any(name in request.META for name in TOLD_BY_PROXIES)
        if not is_trusted(request.META.get("REMOTE_ADDR", ""), settings.SECONDLOOK["TRUSTED_PROXIES"]):
            for name in TOLD_BY_PROXIES:
                request.META.pop(name, None)
        return self.get_response(request)
