"""The pages about people: who sees whom, in how many queries, and what the forms do."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions.permissions import derive
from accounts.matrix import COLUMNS, matrix_of
from accounts.models import AuditEntry, Grant, User
from accounts.people_list import SIZE, page_of
from accounts.roles import Role
from tests import factories
from tests.factories import Place, give_role, make_person, make_token


@pytest.fixture
def boss(place: Place) -> User:
    return make_person("boss", Role.ADMINISTRATOR)


def page(person: User) -> Client:
    client = Client()
    factories.sign_in(client, person)
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def crowd(place: Place, count: int) -> None:
    """Many operators at once; guardian's rows are not needed to list them."""
    people = User.objects.bulk_create(
        User(username=f"crowd-{number:04}", name=f"Crowd {number:04}", password="!") for number in range(count)
    )
    now = timezone.now()
    Grant.objects.bulk_create(
        Grant(person=one, role="operator", scope_type="site", scope_id=place.site.pk, reason="x", created_at=now)
        for one in people
    )


# Who sees whom


def test_people_of_another_site_do_not_exist(place: Place, supervisor: User, operator: User, outsider: User) -> None:
    client = page(supervisor)
    for path in ("/people/", "/people/roles/"):
        assert "Olu" in text(client, path)
        assert "Out" not in re.findall(r">(\w+)</a>", text(client, path))
    assert client.get(f"/people/{outsider.public_id}/").status_code == 404
    assert client.get(f"/people/{operator.public_id}/").status_code == 200


def test_administrators_of_everything_see_those_without_a_role(boss: User, supervisor: User) -> None:
    nobody = make_person("nobody")
    assert "Nobody" in text(page(boss), "/people/?state=roleless")
    assert page(supervisor).get(f"/people/{nobody.public_id}/").status_code == 404


def test_a_page_of_somebody_tells_nothing_of_roles_elsewhere(
    place: Place, elsewhere: Place, supervisor: User, operator: User
) -> None:
    give_role(operator, Role.AUDITOR, elsewhere.site)
    make_token(operator)
    body = text(page(supervisor), f"/people/{operator.public_id}/")
    assert "Dock" not in body
    assert "/auditor" not in body.lower()
    assert "events:read" not in body, "tokens are for those who administer the person"


def test_no_page_shows_a_number_of_a_person(place: Place, boss: User) -> None:
    number = 987654321
    person = User.objects.create(pk=number, username="numbered", name="Numbered")
    give_role(person, Role.ADMINISTRATOR)
    make_token(person)
    client = page(person)
    for path in ("/people/", "/people/roles/", f"/people/{person.public_id}/", "/me/", "/me/tokens/", "/queues/"):
        assert str(number) not in text(client, path)
    assert str(number) not in text(page(boss), f"/people/{person.public_id}/")


@pytest.mark.parametrize(
    "query,found",
    [
        ("q=ol", {"Olu"}),
        ("q=OLU", {"Olu"}),
        ("q=%25", set()),
        ("role=supervisor", {"Sam"}),
        ("role=king", {"Olu", "Sam"}),
        ("state=waiting", {"Olu"}),
        ("state=deactivated", set()),
        ("site=not-a-site", {"Olu", "Sam"}),
        ("after=not-an-id", {"Olu", "Sam"}),
        ("after=01890000-0000-7000-8000-000000000000", set()),
    ],
)
def test_the_list_is_filtered(place: Place, supervisor: User, operator: User, query: str, found: set[str]) -> None:
    rows = page(supervisor).get(f"/people/?{query}").context["rows"]
    assert {row.person.name for row in rows} == found


def test_a_site_filters_people_and_columns(place: Place, elsewhere: Place, boss: User, operator: User) -> None:
    make_person("dora", Role.OPERATOR, elsewhere.site)
    answer = page(boss).get(f"/people/roles/?site={elsewhere.site.pk}")
    assert [line.person.name for line in answer.context["matrix"].lines] == ["Dora"]
    assert [column.name for column in answer.context["matrix"].columns] == ["Dock"]


# Many


def test_pages_follow_one_another_without_a_gap(place: Place, boss: User) -> None:
    crowd(place, SIZE * 2 + 7)
    client, path, seen = page(boss), "/people/?q=crowd", []
    while path:
        context = client.get(path).context
        seen += [row.person.username for row in context["rows"]]
        path = f"/people/?q=crowd&after={context['following']}" if context["following"] else ""
    assert seen == sorted(f"crowd-{number:04}" for number in range(SIZE * 2 + 7))
    assert context["total"] == len(seen)


