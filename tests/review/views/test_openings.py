"""Auditors see an event after they said why, for an hour, and each view is written down."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.actions.grants import take_back
from accounts.exceptions import Invalid
from accounts.models import AuditEntry, User
from accounts.roles import Role
from review.actions.openings import open_events
from review.models import Event, Evidence, Opening
from review.tasks.renditions import make_renditions
from tests.factories import Place, bearer, jpeg, make_item, make_person, make_token


@pytest.fixture
def event(place: Place) -> Event:
    event = make_item(place, picture=jpeg()).event
    make_renditions.func(str(Evidence.objects.get().pk))
    return event


@pytest.fixture
def auditor(place: Place) -> User:
    return make_person("ada", Role.AUDITOR, place.site)


@pytest.fixture
def client(auditor: User) -> Client:
    client = Client()
    client.force_login(auditor)
    return client


def say_why(client: Client, event: Event, **changes: str) -> Any:
    return client.post(f"/events/{event.pk}/open/", {"reason": "complaint 7", "what": "event"} | changes)


def seen(client: Client, auditor: User, event: Event) -> list[int]:
    """The status of each door to an event: page, picture, API."""
    picture = f"/media/{Evidence.objects.get().pk}/working/"
    called = Client(**bearer(make_token(auditor))).get(f"/api/v1/events/{event.pk}")
    return [client.get(f"/events/{event.pk}/").status_code, client.get(picture).status_code, called.status_code]


def test_without_a_reason_there_is_a_question_and_nothing_else(client: Client, auditor: User, event: Event) -> None:
    answer = client.get(f"/events/{event.pk}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/events/{event.pk}/open/")
    asked = client.get(answer["Location"]).content.decode()
    for told in (str(event), event.top_class, event.camera_name, event.site.name, event.site.slug):
        assert told not in asked
    assert seen(client, auditor, event) == [302, 404, 404]
    assert client.get("/events/").context["page"]["rows"] == []


def test_a_reason_opens_page_picture_and_api_and_each_view_is_written_down(
    client: Client, auditor: User, event: Event
) -> None:
    assert say_why(client, event)["Location"] == f"/events/{event.pk}/"
    assert seen(client, auditor, event) == [200, 200, 200]
    opened, *views = AuditEntry.objects.filter(actor=auditor, verb__regex="^(event|picture)[.]").order_by("id")
    assert (opened.verb, opened.additional_data["reason"]) == ("event.opened", "complaint 7")
    assert [entry.verb for entry in views] == ["event.read", "picture.seen", "picture.seen"]
    assert {entry.additional_data["opening"] for entry in views} == {str(Opening.objects.get().pk)}


def test_another_event_stays_shut_and_a_site_opens_as_a_whole(
    client: Client, auditor: User, event: Event, place: Place
) -> None:
    other = make_item(place).event
    say_why(client, event)
    assert client.get(f"/events/{other.pk}/").status_code == 302
    say_why(client, event, what="site")
    assert client.get(f"/events/{other.pk}/").status_code == 200


def test_after_an_hour_it_is_shut_again(client: Client, auditor: User, event: Event) -> None:
    began = timezone.now() - timedelta(minutes=60, seconds=1)
    open_events(person=auditor, site=event.site, event=event, reason="x", now=began)
    assert seen(client, auditor, event) == [302, 404, 404]


def test_it_is_shut_with_the_role(client: Client, auditor: User, event: Event) -> None:
    say_why(client, event)
    boss = make_person("boss", Role.ADMINISTRATOR)
    take_back(grant=auditor.grants.get(), taker=boss, reason="left", now=timezone.now())
    assert seen(client, auditor, event) == [404, 404, 404]


def test_it_opens_for_nobody_else(client: Client, event: Event, place: Place) -> None:
    say_why(client, event)
    second = make_person("second", Role.AUDITOR, place.site)
    other = Client()
    other.force_login(second)
    assert seen(other, second, event) == [302, 404, 404]


def test_an_event_of_another_site_cannot_be_opened(client: Client, elsewhere: Place) -> None:
    foreign = make_item(elsewhere).event
    assert client.get(f"/events/{foreign.pk}/").status_code == 404
    assert say_why(client, foreign).status_code == 404
    assert not Opening.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_it_refuses_to_open_without_a_reason_that_can_be_kept(client: Client, event: Event, reason: str) -> None:
    assert say_why(client, event, reason=reason).status_code == 422
    assert not Opening.objects.exists()
    with pytest.raises(Invalid):
        open_events(person=make_person("x"), site=event.site, event=event, reason=reason, now=timezone.now())


def test_an_auditor_gets_no_originals(client: Client, event: Event) -> None:
    say_why(client, event)
    assert client.get(f"/media/{Evidence.objects.get().pk}/original/").status_code == 403


def test_the_database_refuses_an_opening_without_reason_or_end(auditor: User, event: Event) -> None:
    now = timezone.now()
    for changes in ({"reason": ""}, {"ends_at": now}):
        row = {"reason": "x", "ends_at": now + timedelta(hours=1), "created_at": now} | changes
        with pytest.raises(IntegrityError), transaction.atomic():
            Opening.objects.create(person=auditor, site=event.site, event=event, **row)
