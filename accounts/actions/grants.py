"""Giving, changing and taking back roles. Guardian's object permissions follow in the same transaction.

A grant is never edited: changing one ends it and gives another. So its id is its version, and whoever acts on a grant
that somebody else has ended or changed in the meantime gets a Conflict.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.access import Held, held_by, reach_of
from accounts.actions.permissions import derive, one_at_a_time
from accounts.exceptions import Conflict, Invalid, Refused
from accounts.models import Grant, User
from accounts.models.grant import Origin, Scope
from accounts.reasons import said
from accounts.roles import Right, Role
from accounts.scopes import names_of, site_of, site_of_what_was


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is given: a role, where, and until when (None: no end)."""

    role: Role
    scope: Scope
    scope_id: UUID | None = None
    ends_at: datetime | None = None


def give(
    *,
    person: User,
    role: Role,
    scope: Scope,
    scope_id: UUID | None = None,
    reason: str,
    giver: User | None,
    now: datetime,
    ends_at: datetime | None = None,
) -> Grant:
    """Give `role` on the scope. A `giver` of None is the command line of the machine itself.

    Raises Refused when the giver does not hold the right to grant it there or is the person himself, Invalid for an
    end in the past, a missing reason or an unknown scope, Conflict when the person has this grant already or is
    deactivated.
    """
    why = said(reason, _("Say why this role is given."))
    wanted = Wanted(role, scope, scope_id, ends_at)
    site_id = checked(wanted, now)
    with transaction.atomic():
        one_at_a_time(now)
        require_may_give(giver, person, wanted, site_id)
        grant = put(person, wanted, why=why, giver=giver, now=now)
        derive(person, now=now)
        audit.record("grant.given", actor=giver, on=person, site_id=site_id, reason=why, **story(grant))
    return grant


def change(*, grant: Grant, wanted: Wanted, reason: str, changer: User, now: datetime) -> Grant:
    """Give `wanted` in place of `grant`, both or neither. Returns the new grant.

    Raises what `give` and `take_back` raise, and Conflict `grant_ended` when somebody else was faster.
    """
    why = said(reason, _("Say why this role is changed."))
    site_id = checked(wanted, now)
    with transaction.atomic():
        one_at_a_time(now)
        require_may_take(changer, grant)
        require_may_give(changer, grant.person, wanted, site_id)
        finish(grant, taker=changer, now=now)
        changed = put(grant.person, wanted, why=why, giver=changer, now=now)
        require_administrator_left(grant, now)
        derive(grant.person, now=now)
        record_change(grant, changed, site_id, why=why, changer=changer)
    return changed


def record_change(old: Grant, new: Grant, site_id: UUID | None, *, why: str, changer: User) -> None:
    """One entry; two when the site is another one, because who reads one site's trail must not read of the other."""
    facts: dict[str, Any] = {"actor": changer, "on": old.person}
    old_site = site_of_what_was(Scope(old.scope_type), old.scope_id)
    if old_site == site_id:
        told: dict[str, Any] = {"was": short(old), "becomes": short(new), "before": story(old), "after": story(new)}
        audit.record("grant.changed", **facts, site_id=site_id, reason=why, **told)
        return
    audit.record("grant.taken_back", **facts, site_id=old_site, why=why, **story(old) | {"reason": old.reason})
    audit.record("grant.given", **facts, site_id=site_id, reason=why, **story(new))


def take_back(*, grant: Grant, taker: User | None, reason: str, now: datetime) -> None:
    """End a grant now. The last administrator everywhere cannot be removed. A `taker` of None is the machine itself."""
    why = said(reason, _("Say why this role is taken back."))
    with transaction.atomic():
        # Two who take back the last two administrators at once go one after the other, and the second one is refused.
        one_at_a_time(now)
        require_may_take(taker, grant)
        finish(grant, taker=taker, now=now)
        require_administrator_left(grant, now)
        derive(grant.person, now=now)
        site_id = site_of_what_was(Scope(grant.scope_type), grant.scope_id)
        facts = story(grant) | {"reason": grant.reason}
        audit.record("grant.taken_back", actor=taker, on=grant.person, site_id=site_id, why=why, **facts)


def checked(wanted: Wanted, now: datetime) -> UUID | None:
    """The site that the wanted scope belongs to. Raises Invalid for an unknown scope and for an end in the past."""
    if wanted.ends_at is not None and wanted.ends_at <= now:
        raise Invalid(_("The end lies in the past."), code="end_in_the_past")
    return site_of(wanted.scope, wanted.scope_id)


