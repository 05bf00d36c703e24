"""Personal tokens: made by their owner or by the command line, revoked by the owner or who administers him."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.access import require_administers
from accounts.exceptions import Conflict, Invalid
from accounts.models import PersonalToken, User
from accounts.reasons import said
from accounts.tokens import new_token, token_hash

USUAL = timedelta(days=90)
LONGEST = timedelta(days=365)
# So many live ones at once; more than that is a program that makes one per run.
MOST = 50
NAME_LENGTH = 100


def issue(
    *, person: User, name: str, scopes: list[str], now: datetime, ends_at: datetime | None = None
) -> tuple[PersonalToken, str]:
    """A new personal token and its secret text, which is not kept. Without `ends_at` it ends in 90 days.

    Raises Invalid for a missing name, no or unknown scopes, and an end that has passed or is more than 365 days away;
    Conflict `too_many_tokens`, and `person_deactivated` for somebody who cannot sign in.
    """
    name, ends_at = name.replace("\0", "").strip(), ends_at or now + USUAL
    require_usable(name, scopes, ends_at, now)
    secret = new_token("slp")
    with transaction.atomic():
        require_room(person, now)
        token = PersonalToken.objects.create(
            person=person, name=name, token_hash=token_hash(secret), scopes=scopes, created_at=now, ends_at=ends_at
        )
        until = ends_at.isoformat()
        audit.record("token.issued", actor=person, on=token, action=audit.Action.CREATE, scopes=scopes, ends_at=until)
    return token, secret


def require_usable(name: str, scopes: list[str], ends_at: datetime, now: datetime) -> None:
    """Raise Invalid for a token that nobody could tell apart, that opens nothing, or that lasts too long."""
    if not 0 < len(name) <= NAME_LENGTH:
        raise Invalid(_("Give the token a name of 1 to 100 characters."), code="name_length")
    if not scopes:
        raise Invalid(_("Choose at least one scope."), code="scope_required")
    if unknown := set(scopes) - set(PersonalToken.SCOPES):
        raise Invalid(_("Unknown scope: %s") % ", ".join(sorted(unknown)), code="unknown_scope")
    if not now < ends_at <= now + LONGEST:
        raise Invalid(_("A token ends within 365 days."), code="token_end")


def require_room(person: User, now: datetime) -> None:
    """Raise Conflict when the person is deactivated or has as many tokens as one may have."""
    # Held until the end, so that nobody is switched off, and no second token made, in between.
    held = User.objects.select_for_update().filter(pk=person.pk, is_active=True)
    if not held.exists():
        raise Conflict(_("This person is deactivated."), code="person_deactivated")
    if PersonalToken.objects.live(now).filter(person=person).count() >= MOST:
        raise Conflict(_("You have %s tokens. Revoke one first.") % MOST, code="too_many_tokens")


def revoke(*, token: PersonalToken, person: User, now: datetime, reason: str = "") -> None:
    """End a token now. `person` is its owner, or who administers him: then with a reason.

    Raises Refused for anybody else, Conflict `token_revoked` when it is over already.
    """
    with transaction.atomic():
        if person.pk != token.person_id:
            require_administers(person, token.person, now=now)
            reason = said(reason, _("Say why the token is revoked."))
        if not PersonalToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now, revoked_by=person):
            raise Conflict(_("This token is revoked already."), code="token_revoked")
        audit.record("token.revoked", actor=person, on=token, of=str(token.person), reason=reason)


def used(token: PersonalToken, *, now: datetime) -> None:
    """Remember that a token was used; at most once a minute, because it happens on every call."""
    if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
        PersonalToken.objects.filter(pk=token.pk).update(last_used_at=now)
