"""Shared workstations: made from a browser, named, retired; and who may come back to one."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.actions import badges, pins, shifts
from accounts.exceptions import Conflict, Invalid, Refused
from accounts.models import Shift, User, Workstation

NAME_MOST = 80
IDLE_MINUTES = range(1, 481)


def share(*, name: str, site_id: UUID | None, maker: User, now: datetime) -> Workstation:
    """A browser becomes a shared workstation. The caller has checked that the maker works at the site."""
    with transaction.atomic():
        made = Workstation.objects.create(
            name=named(name), site_id=site_id, created_by=maker, created_at=now, last_used_at=now
        )
        audit.record("workstation.shared", actor=maker, on=made, site_id=site_id, action=audit.Action.CREATE)
    return made


def change(*, workstation: Workstation, name: str, idle_minutes: int | None, changer: User, now: datetime) -> None:
    """Rename it, and say after how many idle minutes it locks; None for the minutes of the settings.

    Raises Invalid for minutes outside of 1..480 and for an empty name, Conflict when it is retired.
    """
    if idle_minutes is not None and idle_minutes not in IDLE_MINUTES:
        raise Invalid(_("It locks after 1 to 480 minutes."), code="idle_minutes")
    before = {"name": workstation.name, "idle_minutes": workstation.idle_minutes}
    after = {"name": named(name), "idle_minutes": idle_minutes}
    with transaction.atomic():
        if not Workstation.objects.live().filter(pk=workstation.pk).update(**after):
            raise retired()
        site_id = workstation.site_id
        audit.record("workstation.changed", actor=changer, on=workstation, site_id=site_id, before=before, after=after)


def retire(*, workstation: Workstation, person: User, now: datetime) -> None:
    """The browser is an ordinary one again: every shift there ends, whoever is signed in signs in anew."""
    with transaction.atomic():
        if not Workstation.objects.live().filter(pk=workstation.pk).update(retired_at=now):
            raise retired()
        for worker in User.objects.filter(shifts__workstation=workstation, shifts__ended_at=None).distinct():
            shifts.finish(person=worker, workstation=workstation, why="workstation retired", now=now)
        audit.record("workstation.retired", actor=person, on=workstation, site_id=workstation.site_id)


def come_back(*, workstation: Workstation, code: str, chosen: UUID | None, now: datetime) -> tuple[Shift, str]:
    """Whose shift here a code opens, and the way: "pin" (of the person `chosen`) or "badge" (of its owner).

    A PIN and a badge differ in what they are, not in how fast they are typed: four to eight digits are a PIN.
    Raises Refused for whatever opens nothing.
    """
    if pins.is_pin(code):
        shift = shift_here(workstation, now, public_id=chosen) if chosen else None
        if shift is None:
            raise Refused(_("Choose who you are, then type your PIN."), code="choose_person")
        require_locked(shift, now)
        pins.check_pin(shift=shift, pin=code, now=now)
        return shift, "pin"
    owner = badges.owner_of(code, workstation=workstation, now=now)
    shift = shift_here(workstation, now, public_id=owner.public_id)
    if shift is None:
        raise Refused(_("Your shift here begins with a full sign-in. After it, the badge will do."), code="no_shift")
    require_locked(shift, now)
    return shift, "badge"


def require_locked(shift: Shift, now: datetime) -> None:
    """Raise Refused while the person is at work, before a try is counted.

    Otherwise whoever copied the workstation's cookie could guess, or use up, the PIN of somebody who sits there.
    """
    if not shift.is_locked(now):
        raise Refused(_("This person is at work here now. Lock that screen first."), code="at_work")


def shift_here(workstation: Workstation, now: datetime, *, public_id: UUID) -> Shift | None:
    """The person's full sign-in of this shift here, if the account is still as it was then."""
    rows = Shift.objects.live(now).filter(workstation=workstation, person__public_id=public_id)
    shift = rows.select_related("person", "workstation").first()
    if shift is None or not shift.person.is_active or shift.account_hash != shift.person.get_session_auth_hash():
        return None
    return shift


def named(name: str) -> str:
    kept = " ".join(name.replace("\0", "").split())
    if not kept or len(kept) > NAME_MOST:
        raise Invalid(_("Give the computer a name of at most 80 characters, such as its place."), code="name")
    return kept


def retired() -> Conflict:
    return Conflict(_("This workstation is retired already."), code="workstation_retired")
