"""Sessions: whose they are, ending them, and what a dangerous act asks of them."""

from datetime import datetime, timedelta

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.actions.sessions import end_session, end_sessions
from accounts.authentication import client_address, strength
from accounts.exceptions import Invalid, NotFound
from accounts.models import AuditEntry, Session, User
from tests import factories


@pytest.fixture
def person(db: None) -> User:
    return factories.make_person("olu")


@pytest.fixture
def stranger(db: None) -> User:
    return factories.make_person("out")


def client_of(person: User) -> Client:
    client = Client()
    factories.sign_in(client, person)
    return client


def key_of(client: Client) -> str:
    return str(client.session.session_key)


def is_in(client: Client) -> bool:
    return client.get("/queues/").status_code == 200


def test_a_session_knows_its_person(person: User) -> None:
    client = client_of(person)
    assert Session.objects.get(pk=key_of(client)).person == person


def test_all_sessions_of_a_person_end_and_nobody_elses(
    person: User, stranger: User, now: datetime, broadcasts: list[str], django_capture_on_commit_callbacks: object
) -> None:
    one, two, other = client_of(person), client_of(person), client_of(stranger)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert end_sessions(person=person, actor=stranger, reason="left", now=now) == 2
    assert (is_in(one), is_in(two), is_in(other)) == (False, False, True)
    assert broadcasts == [f"person.{person.pk}"]
    entry = AuditEntry.objects.get(verb="sessions.ended")
    assert entry.actor == stranger
    assert entry.additional_data["count"] == 2


def test_the_session_that_is_kept_stays(person: User, now: datetime) -> None:
    one, two = client_of(person), client_of(person)
    assert end_sessions(person=person, keep=key_of(one), actor=person, reason="mine", now=now) == 1
    assert (is_in(one), is_in(two)) == (True, False)


def test_ending_sessions_needs_a_reason(person: User, now: datetime) -> None:
    client = client_of(person)
    with pytest.raises(Invalid):
        end_sessions(person=person, actor=person, reason="  ", now=now)
    assert is_in(client)


def test_a_request_under_way_cannot_bring_an_ended_session_back(person: User, now: datetime) -> None:
    client = client_of(person)
    session = client.session
    session["late"] = True
    end_sessions(person=person, actor=person, reason="left", now=now)
    with pytest.raises(UpdateError):
        session.save()
    assert not is_in(client)


def test_one_session_of_the_own_ones_ends(person: User, stranger: User, now: datetime) -> None:
    one, other = client_of(person), client_of(stranger)
    with pytest.raises(NotFound):
        end_session(person=person, key=key_of(other), actor=person, now=now)
    end_session(person=person, key=key_of(one), actor=person, now=now)
    with pytest.raises(NotFound):
        end_session(person=person, key=key_of(one), actor=person, now=now)
    assert (is_in(one), is_in(other)) == (False, True)


def test_strength_tells_the_proofs_and_their_age(person: User) -> None:
    client = Client()
    factories.sign_in(client, person, "password", "totp", minutes_ago=3)
    request = RequestFactory().get("/")
    request.session, request.user = client.session, person
    found = strength(request)
    assert found["methods"] == ["password", "totp"]
    assert 170 <= found["age_s"] <= 200
    assert found["unlocked_with"] is None


def test_proofs_of_another_person_in_the_same_browser_count_nothing(person: User, stranger: User) -> None:
    client = Client()
    factories.sign_in(client, stranger)
    request = RequestFactory().get("/")
    request.session, request.user = client.session, person
    assert strength(request)["methods"] == []


TRUSTED = ["10.0.0.0/8", "192.168.1.5"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 192.168.1.5", "1.2.3.4"),
        ("10.0.0.1", "10.0.0.9", "10.0.0.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4, <script>", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("", "1.2.3.4", ""),
    ],
)
def test_only_trusted_proxies_say_for_whom_they_speak(peer: str, forwarded: str, expected: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == expected


def test_without_trusted_proxies_the_header_means_nothing() -> None:
    assert client_address("10.0.0.1", "1.2.3.4", []) == "10.0.0.1"


def test_times_are_kept_when_a_session_is_saved_again(person: User) -> None:
    client = client_of(person)
    long_ago = timezone.now() - timedelta(hours=2)
    Session.objects.filter(pk=key_of(client)).update(opened_at=long_ago, browser="Firefox", address="10.1.1.1")
    session = client.session
    session["more"] = 1
    session.save()
    row = Session.objects.get(pk=key_of(client))
    assert (row.opened_at, row.browser, row.address, row.person) == (long_ago, "Firefox", "10.1.1.1", person)
