"""Signing in with name and password: what it answers, what it does, and where it leads."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import get_hasher
from django.contrib.sessions.models import Session as DjangosOwn
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.actions.people import deactivate
from accounts.models import AuditEntry, Session, User
from accounts.roles import Role
from tests import factories
from tests.factories import PASSWORD

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def no_counts() -> None:
    cache.clear()


@pytest.fixture
def person(db: None) -> User:
    return factories.make_person("olu", Role.OPERATOR)


def attempt(client: Client, name: str, password: str, **more: str):
    return client.post(LOGIN, {"login": name, "password": password, **more})


def test_the_right_password_opens_a_session_on_record(person: User) -> None:
    client = Client(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    assert attempt(client, "olu", PASSWORD).status_code == 302
    row = Session.objects.get(person=person)
    assert "Firefox" in row.browser
    assert row.address == "127.0.0.1"
    assert AuditEntry.objects.get(verb="person.signed_in").additional_data["methods"] == ["password"]
    assert not DjangosOwn.objects.exists()


def test_an_unknown_name_and_a_wrong_password_are_one_answer(person: User) -> None:
    wrong, unknown = (attempt(Client(), name, "not-this-one-12") for name in ("olu", "ulo"))
    assert wrong.status_code == unknown.status_code == 422
    assert neutral(wrong.content, b"olu") == neutral(unknown.content, b"ulo")


def neutral(body: bytes, name: bytes) -> bytes:
    import re

    body = body.replace(b'value="' + name + b'"', b"")
    return re.sub(rb'(value|content)="[A-Za-z0-9]{64}"', b"", body)


@pytest.mark.parametrize("name", ["olu", "ulo", "gone", "keyless"])
def test_a_failure_costs_exactly_one_hash_and_as_many_queries(
    person: User, name: str, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: object
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    User.objects.create(username="gone", is_active=False, password=person.password)
    keyless = User(username="keyless")
    keyless.set_unusable_password()
    keyless.save()
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *a, **k: (hashed.append(1), encode(self, *a, **k))[1])
    attempt(Client(), "warm-up", "not-this-one-12")
    hashed.clear()
    with django_assert_num_queries(5):  # type: ignore[operator]
        assert attempt(Client(), name, "not-this-one-12").status_code == 422
    assert len(hashed) == 1


def test_a_failure_is_on_record_without_what_was_typed(person: User) -> None:
    client = Client()
    for name in ("olu", "olu", "my-secret-password"):
        attempt(client, name, "not-this-one-12")
    entries = AuditEntry.objects.filter(verb="sign_in.failed").order_by("id")
    assert [entry.object_repr for entry in entries] == ["Olu", ""]
    assert "my-secret-password" not in str(list(entries.values()))


def test_a_deactivated_person_is_answered_like_a_wrong_password(person: User) -> None:
    boss = factories.make_person("boss", Role.ADMINISTRATOR)
    factories.make_person("chief", Role.ADMINISTRATOR)
    inside = Client()
    attempt(inside, "olu", PASSWORD)
    deactivate(person=person, actor=boss, reason="left", now=timezone.now())
    assert inside.get("/queues/").status_code == 302
    answer = attempt(Client(), "olu", PASSWORD)
    assert answer.status_code == 422
    assert b"do not belong together" in answer.content


def test_signing_in_makes_a_new_session_id(person: User) -> None:
    client = Client()
    session = client.session
    session["planted"] = 1
    session.save()
    client.cookies["sessionid"] = session.session_key
    attempt(client, "olu", PASSWORD)
    assert client.cookies["sessionid"].value != session.session_key
    assert not Session.objects.filter(pk=session.session_key).exists()


def test_a_session_is_over_after_signing_out(person: User) -> None:
    client = Client()
    attempt(client, "olu", PASSWORD)
    kept = client.cookies["sessionid"].value
    client.post("/accounts/logout/", {"confirmed": "1"})
    replay = Client()
    replay.cookies["sessionid"] = kept
    assert replay.get("/queues/").status_code == 302
    assert AuditEntry.objects.filter(verb="person.signed_out", actor=person).exists()


def test_the_cookie_is_out_of_reach_of_scripts(person: User) -> None:
    answer = attempt(Client(), "olu", PASSWORD)
    for name in ("sessionid", "browser"):
        assert answer.cookies[name]["httponly"]
        assert answer.cookies[name]["samesite"] == "Lax"


@pytest.mark.parametrize("length", [1001, 50_000, 1_000_000])
def test_a_huge_password_is_refused_before_it_is_hashed(
    person: User, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(get_hasher()), "encode", lambda *_a, **_k: pytest.fail("hashed"))
    assert attempt(Client(), "olu", "x" * length).status_code == 422


def test_too_many_fields_are_refused(db: None) -> None:
    assert Client().post(LOGIN, {f"f{number}": "x" for number in range(3000)}).status_code == 400


@pytest.mark.parametrize("name", ["\0", "olu\0", "o" * 151, "\u202eulo", "'; --", "<b>", "\ud83d\ude00" * 20])
def test_odd_names_are_wrong_names(person: User, name: str) -> None:
    assert attempt(Client(), name.encode("utf-8", "replace").decode(), PASSWORD).status_code == 422


def test_nobody_signs_up_by_himself(db: None) -> None:
    Client().post("/accounts/signup/", {"username": "me", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.exists()


AWAY = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "http://evil.example",
    "https://evil.example/queues/",
    "HTTPS://EVIL.EXAMPLE",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "ftp://evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    " //evil.example",
    "\t//evil.example",
    "\n//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "//testserver@evil.example",
    "http://testserver@evil.example",
    "http://testserver.evil.example",
    "http://evil.example#testserver",
    "http://evil.example\\@testserver",
    "//evil%2eexample",
    "http://localhost/other-name-of-ours",
    "http://testserver/queues/",
    "http://[::1",
]


@pytest.mark.parametrize("address", AWAY)
def test_signing_in_leads_to_this_site_only(person: User, address: str) -> None:
    client = Client()
    answer = attempt(client, "olu", PASSWORD, next=address)
    assert answer.status_code == 302
    assert answer["Location"] == "/"
    again = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": address})
    assert again["Location"] == "/"
    assert address not in client.get(LOGIN, {"next": address}).headers.get("Location", "")


@pytest.mark.parametrize("address", ["/queues/", "/events/?q=1"])
def test_signing_in_leads_to_where_one_wanted(person: User, address: str) -> None:
    assert attempt(Client(), "olu", PASSWORD, next=address)["Location"] == address


def test_an_old_proof_is_asked_for_again_before_a_dangerous_act(person: User) -> None:
    client = Client()
    factories.sign_in(client, person, minutes_ago=16)
    answer = client.get("/me/security/password/")
    assert answer["Location"] == "/accounts/reauthenticate/?next=/me/security/password/"
    script = client.get("/me/security/password/", headers={"HX-Request": "true"})
    assert (script.status_code, script.json()["code"]) == (401, "reauthentication_required")
    asked = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/me/security/password/"})
    assert asked["Location"] == "/me/security/password/"
    assert client.get("/me/security/password/").status_code == 200


def test_a_form_comes_back_to_the_page_that_held_it(person: User) -> None:
    client = Client()
    factories.sign_in(client, person, minutes_ago=16)
    where = "/accounts/reauthenticate/?next="
    act = "/me/security/sessions/end/"
    assert (
        client.post(act, headers={"Referer": "http://testserver/me/security/"})["Location"] == f"{where}/me/security/"
    )
    assert client.post(act, headers={"Referer": "http://evil.example/x"})["Location"] == f"{where}/"


def test_a_wrong_password_confirms_nothing(person: User) -> None:
    client = Client()
    factories.sign_in(client, person, minutes_ago=16)
    assert client.post("/accounts/reauthenticate/", {"password": "wrong"}).status_code == 422
    assert client.get("/me/security/password/").status_code == 302


def test_the_last_activity_is_kept_to_the_minute(person: User, django_assert_max_num_queries: object) -> None:
    client = Client()
    factories.sign_in(client, person)
    client.get("/me/security/")
    before = timezone.now() - timedelta(minutes=5)
    Session.objects.update(seen_at=before)
    client.get("/me/security/", HTTP_USER_AGENT="Other/1")
    row = Session.objects.get()
    assert row.seen_at > before
    assert row.browser == "Other/1"
