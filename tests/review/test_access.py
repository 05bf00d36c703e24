"""Every door of the product, tried by everybody: a generated matrix of routes, roles and sites.

The routes stand in tests/doors.py; one that is in none of its tables fails `test_every_route_is_in_the_matrix`.
"""

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Grant, User
from accounts.roles import Role
from inference.models import Site
from review.models import Event, Item, Queue, Release
from tests import factories
from tests.doors import (
    API,
    CANARY,
    ELSEWHERE,
    PAGES,
    PUBLIC,
    SOURCES,
    V1,
    Caller,
    F,
    O,
    S,
    World,
    content,
    make_world,
    neutral,
    routes,
    ways,
)
from tests.factories import claim, make_item, make_person


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def test_every_route_is_in_the_matrix() -> None:
    rows = [row for row in routes() if row["kind"] != "task"]
    pages = {row["path"] for row in rows if not row["path"].startswith(V1)}
    calls = {(method, row["path"]) for row in rows if row["path"].startswith(V1) for method in row["methods"]}
    assert pages - PUBLIC - ELSEWHERE == {one.path for one in PAGES}
    assert calls - SOURCES == {(one.method, one.path) for one in API}
    assert {row["path"] for row in rows if row["rule"].startswith("public: ")} == PUBLIC


def test_nobody_comes_in_without_signing_in(world: World, subtests: pytest.Subtests) -> None:
    for one, htmx in ways(PAGES + API):
        with subtests.test(str(one), htmx=htmx), transaction.atomic():
            answer = Caller(None, one in API, htmx).call(one, world)
            if answer.status_code == 302:
                assert one in PAGES
                assert one.method == "GET"
                assert not htmx
                assert answer["Location"].startswith("/accounts/login/?next=/")
            else:
                assert answer.status_code == 401
            assert CANARY.encode() not in content(answer)
            transaction.set_rollback(True)


@pytest.fixture
def shut_out(world: World) -> dict[str, User]:
    """People who have every right, but not here; and those whose rights are not ours to honour."""
    superuser = User.objects.create_superuser("root", password="x")
    member = make_person("member")
    group = Group.objects.create(name="everybody")
    kinds = ContentType.objects.get_for_models(Site, Queue, Event, Item, Release).values()
    group.permissions.set(Permission.objects.filter(content_type__in=kinds))
    member.groups.add(group)
    member.user_permissions.set(group.permissions.all())
    past = make_person("past")
    for role in Role:
        grant = factories.give_role(past, role, world.place.site, ends_at=timezone.now() + timedelta(minutes=1))
        Grant.objects.filter(pk=grant.pk).update(ends_at=timezone.now())
    return {
        "stranger": world.stranger,
        "superuser": superuser,
        "member": member,
        "past": past,
        "nobody": make_person("x"),
    }


def test_an_object_that_is_not_yours_does_not_exist(
    world: World, shut_out: dict[str, User], subtests: pytest.Subtests
) -> None:
    for one, htmx in ways([one for one in PAGES + API if one.pk]):
        with subtests.test(str(one), htmx=htmx), transaction.atomic():
            for name, person in shut_out.items():
                caller = Caller(person, one in API, htmx)
                unknown = uuid4()
                pk = one.pk(world) if one.pk else None
                there, not_there = caller.call(one, world), caller.call(one, world, unknown)
                assert there.status_code == 404, (name, content(there)[:300])
                assert neutral(there, pk) == neutral(not_there, unknown), name
            transaction.set_rollback(True)


def test_lists_hold_nothing_of_another_site(world: World, shut_out: dict[str, User], subtests: pytest.Subtests) -> None:
    for one, htmx in ways([one for one in PAGES + API if not one.pk]):
        with subtests.test(str(one), htmx=htmx), transaction.atomic():
            for name, person in shut_out.items():
                answer = Caller(person, one in API, htmx).call(one, world)
                if one.body is not None:
                    assert answer.status_code in {404, 403, 422}, name
                assert CANARY.encode() not in content(answer).replace(f"new-{CANARY}".encode(), b"what was typed"), name
                for known in (world.place.site.pk, world.place.queue.pk, world.event.pk, world.release.pk):
                    assert one.body is not None or str(known).encode() not in content(answer), name
            transaction.set_rollback(True)


def test_each_role_gets_what_it_may_have_and_nothing_else(world: World, subtests: pytest.Subtests) -> None:
    for one in PAGES + API:
        with subtests.test(str(one)), transaction.atomic():
            denied = [role for role in Role if role not in one.allowed]
            for role in denied:
                for htmx in (False, True):
                    answer = Caller(world.people[role], one in API, htmx).call(one, world)
                    assert answer.status_code in ({302} if role in one.asked else {403, 404}), (
                        role,
                        answer.status_code,
                    )
            for role in sorted(one.allowed, key=list(Role).index):
                with transaction.atomic():
                    answer = Caller(world.people[role], one in API).call(one, world)
                    assert answer.status_code in one.good, (role, answer.status_code, content(answer)[:500])
                    transaction.set_rollback(True)
            transaction.set_rollback(True)


