"""Ending sessions of people: one browser, the others, all of them."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit, broadcast
from accounts.actions import shifts
from accounts.exceptions import NotFound
from accounts.models import Session, User
from accounts.models.workstation import SHIFT
from accounts.reasons import said


def end_sessions(*, person: User, keep: str | None = None, actor: User | None, reason: str, now: datetime) -> int:
    """End the sessions of `person`, all but the one whose key is `keep`. Returns how many were open until now.

    A request that is under way in one of them cannot write it back; open sockets look at once, after the commit. No PIN
    and no badge brings one of them back. Raises Invalid without a reason.
    """
    why = said(reason, _("Say why the sessions end."))
    with transaction.atomic():
        rows = Session.objects.filter(person=person)
        if keep is not None:
            rows = rows.exclude(session_key=keep)
        ended = rows.filter(expire_date__gt=now).count()
        spared = Session.objects.filter(person=person, session_key=keep).first() if keep else None
        rows.delete()
        shifts.finish(person=person, spare=shift_in(spared), why=why, now=now)
        broadcast.rights_changed(person.pk)
        if ended:
            audit.record("sessions.ended", actor=actor, on=person, count=ended, reason=why)
    return ended


def end_session(*, person: User, key: str, actor: User, now: datetime) -> None:
    """End one session of `person`. Raises NotFound when it is over already or somebody else's."""
    with transaction.atomic():
        row = Session.objects.open(now).filter(person=person, session_key=key).first()
        if row is None or not Session.objects.filter(pk=row.pk).delete()[0]:
            raise NotFound
        if shift := shift_in(row):
            shifts.finish(person=person, only=shift, why="session ended", now=now)
        broadcast.rights_changed(person.pk)
        audit.record("session.ended", actor=actor, on=person, browser=row.browser, address=row.address)


def shift_in(session: Session | None) -> str | None:
    """The shift that a session belongs to; None for a browser that nothing locks."""
    found: str | None = session.get_decoded().get(SHIFT) if session else None
    return found
