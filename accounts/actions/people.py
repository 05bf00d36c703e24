"""Accounts of people."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actions.grants import one_at_a_time
from accounts.exceptions import Conflict
from accounts.models import Grant, User
from accounts.roles import Role


def create_person(
    *, username: str, name: str, password: str, maker: User | None, now: datetime, is_staff: bool = False
) -> User:
    """A new account without any right. Raises Conflict for a sign-in name that is taken."""
    person = User(username=username, name=name, is_staff=is_staff, is_superuser=is_staff, date_joined=now)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
            audit.record("person.created", actor=maker, on=person, action=audit.Action.CREATE, username=username)
    except IntegrityError:
        raise Conflict(_("This sign-in name is taken."), code="username_taken") from None
    return person


def require_other_administrator(person: User, *, now: datetime) -> None:
    """Raise Conflict `last_administrator` when nobody but `person` administers everything.

    Belongs into the transaction that switches him off: nobody else changes who administers until it ends.
    """
    one_at_a_time(now)
    left = Grant.objects.last_everywhere(Role.ADMINISTRATOR, now)
    if left.filter(person=person).exists() and not left.exclude(person=person).exists():
        raise Conflict(_("The last administrator cannot be switched off."), code="last_administrator")
