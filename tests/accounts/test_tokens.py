"""Personal tokens: scoped, ending, shown once, never more than their person."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.actions import tokens
from accounts.actions.sign_in_rules import change_rules
from accounts.exceptions import Conflict, Invalid, Refused
from accounts.models import AuditEntry, PersonalToken, User
from accounts.roles import Role
from tests import factories
from tests.factories import Place, bearer, make_person, make_token

QUEUES, CLAIMS = "/api/v1/queues", "/api/v1/queues/{}/claims"


def issued(person: User, **changes: Any) -> tuple[PersonalToken, str]:
    return tokens.issue(**{"person": person, "name": "t", "scopes": ["events:read"], "now": timezone.now()} | changes)


def status(token: str, path: str = QUEUES) -> int:
    found: int = Client(**bearer(token)).get(path).status_code
    return found


def test_a_token_ends_in_90_days_unless_said_otherwise(operator: User, now: datetime) -> None:
    token, secret = issued(operator, now=now)
    assert token.ends_at == now + timedelta(days=90)
    assert secret.startswith("slp_")
    assert secret not in str(AuditEntry.objects.get(verb="token.issued").additional_data)
    with time_machine.travel(now + timedelta(days=90, seconds=1)):
        assert status(secret) == 401


@pytest.mark.parametrize(
    "changes,code",
    [
        ({"name": "  "}, "name_length"),
        ({"name": "x" * 101}, "name_length"),
        ({"scopes": []}, "scope_required"),
        ({"scopes": ["events:read", "all"]}, "unknown_scope"),
        ({"ends_at": timezone.now() + timedelta(days=366)}, "token_end"),
        ({"ends_at": timezone.now() - timedelta(days=1)}, "token_end"),
    ],
)
def test_a_token_that_cannot_be_is_refused(operator: User, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        issued(operator, **changes)
    assert refused.value.code == code
    assert not PersonalToken.objects.exists()


def test_there_are_so_many_tokens_and_not_more(monkeypatch: pytest.MonkeyPatch, operator: User) -> None:
    monkeypatch.setattr(tokens, "MOST", 2)
    first, _secret = issued(operator)
    issued(operator)
    with pytest.raises(Conflict) as refused:
        issued(operator)
    assert refused.value.code == "too_many_tokens"
    tokens.revoke(token=first, person=operator, now=timezone.now())
    issued(operator)


def test_its_last_use_is_kept_to_the_minute(place: Place, operator: User, now: datetime) -> None:
    token, secret = issued(operator, now=now)
    moments = [now + timedelta(seconds=second) for second in (1, 30, 90)]
    seen = []
    for moment in moments:
        with time_machine.travel(moment, tick=False):
            assert status(secret) == 200
        token.refresh_from_db()
        seen.append(token.last_used_at)
    assert seen == [moments[0], moments[0], moments[2]]


def test_a_wrong_scope_is_refused_and_a_right_without_its_person_is_nothing(place: Place, operator: User) -> None:
    _token, reads = issued(operator)
    answer = Client(**bearer(reads)).post(CLAIMS.format(place.queue.pk))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    fleet = make_person("fleet", Role.FLEET_ENGINEER, place.site)
    assert Client(**bearer(make_token(fleet))).post(CLAIMS.format(place.queue.pk)).status_code == 404


def test_a_token_opens_nothing_while_its_person_lacks_the_factor_that_a_role_asks_for(
    place: Place, operator: User
) -> None:
    _token, secret = issued(operator)
    boss = make_person("boss", Role.ADMINISTRATOR)
    change_rules(required={Role.OPERATOR}, actor=boss, reason="policy", now=timezone.now())
    Authenticator.objects.create(user=operator, type=Authenticator.Type.RECOVERY_CODES, data={})
    answer = Client(**bearer(secret)).get(QUEUES)
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    assert PersonalToken.objects.get().last_used_at is None
    Authenticator.objects.create(user=operator, type=Authenticator.Type.TOTP, data={})
    assert status(secret) == 200


@pytest.mark.parametrize("name", ["token", "access_token", "q"])
def test_a_token_in_the_address_counts_for_nothing(place: Place, operator: User, name: str) -> None:
    secret = make_token(operator)
    for client in (Client(), Client(**bearer(secret))):
        answer = client.get(f"{QUEUES}?{name}={secret}")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_in_address")
    source = Client(**bearer(place.token)).get(f"/api/v1/source?{name}={place.token}")
    assert source.json()["code"] == "token_in_address"
    assert status(secret) == 200


def test_a_revoked_token_is_turned_away_at_once(place: Place, operator: User) -> None:
    token, secret = issued(operator)
    assert status(secret) == 200
    tokens.revoke(token=token, person=operator, now=timezone.now())
    assert status(secret) == 401
    with pytest.raises(Conflict):
        tokens.revoke(token=token, person=operator, now=timezone.now())


def test_who_administers_a_person_revokes_his_tokens_with_a_reason(
    place: Place, elsewhere: Place, operator: User, supervisor: User
) -> None:
    token, secret = issued(operator)
    here, there = (make_person(p.site.slug, Role.ADMINISTRATOR, p.site) for p in (place, elsewhere))
    for person in (supervisor, there):
        with pytest.raises(Refused):
            tokens.revoke(token=token, person=person, now=timezone.now(), reason="x")
    with pytest.raises(Invalid):
        tokens.revoke(token=token, person=here, now=timezone.now())
    tokens.revoke(token=token, person=here, now=timezone.now(), reason="leaked")
    assert status(secret) == 401
    entry = AuditEntry.objects.get(verb="token.revoked")
    assert (entry.actor, entry.additional_data["reason"]) == (here, "leaked")
    assert PersonalToken.objects.get().revoked_by == here


# The page


@pytest.fixture
def page(operator: User) -> Client:
    client = Client()
    factories.sign_in(client, operator)
    return client


def test_the_page_shows_a_token_once(page: Client, operator: User) -> None:
    answer = page.post("/me/tokens/", {"name": "nightly", "scopes": ["events:read"], "days": "30"})
    assert answer.status_code == 200
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert status(secret) == 200
    assert secret not in page.get("/me/tokens/").content.decode()
    row = PersonalToken.objects.get()
    assert (row.person, row.name, row.scopes) == (operator, "nightly", ["events:read"])


@pytest.mark.parametrize(
    "change",
    [{"days": "366"}, {"days": "0"}, {"days": "x"}, {"scopes": ["root"]}, {"scopes": []}, {"name": ""}, {"name": "\0"}],
)
def test_a_form_that_cannot_be_comes_back(page: Client, change: dict[str, Any]) -> None:
    good = {"name": "nightly", "scopes": ["events:read"], "days": "30", "person": "1", "token_hash": "x"}
    assert page.post("/me/tokens/", good | change).status_code == 422
    assert not PersonalToken.objects.exists()


def test_making_a_token_asks_for_a_fresh_sign_in(operator: User) -> None:
    client = Client()
    factories.sign_in(client, operator, minutes_ago=60)
    answer = client.post("/me/tokens/", {"name": "n", "scopes": ["events:read"], "days": "30"})
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert not PersonalToken.objects.exists()


def test_the_page_asks_the_database_as_often_for_many_tokens(
    page: Client, operator: User, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    issued(operator)
    page.get("/me/tokens/")
    with CaptureQueriesContext(connection) as few:
        page.get("/me/tokens/")
    for _number in range(20):
        issued(operator)
    with django_assert_num_queries(len(few)):
        page.get("/me/tokens/")


# The command


def test_the_command_prints_a_personal_token(place: Place, operator: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_token", "--person", "olu", "--name", "cron", "--scope", "events:read", "--days", "5")
    secret = capsys.readouterr().out.strip()
    assert status(secret) == 200
    assert PersonalToken.objects.get().scopes == ["events:read"]


@pytest.mark.parametrize(
    "options",
    [
        ["--person", "nobody", "--name", "x"],
        ["--person", "olu", "--name", "x", "--scope", "root"],
        ["--person", "olu", "--name", "x", "--days", "99999999999"],
        ["--person", "olu", "--name", "x", "--days", "-5"],
        ["--person", "olu", "--site", "yard", "--name", "x"],
        ["--name", "x"],
    ],
)
def test_the_command_refuses_what_cannot_be(place: Place, operator: User, options: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("issue_token", *options)
    assert not PersonalToken.objects.exists()