def test_answers_stay_with_the_person_who_asked(world: World, subtests: pytest.Subtests) -> None:
    for one in [one for one in PAGES if one.method == "GET"]:
        with subtests.test(str(one)), transaction.atomic():
            role = next(role for role in Role if role in one.allowed)
            answer = Caller(world.people[role], api=False).call(one, world)
            assert "private" in answer["Cache-Control"]
            assert {"Cookie", "HX-Request"} <= set(re.split(", *", answer["Vary"]))
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in answer["Content-Security-Policy"]
            transaction.set_rollback(True)


def test_no_page_is_posted_without_the_forms_token(world: World, subtests: pytest.Subtests) -> None:
    for one in [one for one in PAGES if one.method == "POST"]:
        with subtests.test(str(one)), transaction.atomic():
            role = next(role for role in Role if role in one.allowed)
            client = Client(enforce_csrf_checks=True)
            client.force_login(world.people[role])
            address = Caller(None, api=False).address(one, world, None)
            body = json.dumps(one.body(world) if one.body else {})
            assert client.post(address, body, content_type="application/json").status_code == 403
            transaction.set_rollback(True)


def test_no_door_opens_with_another_method(world: World, subtests: pytest.Subtests) -> None:
    for one in PAGES + API:
        with subtests.test(str(one)), transaction.atomic():
            caller = Caller(world.people[S], one in API)
            known = {other.method for other in PAGES + API if other.path == one.path} | {"HEAD", "OPTIONS"}
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - known:
                answer = getattr(caller.client(), method.lower())(caller.address(one, world, None))
                assert answer.status_code in {401, 403, 404, 405}, method
            transaction.set_rollback(True)


# Rights that change while people work


def test_a_revoked_grant_closes_at_once(world: World) -> None:
    from accounts.actions.grants import take_back

    person = world.people[O]
    caller, one = Caller(person, api=False), next(one for one in PAGES if one.path == "/queues/<uuid:pk>/desk/")
    assert caller.call(one, world).status_code == 200
    boss = make_person("boss", Role.ADMINISTRATOR)
    take_back(grant=Grant.objects.get(person=person), taker=boss, reason="left", now=timezone.now())
    assert caller.call(one, world).status_code == 404


def test_a_queue_grant_opens_its_queue_only(world: World) -> None:
    from review.actions.setup import create_queue

    other = create_queue(
        site=world.place.site, slug="other", name="Other", taxonomy=world.place.taxonomy, maker=None, now=timezone.now()
    )
    person = make_person("narrow")
    factories.give_role(person, Role.OPERATOR, queue=other)
    caller, one = Caller(person, api=False), next(one for one in PAGES if one.path == "/queues/<uuid:pk>/desk/")
    assert caller.call(one, world, other.pk).status_code == 200
    assert caller.call(one, world).status_code == 404
    assert CANARY not in caller.client().get("/queues/").content.decode().replace(f"{CANARY.title()}", "")
    event = next(one for one in PAGES if one.path == "/events/<uuid:pk>/")
    assert caller.call(event, world).status_code == 404


def test_somebody_with_a_grant_everywhere_reaches_a_site_made_later(world: World) -> None:
    person = make_person("roams", Role.OPERATOR)
    later = factories.make_place("later")
    one = next(one for one in PAGES if one.path == "/queues/<uuid:pk>/desk/")
    assert Caller(person, api=False).call(one, world, later.queue.pk).status_code == 200


def test_a_token_of_a_person_is_no_more_than_the_person(world: World) -> None:
    calls = [one for one in API if one.pk and one.method == "GET"]
    for one in calls:
        assert Caller(world.people[F], api=True).call(one, world).status_code in {403, 404}


def test_ids_of_another_site_in_a_body_are_refused(world: World) -> None:
    mine = factories.make_place("mine")
    person = make_person("both", Role.OPERATOR, mine.site)
    factories.give_role(person, Role.ML_ENGINEER, mine.site)
    make_item(mine)
    taken = claim(mine, person)
    client = Client()
    client.force_login(person)
    body = {"claim_token": str(taken.token), "queue": str(world.place.queue.pk)}
    answer = client.post(f"/claims/{taken.pk}/escalate/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 404
    release = client.post("/releases/", {"queues": [str(world.place.queue.pk)]})
    assert release.status_code == 422
    assert CANARY.encode() not in release.content
    assert Release.objects.count() == 1
