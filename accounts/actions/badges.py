"""Badges: cards whose reader types a number. One belongs to one person, and opens only what a full sign-in began."""

import hashlib
import hmac
from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.access import Held
from accounts.actions.grants import may_grant, require_may_take
from accounts.actions.pins import is_pin
from accounts.exceptions import Conflict, Invalid, Refused
from accounts.models import Badge, Grant, User, Workstation
from accounts.models.grant import Scope
from accounts.roles import Role
from accounts.scopes import names_of

SHORTEST, LONGEST = 5, 128
SALT = "secondlook.badge"
# Numbers of cards are few enough to try: so many per workstation and quarter of an hour, and no more.
REFUSED_MOST = 10
REFUSED_WITHIN = timedelta(minutes=15)


def digests(number: str) -> list[str]:
    """The keyed digests under which a number may be kept: by the present secret first, then by those before it.

    HMAC-SHA256 with a key derived from the secret: numbers are too few to be kept as plain hashes.
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [salted_hmac(SALT, "key", secret=secret, algorithm="sha256").digest() for secret in secrets]
    return [hmac.new(key, number.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest() for key in keys]


def register(*, person: User, number: str, name: str, maker: User, now: datetime) -> Badge:
    """Give a badge to a person.

    Raises Refused unless `maker` may take every role of the person: whoever holds a badge can stand in for him. Raises
    Invalid for a number that would read as a PIN or is none, Conflict when the badge belongs to somebody.
    """
    read = number.strip()
    if is_pin(read):
        raise Invalid(_("Four to eight digits read as a PIN. Let the reader type the long number."), code="badge_form")
    if not SHORTEST <= len(read) <= LONGEST or not read.isprintable():
        raise Invalid(_("This is no badge number. Hold the badge to the reader once more."), code="badge_form")
    require_may_stand_for(maker, person, now)
    with transaction.atomic():
        if Badge.objects.live().filter(digest__in=digests(read)).exists():
            raise taken()
        badge = put(person, digests(read)[0], name.strip() or str(_("Badge")), maker, now)
        audit.record("badge.registered", actor=maker, on=person, action=audit.Action.CREATE, badge=badge.name)
    return badge


def put(person: User, digest: str, name: str, maker: User, now: datetime) -> Badge:
    try:
        with transaction.atomic():
            return Badge.objects.create(person=person, digest=digest, name=name, created_by=maker, created_at=now)
    except IntegrityError:
        raise taken() from None


def taken() -> Conflict:
    return Conflict(_("This badge is registered already. Revoke it first."), code="badge_taken")


def require_may_stand_for(maker: User, person: User, now: datetime) -> None:
    """Raise Refused unless `maker` holds authority over every role of `person`, who must have one."""
    grants = list(Grant.objects.live(now).filter(person=person))
    if not grants or not person.is_active:
        raise Refused(_("Only somebody with a role gets a badge."), code="no_role")
    for grant in grants:
        require_may_take(maker, grant)


def revoke(*, badge: Badge, person: User, now: datetime) -> None:
    """Let a badge open nothing any more. Raises Conflict when that is so already."""
    with transaction.atomic():
        if not Badge.objects.live().filter(pk=badge.pk).update(revoked_at=now):
            raise Conflict(_("This badge is revoked already."), code="badge_revoked")
        audit.record("badge.revoked", actor=person, on=badge.person, badge=badge.name)


def owner_of(number: str, *, workstation: Workstation, now: datetime) -> User:
    """Whose badge this is. Raises Refused for one that is nobody's, and for a while after too many of those."""
    if not may_try(workstation, now):
        raise Refused(
            _("Too many badges were refused here. Wait a quarter of an hour, or sign in."), code="badge_pause"
        )
    rows = Badge.objects.live().select_related("person", "created_by")
    badge = rows.filter(digest__in=digests(number.strip())).first()
    if badge is None or not badge.person.is_active:
        note_refused(workstation)
        raise Refused(_("This badge is not known here."), code="badge_unknown")
    # No guess, whether it opens or not: when a maker leaves, many such badges come and must not pause all others.
    Workstation.objects.filter(pk=workstation.pk, refused_badges__gt=0).update(refused_badges=F("refused_badges") - 1)
    if not is_vouched_for(badge, now):
        note_refused(workstation)
        raise Refused(
            _("This badge has to be registered again: whoever did it may not any more. Sign in with your password."),
            code="badge_anew",
        )
    return badge.person


def note_refused(workstation: Workstation) -> None:
    with transaction.atomic():
        audit.record("badge.refused", actor=None, on=workstation, site_id=workstation.site_id)


def is_vouched_for(badge: Badge, now: datetime) -> bool:
    """Whether who registered the badge could still do so: its person may have risen above him since then.

    The badge of a maker who has left is to be registered anew.
    """
    return not to_be_registered_anew([badge], now)


def to_be_registered_anew(cards: list[Badge], now: datetime) -> set[UUID]:
    """Those of `cards` for which nobody who still may vouches, by `require_may_stand_for`, in a few queries for all."""
    people = {card.person_id for card in cards} | {card.created_by_id for card in cards}
    grants: dict[int, list[Grant]] = defaultdict(list)
    for grant in Grant.objects.live(now).filter(person__in=people):
        grants[grant.person_id].append(grant)
    places = names_of({grant.scope_key for rows in grants.values() for grant in rows})

    def may_take(maker: User, grant: Grant) -> bool:
        held = [Held(Role(one.role), one.scope_type, one.scope_id) for one in grants[maker.pk]]
        scope, site_id = Scope(grant.scope_type), places[grant.scope_key].site_id
        return may_grant(held, Role(grant.role), scope=scope, scope_id=grant.scope_id, site_id=site_id)

    def is_good(card: Badge) -> bool:
        owned = grants[card.person_id]
        both = card.person.is_active and card.created_by.is_active
        return both and bool(owned) and all(may_take(card.created_by, grant) for grant in owned)

    return {card.pk for card in cards if not is_good(card)}


def may_try(workstation: Workstation, now: datetime) -> bool:
    """Take one of the tries of this quarter of an hour, before the badge is looked at; False when none is left."""
    rows = Workstation.objects.filter(pk=workstation.pk)
    old = Q(refused_since=None) | Q(refused_since__lte=now - REFUSED_WITHIN)
    if rows.filter(old).update(refused_badges=1, refused_since=now):
        return True
    return rows.filter(refused_badges__lt=REFUSED_MOST).update(refused_badges=F("refused_badges") + 1) == 1