def put(
    person: User, wanted: Wanted, *, why: str, giver: User | None, now: datetime, origin: Origin = Origin.PERSON
) -> Grant:
    """Write the row of a new grant, inside the caller's transaction."""
    if not User.objects.filter(pk=person.pk, is_active=True).exists():
        raise Conflict(_("This person is deactivated. Reactivate the account first."), code="person_deactivated")
    close_ended(person, wanted, now)
    try:
        with transaction.atomic():
            return Grant.objects.create(
                person=person,
                role=wanted.role,
                scope_type=wanted.scope,
                scope_id=wanted.scope_id,
                reason=why,
                ends_at=wanted.ends_at,
                granted_by=giver,
                origin=origin,
                created_at=now,
            )
    except IntegrityError:
        raise Conflict(_("This person has this role there already."), code="grant_exists") from None


def finish(grant: Grant, *, taker: User | None, now: datetime) -> None:
    """Mark a grant as over. Raises Conflict when it is over already."""
    if not Grant.objects.live(now).filter(pk=grant.pk).update(revoked_at=now, revoked_by=taker):
        raise Conflict(_("This grant has ended already."), code="grant_ended")


def close_ended(person: User, wanted: Wanted, now: datetime) -> None:
    """Mark the same grant as over if its end has passed, so that it can be given anew."""
    same = Grant.objects.filter(
        person=person, role=wanted.role, scope_type=wanted.scope, scope_id=wanted.scope_id, revoked_at=None
    )
    same.filter(ends_at__lte=now).update(revoked_at=F("ends_at"))


def require_may_give(giver: User | None, person: User, wanted: Wanted, site_id: UUID | None) -> None:
    """Raise Refused unless `giver` may give this to `person`. Nobody gives anything to himself."""
    if giver is None:
        return
    if giver.pk == person.pk:
        raise Refused(_("Nobody gives himself a role. Ask somebody else who may give it."), code="own_grant")
    require_may_grant(giver, wanted.role, scope=wanted.scope, scope_id=wanted.scope_id, site_id=site_id)


def require_may_take(taker: User | None, grant: Grant) -> None:
    """Raise Refused unless `taker` may take this grant back; his own ones as well, which only makes them fewer."""
    if taker is None:
        return
    scope = Scope(grant.scope_type)
    site_id = site_of_what_was(scope, grant.scope_id)
    require_may_grant(taker, Role(grant.role), scope=scope, scope_id=grant.scope_id, site_id=site_id)


def require_may_grant(giver: User, role: Role, *, scope: Scope, scope_id: UUID | None, site_id: UUID | None) -> None:
    """Raise Refused unless `giver` may hand out `role` on this scope."""
    if not may_grant(held_by(giver), role, scope=scope, scope_id=scope_id, site_id=site_id):
        raise Refused(_("You cannot give or take this role there."))


def may_grant(held: list[Held], role: Role, *, scope: Scope, scope_id: UUID | None, site_id: UUID | None) -> bool:
    """Whether who holds these grants may hand out `role` on this scope: administrators all, supervisors operators."""
    for right in (Right.GRANT_ALL, Right.GRANT_OPERATOR):
        if right == Right.GRANT_OPERATOR and role != Role.OPERATOR:
            continue
        where = reach_of(held, right)
        if where.everywhere or (site_id is not None and site_id in where.sites):
            return True
        if scope == Scope.QUEUE and scope_id in where.queues:
            return True
    return False


def require_administrator_left(ended: Grant, now: datetime) -> None:
    """Raise Conflict when `ended` was the last grant that keeps the product administered.

    One that has an end does not count: when it passes, nobody would be left who can give another.
    """
    if ended.administers_everything and not Grant.objects.administrators(now).exists():
        raise Conflict(
            _("Somebody must administer everything, with no end. Give that to somebody else first."),
            code="last_administrator",
        )


def short(grant: Grant) -> str:
    """A grant in a few words, for one line of the audit trail."""
    until = f", {grant.ends_at:%Y-%m-%d %H:%M} UTC" if grant.ends_at else ""
    return f"{grant.role}, {names_of({grant.scope_key})[grant.scope_key].name}{until}"


def story(grant: Grant) -> dict[str, Any]:
    """What an audit entry tells of a grant, its reason apart."""
    return {
        "grant": str(grant.pk),
        "role": grant.role,
        "scope": grant.scope_type,
        "scope_id": str(grant.scope_id) if grant.scope_id else None,
        "where": names_of({grant.scope_key})[grant.scope_key].name,
        "ends_at": grant.ends_at.isoformat() if grant.ends_at else None,
    }
