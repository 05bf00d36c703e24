"""Refused attempts: recorded after the rollback, at once and then by the minute, and never in the way."""

from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import DatabaseError, OperationalError
from django.test import Client, RequestFactory

from accounts import refusals
from accounts.exceptions import NotFound, Refused
from accounts.models import AuditEntry, User
from accounts.sentences import sentence
from tests.factories import Place, bearer, claim, make_item, make_token

REFUSED = ("attempt.refused", "attempts.refused")


def refused() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(verb__in=REFUSED).order_by("id"))


@pytest.fixture
def signed_in(outsider: User) -> Client:
    client = Client()
    client.force_login(outsider)
    return client


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock of the book that the test moves on."""
    moment = [1000.0]
    monkeypatch.setattr(refusals.time, "monotonic", lambda: moment[0])
    return moment


def test_the_first_one_is_recorded_at_once(place: Place, outsider: User, signed_in: Client) -> None:
    event = make_item(place).event
    assert signed_in.get(f"/events/{event.pk}/").status_code == 404
    entry = refused()[0]
    assert (entry.actor, entry.verb) == (outsider, "attempt.refused")
    assert entry.additional_data == {
        "route": "GET events/<uuid:pk>/",
        "code": "not_found",
        "asked": str(event.pk),
        "status": 404,
    }
    assert entry.circumstances is not None
    assert entry.circumstances["door"] == "page"
    assert "not_found" in sentence(entry)


def test_foreign_and_unknown_leave_the_same_entry(place: Place, signed_in: Client) -> None:
    told = []
    for pk in (make_item(place).event.pk, uuid4()):
        refusals.forget()
        signed_in.get(f"/events/{pk}/")
        entry = refused()[-1]
        facts = {key: value for key, value in (entry.additional_data or {}).items() if key != "asked"}
        told.append((facts, entry.site_id, entry.queue_id, entry.object_repr, entry.circumstances))
    assert told[0] == told[1]


def test_repeats_are_counted_and_told_once_a_minute(signed_in: Client, minute: list[float]) -> None:
    for _time in range(25):
        signed_in.get(f"/events/{uuid4()}/")
    assert [entry.verb for entry in refused()] == ["attempt.refused"]
    minute[0] += 61
    signed_in.get(f"/events/{uuid4()}/")
    first, summary = refused()
    assert summary.verb == "attempts.refused"
    assert summary.actor == first.actor
    assert summary.additional_data is not None
    assert summary.additional_data["count"] == 25
    assert len(summary.additional_data["ids"]) == refusals.MOST_IDS


def test_what_is_counted_is_written_when_the_process_ends(signed_in: Client) -> None:
    for _time in range(3):
        signed_in.get(f"/events/{uuid4()}/")
    refusals.flush()
    assert (refused()[-1].additional_data or {})["count"] == 2


def test_many_kinds_take_bounded_room(db: None, minute: list[float]) -> None:
    for number in range(refusals.MOST_FIRSTS + 50):
        request = RequestFactory().get("/", REMOTE_ADDR=f"10.0.{number // 250}.{number % 250 + 1}")
        refusals.note(request, NotFound(), door="page")
    assert len(refused()) == refusals.MOST_FIRSTS
    refusals.flush()
    assert (refused()[-1].additional_data or {})["count"] == 50


def test_it_never_becomes_an_error_of_its_own(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_facts: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr("accounts.audit.record", broken)
    assert signed_in.get(f"/events/{uuid4()}/").status_code == 404


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it with True for a database that takes no entries, and with False for one that does again."""
    record, gone = refusals.audit.record, [False]

    def recorded(*args: Any, **facts: Any) -> None:
        if gone[0]:
            raise OperationalError("gone")
        record(*args, **facts)

    monkeypatch.setattr("accounts.audit.record", recorded)
    return lambda now: gone.__setitem__(0, now)


def told() -> int:
    """Attempts that entries tell of."""
    return sum((entry.additional_data or {}).get("count", 1) for entry in refused())


