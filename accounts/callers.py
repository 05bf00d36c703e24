"""How somebody came in: the session or token, and how strong the sign-in was. For audit entries only."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from accounts.audit import CALLER
from accounts.authentication import strength
from accounts.context import recall, remember
from accounts.models import User

GetResponse = Callable[[HttpRequest], HttpResponse]


class CallerMiddleware:
    """Behind authentication: what an entry of this request will say of the session, looked up when there is one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        remember(CALLER, lambda actor: facts(request, actor))
        return self.get_response(request)


def facts(request: HttpRequest, actor: User) -> dict[str, Any]:
    """What identifies the caller without opening anything: the id of a token, or a reference of the session."""
    if token := recall("token"):
        return {"token": token}
    if request.user != actor or not request.session.session_key:
        return {}
    return {"session": session_reference(request.session.session_key), "sign_in": strength(request)}


def session_reference(key: str) -> str:
    """A name for a session that tells two apart and gives neither away: 64 bits of a keyed hash."""
    return salted_hmac("accounts.callers", key, algorithm="sha256").hexdigest()[:16]
