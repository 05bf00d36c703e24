"""What every request meets first and last."""

import re
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from redis.exceptions import ConnectionError as RedisAway

from accounts.models import AuditEntry, User
from deploy import health
from review.models import Item
from tests.factories import Place, claim, make_item


@pytest.fixture
def visitor(operator: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(operator)
    return client


@pytest.mark.parametrize(
    "path", ["/events/?class=%00", "/audit/?person=a%00b", "/events/?site=%2500%00", "/accounts/login/?next=%00"]
)
def test_a_nul_in_a_question_is_turned_away(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code == 422


def test_a_nul_in_an_address_is_nothing(visitor: Client) -> None:
    assert visitor.get("/events/%00/").status_code == 404


@pytest.mark.parametrize("charset", ["base64", "rot13", "utf-16", "idna", "latin-1"])
def test_a_form_in_another_charset_is_turned_away(charset: str) -> None:
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = Client(raise_request_exception=False).generic(
        "POST", "/accounts/login/", b"login=a&password=b", content_type=kind
    )
    assert answer.status_code == 415


def test_each_answer_and_each_entry_has_the_requests_id(visitor: Client, place: Place) -> None:
    make_item(place)
    answer = visitor.post(f"/queues/{place.queue.pk}/desk/claim/", "{}", content_type="application/json")
    assert re.fullmatch(r"[\w-]{16}", answer["X-Request-ID"])
    assert AuditEntry.objects.get(verb="picture.seen").cid == answer["X-Request-ID"]


@pytest.mark.parametrize(
    "given,kept", [("abcdef-123456", True), ("x", False), ("a b\nc" * 4, False), ("é" * 10, False), ("a" * 65, False)]
)
def test_an_id_from_outside_is_kept_when_it_is_harmless(db: None, given: str, kept: bool) -> None:
    assert (Client().get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given) is kept


def test_a_database_that_is_away_is_said_with_a_time_to_come_back(
    visitor: Client, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_more: Any) -> None:
        raise OperationalError("secret host name")

    monkeypatch.setattr("review.views.queues.open_counts", fail)
    answer = visitor.get("/queues/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer["Retry-After"]) > 0
    assert b"secret" not in answer.content


def test_a_crash_tells_nothing_of_itself(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("secret of the machine")

    monkeypatch.setattr("review.views.queues.open_counts", fail)
    answer = visitor.get("/queues/")
    assert answer.status_code == 500
    assert b"secret" not in answer.content
    assert b"Traceback" not in answer.content


# Health


def test_a_server_that_works_is_ready(db: None) -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    ready = Client().get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    assert set(ready.json()["checks"]) == {"database", "files", "channel_layer", "disk", "tasks", "evidence"}


@pytest.mark.parametrize("part", ["database", "files", "channel_layer"])
@pytest.mark.parametrize("error", [OperationalError("x"), OSError("x"), RedisAway("x")])
def test_a_part_that_is_away_makes_it_not_ready(
    db: None, monkeypatch: pytest.MonkeyPatch, part: str, error: Exception
) -> None:
    def fail() -> str:
        raise error

    monkeypatch.setattr(health, part, fail)
    answer = Client(raise_request_exception=False).get("/readyz")
    assert (answer.status_code, answer.json()["checks"][part]) == (503, "unavailable")
    assert Client().get("/healthz").status_code == 200


def test_a_disk_that_is_full_makes_it_not_ready(db: None, settings: Any) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"MIN_FREE_BYTES": 10**15}
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["disk"]) == (503, "full")


@pytest.mark.parametrize(
    "note", ["a\0b", "\ud800", "x" * 1001, 7, ["a"], {"a": 1}], ids=["nul", "half", "long", "number", "list", "object"]
)
def test_a_note_that_nothing_can_keep_is_refused(visitor: Client, place: Place, operator: User, note: Any) -> None:
    make_item(place)
    taken = claim(place, operator)
    body = {"claim_token": str(taken.token), "note": note}
    answer = visitor.post(f"/claims/{taken.pk}/escalate/", body, content_type="application/json")
    assert answer.status_code == 422
    assert Item.objects.get().version == 1


@pytest.mark.parametrize("minutes", [0, -1, 10**9, 1.5, "5", True, None, [5]])
def test_a_time_that_is_none_is_refused(visitor: Client, place: Place, operator: User, minutes: Any) -> None:
    make_item(place)
    taken = claim(place, operator)
    body = {"claim_token": str(taken.token), "minutes": minutes}
    assert visitor.post(f"/claims/{taken.pk}/skip/", body, content_type="application/json").status_code == 422
