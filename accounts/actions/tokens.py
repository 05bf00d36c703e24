"""Personal tokens: made and revoked by their owner or by the command line."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.exceptions import Conflict, Invalid
from accounts.models import PersonalToken, User
from accounts.tokens import new_token, token_hash


def issue(
    *, person: User, name: str, scopes: list[str], now: datetime, ends_at: datetime | None = None
) -> tuple[PersonalToken, str]:
    """A new personal token and its secret text, which is not kept. Raises Invalid for an unknown scope."""
    if unknown := set(scopes) - set(PersonalToken.SCOPES):
        raise Invalid(_("Unknown scope: %s") % ", ".join(sorted(unknown)), code="unknown_scope")
    secret = new_token("slp")
    with transaction.atomic():
        token = PersonalToken.objects.create(
            person=person, name=name, token_hash=token_hash(secret), scopes=scopes, created_at=now, ends_at=ends_at
        )
        audit.record("token.issued", actor=person, on=token, action=audit.Action.CREATE, scopes=scopes)
    return token, secret


def revoke(*, token: PersonalToken, person: User, now: datetime) -> None:
    with transaction.atomic():
        if not PersonalToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            raise Conflict(_("This token is revoked already."), code="token_revoked")
        audit.record("token.revoked", actor=person, on=token)
