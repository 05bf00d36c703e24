"""Noticing that two devices post with one token (`review/clones.py`), and saying what it was."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts import audit
from inference.models import PossibleClone, Source
from review.clones import Clue, Seen, clue_in
from review.models import Event

# Sources that were heard within this time are looked at, each with its newest events.
HEARD = timedelta(minutes=2)
NEWEST = 200


def notice_clones(*, now: datetime) -> int:
    """Look at the sources that were heard lately, those apart of which it is known; how many were noticed.

    One indexed read for each, whatever it has posted. Two at once notice it once.
    """
    known = PossibleClone.objects.filter(dismissed_at=None)
    heard = Source.objects.live(now).filter(last_used_at__gt=now - HEARD).exclude(pk__in=known.values("source"))
    found = 0
    settled = dict(heard.values_list("pk", Max("possible_clones__dismissed_at")))
    for source in heard:
        clue = clue_in(seen_of(source, since=settled.get(source.pk)))
        found += clue is not None and notice(source, clue, now)
    return found


def seen_of(source: Source, *, since: datetime | None) -> Iterator[Seen]:
    """The newest events of a source that say which boot made them, in the order of arrival."""
    rows = Event.objects.filter(source=source, **({"received_at__gt": since} if since else {}))
    newest = rows.order_by("-received_at").values_list("event_id", "stamps", "captured_at")[:NEWEST]
    for event_id, stamps, captured_at in reversed(newest):
        if isinstance(boot := stamps.get("boot_id"), str) and boot:
            seq = stamps.get("seq")
            yield Seen(event_id, boot, seq if isinstance(seq, int) else None, captured_at)


def notice(source: Source, clue: Clue, now: datetime) -> bool:
    try:
        with transaction.atomic():
            PossibleClone.objects.create(source=source, clue=clue.kind, boots=list(clue.boots), noticed_at=now)
            audit.record(
                "source.clone_noticed", actor=None, on=source, site_id=source.site_id, clue=str(clue.kind.label)
            )
    except IntegrityError:
        return False
    return True
