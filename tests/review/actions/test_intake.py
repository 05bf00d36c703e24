"""Intake: effectively once, nothing half, nothing lost."""

import pytest

from accounts.exceptions import Conflict, Invalid
from review.models import Event, Evidence, Item, Parking, Queue, Routed
from tests.factories import Place, jpeg, post, sha256


def test_it_stores_the_event_and_opens_an_item(place: Place) -> None:
    picture = jpeg()
    taken = post(place, picture=picture)
    item = Item.objects.get(event=taken.event)
    assert taken.created
    assert taken.evidence == {"frame": "stored"}
    assert item.queue == place.queue
    assert item.reason["class"] == "bird"
    assert Evidence.objects.get().sha256 == sha256(picture)


def test_it_returns_the_first_event_for_the_same_body(place: Place) -> None:
    picture = jpeg()
    same = {"event_id": "0197a0b0-0000-7000-8000-000000000001", "captured_at": "2026-11-23T08:00:00Z"}
    first, again = post(place, picture=picture, **same), post(place, picture=picture, **same)
    assert again.event == first.event
    assert not again.created
    assert Item.objects.count() == 1


def test_it_refuses_another_body_under_the_same_id(place: Place) -> None:
    same = {"event_id": "0197a0b0-0000-7000-8000-000000000001", "captured_at": "2026-11-23T08:00:00Z"}
    post(place, **same)
    with pytest.raises(Conflict) as refused:
        post(place, kind="flagged", **same)
    assert refused.value.code == "event_conflict"
    assert Event.objects.count() == 1


def test_a_class_that_the_site_does_not_know_is_parked(place: Place) -> None:
    body = [{"id": "p1", "class": "unicorn", "confidence": 0.5, "box": [1, 1, 5, 5]}]
    taken = post(place, predictions=body)
    assert not Item.objects.exists()
    assert Parking.objects.get(event=taken.event).value == "unicorn"


def test_what_passes_is_recorded_with_its_rule(place: Place) -> None:
    body = [{"id": "p1", "class": "person", "confidence": 0.9, "box": [1, 1, 5, 5]}]
    taken = post(place, predictions=body)
    assert taken.event.routings.get().decision == Routed.PASSED
    assert not Item.objects.exists()


def test_it_refuses_held_events_where_the_queue_answers_none(place: Place) -> None:
    Queue.objects.filter(pk=place.queue.pk).update(answers_held=False)
    with pytest.raises(Invalid) as refused:
        post(place, hold={"deadline_s": 8, "fallback": "reject"})
    assert refused.value.code == "hold_not_supported"
    assert not Event.objects.exists()
