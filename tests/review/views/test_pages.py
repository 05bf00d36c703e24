"""Pages around the desk: what they cost, what they record, and what their pictures may do."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, User
from review.desk import picture_payload
from review.models import Evidence, Item
from review.tasks.renditions import make_renditions
from tests.factories import Place, answer_body, claim, give_answer, jpeg, make_item, sha256


@pytest.fixture
def visitor(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def cost(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


@pytest.mark.parametrize("path", ["/queues/", "/events/"])
def test_a_list_costs_the_same_however_long_it_is(visitor: Client, place: Place, path: str) -> None:
    make_item(place, picture=jpeg())
    cost(visitor, path)
    few = cost(visitor, path)
    for shade in range(10):
        make_item(place, picture=jpeg((shade, 9, 9)))
    assert cost(visitor, path) == few


def test_a_page_of_thumbnails_is_one_entry(visitor: Client, place: Place, operator: User) -> None:
    for _number in range(3):
        make_item(place)
    visitor.get("/events/")
    entry = AuditEntry.objects.get(verb="thumbnails.seen")
    assert entry.actor == operator
    assert len(entry.additional_data["events"]) == 3


def test_an_event_that_is_opened_is_recorded_each_time(visitor: Client, place: Place) -> None:
    event = make_item(place).event
    for _look in range(2):
        assert visitor.get(f"/events/{event.pk}/").status_code == 200
    assert AuditEntry.objects.filter(verb="picture.seen", object_pk=str(event.pk)).count() == 2


@pytest.mark.parametrize("cursor", ["x", "\U0001f600", "a|b", "=" * 500])
def test_a_cursor_that_is_none_is_refused(visitor: Client, place: Place, cursor: str) -> None:
    assert visitor.get("/events/", {"cursor": cursor}).status_code == 422


def test_a_picture_is_for_this_browser_only_and_does_nothing(visitor: Client, place: Place) -> None:
    make_item(place, picture=jpeg())
    evidence = Evidence.objects.get()
    make_renditions.func(str(evidence.pk))
    answer = visitor.get(f"/media/{evidence.pk}/working/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer["Cache-Control"] == "private, max-age=300"
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    again = visitor.get(f"/media/{evidence.pk}/working/", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    list(answer.streaming_content)


@pytest.mark.parametrize("kind", ["raw", "Working", "working.jpg"])
def test_there_are_no_other_kinds_of_pictures(visitor: Client, place: Place, kind: str) -> None:
    make_item(place, picture=jpeg())
    evidence = Evidence.objects.get()
    make_renditions.func(str(evidence.pk))
    assert visitor.get(f"/media/{evidence.pk}/{kind}/").status_code == 404


# The desk


def send(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def test_getting_the_desk_claims_nothing(visitor: Client, place: Place) -> None:
    make_item(place)
    visitor.get(f"/queues/{place.queue.pk}/desk/")
    assert visitor.get(f"/queues/{place.queue.pk}/desk/claim/").status_code == 405
    assert Item.objects.get().claim_id is None


def test_a_verdict_and_its_undo(visitor: Client, place: Place, operator: User) -> None:
    item = make_item(place)
    taken = claim(place, operator)
    given = send(visitor, f"/items/{item.pk}/verdict/", answer_body(taken))
    assert given.status_code == 201
    assert given.json()["undo_until_s"] > 0
    assert visitor.post(given.json()["links"]["undo"]).status_code == 200
    assert Item.objects.get().state == "open"


def test_an_answer_that_comes_too_late_is_told_what_is(
    visitor: Client, place: Place, operator: User, now: datetime
) -> None:
    item = make_item(place)
    taken = claim(place, operator)
    give_answer(taken, "empty")
    answer = send(visitor, f"/items/{item.pk}/verdict/", answer_body(taken))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_decided")
    assert answer.json()["current"] == {"state": "decided", "version": 2, "outcome": "empty", "labels": []}


@pytest.mark.parametrize("token", ["", "x", None, 7, ["x"], "0197a0b0-0000-7000-8000-000000000001"])
def test_a_claim_is_proved_by_its_token(visitor: Client, place: Place, operator: User, token: Any) -> None:
    make_item(place)
    taken = claim(place, operator)
    for verb in ("open", "heartbeat", "release", "skip", "escalate"):
        assert send(visitor, f"/claims/{taken.pk}/{verb}/", {"claim_token": token}).status_code == 422, verb
    assert Item.objects.get().claim_id == taken.pk


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b'{"surprise": 1}', b'{"ahead": 1, "ahead": 2}', b"\xff"])
def test_a_claim_that_is_asked_for_badly_is_refused(visitor: Client, place: Place, body: bytes) -> None:
    make_item(place)
    answer = visitor.post(f"/queues/{place.queue.pk}/desk/claim/", body, content_type="application/json")
    assert answer.status_code == 422
    assert Item.objects.get().claim_id is None


def test_what_a_source_wrote_is_never_markup(visitor: Client, place: Place) -> None:
    evil = "</script><script>alert(1)</script>"
    event = make_item(place, rule=evil, context={"order": evil, evil[:90]: "x"}, flags=[evil]).event
    for path in (f"/events/{event.pk}/", "/events/"):
        assert b"<script>alert(1)" not in visitor.get(path).content
    shown = visitor.post(f"/queues/{place.queue.pk}/desk/claim/", b"{}", content_type="application/json")
    assert shown.status_code == 200
    assert b"<script>alert(1)" not in shown.content


def test_a_crop_is_told_with_its_place_in_the_frame_and_a_frame_needs_none(place: Place, operator: User) -> None:
    cut = jpeg(size=(40, 30))
    crop = {
        "name": "frame",
        "role": "crop",
        "sha256": sha256(cut),
        "content_type": "image/jpeg",
        "offset": [100, 60],
        "scale": 2.0,
    }
    item = make_item(place, picture=cut, evidence=[crop])
    assert picture_payload(item.event)["place"] == [100.0, 60.0, 80.0, 60.0]
    assert picture_payload(make_item(place, picture=jpeg()).event)["place"] is None
    assert picture_payload(make_item(place).event)["place"] is None
