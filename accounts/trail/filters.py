"""What somebody asks of the trail, read from the address, and as conditions that an index serves each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from uuid import UUID

from django.db.models import Max, Min, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from accounts.access import any_of, audit_branches, audit_entries_for
from accounts.models import AuditEntry, User
from accounts.trail.kinds import verbs_of

NAMES = ("kind", "verb", "person", "object", "site", "queue", "from", "to")
LONGEST = 200
MOST_PEOPLE = 20
MOST_STREAMS = 120
ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
NOTHING = Q(pk__in=[])
# What other apps know of an id that somebody pasted: the subject whose story it belongs to, or None.
SUBJECTS: list[Callable[[UUID], UUID | None]] = []


@dataclass(frozen=True)
class Asked:
    """A filter as it was typed; empty texts ask for nothing."""

    kind: str = ""
    verb: str = ""
    person: str = ""
    object: str = ""
    site: str = ""
    queue: str = ""
    begin: str = ""
    end: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Asked":
        read = {name: values.get(name, "").strip()[:LONGEST] for name in NAMES}
        return cls(begin=read.pop("from"), end=read.pop("to"), **read)

    @property
    def values(self) -> dict[str, str]:
        """As in an address, without what is empty."""
        found = {name: getattr(self, {"from": "begin", "to": "end"}.get(name, name)) for name in NAMES}
        return {name: value for name, value in found.items() if value}


def streams(reader: User, asked: Asked, *, own: bool = True) -> list[Q]:
    """Conditions of which one must hold; each is served by an index in the order of ids.

    They are every combination of what the reader may see, who acted, whose story it is and what was done. When there
    are too many, what was done is asked in one condition.
    """
    branches = audit_branches(reader, own=own)
    people, subjects, verbs = people_named(asked.person), subjects_named(reader, asked.object), verbs_named(asked)
    parts = [branches, people, subjects, verbs]
    if len(branches) * len(people) * len(subjects) * len(verbs) > MOST_STREAMS:
        parts = [branches, [any_of(people)], [any_of(subjects)], [any_of(verbs)]]
    rest = scope(asked) & span(asked)
    found = []
    for combination in product(*parts):
        condition = rest
        for part in combination:
            condition &= part
        found.append(condition)
    return found


def entries(reader: User, asked: Asked, *, own: bool = True) -> QuerySet[AuditEntry]:
    """All that `streams` find, as one question."""
    found: QuerySet[AuditEntry] = AuditEntry.objects.filter(any_of(streams(reader, asked, own=own)))
    return found


def people_named(text: str) -> list[Q]:
    """Conditions on who acted: people by id or by a part of the name. Names that nobody has find nothing."""
    if not text:
        return [Q()]
    if pk := as_id(text):
        return [Q(actor_id=person) for person in User.objects.filter(public_id=pk).values_list("pk", flat=True)] or [
            NOTHING
        ]
    named = User.objects.filter(Q(name__icontains=text) | Q(username__icontains=text)).order_by("pk")
    return [Q(actor_id=pk) for pk in named.values_list("pk", flat=True)[:MOST_PEOPLE]] or [NOTHING]


def subjects_named(reader: User, text: str) -> list[Q]:
    """Conditions on whose story it is: the last id in a pasted address, or what it belongs to."""
    if not text:
        return [Q()]
    pk = as_id(text)
    if pk is None:
        return [NOTHING]
    about = audit_entries_for(reader).filter(object_pk=str(pk)).order_by()
    known = set(about.exclude(subject_id=None).values_list("subject_id", flat=True)[:5])
    known |= {found for find in SUBJECTS if (found := find(pk))}
    return [Q(subject_id=subject) for subject in sorted(known | {pk})]


def verbs_named(asked: Asked) -> list[Q]:
    if asked.verb:
        return [Q(verb=asked.verb)]
    if not asked.kind:
        return [Q()]
    return [Q(verb=verb) for verb in verbs_of(asked.kind)] or [NOTHING]


def scope(asked: Asked) -> Q:
    found = Q()
    for column, text in (("site_id", asked.site), ("queue_id", asked.queue)):
        if text:
            pk = as_id(text)
            found &= Q(**{column: pk}) if pk else NOTHING
    return found


def span(asked: Asked) -> Q:
    """A condition on the time, with the ids that this span holds: entries are read in the order of ids."""
    begin, end = instant(asked.begin, last=False), instant(asked.end, last=True)
    if (asked.begin and begin is None) or (asked.end and end is None):
        return NOTHING
    found = Q()
    if begin:
        found &= Q(timestamp__gte=begin)
    if end:
        found &= Q(timestamp__lte=end)
    if not found:
        return found
    bounds = AuditEntry.objects.filter(found).aggregate(low=Min("id"), high=Max("id"))
    return found & Q(id__gte=bounds["low"], id__lte=bounds["high"]) if bounds["low"] else NOTHING


def instant(text: str, *, last: bool) -> datetime | None:
    """A day, a minute or an instant as people and browsers write them; days and minutes in the active time zone."""
    try:
        moment = parse_datetime(text)
        day = None if moment else parse_date(text)
    except ValueError:
        return None
    if day is not None:
        moment = at_the_end(day) if last else datetime.combine(day, time.min)
    elif moment is not None and last and timezone.is_naive(moment) and not moment.second:
        moment += timedelta(seconds=59, microseconds=999_999)
    if moment is None or not date(1, 1, 3) <= moment.date() <= date(9999, 12, 29):
        return None
    aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    return aware.astimezone(UTC)


def at_the_end(day: date) -> datetime:
    return datetime.combine(day, time.max)


def as_id(text: str) -> UUID | None:
    """The last id in a text: people paste whole addresses."""
    found = ID.findall(text)
    return UUID(found[-1]) if found else None
