"""Many events at once, for looking at pages under volume."""

import json
from argparse import ArgumentParser
from datetime import datetime, timedelta
from itertools import batched
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.ids import new_id
from inference.actions.sites import create_source
from inference.models import Site, Source
from review.models import Event, EventKind, Item, Queue, Routed, Routing

BATCH = 1000
CLASSES = ["person", "car", "truck", "bird", "dog", "skis"]
SOURCE = "load"


class Command(BaseCommand):
    help = "Write generated events with open items into a queue (without pictures), spread over the last days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="short name of the site; the first one without it")
        parser.add_argument("--queue", help="short name of the queue; the site's first one without it")
        parser.add_argument("--events", type=int, default=10_000)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, site: str | None, queue: str | None, events: int, **options: Any) -> None:
        found = queue_of(site, queue)
        fill(found, events, timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps({"queue": str(found.pk), "events": events}))
        else:
            self.stdout.write(f"{events} events wait in {found.name}.")


def queue_of(site: str | None, queue: str | None) -> Queue:
    sites = Site.objects.filter(slug=site) if site else Site.objects.order_by("created_at")
    queues = Queue.objects.filter(site=sites.first()).order_by("created_at")
    found = (queues.filter(slug=queue) if queue else queues).first()
    if found is None:
        raise CommandError("There is no such site or queue.")
    return found


def fill(queue: Queue, count: int, now: datetime) -> None:
    """`count` events with an open item each, in batches of a thousand per transaction."""
    source = Source.objects.filter(site=queue.site, name=SOURCE).first()
    if source is None:
        source, _token = create_source(site=queue.site, name=SOURCE, maker=None)
    dice = Random(count)  # noqa: S311  repeatable, not secret
    for numbers in batched(range(count), BATCH):
        events = [make_event(source, dice, now) for _ in numbers]
        with transaction.atomic():
            Event.objects.bulk_create(events)
            Routing.objects.bulk_create(
                Routing(
                    event=event, decision=Routed.QUEUED, rule_name="load", probability=1.0, routed_at=event.received_at
                )
                for event in events
            )
            Item.objects.bulk_create(make_item(queue, event, dice) for event in events)


def make_event(source: Source, dice: Random, now: datetime) -> Event:
    at = now - timedelta(seconds=dice.uniform(0, 3 * 24 * 3600))
    name, confidence = dice.choice(CLASSES), round(dice.uniform(0.4, 0.6), 3)
    box = [dice.uniform(0, 1000), dice.uniform(0, 500), dice.uniform(20, 200), dice.uniform(20, 200)]
    event_id = new_id()
    return Event(
        id=new_id(),
        site_id=source.site_id,
        source=source,
        event_id=event_id,
        digest=event_id.hex * 2,
        captured_at=at,
        received_at=at,
        kind=EventKind.UNSURE,
        task="detection",
        frame_width_px=1280,
        frame_height_px=720,
        reporting_floor=0.4,
        predictions=[{"id": "p1", "class": name, "confidence": confidence, "box": box}],
        subject=["p1"],
        top_class=name,
        top_confidence=confidence,
        sampling_probability=1.0,
    )


def make_item(queue: Queue, event: Event, dice: Random) -> Item:
    return Item(
        id=new_id(),
        event=event,
        site_id=event.site_id,
        queue=queue,
        priority=dice.choice([2, 3, 3, 3, 4]),
        due_at=event.received_at + queue.due_in,
        created_at=event.received_at,
        reason={"rule": "load", "class": event.top_class, "confidence": event.top_confidence, "prediction": "p1"},
        sampling_probability=1.0,
    )
