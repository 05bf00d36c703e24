"""The support desk: much to see for few people, little to change, nothing to delete."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import models
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.roles import Role
from inference.models import Source
from tests.factories import PASSWORD, Place, claim, give_answer, jpeg, make_item, make_person

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
MODELS = pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", password=PASSWORD)


@pytest.fixture
def desk(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


@pytest.fixture
def full(place: Place, operator: User) -> None:
    """Something of most kinds."""
    make_item(place, picture=jpeg())
    give_answer(claim(place, operator))


def address(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_what_can_be_seen_is_listed_here() -> None:
    assert [model._meta.label for model in REGISTERED] == [
        "account.EmailAddress",
        "accounts.AuditEntry",
        "accounts.Grant",
        "accounts.User",
        "django_tasks_database.DBTaskResult",
        "inference.Camera",
        "inference.ModelVersion",
        "inference.Site",
        "inference.Source",
        "review.Policy",
        "review.Queue",
        "review.Taxonomy",
        "review.Verdict",
    ]


@MODELS
def test_each_list_and_row_can_be_looked_at(desk: Client, full: None, model: type[models.Model]) -> None:
    assert desk.get(address(model, "changelist")).status_code == 200
    row = model._default_manager.first()
    if row is not None:
        assert desk.get(address(model, "change", row.pk)).status_code == 200


@MODELS
def test_nothing_can_be_deleted_and_only_people_added_or_changed(
    desk: Client, full: None, model: type[models.Model]
) -> None:
    row = model._default_manager.first()
    people = model is User
    assert desk.get(address(model, "add")).status_code == (200 if people else 403)
    if row is None:
        return
    count = model._default_manager.count()
    assert desk.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    desk.post(address(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert model._default_manager.count() == count
    if not people:
        assert desk.post(address(model, "change", row.pk), {}).status_code == 403


@pytest.mark.parametrize("who", ["operator", "staff", "staff with every permission", "superuser outside the staff"])
def test_nobody_else_gets_in(place: Place, who: str) -> None:
    person = make_person("p", Role.ADMINISTRATOR)
    person.is_staff = who.startswith("staff")
    person.is_superuser = who.startswith("superuser")
    person.save()
    if who.endswith("permission"):
        person.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(person)
    for model in REGISTERED:
        assert client.get(address(model, "changelist")).status_code in {302, 403}
    edit = client.post(address(User, "change", person.pk), {"username": "p", "is_superuser": "on", "is_staff": "on"})
    assert edit.status_code in {302, 403}
    before = person.is_superuser
    person.refresh_from_db()
    assert person.is_superuser == before


def test_there_is_one_way_to_sign_in() -> None:
    answer = Client().get("/support/login/?next=/support/")
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/accounts/login/")


def test_no_page_shows_the_hash_of_a_token(desk: Client, full: None) -> None:
    source = Source.objects.get()
    assert source.token_hash not in desk.get(address(Source, "change", source.pk)).content.decode()


def edit(desk: Client, person: User, **changes: Any) -> Any:
    data = {"username": person.username, "name": person.name, "email": "", "is_active": "on"} | changes
    return desk.post(address(User, "change", person.pk), {k: v for k, v in data.items() if v is not None})


def test_a_person_is_renamed_and_it_is_recorded(desk: Client, root: User, operator: User) -> None:
    assert edit(desk, operator, name="Olu B.").status_code == 302
    entry = AuditEntry.objects.get(verb="person.changed")
    assert (entry.actor, entry.additional_data["fields"]) == (root, ["name"])
    assert entry.additional_data["values"] == {"name": "Olu B."}


def test_nobody_is_switched_off_here(desk: Client, operator: User) -> None:
    """It would leave sessions, tokens and claims behind: the page People does it whole."""
    assert edit(desk, operator, is_active=None).status_code == 302
    operator.refresh_from_db()
    assert operator.is_active


def test_nobody_without_the_right_makes_himself_a_superuser(place: Place, operator: User) -> None:
    """A21: every role, in the staff or not."""
    for role in Role:
        person = make_person(role.value, role)
        User.objects.filter(pk=person.pk).update(is_staff=True)
        client = Client()
        client.force_login(person)
        body = {
            "username": role.value,
            "is_superuser": "on",
            "is_staff": "on",
            "groups": ["1"],
            "user_permissions": ["1"],
        }
        assert client.post(address(User, "change", person.pk), body).status_code in {302, 403, 404}
        person.refresh_from_db()
        assert not person.is_superuser
        assert {group.name for group in person.groups.all()} == {role.value}


def test_roles_and_permissions_are_not_given_here(desk: Client, operator: User) -> None:
    edit(desk, operator, groups=["1"], user_permissions=["1", "2"])
    assert {group.name for group in operator.groups.all()} == {"operator"}
    assert not operator.user_permissions.exists()


def test_a_new_password_is_recorded_without_itself(desk: Client, operator: User) -> None:
    before = operator.password
    new = {"usable_password": "true", "password1": "a-new-and-good-1", "password2": "a-new-and-good-1"}
    answer = desk.post(reverse("admin:auth_user_password_change", args=[operator.pk]), new)
    assert answer.status_code == 302, answer.content
    operator.refresh_from_db()
    assert operator.password != before
    entry = AuditEntry.objects.get(verb="person.changed")
    assert entry.additional_data == {"username": operator.username, "fields": ["password"], "values": {}}


def test_a_person_who_is_added_is_recorded_and_has_no_rights(desk: Client) -> None:
    new = {"usable_password": "true", "password1": "a-new-and-good-1", "password2": "a-new-and-good-1"}
    assert desk.post(address(User, "add"), {"username": "fresh", "name": "Fresh"} | new).status_code == 302
    entry = AuditEntry.objects.get(verb="person.created", object_repr="Fresh")
    assert "a-new-and-good-1" not in str(entry.additional_data)
    assert not User.objects.get(username="fresh").grants.exists()
