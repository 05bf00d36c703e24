"""People whom an identity provider vouches for: whose identity it is, and the roles that their groups stand for."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actions.grants import Wanted, finish, put, story
from accounts.actions.people import create_person
from accounts.actions.permissions import derive, one_at_a_time
from accounts.exceptions import Conflict, Invalid, NotFound, Refused
from accounts.models import Grant, GroupMapping, Identity, User
from accounts.models.grant import Origin, Scope
from accounts.roles import Role
from accounts.scopes import site_of, site_of_what_was
from accounts.sso.providers import Provider, storable

MOST_GROUPS = 2000

Place = tuple[str, str, UUID | None]
# What a place is held for: the mapping, and until when the sign-on that told of the group counts.
Stand = tuple[GroupMapping, datetime]


def sign_on(*, provider: Provider, claims: dict[str, Any], now: datetime) -> User:
    """The person whom verified claims belong to, with the grants that the groups stand for.

    It is found by issuer and subject alone, never by name or e-mail address. Raises Refused `unknown_identity` for a
    subject that nobody is linked to, unless the provider may make accounts, and `person_deactivated`.
    """
    with transaction.atomic():
        one_at_a_time(now)
        identity = (
            Identity.objects.select_related("person").filter(issuer=provider.issuer, subject=claims["sub"]).first()
        )
        if identity is None:
            identity = make_account(provider, claims, now)
        if not identity.person.is_active:
            raise Refused(_("This account is deactivated. Ask your administrator."), code="person_deactivated")
        Identity.objects.filter(pk=identity.pk).update(used_at=now, groups=groups_in(claims, provider.groups_claim))
        follow_groups(identity.person, now)
    return identity.person


def make_account(provider: Provider, claims: dict[str, Any], now: datetime) -> Identity:
    """A new account without a password and without any right. Raises Refused when the provider may not make any."""
    if not provider.creates_accounts:
        said = _(
            "Nobody here is linked to this identity. Ask for an invitation; or sign in and link it to your account."
        )
        raise Refused(said, code="unknown_identity")
    name = text(claims.get("name")) or text(claims.get("preferred_username")) or _("New person")
    username = free_username(text(claims.get("preferred_username")) or name)
    person = create_person(username=username, name=name[:150], password=None, maker=None, now=now)
    return tie(person, provider.issuer, claims["sub"], actor=None, now=now)


def text(value: Any) -> str:
    return storable(value).strip() if isinstance(value, str) else ""


def free_username(wanted: str) -> str:
    """A sign-in name that nobody has, in capitals or not, close to the wanted one."""
    base = re.sub(r"[^\w.@+-]", "", User.normalize_username(wanted))[:100] or "person"
    taken = {
        one.casefold() for one in User.objects.filter(username__istartswith=base).values_list("username", flat=True)
    }
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (base, *numbered) if one.casefold() not in taken)


def link(*, person: User, issuer: str, subject: str, groups: list[str], now: datetime) -> Identity:
    """Link the own account to an identity. Raises Conflict when somebody is linked to it already."""
    with transaction.atomic():
        one_at_a_time(now)
        identity = tie(person, issuer, subject, actor=person, now=now)
        Identity.objects.filter(pk=identity.pk).update(groups=groups, used_at=now)
        follow_groups(person, now)
    return identity


def tie(person: User, issuer: str, subject: str, *, actor: User | None, now: datetime) -> Identity:
    try:
        with transaction.atomic():
            made = Identity.objects.create(person=person, issuer=issuer, subject=subject, linked_at=now)
    except IntegrityError:
        raise Conflict(_("This identity is linked to an account already."), code="identity_linked") from None
    audit.record("identity.linked", actor=actor, on=person, issuer=issuer)
    return made


def unlink(*, person: User, pk: UUID, now: datetime) -> None:
    """Undo a link; the grants that came through it go. Raises Invalid when nothing would be left to sign in with."""
    with transaction.atomic():
        one_at_a_time(now)
        row = Identity.objects.filter(person=person, pk=pk).first()
        if row is None:
            raise NotFound
        if not person.has_usable_password() and person.identities.count() == 1:
            raise Invalid(_("You could not sign in any more. Set a password first."), code="last_identity")
        row.delete()
        audit.record("identity.unlinked", actor=person, on=person, issuer=row.issuer)
        follow_groups(person, now)


def groups_in(claims: dict[str, Any], claim: str) -> list[str]:
    """The groups in the claims; whatever is no list of texts means none, and so does a text that cannot be stored."""
    found = claims.get(claim, [])
    found = [found] if isinstance(found, str) else found
    texts = {one for one in found if isinstance(one, str)} if isinstance(found, list) else set()
    return sorted(one for one in texts if storable(one) == one)[:MOST_GROUPS]


def follow_groups(person: User, now: datetime) -> None:
    """Make the grants of `person` that came from single sign-on those that the groups stand for now.

    They end by themselves `SSO_HOURS` after the sign-on that told of the group, whatever else the person comes in with,
    and each sign-on moves the end. Grants that people gave stay as they are.
    """
    wanted = wanted_by(person, now)
    live = {(grant.role, *grant.scope_key): grant for grant in Grant.objects.live(now).filter(person=person)}
    over = [grant for place, grant in live.items() if grant.origin == Origin.SINGLE_SIGN_ON and place not in wanted]
    changed = [take(grant, now) for grant in over]
    changed += [give(person, place, stand, now) for place, stand in wanted.items() if place not in live]
    extend(person, {live[place]: ends_at for place, (_mapping, ends_at) in wanted.items() if place in live})
    if any(changed):
        derive(person, now=now)


def wanted_by(person: User, now: datetime) -> dict[Place, Stand]:
    """The places that the groups of the identities of `person` stand for; those that exist no more stand for none.

    An identity that was used too long ago says nothing any more: its groups may be stale.
    """
    found: dict[Place, Stand] = {}
    lasts = timedelta(hours=settings.SECONDLOOK["SSO_HOURS"])
    for identity in person.identities.filter(used_at__gt=now - lasts).order_by("used_at"):
        assert identity.used_at is not None
        rows = GroupMapping.objects.filter(issuer=identity.issuer, group__in=identity.groups)
        stands = identity.used_at + lasts
        found |= {(row.role, row.scope_type, row.scope_id): (row, stands) for row in rows if exists(row)}
    return found


def extend(person: User, ends: dict[Grant, datetime]) -> None:
    """Move the ends of grants of single sign-on: the one thing of a grant that changes in place, as nobody decides it.

    One audit entry for all of them. The last administrator of everything from before such grants had an end keeps his.
    """
    moved = {
        grant: ends_at
        for grant, ends_at in ends.items()
        if grant.origin == Origin.SINGLE_SIGN_ON and grant.ends_at is not None and grant.ends_at < ends_at
    }
    for grant, ends_at in moved.items():
        Grant.objects.filter(pk=grant.pk).update(ends_at=ends_at)
    if moved:
        until = {str(grant.pk): ends_at.isoformat() for grant, ends_at in moved.items()}
        audit.record("grant.extended", actor=None, on=person, count=len(moved), grants=until)


def exists(row: GroupMapping) -> bool:
    return row.scope_type == Scope.EVERYWHERE or site_of_what_was(Scope(row.scope_type), row.scope_id) is not None


def give(person: User, place: Place, stand: Stand, now: datetime) -> bool:
    role, scope, scope_id = Role(place[0]), Scope(place[1]), place[2]
    mapping, ends_at = stand
    why = _("Group %(group)s: %(reason)s") % {"group": mapping.group, "reason": mapping.reason}
    wanted = Wanted(role, scope, scope_id, ends_at)
    grant = put(person, wanted, why=why[:300], giver=None, now=now, origin=Origin.SINGLE_SIGN_ON)
    audit.record("grant.given", actor=None, on=person, site_id=site_of(scope, scope_id), reason=why, **story(grant))
    return True


def take(grant: Grant, now: datetime) -> bool:
    """Take a grant back whose group is gone; False for the last administrator, who is told of in the audit trail.

    Only a grant from before those of single sign-on had an end can be the last one.
    """
    if grant.administers_everything and not Grant.objects.administrators(now).exclude(pk=grant.pk).exists():
        audit.record("grant.kept", actor=None, on=grant.person, **story(grant))
        return False
    finish(grant, taker=None, now=now)
    site_id = site_of_what_was(Scope(grant.scope_type), grant.scope_id)
    why = _("The group that stood for it is gone.")
    facts = story(grant) | {"reason": grant.reason}
    audit.record("grant.taken_back", actor=None, on=grant.person, site_id=site_id, why=why, **facts)
    return True
