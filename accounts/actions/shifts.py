"""A person at a browser that locks: sign-in, activity, lock, unlock, hand-over, end."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit, broadcast
from accounts.exceptions import Conflict
from accounts.models import Lease, Shift, User, Workstation

WAYS = ("pin", "badge")


def begin(*, person: User, workstation: Workstation | None, sign_in: dict[str, Any], now: datetime) -> Shift:
    """A full sign-in: the shift that a PIN or a badge may reopen here until it ends. An earlier one here ends."""
    with transaction.atomic():
        if workstation is not None:
            # Two sign-ins of one person here, at once, go one after the other.
            Lease.objects.one_at_a_time(f"shift-{workstation.pk}", now=now)
            finish(person=person, workstation=workstation, why="signed in anew", now=now)
            Workstation.objects.filter(pk=workstation.pk).update(last_used_at=now)
        return Shift.objects.create(
            person=person,
            workstation=workstation,
            began_at=now,
            ends_at=now + timedelta(hours=settings.SECONDLOOK["SHIFT_HOURS"]),
            last_active_at=now,
            sign_in=sign_in,
            account_hash=person.get_session_auth_hash(),
        )


def stay(*, shift: Shift, now: datetime) -> None:
    """Somebody touched the browser. A lock, also one that only time has made, is not lifted by that."""
    rows = Shift.objects.filter(pk=shift.pk, locked_at=None, ended_at=None)
    if shift.idle is not None:
        rows = rows.filter(last_active_at__gt=now - shift.idle)
    rows.filter(last_active_at__lt=now).update(last_active_at=now)


def lock(*, shift: Shift, why: str, now: datetime) -> bool:
    """Lock the screen; False when it was locked already. `why` is "asked" or "idle"."""
    with transaction.atomic():
        if not Shift.objects.filter(pk=shift.pk, locked_at=None, ended_at=None).update(locked_at=now):
            return False
        record("session.locked", shift, why=why)
        broadcast.rights_changed(shift.person_id)
    return True


def unlock(*, shift: Shift, way: str, before: User | None, now: datetime) -> None:
    """Open the screen for the person of `shift`, whose PIN or badge was checked; `before` had the screen until now.

    Raises Conflict when the shift ended in the meantime.
    """
    assert way in WAYS
    with transaction.atomic():
        changed = Shift.objects.live(now).filter(pk=shift.pk).update(locked_at=None, last_active_at=now)
        if not changed:
            raise Conflict(
                _("Your shift at this workstation has ended. Sign in with your password."), code="shift_over"
            )
        Workstation.objects.filter(shifts=shift).update(last_used_at=now)
        if before is None or before.pk == shift.person_id:
            since = (shift.locked_at or shift.last_active_at).isoformat()
            record("session.unlocked", shift, unlocked_with=way, locked_since=since)
        else:
            record("session.handed_over", shift, unlocked_with=way, before=str(before))
            broadcast.rights_changed(before.pk)


def end(*, shift: Shift, why: str, now: datetime) -> bool:
    """The person leaves the browser for good: no PIN and no badge reopens it. False when that was so already."""
    with transaction.atomic():
        if not Shift.objects.filter(pk=shift.pk, ended_at=None).update(ended_at=now):
            return False
        if shift.pin_hash:
            record("pin.voided", shift, why=why)
        broadcast.rights_changed(shift.person_id)
    return True


def finish(
    *,
    person: User,
    workstation: Workstation | None = None,
    only: str | None = None,
    spare: str | None = None,
    why: str,
    now: datetime,
) -> int:
    """End shifts of a person: all, those at one workstation, `only` one, or all but the one to `spare` (ids).

    Returns how many. Belongs into a transaction.
    """
    rows = Shift.objects.filter(person=person, ended_at=None)
    if workstation is not None:
        rows = rows.filter(workstation=workstation)
    rows = rows.filter(pk=only) if only else rows
    rows = rows.exclude(pk=spare) if spare else rows
    with_pin = list(rows.exclude(pin_hash="").filter(ends_at__gt=now).select_related("workstation", "person"))
    ended = rows.update(ended_at=now)
    for shift in with_pin:
        record("pin.voided", shift, why=why)
    if ended:
        broadcast.rights_changed(person.pk)
    return ended


def finish_for_departure(person: User, now: datetime) -> None:
    finish(person=person, why="account deactivated", now=now)


def record(verb: str, shift: Shift, **facts: Any) -> None:
    site_id = shift.workstation.site_id if shift.workstation else None
    where = str(shift.workstation) if shift.workstation else None
    audit.record(verb, actor=shift.person, on=shift, site_id=site_id, where=where, **facts)
