"""`GET events/{id}/answer`: what a machine that waits is told, and whom nothing is told."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from inference.actions.sites import create_source
from review.models import Event, Hold, HoldState
from review.waiting import pause_of
from tests import factories
from tests.factories import Place, bearer, give_answer, make_person, make_token, post

HOLD = {"deadline_s": 8, "fallback": "reject"}


@pytest.fixture
def event(place: Place, now: datetime) -> Event:
    return post(place, now=now, hold=HOLD).event


def ask(event: Any, token: str, query: str = "") -> Any:
    return Client().get(f"/api/v1/events/{getattr(event, 'pk', event)}/answer{query}", **bearer(token))


def test_it_says_waiting_until_somebody_has_answered(event: Event, place: Place, operator: User, now: datetime) -> None:
    assert ask(event, place.token).json() == {"state": "waiting"}
    given = give_answer(factories.claim(place, operator, now), "correct", now=now, labels=labels()).verdict
    told = ask(event, place.token, "?wait=8").json()
    assert told["state"] == "answered"
    assert told["by"] == "olu"
    assert told["answered_at"] == now.isoformat()
    assert told["verdict"]["id"] == str(given.pk)
    assert (told["verdict"]["answer"], told["verdict"]["labels"][0]["class"]) == ("correct", "person")


def labels() -> list[dict[str, Any]]:
    return [{"class": "person", "box": [10, 20, 40, 50], "prediction": "p1"}]


def test_the_deadline_is_the_servers(event: Event, place: Place) -> None:
    Hold.objects.update(deadline_at=event.received_at - timedelta(seconds=1))
    assert ask(event, place.token).json() == {"state": "expired"}
    assert Hold.objects.get().state == HoldState.EXPIRED


def test_nobody_will_look_is_said_at_once(place: Place) -> None:
    confident = [{"id": "p1", "class": "person", "confidence": 0.9, "box": [1, 1, 5, 5]}]
    event = post(place, hold=HOLD, predictions=confident).event
    assert ask(event, place.token, "?wait=8").json() == {"state": "withdrawn"}


def test_only_the_source_that_posted_it_is_told(event: Event, place: Place, elsewhere: Place) -> None:
    _source, other = create_source(site=place.site, name="other", maker=None)
    for token in (elsewhere.token, other):
        foreign, unknown = ask(event, token), ask(uuid4(), token)
        assert foreign.status_code == unknown.status_code == 404
        assert {**foreign.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    person = make_token(make_person("sup", Role.SUPERVISOR, place.site))
    assert ask(event, person).status_code == 401


def test_an_event_without_a_hold_has_no_answer(place: Place) -> None:
    answer = ask(post(place).event, place.token)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_held")


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "inf", "soon", "1e9"])
def test_how_long_one_waits_is_bounded(event: Event, place: Place, wait: str) -> None:
    answer = ask(event, place.token, f"?wait={wait}")
    assert (answer.status_code, answer.json()["code"]) == (422, "schema")


def test_who_wants_to_wait_is_waited_for_without_a_thread(event: Event, place: Place) -> None:
    pause = pause_of(ask(event, place.token, "?wait=8"))
    assert pause is not None
    assert (pause.group, pause.most_s) == (f"hold.{event.pk}", 8)
    assert pause_of(ask(event, place.token)) is None


def test_people_see_the_hold_with_the_event(event: Event, place: Place, supervisor: User) -> None:
    shown = Client().get(f"/api/v1/events/{event.pk}", **bearer(make_token(supervisor))).json()
    assert (shown["hold"]["state"], shown["hold"]["fallback"]) == ("waiting", "reject")
    assert shown["item"]["held_until"] == shown["hold"]["deadline_at"]
