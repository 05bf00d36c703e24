"""Which evidence may go: decided event by event, and asked again at the very moment of removal.

Never touched: evidence of events that are open, parked, held or under a legal hold; what a release or a guide shows.
Bytes that several events show go only when all of them let go. Ages count from when the server had the event or the
outcome, never from a source's clock.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from inference.models import Site
from review.models import (
    Event,
    EventEvidence,
    Evidence,
    Hold,
    Item,
    ItemState,
    Kept,
    LegalHold,
    Outcome,
    Parking,
    ReleaseRow,
    RetentionRule,
    RetentionRun,
)

CLASS_OF = {
    Outcome.CONFIRMED: Kept.CONFIRMED,
    Outcome.CORRECTED: Kept.CORRECTED,
    Outcome.EMPTY: Kept.EMPTY,
    Outcome.UNSURE: Kept.UNSURE,
    Outcome.BAD_IMAGE: Kept.UNSURE,
}
# What may have been decided a moment ago is not looked at: an undo or a release may be on its way.
YOUNGEST = timedelta(days=1)
# How many files, the oldest ones, the page looks at to say what would go.
LOOKED_AT = 5000


@dataclass(frozen=True, slots=True)
class Rules:
    """A site's rules: days by class, and until when events of a class go because it is over its bytes."""

    days: dict[str, int] = field(default_factory=dict)
    over_since: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, site: Site, rows: Iterable[RetentionRule] | None = None) -> "Rules":
        """The rules in force, or those that `rows`, which need not be saved, would be. Adds up the bytes of classes."""
        rows = list(RetentionRule.objects.filter(site=site) if rows is None else rows)
        over = {row.kept: since for row in rows if row.most_bytes is not None and (since := over_bytes(site, row))}
        return cls(days_of(rows), over)

    @classmethod
    def during(cls, run: RetentionRun) -> "Rules":
        """The rules for the pages of a run: bytes as they were added up when it began."""
        over = {kept: datetime.fromisoformat(since) for kept, since in run.over_since.items()}
        return cls(days_of(RetentionRule.objects.filter(site=run.site_id)), over)

    def youngest(self, now: datetime) -> datetime | None:
        """The time after which nothing that was stored can go; None when nothing at all can.

        A file that came long after its event is kept as long as if the event had come with it.
        """
        ends = [now - timedelta(days=days) for days in self.days.values()] + list(self.over_since.values())
        return min(now - YOUNGEST, max(ends)) if ends else None

    def why(self, kept: Kept, ended_at: datetime, now: datetime) -> str:
        """Why an event of this class that ended then lets go; empty when it does not."""
        days = self.days.get(kept)
        if ended_at > now - YOUNGEST:
            return ""
        if days is not None and ended_at <= now - timedelta(days=days):
            return f"{kept.label}: {days} d"
        if (since := self.over_since.get(kept)) and ended_at <= since:
            return f"{kept.label}: bytes"
        return ""


def days_of(rows: Iterable[RetentionRule]) -> dict[str, int]:
    return {row.kept: row.days for row in rows if row.days is not None}


def over_bytes(site: Site, rule: RetentionRule) -> datetime | None:
    """Until when events of a class have to go so that the rest fits its bytes; None when all of it fits."""
    kept = rule.most_bytes or 0
    rows = EventEvidence.objects.filter(event__site=site, evidence__removed_at=None, evidence__isnull=False)
    rows = rows.filter(class_filter(Kept(rule.kept)))
    total = rows.aggregate(total=Sum("evidence__size"))["total"] or 0
    if total <= kept:
        return None
    spare = total - kept
    oldest = rows.order_by("event__received_at").values_list("event__received_at", "evidence__size")
    for received_at, size in oldest.iterator(chunk_size=2000):
        spare -= size
        if spare <= 0:
            return received_at
    return None


