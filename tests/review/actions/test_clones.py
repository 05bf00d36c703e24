"""A34: two devices behind one token are noticed; whatever one device does is not taken for two."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Reach
from accounts.models import AuditEntry, Lease
from accounts.roles import Role
from inference.edge.outbox import Outbox
from inference.models import CloneClue, PossibleClone, Source
from review import tick
from review.actions.clones import notice_clones
from review.alarms import possible_clones
from review.clones import Seen, clue_in
from review.models import Event
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, make_person, post

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


class Device:
    """A simulated agent: a real outbox that numbers its events, and a boot id for each start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        self.boot, self.outbox = str(uuid4()), Outbox(self.folder, quota_bytes=2**20)

    def restart(self) -> None:
        self.outbox.close()
        self.start()

    def see(self, at: datetime, lane: int = 1) -> None:
        """Put an event into the outbox, stamped as the agent stamps it."""

        def body(seq: int) -> bytes:
            stamps = {"boot_id": self.boot, "seq": seq}
            return json.dumps({"captured_at": at.isoformat(), "stamps": stamps}).encode()

        self.outbox.add(str(uuid4()), body, ())

    def deliver(self, place: Place, most: int = 1000) -> None:
        """Post what waits, as the uplink does: an event leaves the outbox once it was answered."""
        while most and (waiting := self.outbox.next()):
            body = json.loads(waiting.body)
            seen_at = datetime.fromisoformat(body["captured_at"])
            post(place, event_id=waiting.event_id, now=max(timezone.now(), seen_at), **body)
            self.outbox.sent(waiting.seq, "created")
            most -= 1


def heard(place: Place) -> None:
    Source.objects.filter(pk=place.source.pk).update(last_used_at=timezone.now())


def soon(number: int) -> datetime:
    return timezone.now() + timedelta(seconds=number)


def test_two_agents_with_one_token_are_noticed_and_nothing_is_lost(place: Place, tmp_path: Path) -> None:
    first, second = Device(tmp_path / "first"), Device(tmp_path / "second")
    for number in range(4):
        for device in (first, second):
            device.see(soon(number))
            device.deliver(place)
    heard(place)
    assert notice_clones(now=timezone.now()) == 1
    assert notice_clones(now=timezone.now()) == 0
    assert Event.objects.count() == 8
    assert Event.objects.filter(items__isnull=False).count() == 8
    noticed = PossibleClone.objects.get()
    assert (noticed.source, set(noticed.boots)) == (place.source, {first.boot, second.boot})
    assert AuditEntry.objects.get(verb="source.clone_noticed").site_id == place.site.pk


def test_a_copied_disk_is_noticed_though_the_clocks_are_an_hour_apart(place: Place, tmp_path: Path) -> None:
    first = Device(tmp_path / "first")
    for number in range(3):
        first.see(soon(number - 90))
    first.deliver(place)
    first.outbox.close()
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    first, second = Device(tmp_path / "first"), Device(tmp_path / "second")
    for number in range(4):
        first.see(soon(number - 60))
        second.see(soon(number - 60) - timedelta(hours=1))
        first.deliver(place), second.deliver(place)
    heard(place)
    assert notice_clones(now=timezone.now()) == 1
    assert PossibleClone.objects.get().clue == CloneClue.SEQUENCE


def test_one_device_that_starts_again_and_again_and_empties_its_spool_is_none(place: Place, tmp_path: Path) -> None:
    device = Device(tmp_path / "one")
    for number in range(10):
        for frame in range(3):
            device.see(soon(number * 10 + frame))
        # Some of it goes at once, the rest after the next start.
        device.deliver(place, most=number % 3)
        device.restart()
    device.deliver(place)
    heard(place)
    assert len({event.stamps["boot_id"] for event in Event.objects.all()}) == 10
    assert notice_clones(now=timezone.now()) == 0


def seen(*said: tuple[str, int | None, float]) -> list[Seen]:
    return [Seen(uuid4(), boot, seq, NOON + timedelta(seconds=at)) for boot, seq, at in said]


