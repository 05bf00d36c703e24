"""Which accounts a browser has signed in with before: a signed cookie, set after each full sign-in.

It opens nothing. It only counts wrong passwords from a person's own browsers apart from those of strangers.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

SALT = "accounts.browsers"
LASTS_S = 180 * 24 * 3600
MOST_ACCOUNTS = 20


def read(request: HttpRequest) -> dict[str, Any]:
    """The browser's own number and the accounts that it knows; empty for a strange or a tampered one."""
    raw = request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE, "")
    try:
        found = signing.loads(raw, salt=SALT, max_age=LASTS_S) if raw else {}
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}


def number_for(request: HttpRequest, account: str) -> str | None:
    """The number of this browser if `account` (a sign-in name) has signed in with it before."""
    found = read(request)
    return str(found["browser"]) if account.casefold() in found.get("accounts", []) else None


def remember(request: HttpRequest, response: HttpResponse, account: str) -> None:
    """Let the browser know the account from now on."""
    found = read(request)
    others = [one for one in found.get("accounts", []) if one != account.casefold()]
    known = {
        "browser": found.get("browser") or secrets.token_urlsafe(12),
        "accounts": [*others, account.casefold()][-MOST_ACCOUNTS:],
    }
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE,
        signing.dumps(known, salt=SALT, compress=True),
        max_age=LASTS_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