def class_filter(kept: Kept) -> Q:
    """Evidence rows whose event ended in this way, closely enough for counting bytes."""
    if kept == Kept.PASSED:
        return Q(event__items=None)
    outcomes = [outcome for outcome in Outcome if CLASS_OF.get(outcome, Kept.OTHER) == kept]
    return Q(event__items__state__in=[ItemState.DECIDED, ItemState.WITHDRAWN], event__items__outcome__in=outcomes)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is around a page of evidence, read in a few queries however many rows it has."""

    events: dict[UUID, list[Event]]
    items: dict[UUID, list[Item]]
    bound: frozenset[UUID]
    shown: frozenset[UUID]

    @classmethod
    def around(cls, evidence: Iterable[Evidence]) -> "Facts":
        pks = [row.pk for row in evidence]
        events: dict[UUID, list[Event]] = {pk: [] for pk in pks}
        for row in EventEvidence.objects.filter(evidence__in=pks).select_related("event"):
            events[row.evidence_id].append(row.event)  # type: ignore[index]
        ids = {event.pk for rows in events.values() for event in rows}
        items: dict[UUID, list[Item]] = {pk: [] for pk in ids}
        for item in Item.objects.filter(event__in=ids).order_by("created_at"):
            items[item.event_id].append(item)
        return cls(events, items, bound_events(ids), shown_elsewhere(pks))

    def why(self, evidence: Evidence, rules: Rules, now: datetime) -> str:
        """By which rule the evidence may go; empty when it may not."""
        events = self.events[evidence.pk]
        if not events or evidence.pk in self.shown:
            return ""
        reasons = [self.why_event(event, rules, now) for event in events]
        return reasons[0] if all(reasons) else ""

    def why_event(self, event: Event, rules: Rules, now: datetime) -> str:
        items = self.items[event.pk]
        if event.pk in self.bound or any(item.state == ItemState.OPEN for item in items):
            return ""
        if not items:
            return rules.why(Kept.PASSED, event.received_at, now)
        last = items[-1]
        kept = CLASS_OF.get(Outcome(last.outcome), Kept.OTHER)
        return rules.why(kept, last.decided_at or event.received_at, now)


def bound_events(ids: set[UUID]) -> frozenset[UUID]:
    """Events that wait for a name or a machine, or that a legal hold protects."""
    parked = Parking.objects.filter(event__in=ids, resolved_at=None).values_list("event_id", flat=True)
    held = Hold.objects.waiting().filter(event__in=ids).values_list("event_id", flat=True)
    legal = LegalHold.objects.filter(event__in=ids, lifted_at=None).values_list("event_id", flat=True)
    return frozenset(parked) | frozenset(held) | frozenset(legal)


def shown_elsewhere(pks: Iterable[UUID]) -> frozenset[UUID]:
    """Evidence that a release rests on, or that a guide shows as an example."""
    released = ReleaseRow.objects.filter(evidence__in=pks).values_list("evidence_id", flat=True)
    examples = Evidence.objects.used_as_example().filter(pk__in=pks).values_list("pk", flat=True)
    return frozenset(released) | frozenset(examples)


def old_enough(
    site_id: UUID, rules: Rules, now: datetime, *, after: tuple[datetime, UUID] | None = None
) -> QuerySet[Evidence]:
    """What the site keeps and may let go, as far as its age says, the oldest first; after a place to go on from."""
    youngest = rules.youngest(now)
    if youngest is None:
        return Evidence.objects.none()
    rows = Evidence.objects.filter(site=site_id, removed_at=None, stored_at__lte=youngest).order_by("stored_at", "id")
    if after is None:
        return rows
    at, pk = after
    # The first condition alone lets the index be entered where the walk stopped.
    return rows.filter(Q(stored_at__gte=at) & (Q(stored_at__gt=at) | Q(stored_at=at, pk__gt=pk)))


def due(
    site: Site, rules: Rules, now: datetime, *, page: int = 500, most: int = LOOKED_AT
) -> Iterator[tuple[Evidence, str]]:
    """What would go now and by which rule, page by page, among the `most` oldest files: the dry run."""
    after = None
    for _page in range(most // page):
        rows = list(old_enough(site.pk, rules, now, after=after)[:page])
        facts = Facts.around(rows)
        yield from ((row, why) for row in rows if (why := facts.why(row, rules, now)))
        if len(rows) < page:
            return
        after = (rows[-1].stored_at, rows[-1].pk)


def figures(site: Site, rules: Rules, now: datetime) -> list[dict[str, Any]]:
    """What would go by these rules: files, bytes and examples of each."""
    found: dict[str, dict[str, Any]] = {}
    for evidence, why in due(site, rules, now):
        row = found.setdefault(why, {"why": why, "files": 0, "bytes": 0, "examples": []})
        row["files"] += 1
        row["bytes"] += evidence.size
        if len(row["examples"]) < 4:
            row["examples"].append(evidence)
    return sorted(found.values(), key=lambda row: -row["bytes"])
