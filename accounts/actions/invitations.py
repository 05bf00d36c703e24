"""Links that work once: to make the own account, or to set a new password.

The token is in the part of the address behind `#`, which browsers send to nobody: it is in no log, no Referer and no
history of a proxy. The page of the link hands it over in the body of a form.
"""

from datetime import datetime, timedelta
from typing import Any, NoReturn
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.access import require_administers
from accounts.actions.factors import check_password
from accounts.actions.grants import Wanted, checked, give, require_may_grant
from accounts.actions.people import create_person, sign_in_name
from accounts.actions.sessions import end_sessions
from accounts.exceptions import Conflict, Invalid, NotFound, Refused, SecondLookError
from accounts.models import Invitation, User
from accounts.models.grant import Scope
from accounts.reasons import said
from accounts.roles import Role
from accounts.tokens import new_token, token_hash

LASTS = timedelta(days=3)
LONGEST_NAME = 150


class LinkOver(SecondLookError):
    """One answer for a link that was used, has expired, was revoked, never was, or whose maker may not any more."""

    status, code = 410, "link_over"
    title = _("This link does not work any more. Ask whoever gave it to you for a new one.")


def invite(
    *, name: str, email: str, role: Role, scope: Scope, scope_id: UUID | None, maker: User, now: datetime
) -> tuple[Invitation, str]:
    """Invite somebody to hold `role` on the scope. Returns the row and the token, which is not kept.

    Raises Refused when the maker may not give this himself, Invalid for an unknown scope or a missing name.
    """
    name = name.replace("\0", "").strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid(_("A name has 1 to 150 characters."), code="name_length")
    site_id = checked(Wanted(role, scope, scope_id), now)
    token = new_token("sli")
    with transaction.atomic():
        require_may_grant(maker, role, scope=scope, scope_id=scope_id, site_id=site_id)
        made = Invitation.objects.create(
            name=name,
            email=email,
            role=role,
            scope_type=scope,
            scope_id=scope_id,
            token_hash=token_hash(token),
            made_by=maker,
            made_at=now,
            ends_at=now + LASTS,
        )
        facts: dict[str, Any] = {"role": role, "scope": scope, "scope_id": str(scope_id) if scope_id else None}
        audit.record("invitation.made", actor=maker, on=made, site_id=site_id, action=audit.Action.CREATE, **facts)
    return made, token


def make_reset(*, person: User, maker: User, reason: str, now: datetime) -> tuple[Invitation, str]:
    """A link with which `person` sets a new password. Older ones work no more; nothing else changes until it is used.

    Raises Refused unless the maker administers the person, and for the own account.
    """
    why = said(reason, _("Say why the password is set anew."))
    token = new_token("slr")
    with transaction.atomic():
        require_may_reset(maker, person, now)
        Invitation.objects.open(now).filter(person=person, is_reset=True).update(revoked_at=now)
        made = Invitation.objects.create(
            name=str(person)[:150],
            person=person,
            is_reset=True,
            token_hash=token_hash(token),
            made_by=maker,
            made_at=now,
            ends_at=now + LASTS,
        )
        audit.record("reset.made", actor=maker, on=person, reason=why)
    return made, token


def require_may_reset(maker: User | None, person: User, now: datetime) -> None:
    if maker is None or maker.pk == person.pk:
        raise Refused(_("For the own account use the page about your sign-in."), code="own_account")
    if not person.is_active:
        raise Conflict(_("This account is deactivated."), code="person_deactivated")
    require_administers(maker, person, now=now)


def accept(*, token: str, username: str, password: str, now: datetime) -> User:
    """Make the account that an invitation is for, with its grant, and use the link up.

    The name is the invitation's. Raises LinkOver, Invalid for a weak password or an impossible sign-in name, Conflict
    for one that is taken; then the link still works.
    """
    with transaction.atomic():
        row = take(token, is_reset=False, now=now)
        username = free_name(username)
        check_password(password, User(username=username, name=row.name))
        person = create_person(username=username, name=row.name, password=password, maker=row.made_by, now=now)
        if row.email:
            User.objects.filter(pk=person.pk).update(email=row.email)
        hand_over(row, person, now)
        finish(row, person, now)
        audit.record("invitation.used", actor=person, on=row)
    return person


def hand_over(row: Invitation, person: User, now: datetime) -> None:
    """Give what the invitation promised. Raises LinkOver when its maker may not give that any more."""
    try:
        give(
            person=person,
            role=Role(row.role),
            scope=Scope(row.scope_type),
            scope_id=row.scope_id,
            reason=str(_("Invitation")),
            giver=row.made_by,
            now=now,
        )
    except (Refused, Invalid, NotFound):
        over()


def set_new_password(*, token: str, password: str, now: datetime) -> User:
    """Set the password that a reset link is for; all sessions end. Raises LinkOver, and Invalid for a weak password."""
    with transaction.atomic():
        row = take(token, is_reset=True, now=now)
        person = row.person
        assert person is not None
        try:
            require_may_reset(row.made_by, person, now)
        except SecondLookError:
            over()
        check_password(password, person)
        person.set_password(password)
        person.save(update_fields=["password"])
        finish(row, person, now)
        audit.record("reset.used", actor=person, on=person)
        end_sessions(person=person, actor=person, reason=str(_("New password")), now=now)
    return person


def take(token: str, *, is_reset: bool, now: datetime) -> Invitation:
    """The open link of this token, held until the end of the transaction. Raises LinkOver."""
    rows = Invitation.objects.open(now).select_for_update(of=("self",))
    found = rows.select_related("made_by", "person").filter(token_hash=token_hash(token), is_reset=is_reset).first()
    return found or over()


def finish(row: Invitation, person: User, now: datetime) -> None:
    """Use the link up. Raises LinkOver for the second of two at once."""
    if not Invitation.objects.open(now).filter(pk=row.pk).update(used_at=now, person=person):
        over()


def over() -> NoReturn:
    raise LinkOver


def free_name(text: str) -> str:
    """Raises Invalid for what cannot be a sign-in name, Conflict for one that is taken, in capitals or not."""
    if not text.strip():
        raise Invalid(_("Choose a sign-in name."), code="username")
    username = sign_in_name(text)
    if User.objects.filter(username__iexact=username).exists():
        raise Conflict(_("This sign-in name is taken. Choose another one."), code="username_taken")
    return username


def revoke(*, invitation: Invitation, actor: User, now: datetime) -> None:
    """Let a link work no more. Raises Conflict when it does not work anyway."""
    with transaction.atomic():
        if not Invitation.objects.open(now).filter(pk=invitation.pk).update(revoked_at=now):
            raise Conflict(_("This link does not work any more anyway."), code="link_over")
        audit.record("invitation.revoked", actor=actor, on=invitation)


def link(invitation: Invitation, token: str) -> str:
    """The address to hand over, under the one address of the settings whatever host a request named."""
    path = reverse("new-password" if invitation.is_reset else "join")
    return f"{settings.SECONDLOOK['ADDRESS']}{path}#{token}"