@pytest.mark.parametrize("at_end", [False, True], ids=["in between", "at the end"])
def test_what_an_outage_kept_from_being_written_is_told_after_it(
    signed_in: Client, minute: list[float], outage: Any, at_end: bool
) -> None:
    for _time in range(5):
        signed_in.get(f"/events/{uuid4()}/")
    outage(True)
    if at_end:
        refusals.flush()
    else:
        minute[0] += 61
        signed_in.get(f"/events/{uuid4()}/")
    outage(False)
    refusals.flush()
    assert told() == 5 + (not at_end)


def test_the_first_of_its_kind_in_an_outage_is_told_too(signed_in: Client, outage: Any) -> None:
    outage(True)
    for _time in range(3):
        signed_in.get(f"/events/{uuid4()}/")
    outage(False)
    refusals.flush()
    assert told() == 3


def test_what_waits_for_the_database_takes_bounded_room(
    db: None, minute: list[float], outage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MOST_KINDS", 10)
    outage(True)
    for number in range(60):
        minute[0] += 7
        request = RequestFactory().get("/", REMOTE_ADDR=f"10.0.0.{number + 1}")
        refusals.note(request, NotFound(), door="page")
        assert len(refusals.BOOK.tallies) <= 11
    outage(False)
    refusals.flush()
    assert told() == 60


@pytest.mark.parametrize(
    "peer,forwarded,address",
    [
        ("10.0.0.1", b"198.51.100.7", "198.51.100.7"),
        ("::ffff:10.0.0.1", b"203.0.113.5, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("192.0.2.9", b"198.51.100.7", "192.0.2.9"),
        ("10.0.0.1", b"\xff\x00", "10.0.0.1"),
    ],
)
def test_a_socket_behind_a_proxy_has_the_address_of_its_client(
    db: None, settings: Any, peer: str, forwarded: bytes, address: str
) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"TRUSTED_PROXIES": ["10.0.0.0/8"]}
    scope = {"client": [peer, 4711], "path": "/ws/live/", "headers": [(b"x-forwarded-for", forwarded)]}
    refusals.note(scope, Refused(code="socket_message"), door="socket")
    assert refused()[0].remote_addr == address


@pytest.mark.parametrize("scope", [{}, {"client": None}, {"client": ["", 0]}])
def test_a_socket_without_an_address_has_none(db: None, scope: dict[str, Any]) -> None:
    assert refusals.address_of(scope) is None


def test_a_wrong_token_is_recorded_and_its_text_is_not(db: None) -> None:
    answer = Client(**bearer("slp_not-a-token")).get("/api/v1/events")
    assert answer.status_code == 401
    entry = refused()[0]
    assert (entry.additional_data or {})["code"] == "unauthenticated"
    assert "slp_not" not in str(entry.additional_data) + str(entry.circumstances)
    assert entry.remote_addr == "127.0.0.1"


def test_somebody_who_is_merely_not_signed_in_is_not_recorded(db: None) -> None:
    Client().get("/api/v1/events")
    Client().get("/events/", headers={"HX-Request": "true"})
    assert not refused()


def test_a_token_without_the_scope_names_its_person_and_itself(operator: User) -> None:
    token = make_token(operator, ["releases:read"])
    Client(**bearer(token)).get("/api/v1/events")
    entry = refused()[0]
    assert entry.actor == operator
    assert (entry.circumstances or {})["token"] == str(operator.tokens.get().pk)


def test_a_form_without_its_token_is_recorded(operator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    assert client.post("/inbox/", {}).status_code == 403
    assert (refused()[0].additional_data or {})["code"] == "csrf"


@pytest.mark.parametrize("late", [False, True])
def test_an_answer_on_a_lost_claim_is_recorded_after_the_rollback(
    place: Place, operator: User, supervisor: User, late: bool
) -> None:
    make_item(place)
    lost = claim(place, operator)
    client = Client()
    client.force_login(operator)
    with time_machine.travel(lost.expires_at if late else lost.created_at, tick=True):
        if late:
            claim(place, supervisor)
        body = {"claim_token": str(lost.token if late else uuid4())}
        answer = client.post(f"/claims/{lost.pk}/heartbeat/", body, content_type="application/json")
    assert answer.status_code == (409 if late else 422)
    assert [(entry.additional_data or {})["code"] for entry in refused()] == (["claim_lost"] if late else [])
