"""A site with cameras and decided outcomes, as rows, for the tests of releases."""

import hashlib
import io
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image

from accounts.models import User
from inference.models import Camera, Site, Source
from review import evidence_store
from review.models import (
    Answer,
    Claim,
    Ended,
    Event,
    EventEvidence,
    EventKind,
    Evidence,
    Item,
    ItemState,
    Outcome,
    Policy,
    Queue,
    Release,
    Routed,
    Routing,
    Taxonomy,
    TaxonomyClass,
    Verdict,
)

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NOW = START + timedelta(days=30)
ANSWERS = {
    Outcome.CONFIRMED: Answer.CONFIRM,
    Outcome.CORRECTED: Answer.CORRECT,
    Outcome.EMPTY: Answer.EMPTY,
    Outcome.UNSURE: Answer.UNSURE,
    Outcome.BAD_IMAGE: Answer.BAD_IMAGE,
}


def jpeg(colour: int | tuple[int, int, int] = 90, size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    """A small picture whose bytes depend on `colour`: an integer is spread over the three channels."""
    if isinstance(colour, int):
        colour = (colour % 251, colour // 251 % 251, 7 * colour % 251)
    out = io.BytesIO()
    picture = Image.new("RGB", size, colour)
    picture.putpixel((0, 0), (255, 255, 255))
    picture.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def box_label(name: str = "person", box: tuple[float, ...] = (8, 6, 20, 30), **more: Any) -> dict[str, Any]:
    return {"class": name, "box": list(box), **more}


def prediction(key: str, name: str = "person", box: tuple[float, ...] = (8, 6, 20, 30)) -> dict[str, Any]:
    return {"id": key, "class": name, "confidence": 0.4, "box": list(box)}


@dataclass
class Yard:
    """A site with one queue; `outcome` adds what was seen and what people said about it."""

    classes: tuple[str, ...] = ("person", "forklift", "dog")
    slug: str = "yard"
    count: int = 0
    site: Site = field(init=False)
    taxonomy: Taxonomy = field(init=False)
    queue: Queue = field(init=False)
    person: User = field(init=False)
    source: Source = field(init=False)
    policy: Policy = field(init=False)
    cameras: dict[str, Camera] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.site = Site.objects.create(slug=self.slug, name=self.slug.title())
        self.taxonomy = Taxonomy.objects.create(site=self.site, slug="things", name="Things")
        for index, name in enumerate(self.classes):
            TaxonomyClass.objects.create(taxonomy=self.taxonomy, index=index, name=name)
        self.queue = self.new_queue("doubtful")
        self.person = User.objects.create(username=f"operator-{self.slug}")
        self.source = Source.objects.create(site=self.site, name="agent", token_hash=uuid.uuid4().hex)
        self.policy = Policy.objects.create(site=self.site, version=3, created_at=START)

    def new_queue(self, slug: str, taxonomy: Taxonomy | None = None) -> Queue:
        return Queue.objects.create(site=self.site, slug=slug, name=slug, taxonomy=taxonomy or self.taxonomy)

    def camera(self, slug: str) -> Camera:
        if slug not in self.cameras:
            self.cameras[slug] = Camera.objects.create(site=self.site, slug=slug, name=slug)
        return self.cameras[slug]

    def evidence(self, data: bytes, size: tuple[int, int] | None = None) -> Evidence:
        """Evidence of these bytes, in the store and as a row."""
        sha256 = hashlib.sha256(data).hexdigest()
        width, height = size or Image.open(io.BytesIO(data)).size
        evidence, created = Evidence.objects.get_or_create(
            site=self.site,
            sha256=sha256,
            defaults={
                "content_type": "image/jpeg",
                "size": len(data),
                "width": width,
                "height": height,
                "stored_at": START,
            },
        )
        if created:
            evidence_store.write(evidence.path, data)
        return evidence

    def event(
        self,
        data: bytes | None = None,
        *,
        camera: str | None = None,
        at: float | None = None,
        predictions: list[dict[str, Any]] | None = None,
        subject: list[str] | None = None,
        frame: tuple[int, int] | None = None,
        size: tuple[int, int] | None = None,
    ) -> Event:
        """An event with its frame; each on a camera of its own unless one is named. `at` counts seconds."""
        self.count += 1
        data = data or jpeg(self.count)
        evidence = self.evidence(data, size)
        width, height = frame or (evidence.width, evidence.height)
        event = Event.objects.create(
            site=self.site,
            source=self.source,
            event_id=uuid.uuid4(),
            digest="0" * 64,
            captured_at=START + timedelta(seconds=self.count * 1000 if at is None else at),
            received_at=START,
            kind=EventKind.UNSURE,
            camera=self.camera(camera or f"camera-{self.count}"),
            model_name="detector",
            model_version_name="1.0",
            model_sha256="a" * 64,
            task="detection",
            frame_width_px=width,
            frame_height_px=height,
            predictions=[prediction("p1")] if predictions is None else predictions,
            subject=subject or [],
        )
        EventEvidence.objects.create(
            event=event,
            position=0,
            name="frame",
            role="frame",
            sha256=evidence.sha256,
            content_type="image/jpeg",
            evidence=evidence,
        )
        Routing.objects.create(
            event=event,
            policy=self.policy,
            rule_name="doubtful",
            decision=Routed.QUEUED,
            probability=1,
            routed_at=START,
        )
        return event

    def outcome(
        self,
        outcome: str = Outcome.CONFIRMED,
        labels: list[dict[str, Any]] | None = None,
        *,
        event: Event | None = None,
        complete: bool = True,
        queue: Queue | None = None,
        decided_at: datetime = START + timedelta(days=1),
        final_at: datetime | None = None,
        **of_event: Any,
    ) -> Item:
        """A decided item; for outcomes without a verdict the item alone."""
        event = event or self.event(**of_event)
        item = Item.objects.create(
            event=event,
            site=self.site,
            queue=queue or self.queue,
            due_at=NOW,
            created_at=START,
            sampling_probability=0.5,
        )
        verdict = self.verdict(item, outcome, labels, complete, decided_at, final_at) if outcome in ANSWERS else None
        item.state = ItemState.WITHDRAWN if outcome == Outcome.WITHDRAWN else ItemState.DECIDED
        item.outcome, item.decided_at = outcome, decided_at
        item.verdict_id = verdict.pk if verdict else None
        item.save()
        return item

    def verdict(
        self,
        item: Item,
        outcome: str,
        labels: list[dict[str, Any]] | None,
        complete: bool,
        at: datetime,
        final_at: datetime | None,
    ) -> Verdict:
        claim = Claim.objects.create(
            item=item, holder=self.person, created_at=at, expires_at=at, ended_at=at, ended=Ended.ANSWERED
        )
        labelled = outcome in (Outcome.CONFIRMED, Outcome.CORRECTED)
        return Verdict.objects.create(
            item=item,
            person=self.person,
            claim=claim,
            key=uuid.uuid4(),
            digest="0" * 64,
            item_version=1,
            answer=ANSWERS[Outcome(outcome)],
            labels=([box_label()] if labels is None else labels) if labelled else [],
            complete=complete if labelled or not complete else None,
            created_at=at,
            final_at=final_at or at + timedelta(seconds=8),
        )

    def freeze(self, **changes: Any) -> Release:
        from review.actions.releases import make_release

        told: dict[str, Any] = {
            "person": self.person,
            "site": self.site,
            "queues": [self.queue],
            "now": NOW,
            "enqueue": False,
        }
        return make_release(**(told | changes))

    def built(self, **changes: Any) -> Release:
        from review.releases.build import build

        release = build(self.freeze(**changes).pk)
        assert release is not None
        return release
