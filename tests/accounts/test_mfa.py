"""Second factors: apps, recovery codes, roles that ask for one. Passkeys: tests/browser/test_passkeys.py."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import ResolverMatch
from django.utils import timezone

from accounts.actions.factors import add_app, make_recovery_codes, remove_factor
from accounts.actions.sign_in_rules import change_rules
from accounts.exceptions import Conflict, Invalid, NotFound
from accounts.models import AuditEntry, SignInRule, User
from accounts.roles import Role
from accounts.sign_in_rules import SignInRulesMiddleware
from tests import factories
from tests.conftest import AtOnce
from tests.factories import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def no_counts() -> None:
    cache.clear()


@pytest.fixture
def person(db: None) -> User:
    return factories.make_person("olu", Role.OPERATOR)


@pytest.fixture
def boss(db: None) -> User:
    return factories.make_person("boss", Role.ADMINISTRATOR)


def code(steps: int = 0) -> str:
    return format_hotp_value(hotp_value(SECRET, int(time.time()) // 30 + steps))


def with_app(person: User) -> None:
    """The code of the step before is used up by setting up, so that the present one is still good."""
    add_app(person=person, secret=SECRET, code=code(-1), now=timezone.now())


def sign_in(client: Client, second: str = "") -> Any:
    answer = client.post("/accounts/login/", {"login": "olu", "password": PASSWORD})
    return client.post("/accounts/code/", {"code": second}) if second else answer


def is_in(client: Client) -> bool:
    return client.get("/queues/").status_code == 200


def test_the_password_alone_opens_nothing_any_more(person: User) -> None:
    with_app(person)
    client = Client()
    assert sign_in(client)["Location"] == "/accounts/code/"
    assert not is_in(client)
    assert client.post("/accounts/code/", {"code": code()}).status_code == 302
    assert is_in(client)
    assert AuditEntry.objects.get(verb="person.signed_in").additional_data["methods"] == ["password", "totp"]


def test_a_code_works_once(person: User) -> None:
    with_app(person)
    now = code()
    assert sign_in(Client(), now).status_code == 302
    again = Client()
    assert sign_in(again, now).status_code == 422
    assert not is_in(again)


@pytest.mark.parametrize("steps", [-3, 3])
def test_a_code_of_another_time_is_wrong(person: User, steps: int) -> None:
    with_app(person)
    assert sign_in(Client(), code(steps)).status_code == 422


def test_codes_are_counted_apart_from_passwords(person: User) -> None:
    with_app(person)
    client = Client()
    sign_in(client)
    answers = [client.post("/accounts/code/", {"code": "000000"}).status_code for _ in range(7)]
    assert answers == [422] * 5 + [429] * 2
    assert client.post("/accounts/code/", {"code": code()}).status_code == 429


def test_the_second_step_is_not_there_without_the_first(person: User) -> None:
    with_app(person)
    assert Client().get("/accounts/code/")["Location"] == "/accounts/login/"
    assert Client().post("/accounts/code/", {"code": code()})["Location"] == "/accounts/login/"


@pytest.mark.parametrize("second", ["x" * 50_000, "\0", "٣٤٥٦٧٨", "-1", "{}"])
def test_odd_codes_are_wrong_codes(person: User, second: str) -> None:
    with_app(person)
    assert sign_in(Client(), second).status_code == 422


def test_the_key_of_the_app_is_not_readable_in_the_database(person: User) -> None:
    with_app(person)
    assert SECRET not in str(list(Authenticator.objects.values()))


def test_an_app_is_added_with_a_right_code_only(person: User) -> None:
    with pytest.raises(Invalid):
        add_app(person=person, secret=SECRET, code="000000", now=timezone.now())
    with_app(person)
    with pytest.raises(Conflict):
        add_app(person=person, secret=SECRET, code=code(), now=timezone.now())


def test_setting_an_app_up_leads_to_recovery_codes_that_are_shown_once(person: User) -> None:
    client = Client()
    factories.sign_in(client, person)
    page = client.get("/me/security/app/").content.decode()
    secret = re.search(r'id="app-key">([A-Z2-7]+)<', page)
    assert secret
    right = format_hotp_value(hotp_value(secret[1], int(time.time()) // 30))
    assert client.post("/me/security/app/", {"code": right})["Location"] == "/me/security/codes/"
    shown = re.findall(r"<li><code>(\d{8})</code>", client.post("/me/security/codes/").content.decode())
    assert len(shown) == 10
    assert not any(one in client.get("/me/security/codes/").content.decode() for one in shown)
    assert "10 codes are left" in client.get("/me/security/").content.decode()


def test_a_recovery_code_works_once(person: User) -> None:
    with_app(person)
    first, second, *_rest = make_recovery_codes(person=person)
    assert sign_in(Client(), first).status_code == 302
    assert sign_in(Client(), first).status_code == 422
    make_recovery_codes(person=person)
    assert sign_in(Client(), second).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_one_code_by_many_at_once_lets_one_in(at_once: AtOnce) -> None:
    from accounts.factors import use_code

    person = factories.make_person("olu")
    with_app(person)
    right = code()
    assert sum(found is not None for found in at_once(4, lambda _n: use_code(person, right, timezone.now()))) == 1


def test_there_are_no_recovery_codes_without_a_factor(person: User) -> None:
    with pytest.raises(Conflict):
        make_recovery_codes(person=person)


def test_with_the_last_factor_the_recovery_codes_go(person: User) -> None:
    with_app(person)
    make_recovery_codes(person=person)
    app = Authenticator.objects.get(type="totp")
    remove_factor(person=person, pk=app.pk, now=timezone.now())
    assert not Authenticator.objects.exists()
    assert is_in_with_password()
    verbs = AuditEntry.objects.filter(verb__startswith="factor.").values_list("verb", flat=True)
    assert sorted(verbs) == ["factor.added", "factor.added", "factor.removed"]


def is_in_with_password() -> bool:
    client = Client()
    sign_in(client)
    return is_in(client)


def test_the_factor_of_somebody_else_is_not_there(person: User, boss: User) -> None:
    with_app(person)
    app = Authenticator.objects.get()
    with pytest.raises(NotFound):
        remove_factor(person=boss, pk=app.pk, now=timezone.now())
    client = Client()
    factories.sign_in(client, boss)
    assert client.post(f"/me/security/factors/{app.pk}/remove/").status_code == 404
    assert client.post("/me/security/factors/999999/remove/").status_code == 404
    assert Authenticator.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '{"id": 1}',
        '{"response": {"userHandle": 9}}',
        '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","authenticatorData":"AA","signature":"AA","userHandle":"AA"}}',
    ],
)
def test_odd_answers_for_a_passkey_are_wrong_answers(person: User, answer: str) -> None:
    client = Client()
    client.get("/accounts/passkey/", headers={"X-Requested-With": "XMLHttpRequest"})
    assert client.post("/accounts/passkey/", {"credential": answer})["Location"] == "/accounts/login/"
    assert not is_in(client)
    factories.sign_in(client, person)
    client.get("/me/security/passkeys/")
    assert client.post("/me/security/passkeys/", {"credential": answer}).status_code == 422
    assert client.post("/accounts/reauthenticate/", {"credential": answer}).status_code == 422


# Roles that ask for a factor


def require(boss: User, *roles: Role) -> None:
    change_rules(required=set(roles), actor=boss, reason="policy", now=timezone.now())


def test_a_role_that_asks_for_a_factor_opens_nothing_before(person: User, boss: User) -> None:
    client = Client()
    sign_in(client)
    assert is_in(client)
    require(boss, Role.OPERATOR)
    for path in ("/queues/", "/events/", "/", "/people/", "/support/"):
        assert client.get(path)["Location"] == "/me/security/", path
    assert client.get("/queues/", headers={"HX-Request": "true"}).json()["code"] == "second_factor_required"
    assert client.get("/me/security/app/").status_code == 200
    require(boss)
    assert is_in(client)


@pytest.mark.parametrize("namespaces,opens", [([], True), (["admin"], False)])
def test_an_open_route_s_name_in_another_part_of_the_site_is_not_open(
    person: User, boss: User, rf: RequestFactory, settings: Any, namespaces: list[str], opens: bool
) -> None:
    client = Client()
    sign_in(client)
    require(boss, Role.OPERATOR)
    request: Any = rf.get("/", HTTP_COOKIE=f"{settings.SESSION_COOKIE_NAME}=x")
    request.user, request.session = User.objects.get(pk=person.pk), client.session
    request.resolver_match = ResolverMatch(lambda: None, (), {}, "security", namespaces=namespaces)
    answer = SignInRulesMiddleware(lambda _request: HttpResponse()).process_view(request, None, (), {})
    assert (answer is None) is opens


def test_setting_the_factor_up_opens_everything(person: User, boss: User) -> None:
    require(boss, Role.OPERATOR)
    client = Client()
    sign_in(client)
    page = client.get("/me/security/app/").content.decode()
    secret = re.search(r'id="app-key">([A-Z2-7]+)<', page)
    assert secret
    client.post("/me/security/app/", {"code": format_hotp_value(hotp_value(secret[1], int(time.time()) // 30))})
    assert is_in(client)


def test_the_rule_follows_the_roles_that_come_and_go(person: User, boss: User) -> None:
    from accounts.actions.grants import take_back

    require(boss, Role.SUPERVISOR)
    person.refresh_from_db()
    assert not person.needs_factor
    grant = factories.give_role(person, Role.SUPERVISOR)
    person.refresh_from_db()
    assert person.needs_factor
    take_back(grant=grant, taker=None, reason="over", now=timezone.now())
    person.refresh_from_db()
    assert not person.needs_factor


def test_open_pages_are_told_of_a_new_rule(
    person: User, boss: User, broadcasts: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        require(boss, Role.OPERATOR)
    assert broadcasts == [f"person.{person.pk}"]


def test_only_administrators_everywhere_change_the_rules(person: User, boss: User) -> None:
    site_boss = factories.make_person("site-boss")
    factories.give_role(site_boss, Role.ADMINISTRATOR, factories.make_place("yard").site)
    body = {"required": ["operator"], "reason": "x"}
    for somebody in (person, site_boss):
        client = Client()
        factories.sign_in(client, somebody)
        assert client.get("/people/sign-in/").status_code == 404
        for path in ("/people/sign-in/", "/people/sign-in/mappings/"):
            assert client.post(path, body).status_code == 404
    client = Client()
    factories.sign_in(client, boss)
    assert client.get("/people/sign-in/").status_code == 200
    assert client.post("/people/sign-in/", body | {"reason": ""}).status_code == 422
    assert client.post("/people/sign-in/", body)["Location"] == "/people/sign-in/"
    assert SignInRule.objects.get(mfa_required=True).role == "operator"
    entry = AuditEntry.objects.get(verb="sign_in_rules.changed")
    assert (entry.additional_data["before"], entry.additional_data["after"]) == ([], ["operator"])
    assert client.post("/people/sign-in/", body).status_code == 422


def test_a_page_costs_no_query_for_the_rule(person: User, boss: User) -> None:
    client = Client()
    factories.sign_in(client, person)
    client.get("/me/security/")
    without = queries_of(client)
    require(boss, Role.OPERATOR)
    factories.sign_in(client, person, "password", "totp")
    client.get("/me/security/")
    assert queries_of(client) == without > 0


def queries_of(client: Client) -> int:
    from django.db import connection

    ran: list[str] = []

    def note(execute: Any, sql: str, *more: Any) -> Any:
        ran.append(sql)
        return execute(sql, *more)

    with connection.execute_wrapper(note):
        client.get("/me/security/")
    return len(ran)


# The own password


def test_a_new_password_ends_the_other_sessions(person: User) -> None:
    here, there = Client(), Client()
    sign_in(here)
    sign_in(there)
    body = {"password": "three-quiet-brown-foxes", "again": "three-quiet-brown-foxes"}
    assert here.post("/me/security/password/", body)["Location"] == "/me/security/"
    assert (is_in(here), is_in(there)) == (True, False)
    assert AuditEntry.objects.filter(verb="password.changed", actor=person).exists()


@pytest.mark.parametrize("given", [("short", "short"), ("three-quiet-brown-foxes", "other"), ("x" * 5000, "x" * 5000)])
def test_a_password_that_cannot_be_used_changes_nothing(person: User, given: tuple[str, str]) -> None:
    client = Client()
    sign_in(client)
    assert client.post("/me/security/password/", {"password": given[0], "again": given[1]}).status_code == 422
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_sessions_are_ended_from_the_page(person: User, boss: User) -> None:
    here, there, more = Client(), Client(), Client()
    for client in (here, there, more):
        sign_in(client)
    other = Client()
    factories.sign_in(other, boss)
    names = re.findall(r'name="session" value="([0-9a-f]{32})"', here.get("/me/security/").content.decode())
    assert len(names) == 2
    assert there.session.session_key not in here.get("/me/security/").content.decode()
    assert other.post("/me/security/sessions/end/", {"session": names[0]}).status_code == 404
    here.post("/me/security/sessions/end/", {"session": names[0]})
    assert [is_in(there), is_in(more)].count(True) == 1
    here.post("/me/security/sessions/end/", {"session": "others"})
    assert (is_in(here), is_in(there), is_in(more), is_in(other)) == (True, False, False, True)