@pytest.mark.parametrize("path", ["/people/", "/people/roles/"])
def test_many_people_take_as_many_queries_as_few(
    place: Place, boss: User, django_assert_num_queries: Any, path: str
) -> None:
    crowd(place, 1)
    client = page(boss)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    crowd_of_others = [f"other-{number:03}" for number in range(80)]
    User.objects.bulk_create(User(username=name, password="!") for name in crowd_of_others)
    Grant.objects.bulk_create(
        Grant(
            person=one,
            role="auditor",
            scope_type="queue",
            scope_id=place.queue.pk,
            reason="x",
            created_at=one.date_joined,
        )
        for one in User.objects.filter(username__in=crowd_of_others)
    )
    with django_assert_num_queries(len(few) + 1):  # the queues' names are asked for once there is one
        client.get(path)


def test_a_persons_page_takes_as_many_queries_with_a_long_story(
    place: Place, boss: User, operator: User, django_assert_num_queries: Any
) -> None:
    client, path = page(boss), f"/people/{operator.public_id}/"
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for number in range(12):
        grant = give_role(operator, Role.OPERATOR, queue=None, ends_at=timezone.now() + timedelta(days=1))
        Grant.objects.filter(pk=grant.pk).update(revoked_at=timezone.now(), scope_type="everywhere")
        make_token(operator)
        assert number < 20
    derive(operator, now=timezone.now())
    with django_assert_num_queries(len(few)):
        client.get(path)
    assert len(few) < 60


def test_the_matrix_has_so_many_columns_and_says_what_is_left_out(db: None) -> None:
    places = [factories.make_place(f"site-{number:02}") for number in range(COLUMNS + 2)]
    boss, person = make_person("boss", Role.ADMINISTRATOR), make_person("p")
    for one in places:
        give_role(person, Role.OPERATOR, one.site)
    rows, _following, _total = page_of(boss, {}, now=timezone.now())
    matrix = matrix_of(rows)
    assert (len(matrix.columns), matrix.left_out) == (COLUMNS, 3)
    assert matrix.columns[0].key == "everywhere"


# Forms


def test_a_role_is_given_changed_and_taken_back_on_the_persons_page(
    place: Place, supervisor: User, operator: User
) -> None:
    client, home = page(supervisor), f"/people/{operator.public_id}/"
    given = {"role": "operator", "scope": f"queue:{place.queue.pk}", "until": "shift", "reason": "help"}
    assert client.post(f"{home}roles/", given)["Location"] == home
    grant = Grant.objects.get(scope_id=place.queue.pk)
    assert timedelta(hours=7) < grant.ends_at - timezone.now() <= timedelta(hours=8)
    assert client.post(f"/people/grants/{grant.pk}/change/", given | {"until": ""})["Location"] == home
    after = Grant.objects.get(scope_id=place.queue.pk, revoked_at=None)
    assert after.ends_at is None
    assert client.post(f"/people/grants/{after.pk}/end/", {"reason": "done"})["Location"] == home
    assert not Grant.objects.filter(scope_id=place.queue.pk, revoked_at=None).exists()


def test_the_second_tab_is_told_how_it_is_now(place: Place, supervisor: User, operator: User) -> None:
    """A93."""
    client, grant = page(supervisor), operator.grants.get()
    wish = {"role": "operator", "scope": f"queue:{place.queue.pk}", "until": "week", "reason": "help"}
    assert client.post(f"/people/grants/{grant.pk}/change/", wish).status_code == 302
    for path, body in (("change", wish), ("end", {"reason": "late"})):
        answer = client.post(f"/people/grants/{grant.pk}/{path}/", body)
        assert answer.status_code == 409
        assert "Nothing was changed" in answer.content.decode()
        assert [row.scope.name for row in answer.context["grants"]] == ["Yard · yard unsure"]
    twice = client.post(f"/people/{operator.public_id}/roles/", wish)
    assert twice.status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        {"role": "administrator"},
        {"role": "supervisor"},
        {"scope": "everywhere:"},
        {"scope": "site:nowhere"},
        {"reason": " "},
        {"until": "date"},
        {"until": "week", "ends_at": "2030-01-01T10:00"},
        {"ends_at": "2001-01-01T10:00"},
        {"ends_at": "soon"},
    ],
)
def test_a_supervisor_cannot_ask_for_more(place: Place, supervisor: User, change: dict[str, str]) -> None:
    """A20, A24: nothing but what the form offers, whoever sends it."""
    person = make_person("new", Role.AUDITOR, place.site)
    grant, before = person.grants.get(), list(Grant.objects.values())
    wish = {"role": "operator", "scope": f"site:{place.site.pk}", "reason": "x", "granted_by": "1", "is_superuser": "1"}
    for path in (f"/people/{person.public_id}/roles/", f"/people/grants/{grant.pk}/change/"):
        assert page(supervisor).post(path, wish | change).status_code == 422
    assert page(supervisor).post(f"/people/grants/{grant.pk}/change/", wish).status_code == 403
    own = page(supervisor).post(f"/people/{supervisor.public_id}/roles/", wish)
    assert own.status_code == 403
    assert list(Grant.objects.values()) == before
    assert not User.objects.filter(is_superuser=True).exists()


