"""Who calls the API: a source with its token, or a person with a personal token. Cookies open nothing here."""

import re
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja.security import HttpBearer

from accounts.actions.tokens import used
from accounts.context import remember
from accounts.exceptions import Refused, Unauthenticated
from accounts.factors import has_factor
from accounts.models import PersonalToken, User
from accounts.tokens import token_hash
from inference.models import Source
from inference.tokens import source_by_token

USED_EVERY_S = 60
TOKEN = re.compile(r"sl[ps]_[A-Za-z0-9_-]{20}")


class SourceToken(HttpBearer):
    """Opens the source side of the contract. The source, its site and camera come from the token only."""

    access_rule = "source token"

    def authenticate(self, request: HttpRequest, token: str) -> Source:
        now = timezone.now()
        found = source_by_token(token, now=now)
        if found is None:
            raise Unauthenticated
        remember("source", str(found.pk))
        if found.last_used_at is None or (now - found.last_used_at).total_seconds() > USED_EVERY_S:
            found.last_used_at = now
            Source.objects.filter(pk=found.pk).update(last_used_at=now)
        return found

    def __call__(self, request: HttpRequest) -> Any:
        refuse_in_address(request)
        found = super().__call__(request)
        if found is None:
            raise Unauthenticated
        return found


class Personal(HttpBearer):
    """Opens a call to personal tokens with `scope`; what is behind it still asks for the person's rights."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope
        self.access_rule = f"personal token with {scope}"

    def authenticate(self, request: HttpRequest, token: str) -> User:
        now = timezone.now()
        rows = PersonalToken.objects.live(now).select_related("person")
        found = rows.filter(token_hash=token_hash(token)).first()
        if found is None:
            raise Unauthenticated
        remember("token", str(found.pk))
        remember("person", found.person)
        if self.scope not in found.scopes:
            raise Refused(f"This token lacks the scope {self.scope}.", code="scope_missing")
        require_factor(found.person)
        used(found, now=now)
        return found.person

    def __call__(self, request: HttpRequest) -> Any:
        refuse_in_address(request)
        found = super().__call__(request)
        if found is None:
            raise Unauthenticated
        return found


class PersonalOrSource(Personal):
    """Opens a call to personal tokens with `scope`, and to a source for what belongs to it."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.access_rule = f"personal token with {scope}, or source token for its own events"

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        if token.startswith("sls_"):
            return SourceToken().authenticate(request, token)
        return super().authenticate(request, token)


def require_factor(person: User) -> None:
    """Raise Refused `second_factor_required` when a role of the person asks for a factor and he has set none up.

    His pages are shut for the same reason, and a token must not open what they do not.
    """
    if person.needs_factor and not has_factor(person):
        text = _("A role of yours asks for a second factor. Sign in and set one up; then this token works again.")
        raise Refused(text, code="second_factor_required")


def refuse_in_address(request: HttpRequest) -> None:
    """A token in an address stays in logs and histories, so it counts for nothing, whatever the header holds.

    Raises Unauthenticated `token_in_address`.
    """
    if TOKEN.search(request.META.get("QUERY_STRING", "")):
        text = _("A token was sent in the address, where others can read it. Revoke it, and send one in the header.")
        raise Unauthenticated(text, code="token_in_address")


def source_of(request: HttpRequest) -> Source:
    """The source behind a call that `SourceToken` let in."""
    found: Source = request.auth  # type: ignore[attr-defined]
    return found


def posting_source_of(request: HttpRequest) -> Source:
    """As `source_of`, for what brings something new. Raises Refused `site_retired`."""
    found = source_of(request)
    if found.site.retired_at is not None:
        raise Refused(_("The site of this source is retired and takes nothing in."), code="site_retired")
    return found


def caller_of(request: HttpRequest) -> User:
    """The person behind a call that `Personal` let in."""
    found: User = request.auth  # type: ignore[attr-defined]
    return found
