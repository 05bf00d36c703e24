"""What people's programs read and do over the API, in the shapes of the contract."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from tests import factories
from tests.factories import Place, bearer, jpeg, make_item, make_token

V1 = "/api/v1/"
# Fixed, because the name of a test must be the same in every worker of a run.
SOME_ID = "0197a0b0-0000-7000-8000-000000000001"


@pytest.fixture
def api(operator: User) -> Client:
    return Client(raise_request_exception=False, **bearer(make_token(operator)))


def post(api: Client, path: str, body: Any) -> Any:
    return api.post(V1 + path, json.dumps(body), content_type="application/json")


# Queues, claims, verdicts


def test_queues_are_shown_with_what_waits(api: Client, place: Place) -> None:
    make_item(place), make_item(place)
    post(api, f"queues/{place.queue.pk}/claims", {})
    assert api.get(V1 + "queues").json() == [
        {
            "id": str(place.queue.pk),
            "site": str(place.site.pk),
            "slug": "unsure",
            "name": "yard unsure",
            "open": 2,
            "claimable": 1,
        }
    ]


def test_a_claim_brings_the_whole_event(api: Client, place: Place) -> None:
    item = make_item(place, picture=jpeg())
    answer = post(api, f"queues/{place.queue.pk}/claims", {})
    body = answer.json()
    assert answer.status_code == 201
    assert set(body["claim"]) == {"id", "token", "expires_at"}
    assert (body["item"]["id"], body["item"]["version"]) == (str(item.pk), 1)
    assert body["item"]["reason"]["class"] == "bird"
    assert body["item"]["event"]["predictions"][0]["box"] == [10.0, 20.0, 40.0, 50.0]
    assert body["item"]["event"]["evidence"][0]["state"] == "stored"


def test_an_empty_queue_says_why(api: Client, place: Place) -> None:
    answer = post(api, f"queues/{place.queue.pk}/claims", {})
    assert (answer.status_code, answer.json()) == (
        200,
        {"claim": None, "why": {"claimed_by_others": 0, "not_yours": 0, "snoozed": 0}},
    )


def claimed(api: Client, place: Place) -> dict[str, Any]:
    make_item(place)
    body: dict[str, Any] = post(api, f"queues/{place.queue.pk}/claims", {}).json()
    return body


def answer_to(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "key": str(uuid4()),
        "claim_token": body["claim"]["token"],
        "version": body["item"]["version"],
        "answer": "confirm",
        "complete": True,
    } | changes


def test_a_heartbeat_and_giving_back(api: Client, place: Place) -> None:
    claim = claimed(api, place)["claim"]["id"]
    kept = api.put(f"{V1}claims/{claim}")
    assert (kept.status_code, set(kept.json())) == (200, {"expires_at"})
    assert api.delete(f"{V1}claims/{claim}").status_code == 204
    gone = api.put(f"{V1}claims/{claim}")
    assert (gone.status_code, gone.json()["code"]) == (409, "claim_lost")


def test_a_verdict_is_given_once(api: Client, place: Place) -> None:
    body = claimed(api, place)
    given = answer_to(body)
    path = f"items/{body['item']['id']}/verdicts"
    first, again = post(api, path, given), post(api, path, given)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"id": first.json()["id"], "outcome": "confirmed"}
    other = post(api, path, given | {"answer": "empty"})
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    late = post(api, path, given | {"key": str(uuid4())})
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")
    assert late.json()["current"]["outcome"] == "confirmed"


@pytest.mark.parametrize(
    "change,code",
    [
        ({"version": 7}, "stale_version"),
        ({"claim_token": str(uuid4())}, "claim_lost"),
        ({"complete": None}, "schema"),
        ({"surprise": 1}, "schema"),
        ({"labels": [{"class": "unicorn", "box": [1, 1, 5, 5]}], "answer": "correct"}, "unknown_class"),
        ({"labels": [{"class": "bird", "box": [1, 1, 1e400, 5]}], "answer": "correct"}, "schema"),
        ({"note": "a\0"}, "schema"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused(api: Client, place: Place, change: dict[str, Any], code: str) -> None:
    body = claimed(api, place)
    text = json.dumps(answer_to(body) | change).replace("Infinity", "1e400")
    answer = api.post(f"{V1}items/{body['item']['id']}/verdicts", text, content_type="application/json")
    assert answer.status_code in {409, 422}
    assert answer.json()["code"] == code


# Events


def test_one_event_tells_its_whole_story(api: Client, place: Place) -> None:
    body = claimed(api, place)
    post(api, f"items/{body['item']['id']}/verdicts", answer_to(body))
    story = api.get(f"{V1}events/{body['item']['event']['id']}").json()
    assert story["outcome"] == "confirmed"
    assert story["verdicts"][0]["by"] == "olu"
    assert story["history"][0]["decision"] == "queued"
    assert story["item"]["state"] == "decided"


def test_pages_of_events_hold_each_once_newest_first(api: Client, place: Place) -> None:
    for _number in range(7):
        make_item(place)
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(V1 + "events", {"cursor": cursor, "limit": 3}).json()
        seen, cursor = seen + page["results"], page["next"]
    assert len({row["id"] for row in seen}) == 7
    assert [row["received_at"] for row in seen] == sorted((row["received_at"] for row in seen), reverse=True)


@pytest.mark.parametrize(
    "query,count",
    [
        ({"site": "yard"}, 2),
        ({"site": "dock"}, 0),
        ({"site": SOME_ID}, 0),
        ({"camera": "cam-1"}, 2),
        ({"camera": "no-such"}, 0),
        ({"model": "detector"}, 2),
        ({"class": "bird"}, 2),
        ({"class": "person"}, 0),
        ({"outcome": "confirmed"}, 0),
        ({"from": "2020-01-01T00:00:00Z"}, 2),
        ({"to": "2020-01-01T00:00:00Z"}, 0),
    ],
)
def test_events_are_filtered(api: Client, place: Place, query: dict[str, str], count: int) -> None:
    make_item(place), make_item(place)
    assert len(api.get(V1 + "events", query).json()["results"]) == count


def cursor_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": "\U0001f600"},
        {"cursor": cursor_of("no pipe")},
        {"cursor": cursor_of(f"yesterday|{SOME_ID}")},
        {"cursor": cursor_of("2026-01-01T00:00:00|x")},
        {"cursor": cursor_of(f"2026-01-01T00:00:00|{SOME_ID}")},
        {"cursor": cursor_of(f"0001-01-01T00:00:00+14:00|{SOME_ID}")},
        {"cursor": cursor_of(f"9999-12-31T23:59:59-14:00|{SOME_ID}")},
        {"limit": "0"},
        {"limit": "1000000000"},
        {"from": "yesterday"},
        {"class": "x" * 201},
        {"camera": "x" * 201},
        {"from": "2026-01-01T00:00:00"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"from": "1764000000"},
    ],
    ids=str,
)
def test_a_question_that_cannot_be_is_refused(api: Client, place: Place, query: dict[str, str]) -> None:
    make_item(place)
    answer = api.get(V1 + "events", query)
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json"), answer.content


@pytest.mark.parametrize("name", ["site", "camera", "model", "class", "outcome", "cursor"])
@pytest.mark.parametrize("value", ["%00", "a%00b", "%25", "%27%20OR%201=1", "%ff%fe", "x" * 5000])
def test_strange_filters_are_no_crash(api: Client, place: Place, name: str, value: str) -> None:
    make_item(place)
    answer = api.get(f"{V1}events?{name}={value}")
    assert answer.status_code in {200, 422}
    if answer.status_code == 200:
        assert answer.json()["results"] == []


@pytest.mark.parametrize(
    "name", ["decided_by__password", "ordering", "site__slug__startswith", "items__verdicts__person"]
)
def test_unknown_filters_change_nothing(api: Client, place: Place, name: str) -> None:
    make_item(place)
    assert api.get(V1 + "events", {name: "x"}).json() == api.get(V1 + "events").json()


def cost(api: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert api.get(V1 + path).status_code == 200
    return len(queries)


def test_a_page_of_events_costs_the_same_however_long_it_is(api: Client, place: Place) -> None:
    make_item(place, picture=jpeg())
    cost(api, "events")
    few = cost(api, "events")
    for shade in range(12):
        make_item(place, picture=jpeg((shade, 1, 1)))
    assert cost(api, "events") == few
    assert cost(api, "queues") == cost(api, "queues")


def test_the_feed_costs_the_same_however_long_it_is(api: Client, place: Place, operator: User) -> None:
    from datetime import timedelta

    from review.actions.sequencer import sequence_outcomes
    from tests.factories import claim, give_answer

    def one() -> None:
        make_item(place)
        give_answer(claim(place, operator))
        sequence_outcomes(now=timezone.now() + timedelta(hours=1))

    one()
    cost(api, "verdicts")
    few = cost(api, "verdicts")
    for _number in range(5):
        one()
    assert cost(api, "verdicts") == few


# Who am I


def test_a_source_may_ask_who_it_is(place: Place) -> None:
    make_item(place)
    assert Client(**bearer(place.token)).get(V1 + "source").json() == {
        "name": "yard gateway",
        "site": "yard",
        "camera": "cam-1",
        "open_items": 1,
    }


def test_the_description_is_there_for_everybody(db: None) -> None:
    described = Client().get(V1 + "openapi.json")
    assert described.status_code == 200
    assert "/api/v1/events" in described.json()["paths"]
    assert factories.PASSWORD not in described.content.decode()


@pytest.mark.parametrize("path", ["", "nothing", "events/not-an-id", f"events/{SOME_ID}", "queues/x/claims"])
def test_an_unknown_address_is_a_problem_document(api: Client, path: str) -> None:
    answer = api.get(V1 + path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://testserver.evil.example"])
def test_no_other_site_may_read_the_answers(api: Client, origin: str) -> None:
    answer = api.get(V1 + "events", headers={"Origin": origin})
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