def test_who_loses_sight_of_a_person_comes_back_to_the_list(place: Place, supervisor: User, operator: User) -> None:
    answer = page(supervisor).post(f"/people/grants/{operator.grants.get().pk}/end/", {"reason": "left"})
    assert answer["Location"] == "/people/"


def test_the_last_administrator_is_told_why_not(boss: User) -> None:
    answer = page(boss).post(f"/people/grants/{boss.grants.get().pk}/end/", {"reason": "bye"})
    assert answer.status_code == 409
    assert "must administer everything" in answer.content.decode()


def test_a_new_person_gets_a_link_that_works(place: Place, boss: User) -> None:
    client = page(boss)
    body = {
        "username": "fresh",
        "name": "Fresh",
        "role": "operator",
        "scope": f"site:{place.site.pk}",
        "reason": "hired",
    }
    link = client.post("/people/new/", body | {"is_staff": "on", "is_superuser": "on"}).context["link"]
    person = User.objects.get(username="fresh")
    assert (person.is_staff, person.is_superuser, person.grants.get().granted_by) == (False, False, boss)
    assert Client().get(link.replace("http://testserver", "")).status_code == 200
    assert client.post("/people/new/", body).status_code == 422
    assert client.post("/people/new/", body | {"username": "a b"}).status_code == 422


def test_deactivating_and_renaming_from_the_page(place: Place, boss: User, operator: User) -> None:
    client, home = page(boss), f"/people/{operator.public_id}/"
    assert client.post(f"{home}rename/", {"name": "Olu B.", "before": "Olu", "reason": "x"}).status_code == 302
    assert client.post(f"{home}rename/", {"name": "Olu C.", "before": "Olu", "reason": "x"}).status_code == 409
    assert client.post(f"{home}deactivate/", {"reason": ""}).status_code == 422
    assert client.post(f"{home}deactivate/", {"reason": "left"}).status_code == 302
    assert "deactivated" in text(client, home)
    assert client.post(f"{home}deactivate/", {"reason": "again"}).status_code == 409
    assert client.post(f"{home}reactivate/", {"reason": "back"}).status_code == 302
    assert AuditEntry.objects.filter(verb="person.renamed").count() == 1


def test_dangerous_acts_ask_for_a_fresh_sign_in(place: Place, boss: User, operator: User) -> None:
    client, home = Client(), f"/people/{operator.public_id}/"
    factories.sign_in(client, boss, minutes_ago=60)
    assert client.get(home).status_code == 200
    grant = operator.grants.get().pk
    paths = [f"{home}{act}/" for act in ("roles", "rename", "deactivate", "reactivate", "password-link")]
    for path in [*paths, "/people/", "/people/new/", f"/people/grants/{grant}/end/", f"/people/grants/{grant}/change/"]:
        answer = client.post(path, {"reason": "x"})
        assert (answer.status_code, "reauthenticate" in answer["Location"]) == (302, True), path
    assert User.objects.get(pk=operator.pk).is_active


# My own page


def test_everybody_reads_his_own_roles_and_why(place: Place, operator: User) -> None:
    body = text(page(operator), "/me/")
    assert "Yard and all of its queues" in body
    assert "given by" in body
    assert "Only your own story" in text(page(make_person("nobody")), "/me/")


def test_the_check_on_a_persons_page(place: Place, supervisor: User, operator: User) -> None:
    path = f"/people/{operator.public_id}/?address="
    assert page(supervisor).get(f"{path}/queues/{place.queue.pk}/desk/").context["answer"].opens
    assert page(supervisor).get(f"{path}nonsense").context["answer"].opens is None
