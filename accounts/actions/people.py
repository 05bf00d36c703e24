"""Accounts of people: made, renamed, switched off and on again. Never deleted."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit, broadcast, departures
from accounts.access import require_administers
from accounts.actions.grants import Wanted, give
from accounts.actions.permissions import derive, one_at_a_time
from accounts.actions.sessions import end_sessions
from accounts.exceptions import Conflict, Invalid, Refused
from accounts.models import Grant, PersonalToken, User
from accounts.reasons import said

NAME_LENGTH = 150


def create_person(
    *, username: str, name: str, password: str | None, maker: User | None, now: datetime, is_staff: bool = False
) -> User:
    """A new account without any right; without a password nobody can sign in with it until one is set.

    The sign-in name is kept in NFKC. Raises Conflict for one that is taken, Invalid for one that cannot be.
    """
    username = sign_in_name(username)
    # Sign-in finds names whatever their case, so two that differ in nothing else would be one.
    if User.objects.filter(username__iexact=username).exists():
        raise Conflict(_("This sign-in name is taken."), code="username_taken")
    person = User(username=username, name=name, is_staff=is_staff, is_superuser=is_staff, date_joined=now)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
            audit.record("person.created", actor=maker, on=person, action=audit.Action.CREATE, username=username)
    except IntegrityError:
        raise Conflict(_("This sign-in name is taken."), code="username_taken") from None
    return person


def sign_in_name(text: str) -> str:
    """A sign-in name as it is kept: the same letters typed on another keyboard are the same name (Unicode NFKC).

    Raises Invalid for what cannot be one.
    """
    name = User.normalize_username(text.strip())
    try:
        User._meta.get_field("username").clean(name, None)
    except ValidationError:
        said_so = _("A sign-in name has 1 to 150 letters, digits or the characters @ . + - _")
        raise Invalid(said_so, code="username") from None
    return name


def welcome(*, username: str, name: str, wanted: Wanted, maker: User, reason: str, now: datetime) -> User:
    """A new account with its first role and no password yet, both or neither. Raises what `give` raises.

    The first role makes the person visible to the maker, who could not see him otherwise.
    """
    with transaction.atomic():
        person = create_person(username=username, name=name, password=None, maker=maker, now=now)
        give(
            person=person,
            role=wanted.role,
            scope=wanted.scope,
            scope_id=wanted.scope_id,
            ends_at=wanted.ends_at,
            reason=reason,
            giver=maker,
            now=now,
        )
    return person


def rename(*, person: User, name: str, before: str, actor: User, reason: str, now: datetime) -> None:
    """Call `person` by another name; the sign-in name stays. `before` is the name that the actor saw.

    Raises Conflict `renamed` when it is another one by now, Refused for somebody who does not administer the person.
    """
    why, name = said(reason, _("Say why the name changes.")), name.replace("\0", "").strip()
    if not 0 < len(name) <= NAME_LENGTH:
        raise Invalid(_("A name has 1 to 150 characters."), code="name_length")
    with transaction.atomic():
        require_administers(actor, person, now=now)
        if not User.objects.filter(pk=person.pk, name=before).update(name=name):
            raise Conflict(_("Somebody else has changed the name in the meantime."), code="renamed")
        person.name = name
        audit.record("person.renamed", actor=actor, on=person, before=before, after=name, reason=why)


def deactivate(*, person: User, actor: User | None, reason: str, now: datetime) -> None:
    """Switch an account off: sessions and tokens end, what the person holds is given back, grants open nothing.

    The grants stay on record, and are in force again after `reactivate` unless they are taken back or end before.
    Raises Refused for the own account and for one that the actor does not administer, Conflict
    `person_deactivated` when it is off already and `last_administrator` for the last one.
    """
    why = said(reason, _("Say why the account is deactivated."))
    with transaction.atomic():
        require_may_switch(actor, person, now)
        require_other_administrator(person, now)
        if not User.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
            raise Conflict(_("This account is deactivated already."), code="person_deactivated")
        person.is_active = False
        end_sessions(person=person, actor=actor, reason=why, now=now)
        tokens = PersonalToken.objects.filter(person=person, revoked_at=None).update(revoked_at=now, revoked_by=actor)
        departures.run(person, now)
        broadcast.rights_changed(person.pk)
        audit.record("person.deactivated", actor=actor, on=person, reason=why, tokens=tokens)


def reactivate(*, person: User, actor: User | None, reason: str, now: datetime) -> None:
    """Switch an account on again, with the grants that are still in force; tokens stay revoked.

    Raises Refused as `deactivate` does, Conflict `person_active` when it is on already.
    """
    why = said(reason, _("Say why the account is reactivated."))
    with transaction.atomic():
        require_may_switch(actor, person, now)
        if not User.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
            raise Conflict(_("This account is active already."), code="person_active")
        person.is_active = True
        derive(person, now=now)
        audit.record("person.reactivated", actor=actor, on=person, reason=why)


def require_may_switch(actor: User | None, person: User, now: datetime) -> None:
    """Raise Refused unless `actor` may switch this account off and on; nobody else changes who may until the end."""
    one_at_a_time(now)
    if actor is None:
        return
    if actor.pk == person.pk:
        raise Refused(_("Nobody switches his own account. Ask another administrator."), code="own_account")
    require_administers(actor, person, now=now)


def require_other_administrator(person: User, now: datetime) -> None:
    """Raise Conflict `last_administrator` when nobody but `person` administers everything."""
    left = Grant.objects.administrators(now)
    if left.filter(person=person).exists() and not left.exclude(person=person).exists():
        raise Conflict(_("The last administrator cannot be switched off."), code="last_administrator")
