"""Single sign-on against a real little provider: who is believed, who it is, and what the groups give."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from accounts.actions import single_sign_on
from accounts.actions.grants import take_back
from accounts.actions.sign_in_rules import map_group, unmap_group
from accounts.exceptions import Conflict
from accounts.models import AuditEntry, Grant, GroupMapping, Identity, User
from accounts.models.grant import Origin, Scope
from accounts.roles import Role
from accounts.sso import client as sso_client
from deploy.settings import oidc
from tests import factories
from tests.accounts.oidc_provider import CLIENT, SECRET, OidcProvider, new_key, running
from tests.factories import Place


@pytest.fixture(scope="module")
def server() -> Iterator[OidcProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(server: OidcProvider, settings: Any) -> OidcProvider:
    fresh = OidcProvider(issuer=server.issuer, key=server.key)
    for name, value in vars(fresh).items():
        setattr(server, name, value)
    server.claims = {"sub": "s-1", "name": "Olu", "email": "olu@example.org", "groups": []}
    configure(settings, server)
    sso_client.forget()
    return server


def configure(settings: Any, server: OidcProvider, **more: Any) -> None:
    usual = {"label": "Plant", "issuer": server.issuer, "client_id": CLIENT, "client_secret": SECRET}
    found = oidc.provider("test", "plant", usual | more)
    settings.SECONDLOOK = settings.SECONDLOOK | {"SSO": {"plant": found}}


@pytest.fixture
def boss(db: None) -> User:
    return factories.make_person("boss", Role.ADMINISTRATOR)


@pytest.fixture
def person(provider: OidcProvider, db: None) -> User:
    made = factories.make_person("olu")
    Identity.objects.create(person=made, issuer=provider.issuer, subject="s-1", linked_at=timezone.now())
    return made


def sign_on(provider: OidcProvider, client: Client | None = None, process: str = "") -> tuple[Client, Any]:
    client = client or Client()
    there = client.get("/accounts/sso/plant/", {"process": process, "next": "/queues/"})
    assert there.status_code == 302, there.content
    return client, client.get(f"/accounts/sso/plant/back/?{provider.authorize(there['Location'])}")


def is_in(client: Client) -> bool:
    return client.get("/queues/").status_code == 200


def test_a_linked_person_comes_in(provider: OidcProvider, person: User) -> None:
    client, answer = sign_on(provider)
    assert (answer.status_code, answer["Location"]) == (302, "/queues/")
    assert client.get("/queues/").wsgi_request.user == person
    assert AuditEntry.objects.get(verb="person.signed_in").additional_data["methods"] == ["sso"]


def test_the_provider_is_asked_with_pkce_state_and_nonce(provider: OidcProvider, db: None) -> None:
    where = Client().get("/accounts/sso/plant/")["Location"]
    asked = dict(parse_qsl(urlsplit(where).query))
    assert where.startswith(f"{provider.issuer}/authorize?")
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32
    assert asked["redirect_uri"] == "http://testserver/accounts/sso/plant/back/"
    assert SECRET not in where


def test_the_way_back_stands_under_the_address_of_the_settings(provider: OidcProvider, settings: Any, db: None) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"ADDRESS": "https://review.example.org"}
    asked = dict(parse_qsl(urlsplit(Client().get("/accounts/sso/plant/")["Location"]).query))
    assert asked["redirect_uri"] == "https://review.example.org/accounts/sso/plant/back/"


WRONG: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "other"},
    "no nonce": {"nonce": None},
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "other-client"},
    "several audiences, none authorized": {"aud": [CLIENT, "other"]},
    "authorized for another one": {"azp": "other"},
    "expired": {"exp": int(time.time()) - 3600},
    "no expiry": {"exp": None},
    "no issue time": {"iat": None},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject with NUL": {"sub": "s-1\0"},
    "a subject with half a character": {"sub": "s-1\ud800"},
    "a nonce with half a character": {"nonce": "\ud800"},
    "a huge subject": {"sub": "s" * 300},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_token_with_wrong_claims_is_refused(provider: OidcProvider, person: User, name: str) -> None:
    provider.claims |= WRONG[name]
    client, answer = sign_on(provider)
    assert answer.status_code == 403
    assert not is_in(client)


def test_a_token_with_another_signature_is_refused(provider: OidcProvider, person: User) -> None:
    provider.signing_key = new_key()
    client, answer = sign_on(provider)
    assert answer.status_code == 403
    assert not is_in(client)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_signed_with_nothing_or_a_shared_word_is_refused(
    provider: OidcProvider, person: User, algorithm: str
) -> None:
    provider.algorithm = algorithm
    client, answer = sign_on(provider)
    assert answer.status_code == 403
    assert not is_in(client)


def test_a_new_key_of_the_provider_is_found(
    provider: OidcProvider, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_in(sign_on(provider)[0])
    provider.kid, provider.key = "two", new_key()
    assert not is_in(sign_on(provider)[0])
    monkeypatch.setattr(sso_client, "ASK_AGAIN_S", 0)
    assert is_in(sign_on(provider)[0])


def test_another_name_in_the_discovery_document_is_refused(provider: OidcProvider, db: None) -> None:
    provider.discovery = {"issuer": "https://evil.example"}
    assert Client().get("/accounts/sso/plant/").status_code == 403


@pytest.mark.parametrize("query", ["code=x&state=other", "state=", "error=access_denied", "code=x"])
def test_an_answer_that_nobody_asked_for_is_refused(provider: OidcProvider, person: User, query: str) -> None:
    client = Client()
    client.get("/accounts/sso/plant/")
    assert client.get(f"/accounts/sso/plant/back/?{query}").status_code == 403
    assert Client().get(f"/accounts/sso/plant/back/?{query}").status_code == 403
    assert not is_in(client)


def test_an_answer_works_in_the_browser_that_asked_only(provider: OidcProvider, person: User) -> None:
    query = provider.authorize(Client().get("/accounts/sso/plant/")["Location"])
    victim = Client()
    victim.get("/accounts/sso/plant/")
    assert victim.get(f"/accounts/sso/plant/back/?{query}").status_code == 403
    assert not is_in(victim)


def test_an_unknown_provider_is_not_there(db: None) -> None:
    assert Client().get("/accounts/sso/other/").status_code == 404
    assert Client().get("/accounts/sso/other/back/?code=1").status_code == 404


def test_a_provider_that_is_gone_is_said_plainly(provider: OidcProvider, settings: Any, db: None) -> None:
    configure(settings, provider, issuer="http://127.0.0.1:9")
    assert Client().get("/accounts/sso/plant/").status_code == 403


# Who it is


def test_a_changed_address_and_name_are_the_same_person(provider: OidcProvider, person: User) -> None:
    provider.claims |= {"email": "new@example.org", "name": "Other", "preferred_username": "other"}
    assert sign_on(provider)[0].get("/queues/").wsgi_request.user == person
    assert User.objects.count() == 1


def test_the_same_address_and_name_with_another_subject_are_nobody(provider: OidcProvider, person: User) -> None:
    User.objects.filter(pk=person.pk).update(email="olu@example.org")
    provider.claims |= {"sub": "s-2", "preferred_username": "olu", "email_verified": True}
    client, answer = sign_on(provider)
    assert answer.status_code == 403
    assert b"Ask for an invitation" in answer.content
    assert not is_in(client)


def test_the_same_subject_of_another_issuer_is_somebody_else(provider: OidcProvider, person: User) -> None:
    Identity.objects.update(issuer="https://other.example")
    assert sign_on(provider)[1].status_code == 403


def test_an_account_is_made_only_where_settings_say_so_and_without_any_right(
    provider: OidcProvider, person: User, settings: Any
) -> None:
    configure(settings, provider, creates_accounts=True)
    provider.claims |= {"sub": "s-2", "preferred_username": "OLU", "name": "Other Olu"}
    client, _answer = sign_on(provider)
    made = client.get("/queues/").wsgi_request.user
    assert made != person
    assert (made.username, made.name) == ("OLU-2", "Other Olu")
    assert not made.has_usable_password()
    assert not Grant.objects.filter(person=made).exists()


def test_a_deactivated_person_stays_out(provider: OidcProvider, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    client, answer = sign_on(provider)
    assert answer.status_code == 403
    assert not is_in(client)


def test_a_signed_in_person_links_an_identity_after_a_fresh_proof(provider: OidcProvider, db: None) -> None:
    person, client = factories.make_person("lee"), Client()
    factories.sign_in(client, person, minutes_ago=20)
    assert client.get("/accounts/sso/plant/?process=link")["Location"].startswith("/accounts/reauthenticate/")
    factories.sign_in(client, person)
    _client, answer = sign_on(provider, client, "link")
    assert answer["Location"] == "/me/security/"
    assert sign_on(provider)[0].get("/queues/").wsgi_request.user == person


def test_a_link_whose_proof_grew_old_on_the_way_is_not_made(provider: OidcProvider, db: None) -> None:
    person, client = factories.make_person("lee"), Client()
    factories.sign_in(client, person)
    there = client.get("/accounts/sso/plant/", {"process": "link"})
    session = client.session
    session["unlocked_at"] = time.time() + 1
    session.save()
    answer = client.get(f"/accounts/sso/plant/back/?{provider.authorize(there['Location'])}")
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not Identity.objects.exists()


def test_an_identity_of_somebody_else_cannot_be_linked(provider: OidcProvider, person: User) -> None:
    thief, client = factories.make_person("thief"), Client()
    factories.sign_in(client, thief)
    assert sign_on(provider, client, "link")[1].status_code == 409
    assert Identity.objects.get().person == person


def test_the_last_way_to_sign_in_cannot_be_unlinked(provider: OidcProvider, person: User) -> None:
    client, _answer = sign_on(provider)
    identity = Identity.objects.get()
    person.set_unusable_password()
    person.save()
    client, _answer = sign_on(provider)
    client.post(f"/me/security/identities/{identity.pk}/unlink/")
    assert Identity.objects.exists()
    person.set_password(factories.PASSWORD)
    person.save()
    client, _answer = sign_on(provider)
    stranger = Client()
    factories.sign_in(stranger, factories.make_person("x"))
    assert stranger.post(f"/me/security/identities/{identity.pk}/unlink/").status_code == 404
    client.post(f"/me/security/identities/{identity.pk}/unlink/")
    assert not Identity.objects.exists()


@pytest.mark.parametrize("said", [None, -3600, "soon", True])
def test_a_proof_anew_that_is_none_is_refused(provider: OidcProvider, person: User, said: Any) -> None:
    """The provider was asked with `max_age=0`, and lets the session that it has count."""
    client, _answer = sign_on(provider)
    before = client.session.session_key
    provider.claims["auth_time"] = int(time.time()) + said if type(said) is int else said
    assert sign_on(provider, client)[1].status_code == 403
    assert client.session.session_key == before


def test_a_proof_anew_counts_with_the_time_of_the_provider(provider: OidcProvider, person: User) -> None:
    client, _answer = sign_on(provider)
    provider.claims["auth_time"] = int(time.time()) - 30
    assert sign_on(provider, client)[1].status_code == 302


def test_a_first_sign_on_needs_no_time_of_the_proof(provider: OidcProvider, person: User) -> None:
    provider.claims["auth_time"] = int(time.time()) - 36000
    assert is_in(sign_on(provider)[0])


# Groups


def mapped(provider: OidcProvider, boss: User, group: str, role: Role, place: Place | None = None) -> GroupMapping:
    return map_group(
        issuer=provider.issuer,
        group=group,
        role=role,
        scope=Scope.SITE if place else Scope.EVERYWHERE,
        scope_id=place.site.pk if place else None,
        actor=boss,
        reason="shift plan",
        now=timezone.now(),
    )


def held(person: User) -> set[tuple[str, str]]:
    return set(Grant.objects.live(timezone.now()).filter(person=person).values_list("role", "origin"))


def test_groups_give_and_take_at_each_sign_on(provider: OidcProvider, person: User, boss: User, place: Place) -> None:
    mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    mapped(provider, boss, "leads", Role.SUPERVISOR, place)
    provider.claims["groups"] = ["reviewers", "canteen"]
    client, _answer = sign_on(provider)
    assert held(person) == {("operator", Origin.SINGLE_SIGN_ON)}
    assert client.get(f"/queues/{place.queue.pk}/desk/").status_code == 200
    provider.claims["groups"] = ["leads"]
    sign_on(provider)
    assert held(person) == {("supervisor", Origin.SINGLE_SIGN_ON)}
    provider.claims["groups"] = []
    sign_on(provider)
    assert held(person) == set()
    assert client.get(f"/queues/{place.queue.pk}/desk/").status_code == 404
    verbs = list(
        AuditEntry.objects.filter(verb__startswith="grant.", actor=None, object_pk=str(person.pk)).values_list(
            "verb", flat=True
        )
    )
    assert sorted(verbs) == ["grant.given", "grant.given", "grant.taken_back", "grant.taken_back"]


def test_what_people_gave_stays(provider: OidcProvider, person: User, boss: User, place: Place) -> None:
    mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    factories.give_role(person, Role.OPERATOR, place.site)
    provider.claims["groups"] = ["reviewers"]
    sign_on(provider)
    provider.claims["groups"] = []
    sign_on(provider)
    assert held(person) == {("operator", Origin.PERSON)}


@pytest.mark.parametrize("odd", ["reviewers\0", "\ud800", "leads\udfff"])
def test_a_group_that_cannot_be_stored_is_dropped_and_the_others_count(
    provider: OidcProvider, person: User, boss: User, place: Place, odd: str
) -> None:
    mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    provider.claims["groups"] = ["reviewers", odd]
    sign_on(provider)
    assert Identity.objects.get().groups == ["reviewers"]
    assert held(person) == {("operator", Origin.SINGLE_SIGN_ON)}


def test_a_name_that_cannot_be_stored_is_cleaned(provider: OidcProvider, settings: Any, db: None) -> None:
    configure(settings, provider, creates_accounts=True)
    provider.claims |= {"name": "Lee\0 \ud800Ray", "preferred_username": "l\0e\udfffe", "amr": [{}]}
    client, _answer = sign_on(provider)
    made = client.get("/queues/").wsgi_request.user
    assert (made.username, made.name) == ("lee", "Lee Ray")


@pytest.mark.parametrize("groups", [None, 7, {"a": 1}, [["reviewers"]], "canteen", ["Reviewers"], ["reviewers "]])
def test_odd_groups_give_nothing(provider: OidcProvider, person: User, boss: User, place: Place, groups: Any) -> None:
    mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    provider.claims["groups"] = groups
    provider.userinfo = {"sub": "s-1"}
    assert is_in(sign_on(provider)[0])
    assert held(person) == set()


def test_groups_may_come_with_the_userinfo_of_the_same_subject(
    provider: OidcProvider, person: User, boss: User, place: Place
) -> None:
    mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    provider.claims["groups"] = None
    provider.userinfo = {"sub": "s-9", "groups": ["reviewers"]}
    assert sign_on(provider)[1].status_code == 403
    provider.userinfo["sub"] = "s-1"
    sign_on(provider)
    assert held(person) == {("operator", Origin.SINGLE_SIGN_ON)}


def test_an_administrator_from_a_group_never_is_the_last_one(provider: OidcProvider, person: User, boss: User) -> None:
    mapped(provider, boss, "admins", Role.ADMINISTRATOR)
    provider.claims["groups"] = ["admins"]
    sign_on(provider)
    with pytest.raises(Conflict) as refused:
        take_back(grant=boss.grants.get(), taker=None, reason="x", now=timezone.now())
    assert refused.value.code == "last_administrator"
    provider.claims["groups"] = []
    sign_on(provider)
    assert held(person) == set()


def test_the_last_administrator_from_before_grants_of_groups_had_an_end_stays(
    provider: OidcProvider, person: User, boss: User
) -> None:
    mapped(provider, boss, "admins", Role.ADMINISTRATOR)
    provider.claims["groups"] = ["admins"]
    sign_on(provider)
    Grant.objects.filter(person=person).update(ends_at=None)
    User.objects.filter(pk=boss.pk).update(is_active=False)
    for groups in (["admins"], []):
        provider.claims["groups"] = groups
        sign_on(provider)
        assert held(person) == {("administrator", Origin.SINGLE_SIGN_ON)}
    assert AuditEntry.objects.filter(verb="grant.kept").exists()
    User.objects.filter(pk=boss.pk).update(is_active=True)
    sign_on(provider)
    assert held(person) == set()


def test_what_a_group_gave_ends_for_tokens_too_when_its_person_never_signs_on_again(
    provider: OidcProvider, person: User, boss: User, place: Place
) -> None:
    mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    provider.claims["groups"] = ["reviewers"]
    sign_on(provider)
    reads = Client(**factories.bearer(factories.make_token(person)))
    provider.claims["groups"] = []

    def seen() -> list[str]:
        return [one["id"] for one in reads.get("/api/v1/queues").json()]

    with time_machine.travel(timezone.now() + timedelta(hours=8, minutes=-1)):
        assert seen() == [str(place.queue.pk)]
    with time_machine.travel(timezone.now() + timedelta(hours=8, minutes=1)):
        assert seen() == []
        with_password = Client()
        factories.sign_in(with_password, person)
        assert with_password.get(f"/queues/{place.queue.pk}/desk/").status_code == 404


def test_each_sign_on_moves_the_end_with_one_entry(
    provider: OidcProvider, person: User, boss: User, place: Place
) -> None:
    for role in (Role.OPERATOR, Role.SUPERVISOR):
        mapped(provider, boss, "reviewers", role, place)
    factories.give_role(person, Role.AUDITOR, place.site)
    mapped(provider, boss, "reviewers", Role.AUDITOR, place)
    provider.claims["groups"] = ["reviewers"]
    begun = timezone.now()
    from_groups = Grant.objects.filter(person=person, origin=Origin.SINGLE_SIGN_ON)
    sign_on(provider)
    rows = set(from_groups.values_list("pk", flat=True))
    follow_again(person, begun + timedelta(hours=4))
    assert set(from_groups.values_list("pk", "ends_at")) == {(pk, begun + timedelta(hours=12)) for pk in rows}
    assert AuditEntry.objects.get(verb="grant.extended").additional_data["count"] == 2
    assert Grant.objects.get(person=person, origin=Origin.PERSON).ends_at is None


def test_what_ended_is_given_anew_at_the_next_sign_on(
    provider: OidcProvider, person: User, boss: User, place: Place
) -> None:
    mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    provider.claims["groups"] = ["reviewers"]
    sign_on(provider)
    later = timezone.now() + timedelta(hours=9)
    follow_again(person, later)
    assert Grant.objects.live(later).filter(person=person).count() == 1
    assert Grant.objects.filter(person=person).count() == 2


def test_undoing_another_link_moves_no_end(provider: OidcProvider, person: User, boss: User, place: Place) -> None:
    mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    provider.claims["groups"] = ["reviewers"]
    sign_on(provider)
    other = Identity.objects.create(person=person, issuer="https://b.example", subject="1", linked_at=timezone.now())
    before = Grant.objects.get(person=person).ends_at
    single_sign_on.unlink(person=person, pk=other.pk, now=timezone.now() + timedelta(hours=1))
    assert Grant.objects.get(person=person).ends_at == before


def follow_again(person: User, now: datetime) -> None:
    """A sign-on at another time, with the groups as they are."""
    from accounts.sso.providers import providers

    claims = {"sub": "s-1", "groups": person.identities.get().groups}
    single_sign_on.sign_on(provider=providers()["plant"], claims=claims, now=now)


def test_an_ended_mapping_gives_nothing_any_more(
    provider: OidcProvider, person: User, boss: User, place: Place
) -> None:
    made = mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    provider.claims["groups"] = ["reviewers"]
    sign_on(provider)
    unmap_group(pk=made.pk, actor=boss, reason="over", now=timezone.now())
    sign_on(provider)
    assert held(person) == set()


def test_nothing_is_given_when_the_sign_on_fails_later(
    provider: OidcProvider, person: User, boss: User, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped(provider, boss, "reviewers", Role.OPERATOR, place)
    provider.claims["groups"] = ["reviewers"]
    monkeypatch.setattr("accounts.actions.single_sign_on.derive", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sign_on(provider)
    assert held(person) == set()


def test_mappings_are_made_and_ended_on_the_page(provider: OidcProvider, boss: User, place: Place) -> None:
    client, other = Client(), Client()
    factories.sign_in(client, boss)
    factories.sign_in(other, factories.make_person("lee", Role.SUPERVISOR))
    body = {"issuer": provider.issuer, "group": "leads", "role": "supervisor", "scope": f"site:{place.site.pk}"}
    assert client.post("/people/sign-in/mappings/", body).status_code == 422
    assert client.post("/people/sign-in/mappings/", body | {"reason": "x", "issuer": "other"}).status_code == 422
    assert client.post("/people/sign-in/mappings/", body | {"reason": "plan"}).status_code == 302
    assert client.post("/people/sign-in/mappings/", body | {"reason": "plan"}).status_code == 422
    made = GroupMapping.objects.get()
    assert "leads" in client.get("/people/sign-in/").content.decode()
    end = f"/people/sign-in/mappings/{made.pk}/end/"
    assert other.post(end, {"reason": "x"}).status_code == 404
    client.post(end, {"reason": ""})
    assert GroupMapping.objects.exists()
    client.post(end, {"reason": "over"})
    assert not GroupMapping.objects.exists()
    assert client.post(end, {"reason": "over"}).status_code == 404
    verbs = AuditEntry.objects.filter(verb__startswith="mapping.", actor=boss).values_list("verb", flat=True)
    assert sorted(verbs) == ["mapping.ended", "mapping.made"]


# Sessions and factors


def test_a_session_of_single_sign_on_is_checked_again_after_its_time(
    provider: OidcProvider, person: User, settings: Any
) -> None:
    client = Client()
    factories.sign_in(client, person, "sso", minutes_ago=8 * 60 - 5)
    assert is_in(client)
    factories.sign_in(client, person, "sso", minutes_ago=8 * 60 + 5)
    assert client.get("/queues/")["Location"] == "/accounts/login/?next=/queues/"
    factories.sign_in(client, person, "sso", minutes_ago=8 * 60 + 5)
    assert client.get("/queues/", headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize(
    ("claims", "opens"),
    [({"amr": ["pwd", "mfa"]}, True), ({"acr": "gold"}, True), ({"amr": ["pwd"]}, False), ({"amr": 3}, False)],
)
def test_the_providers_factor_counts_where_settings_name_it(
    provider: OidcProvider, person: User, settings: Any, claims: dict[str, Any], opens: bool
) -> None:
    configure(settings, provider, mfa_values=["mfa", "gold"])
    User.objects.filter(pk=person.pk).update(needs_factor=True)
    provider.claims |= claims
    client, _answer = sign_on(provider)
    assert is_in(client) is opens


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"Plant": {}}',
        '{"plant": []}',
        '{"plant": {"issuer": "https://a.example", "client_id": "x"}}',
        '{"plant": {"issuer": "http://a.example", "client_id": "x", "client_secret": "hidden-word"}}',
        '{"plant": {"issuer": "https://a.example", "client_id": "x", "client_secret": "hidden-word", "more": 1}}',
        '{"plant": {"issuer": "https://a.example", "client_id": "x", "client_secret": "hidden-word", "scope": "x"}}',
    ],
)
def test_settings_that_cannot_be_used_stop_the_start_without_telling_the_secret(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SECONDLOOK_OIDC", text)
    with pytest.raises(ImproperlyConfigured) as said:
        oidc.providers("SECONDLOOK_OIDC")
    assert "hidden-word" not in str(said.value)


def test_the_secret_is_in_no_text_of_a_provider(provider: OidcProvider) -> None:
    from accounts.sso.providers import providers

    assert SECRET not in repr(providers())
