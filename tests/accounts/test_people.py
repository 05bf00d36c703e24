"""Accounts are switched off and on, renamed, and never deleted."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models.deletion import PROTECT
from django.test import Client
from django.utils import timezone

from accounts.actions import people
from accounts.actions.grants import Wanted
from accounts.actions.invitations import make_reset
from accounts.exceptions import Conflict, Invalid, Refused, SecondLookError
from accounts.models import AuditEntry, Grant, User
from accounts.models.grant import Scope
from accounts.roles import Right, Role
from review.access import queues_for
from review.models import Claim, Item
from tests import factories
from tests.conftest import AtOnce
from tests.factories import Place, bearer, give_role, make_item, make_person, make_token


@pytest.fixture
def boss(place: Place) -> User:
    return make_person("boss", Role.ADMINISTRATOR)


@pytest.fixture
def local_boss(place: Place) -> User:
    """Administers the one site only."""
    return make_person("local", Role.ADMINISTRATOR, place.site)


def off(person: User, actor: User | None, **changes: Any) -> None:
    people.deactivate(**{"person": person, "actor": actor, "reason": "left", "now": timezone.now()} | changes)


def on(person: User, actor: User | None) -> None:
    people.reactivate(person=person, actor=actor, reason="back", now=timezone.now())


# Switching off


def test_whoever_is_deactivated_loses_sessions_tokens_and_claims(
    place: Place, operator: User, boss: User, broadcasts: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    make_item(place)
    held, client, token = factories.claim(place, operator), Client(), make_token(operator)
    factories.sign_in(client, operator)
    assert client.get("/queues/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        off(operator, boss)
    assert client.get("/queues/").status_code == 302
    assert Client(**bearer(token)).get("/api/v1/queues").status_code == 401
    assert Claim.objects.get(pk=held.pk).ended_at is not None
    assert Item.objects.get(pk=held.item_id).claimed_by is None
    assert f"person.{operator.pk}" in broadcasts
    entry = AuditEntry.objects.get(verb="person.deactivated")
    assert (entry.actor, entry.additional_data) == (boss, {"reason": "left", "tokens": 1})


def test_the_grants_count_again_after_reactivation_and_the_tokens_do_not(
    place: Place, operator: User, boss: User
) -> None:
    token = make_token(operator)
    off(operator, boss)
    operator.refresh_from_db()
    assert not queues_for(operator, Right.REVIEW).exists()
    on(operator, boss)
    operator = User.objects.get(pk=operator.pk)
    assert list(queues_for(operator, Right.REVIEW)) == [place.queue]
    assert Client(**bearer(token)).get("/api/v1/queues").status_code == 401
    assert AuditEntry.objects.get(verb="person.reactivated").additional_data == {"reason": "back"}


@pytest.mark.parametrize("act", [off, on])
def test_what_is_done_already_is_a_conflict(operator: User, boss: User, act: Callable[..., None]) -> None:
    off(operator, boss)
    if act is on:
        on(operator, boss)
    with pytest.raises(Conflict):
        act(operator, boss)


def test_the_last_administrator_cannot_be_switched_off(boss: User) -> None:
    make_person("temporary")
    give_role(User.objects.get(username="temporary"), Role.ADMINISTRATOR, ends_at=timezone.now() + timedelta(days=1))
    with pytest.raises(Conflict) as refused:
        off(boss, None)
    assert refused.value.code == "last_administrator"
    assert User.objects.get(pk=boss.pk).is_active
    make_person("second", Role.ADMINISTRATOR)
    off(boss, None)


def test_nobody_switches_himself_off_or_what_reaches_further_than_he_does(
    place: Place, elsewhere: Place, operator: User, supervisor: User, local_boss: User, boss: User
) -> None:
    give_role(operator, Role.OPERATOR, elsewhere.site)
    for person, actor in [(local_boss, local_boss), (operator, local_boss), (boss, local_boss), (operator, supervisor)]:
        with pytest.raises(Refused):
            off(person, actor)
        if person != actor:
            with pytest.raises(Refused):
                make_reset(person=person, maker=actor, reason="x", now=timezone.now())
    off(supervisor, local_boss)
    assert User.objects.filter(is_active=False).get() == supervisor


def test_a_deactivation_that_breaks_off_leaves_everything(
    monkeypatch: pytest.MonkeyPatch, place: Place, operator: User, boss: User
) -> None:
    token = make_token(operator)

    def fail(*_args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("accounts.departures.run", fail)
    with pytest.raises(RuntimeError):
        off(operator, boss)
    assert User.objects.get(pk=operator.pk).is_active
    assert Client(**bearer(token)).get("/api/v1/queues").status_code == 200
    assert not AuditEntry.objects.filter(verb="person.deactivated").exists()


def test_a_deactivated_person_gets_no_new_role_or_token(place: Place, operator: User, boss: User) -> None:
    off(operator, boss)
    for act in (lambda: give_role(operator, Role.AUDITOR, place.site), lambda: make_token(operator)):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "person_deactivated"


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_deactivate_each_other_at_once_leave_one(at_once: AtOnce) -> None:
    both = [make_person(f"admin-{number}", Role.ADMINISTRATOR) for number in range(2)]

    def go(number: int) -> bool:
        try:
            off(both[number], both[1 - number])
        except SecondLookError:
            return False
        return True

    assert sorted(at_once(2, go)) == [False, True]
    assert Grant.objects.administrators(timezone.now()).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_role_given_while_somebody_is_deactivated_waits_and_is_refused(at_once: AtOnce) -> None:
    boss, person = make_person("boss", Role.ADMINISTRATOR), make_person("p")
    acts = [lambda: off(person, boss), lambda: give_role(person, Role.AUDITOR)]

    def go(number: int) -> bool:
        try:
            acts[number]()
        except Conflict:
            return False
        return True

    done = at_once(2, go)
    assert done[0]
    assert Grant.objects.filter(person=person).count() == int(done[1])


@pytest.mark.parametrize("reason,code", [("  ", "reason_required"), ("x" * 301, "reason_too_long")])
def test_a_reason_is_asked_for(operator: User, boss: User, reason: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        off(operator, boss, reason=reason)
    assert refused.value.code == code
    assert User.objects.get(pk=operator.pk).is_active


# Never deleted


def test_people_are_never_deleted(operator: User) -> None:
    for act in (operator.delete, User.objects.filter(pk=operator.pk).delete, User.objects.all().delete):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "people_stay"
    assert User.objects.filter(pk=operator.pk).exists()


# What may go with its owner: nothing that happened is told by these rows.
NO_HISTORY = {"accounts.Session"}


def test_nothing_that_history_points_at_can_take_it_along() -> None:
    """A98: every foreign key of a table of ours stops the deletion of what it points at."""
    ours = [model for label in ("accounts", "inference", "review") for model in apps.get_app_config(label).get_models()]
    keys = [
        field
        for model in ours
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and model._meta.label not in NO_HISTORY
    ]
    assert len(keys) > 40
    loose = {f"{key.model._meta.label}.{key.name}" for key in keys if key.remote_field.on_delete is not PROTECT}
    assert loose <= KNOWN_LOOSE, loose - KNOWN_LOOSE


# django-auditlog's own column; a content type is never deleted while its model exists.
KNOWN_LOOSE = {"accounts.AuditEntry.content_type"}


# Renaming, making


def test_a_person_is_renamed_with_what_was_before(operator: User, boss: User, now: datetime) -> None:
    people.rename(person=operator, name=" Olu B. ", before="Olu", actor=boss, reason="married", now=now)
    assert User.objects.get(pk=operator.pk).name == "Olu B."
    entry = AuditEntry.objects.get(verb="person.renamed")
    assert entry.additional_data == {"before": "Olu", "after": "Olu B.", "reason": "married"}
    with pytest.raises(Conflict) as refused:
        people.rename(person=operator, name="Ola", before="Olu", actor=boss, reason="typo", now=now)
    assert refused.value.code == "renamed"


@pytest.mark.parametrize("name", ["", "  ", "x" * 151, "\0"])
def test_a_name_that_is_none_is_refused(operator: User, boss: User, now: datetime, name: str) -> None:
    with pytest.raises(Invalid):
        people.rename(person=operator, name=name, before="Olu", actor=boss, reason="x", now=now)


def welcome(maker: User, place: Place, role: Role = Role.OPERATOR, username: str = "fresh") -> User:
    wanted, now = Wanted(role, Scope.SITE, place.site.pk), timezone.now()
    return people.welcome(username=username, name="Fresh", wanted=wanted, maker=maker, reason="hired", now=now)


def test_a_new_person_comes_with_a_role_and_without_a_password(place: Place, local_boss: User) -> None:
    person = welcome(local_boss, place)
    assert not person.has_usable_password()
    assert [grant.role for grant in person.grants.all()] == ["operator"]


def test_a_new_person_whose_role_is_refused_is_not_made(elsewhere: Place, local_boss: User, supervisor: User) -> None:
    for maker in (local_boss, supervisor):
        with pytest.raises(Refused):
            welcome(maker, elsewhere)
    assert not User.objects.filter(username="fresh").exists()
    assert not AuditEntry.objects.filter(verb="person.created", object_repr="Fresh").exists()


def test_two_sign_in_names_that_differ_in_case_are_one(place: Place, boss: User, operator: User) -> None:
    with pytest.raises(Conflict) as refused:
        welcome(boss, place, username="OLU")
    assert refused.value.code == "username_taken"


def test_the_database_takes_no_two_sign_in_names_that_differ_in_case(operator: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="OLU")


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_with_one_name_in_two_cases_one_is_made(at_once: AtOnce) -> None:
    def one(number: int) -> str:
        name = ["ray", "RAY", "Ray", "rAY"][number]
        try:
            people.create_person(username=name, name="Ray", password=None, maker=None, now=timezone.now())
        except Conflict as error:
            return error.code
        return "made"

    assert sorted(at_once(4, one)) == ["made", "username_taken", "username_taken", "username_taken"]
    assert User.objects.filter(username__iexact="ray").count() == 1


def test_a_sign_in_name_is_kept_in_one_form_and_found_in_every_other(place: Place, boss: User) -> None:
    person = make_person("\uff4e\uff49\uff41e\u0301")
    assert person.username == "nia\xe9"
    with pytest.raises(Conflict):
        welcome(boss, place, username="niae\u0301")
    client = Client()
    client.post("/accounts/login/", {"login": "\uff4eiae\u0301", "password": factories.PASSWORD})
    assert client.session["_auth_user_id"] == str(person.pk)


@pytest.mark.parametrize("username", ["", "a\0b", "\ud800", "x" * 151, "\ufb03" * 60, "\ufdfa"])
def test_a_sign_in_name_that_cannot_be_kept_is_refused(place: Place, boss: User, username: str) -> None:
    with pytest.raises(Invalid) as refused:
        welcome(boss, place, username=username)
    assert refused.value.code == "username"


def test_the_migration_names_the_accounts_that_are_in_its_way(db: None) -> None:
    migration = import_module("accounts.migrations.0015_sign_in_names_are_unique_whatever_their_case")
    migration.require_different_names(apps, None)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX username_once_whatever_its_case")
    User.objects.create(username="ray")
    User.objects.create(username="RAY")
    with pytest.raises(RuntimeError, match="differ in capitals only: ray"):
        migration.require_different_names(apps, None)


# One-time links; what they do is tried in test_invitations.py


def test_a_new_person_gets_a_link_that_sets_the_password(place: Place, boss: User) -> None:
    client = Client()
    factories.sign_in(client, boss)
    person = welcome(boss, place)
    page = client.post(f"/people/{person.public_id}/password-link/", {"reason": "new here"}).content.decode()
    token = re.search(r"/accounts/new-password/#(slr_[\w-]+)<", page)
    assert token
    new = {"token": token[1], "password": "a-good-new-one-1", "again": "a-good-new-one-1"}
    assert Client().post("/accounts/new-password/", new).status_code == 302
    assert User.objects.get(pk=person.pk).check_password("a-good-new-one-1")
    assert AuditEntry.objects.filter(verb="reset.made", actor=boss).exists()
