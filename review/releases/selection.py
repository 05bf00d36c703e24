"""Which outcomes a release is made of. Reads only; what it finds is frozen by `review.actions.releases`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from review.models import Event, EventEvidence, Evidence, EvidenceState, Item, ItemState, Outcome, Retraction, Verdict

from .labels import Canvas, Judged, LeftOut, agree, judge
from .recipe import Recipe
from .splits import Sighting

LABELLED = (Outcome.CONFIRMED, Outcome.CORRECTED, Outcome.EMPTY)
# Rows that are read at once; bounds the memory of every pass.
BATCH = 500
# How many of the pictures that were left out as contradiction or bridge are named in the summary.
MOST_NAMED = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """An outcome that can be in a release, with everything that decided it."""

    item: Item
    event: Event
    verdict: Verdict
    evidence: Evidence
    judged: Judged

    @property
    def sighting(self) -> Sighting:
        return Sighting(str(self.event.camera_id or self.event.source_id), self.event.captured_at.timestamp())


@dataclass(slots=True)
class Report:
    """What was left out and why, in outcomes; some of them by name."""

    excluded: Counter[str] = field(default_factory=Counter)
    unknown_classes: Counter[str] = field(default_factory=Counter)
    named: list[dict[str, str]] = field(default_factory=list)
    clipped: int = 0
    merged: int = 0

    def leave_out(self, why: LeftOut) -> None:
        self.excluded[why.reason] += 1
        if why.reason == "unknown_class":
            self.unknown_classes[why.detail] += 1

    def leave_out_picture(self, reason: str, sha256: str, events: Iterable[UUID]) -> None:
        """Leave a picture out with all its outcomes, naming their events."""
        for event in events:
            self.excluded[reason] += 1
            if len(self.named) < MOST_NAMED:
                self.named.append({"reason": reason, "sha256": sha256, "event": str(event)})


@dataclass(slots=True)
class Chosen:
    """A picture by the item that speaks for it: what later passes need, and no more (about half a kilobyte).

    `items` are all outcomes on the same bytes, the speaking one first.
    """

    items: list[UUID]
    events: list[UUID]
    sightings: list[Sighting]


def decided(recipe: Recipe) -> QuerySet[Item]:
    """The closed items that the recipe asks about, whatever their outcome."""
    span: dict[str, datetime] = {"decided_at__lte": recipe.until}
    if recipe.since:
        span["decided_at__gte"] = recipe.since
    return Item.objects.filter(queue__in=recipe.queues, **span).exclude(state=ItemState.OPEN)


def choose(recipe: Recipe, *, now: datetime) -> tuple[dict[str, Chosen], Report]:
    """The pictures of a release by digest, before splits, and what is left out."""
    report = Report()
    closed = decided(recipe)
    others = closed.exclude(state=ItemState.DECIDED, outcome__in=LABELLED)
    report.excluded.update(dict(others.values_list("outcome").annotate(many=Count("pk"))))
    pictures: dict[str, Chosen] = {}
    labelled = closed.filter(state=ItemState.DECIDED, outcome__in=LABELLED).order_by("pk")
    for candidate in candidates(labelled.values_list("pk", flat=True).iterator(BATCH), recipe, now=now, report=report):
        chosen = pictures.setdefault(candidate.evidence.sha256, Chosen([], [], []))
        chosen.items.append(candidate.item.pk)
        chosen.events.append(candidate.event.pk)
        chosen.sightings.append(candidate.sighting)
    _merge(pictures, recipe, now=now, report=report)
    return pictures, report


def candidates(
    pks: Iterable[UUID], recipe: Recipe, *, now: datetime, report: Report | None = None
) -> Iterator[Candidate]:
    """The items that can be in a release, in the order of `pks`; the others are counted in `report`."""
    for batch in batched(pks, BATCH):
        rows = _Rows.read(batch)
        for pk in batch:
            try:
                yield rows.candidate(pk, recipe, now)
            except LeftOut as why:
                if report is not None:
                    report.leave_out(why)


def _merge(pictures: dict[str, Chosen], recipe: Recipe, *, now: datetime, report: Report) -> None:
    """Make one picture of all outcomes on the same bytes when they agree; leave the picture out when they do not."""
    for digest in sorted(digest for digest, chosen in pictures.items() if len(chosen.items) > 1):
        chosen = pictures[digest]
        answers = list(candidates(chosen.items, recipe, now=now))
        first = min(answers, key=_speaks_first)
        if all(agree(first.judged, other.judged, at_least=recipe.agreement_iou) for other in answers):
            chosen.items.remove(first.item.pk)
            chosen.items.insert(0, first.item.pk)
            report.merged += len(answers) - 1
        else:
            del pictures[digest]
            report.leave_out_picture("contradiction", digest, chosen.events)


def _speaks_first(candidate: Candidate) -> tuple[bool, float, str]:
    """Who judged the whole picture speaks before who judged a part of it; then the latest answer."""
    return (not candidate.judged.complete, -candidate.verdict.created_at.timestamp(), str(candidate.item.pk))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows around a batch of items: five queries, however many items."""

    items: dict[UUID, Item]
    verdicts: dict[UUID, Verdict]
    retracted: set[UUID]
    frames: dict[UUID, list[EventEvidence]]

    @classmethod
    def read(cls, pks: Sequence[UUID]) -> "_Rows":
        items = Item.objects.select_related("event").in_bulk(list(pks))
        verdict_ids = [item.verdict_id for item in items.values() if item.verdict_id]
        frames: defaultdict[UUID, list[EventEvidence]] = defaultdict(list)
        events = [item.event_id for item in items.values()]
        for row in EventEvidence.objects.filter(event__in=events, role="frame").select_related("evidence"):
            frames[row.event_id].append(row)
        retracted = Retraction.objects.filter(verdict__in=verdict_ids).values_list("verdict_id", flat=True)
        return cls(items, Verdict.objects.in_bulk(verdict_ids), set(retracted), frames)

    def candidate(self, pk: UUID, recipe: Recipe, now: datetime) -> Candidate:
        """Raises LeftOut with the reason."""
        item = self.items[pk]
        verdict = self._verdict(item, now)
        evidence = self._frame(item.event_id)
        canvas = Canvas.of(item.event, evidence.width, evidence.height)
        return Candidate(item, item.event, verdict, evidence, judge(verdict, item.event, recipe.classes, canvas))

    def _verdict(self, item: Item, now: datetime) -> Verdict:
        verdict = self.verdicts.get(item.verdict_id) if item.verdict_id else None
        if verdict is None or verdict.pk in self.retracted:
            raise LeftOut("retracted")
        if verdict.final_at > now:
            raise LeftOut("not_final")
        return verdict

    def _frame(self, event: UUID) -> Evidence:
        rows = self.frames.get(event)
        if not rows:
            raise LeftOut("no_frame")
        evidence = min(rows, key=_position).evidence
        if evidence is None:
            raise LeftOut("evidence_pending")
        if evidence.removed_at is not None:
            raise LeftOut("evidence_removed")
        if evidence.state != EvidenceState.STORED:
            raise LeftOut("evidence_damaged")
        return evidence


def _position(row: EventEvidence) -> int:
    return row.position


def named_report(report: Report) -> dict[str, Any]:
    """The report as the part of a release's summary."""
    return {
        "excluded": dict(sorted(report.excluded.items())),
        "unknown_classes": dict(sorted(report.unknown_classes.items())),
        "left_out": report.named,
        "merged": report.merged,
    }