@pytest.mark.parametrize(
    ("story", "arrived"),
    [
        (
            "urgent lanes first",
            [("a", 1, 0), ("b", 9, 9), ("a", 2, 1), ("b", 10, 10), ("a", 3, 2), ("b", 11, 11), ("a", 4, 3)],
        ),
        (
            "a slow clock at the start",
            [("a", 1, 60), ("b", 4, 10), ("a", 2, 61), ("b", 5, 99), ("a", 3, 62), ("b", 6, 100)],
        ),
        ("set up anew", [("a", 1, 0), ("a", 2, 1), ("b", 1, 5), ("b", 2, 6), ("c", 1, 8), ("c", 2, 9)]),
        ("no numbers", [("a", None, 0), ("a", None, 1), ("b", None, 2)]),
        ("nothing", []),
    ],
)
def test_stories_of_one_device(story: str, arrived: list[tuple[str, int | None, float]]) -> None:
    assert clue_in(seen(*arrived)) is None, story


@pytest.mark.parametrize(
    ("kind", "arrived"),
    [
        (CloneClue.BOOTS, [("a", None, 0), ("b", None, 1), ("a", None, 2), ("b", None, 3), ("a", None, 4)]),
        (CloneClue.SEQUENCE, [("a", 1, 0), ("a", 2, 1), ("a", 2, 1)]),
        (CloneClue.SEQUENCE, [("a", 1, 9), ("b", 1, 0), ("a", 2, 10), ("b", 2, 1), ("a", 3, 11)]),
    ],
)
def test_stories_of_two(kind: CloneClue, arrived: list[tuple[str, int | None, float]]) -> None:
    clue = clue_in(seen(*arrived))
    assert clue is not None
    assert clue.kind == kind


def flagged(place: Place) -> PossibleClone:
    return PossibleClone.objects.create(
        source=place.source, clue=CloneClue.BOOTS, boots=["a", "b"], noticed_at=timezone.now()
    )


def test_it_stands_on_the_pages_until_somebody_says_what_it_was(place: Place, tmp_path: Path) -> None:
    flagged(place)
    client = Client()
    factories.sign_in(client, make_person("fleet", Role.FLEET_ENGINEER, place.site))
    page = f"/sources/{place.source.pk}/"
    assert "possible clone" in client.get("/sources/").content.decode()
    assert "Two devices seem to post" in client.get(page).content.decode()
    client.post(f"{page}no-clone/", {"reason": " "})
    assert PossibleClone.objects.filter(dismissed_at=None).exists()
    client.post(f"{page}no-clone/", {"reason": "a spare that was tried"})
    assert "Two devices seem to post" not in client.get(page).content.decode()
    assert AuditEntry.objects.get(verb="source.clone_dismissed").additional_data == {"reason": "a spare that was tried"}


def test_what_arrived_before_somebody_settled_it_counts_no_more(place: Place, tmp_path: Path) -> None:
    first, second = Device(tmp_path / "first"), Device(tmp_path / "second")
    for number in range(4):
        for device in (first, second):
            device.see(soon(number) - timedelta(minutes=1))
            device.deliver(place)
    row = flagged(place)
    PossibleClone.objects.filter(pk=row.pk).update(dismissed_at=timezone.now(), dismissed_because="tried")
    heard(place)
    assert notice_clones(now=timezone.now()) == 0
    for number in range(4):
        for device in (first, second):
            device.see(soon(60 + number))
            device.deliver(place)
    assert notice_clones(now=timezone.now()) == 1


def test_who_reads_the_trail_of_the_site_is_told(place: Place, elsewhere: Place) -> None:
    flagged(place)
    [alarm] = possible_clones(Reach(False, frozenset({place.site.pk}), frozenset()))
    assert alarm.links == ((place.source.name, f"/sources/{place.source.pk}/"),)
    assert not possible_clones(Reach(False, frozenset({elsewhere.site.pk}), frozenset()))


def test_a_tick_looks_and_reads_each_source_once(
    place: Place, monkeypatch: Any, django_assert_num_queries: Any
) -> None:
    looked: list[datetime] = []
    monkeypatch.setattr(tick, "notice_clones", lambda *, now: looked.append(now))
    assert tick.tick()
    Lease.objects.filter(name="tick").delete()
    assert tick.tick()
    assert len(looked) == 1
    heard(place)
    with django_assert_num_queries(3):
        notice_clones(now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_two_who_notice_it_at_once_note_it_once(at_once: AtOnce) -> None:
    place = factories.make_place("yard")
    for number in range(6):
        stamps = {"boot_id": "ab"[number % 2], "seq": number}
        post(place, captured_at=soon(number).isoformat(), now=soon(number), stamps=stamps)
    heard(place)
    assert sum(at_once(4, lambda _number: notice_clones(now=timezone.now()))) == 1
