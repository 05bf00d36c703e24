"""Taking entries of the audit trail out of the house: by right, for a stated purpose, a few at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.access import audited_sites
from accounts.exceptions import Invalid, Refused, SecondLookError
from accounts.models import Lease, User
from accounts.trail.export import Export
from accounts.trail.filters import Asked, as_id, entries

FORMATS = ("csv", "jsonl")
AT_ONCE = 5
# Renewed between batches; what a killed process leaves behind counts for this long.
LASTS = timedelta(minutes=5)
LONGEST_PURPOSE = 300


class TooManyExports(SecondLookError):
    status, code = 429, "exports_running"
    title = _("Five of your exports are still running. Let one of them end, or stop it in your browser, and try again.")


@dataclass(frozen=True)
class Place:
    """One of the few exports that a person may run at once, over all processes."""

    name: str
    holder: str

    def keep(self) -> None:
        Lease.objects.take(self.name, holder=self.holder, now=timezone.now(), lasts=LASTS)

    def leave(self) -> None:
        Lease.objects.filter(name=self.name, holder=self.holder).update(expires_at=timezone.now())


def export_entries(*, person: User, asked: Asked, form: str, purpose: str, now: datetime) -> Export:
    """What `person` may audit of what was `asked`, without the own story, as a file that is still to be streamed.

    The entry about it is committed when this returns. Raises Refused without the right to audit anything, Invalid
    without a purpose or for an unknown format, TooManyExports (429).
    """
    if not audited_sites(person):
        raise Refused(_("Only who may read the audit trail of a site can export it."))
    said = purpose.strip()
    if form not in FORMATS:
        raise Invalid(_("Choose CSV or JSON Lines."), code="unknown_format")
    if not 0 < len(said) <= LONGEST_PURPOSE:
        raise Invalid(_("Say in at most 300 characters what the export is for."), code="purpose_required")
    place = take_place(person, now)
    try:
        rows = entries(person, asked, own=False)
        with transaction.atomic():
            last: int = rows.aggregate(last=Max("pk"))["last"] or 0
            record(person, asked, form, said, rows.filter(pk__lte=last).count(), last)
    except BaseException:
        place.leave()
        raise
    return Export(rows, last, alive=place.keep, over=place.leave)


def record(person: User, asked: Asked, form: str, purpose: str, count: int, last: int) -> None:
    facts: dict[str, Any] = {"format": form, "purpose": purpose, "count": count, "last": last}
    audit.record(
        "audit.exported",
        actor=person,
        site_id=site_of(person, asked),
        action=audit.Action.ACCESS,
        filter=asked.values,
        **facts,
    )


def site_of(person: User, asked: Asked) -> UUID | None:
    """The site whose trail left the house, when it is one: those who read that trail see that it did."""
    where, wanted = audited_sites(person), as_id(asked.site)
    if wanted and (where.everywhere or wanted in where.sites):
        return wanted
    return next(iter(where.sites)) if len(where.sites) == 1 and not where.everywhere and not where.queues else None


def take_place(person: User, now: datetime) -> Place:
    holder = uuid4().hex
    for number in range(AT_ONCE):
        place = Place(f"audit-export-{person.pk}-{number}", holder)
        if Lease.objects.take(place.name, holder=holder, now=now, lasts=LASTS):
            return place
    raise TooManyExports(retry_after=30)
