"""Every door of the product, tried by everybody: a generated matrix of routes, roles and sites.

The routes stand in tests/doors.py; one that is in none of its tables fails `test_every_route_is_in_the_matrix`.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.test.client import MULTIPART_CONTENT
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
    METHODS,
    PAGES,
    PUBLIC,
    SOURCES,
    V1,
    Caller,
    Door,
    F,
    O,
    World,
    content,
    make_world,
    neutral,
    routes,
    session_that_stands,
    token_that_stands,
    unknown_pk,
    ways,
)
from tests.factories import claim, make_item, make_person


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def test_every_route_is_in_the_matrix() -> None:
    """A22: with the methods that it takes."""
    rows = [row for row in routes() if row["kind"] != "task" and not row["path"].startswith("/support/")]
    assert {row["path"] for row in rows if row["rule"].startswith("public: ")} == PUBLIC
    known = [row for row in rows if row["path"] not in PUBLIC | ELSEWHERE]
    calls = {(method, row["path"]) for row in known for method in row["methods"] if method != "HEAD"}
    assert {call for call in calls if not call[1].startswith(V1)} == {(one.method, one.path) for one in PAGES}
    assert {call for call in calls if call[1].startswith(V1)} - SOURCES == {(one.method, one.path) for one in API}


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
    found = {
        "stranger": world.stranger,
        "superuser": superuser,
        "member": member,
        "past": past,
        "nobody": make_person("x"),
    }
    for person in found.values():
        session_that_stands(person)
        token_that_stands(person)
    return found


def asking(shut_out: dict[str, User], htmx: bool) -> list[tuple[str, User]]:
    """Who tries a door: everybody plainly, and of those who ask as htmx does one, because rights are not in that."""
    return list(shut_out.items())[: 1 if htmx else None]


def test_an_object_that_is_not_yours_does_not_exist(
    world: World, shut_out: dict[str, User], subtests: pytest.Subtests
) -> None:
    for one, htmx in ways([one for one in PAGES + API if one.pk]):
        with subtests.test(str(one), htmx=htmx), transaction.atomic():
            for name, person in asking(shut_out, htmx):
                caller = Caller(person, one in API, htmx)
                unknown = unknown_pk(one)
                pk = one.pk(world) if one.pk else None
                there, not_there = caller.call(one, world), caller.call(one, world, unknown)
                assert there.status_code == 404, (name, content(there)[:300])
                assert neutral(there, pk) == neutral(not_there, unknown), name
            transaction.set_rollback(True)


CONDITIONS: list[dict[str, str]] = [
    {"If-None-Match": "*"},
    {"If-None-Match": "TAG"},
    {"If-Modified-Since": "Wed, 21 Oct 2065 07:28:00 GMT"},
    {"If-Match": "TAG"},
    {"Range": "bytes=0-0"},
    {"Range": "bytes=999999999-"},
    {"Range": "bytes=0-0", "If-Range": "TAG"},
]
BODIES = [(b"", "application/json"), (b"{", "application/json"), (b"[]", "text/plain"), (b"\xff=1", MULTIPART_CONTENT)]


def test_foreign_and_unknown_are_one_answer_under_every_condition(world: World, subtests: pytest.Subtests) -> None:
    """A01, A02: conditional headers, ranges, and bodies that are empty or wrong: 404 comes before all of them."""
    for one in [one for one in PAGES + API if one.pk]:
        with subtests.test(str(one)), transaction.atomic():
            caller, insider = Caller(world.stranger, one in API), Caller(good_person(world, one), one in API)
            assert one.pk
            foreign, unknown = one.pk(world), unknown_pk(one)
            for method, body, kind, headers in variants(one, insider, world):
                answers = []
                for pk in (foreign, unknown):
                    address = caller.address(one, world, pk)
                    answer = caller.send(method, address, body, kind, headers=headers, tries="conditions")
                    assert answer.status_code == 404 or (method, answer.status_code) == ("HEAD", 405), (method, headers)
                    answers.append(neutral(answer, pk))
                assert answers[0] == answers[1], (method, body, headers)
            transaction.set_rollback(True)


def variants(one: Door, insider: Caller, world: World) -> Iterator[tuple[str, bytes, str, dict[str, str]]]:
    """Ways to call a door: its conditions and HEAD when it is read, its bodies when it is written."""
    if one.method != "GET":
        yield from ((one.method, body, kind, {}) for body, kind in BODIES)
        return
    # The positive control: the same door, opened by somebody who may, and the tag that he gets.
    with transaction.atomic():
        tag = insider.call(one, world, tries="controls").headers.get("ETag", '"x"')
        transaction.set_rollback(True)
    for headers in CONDITIONS:
        yield "GET", b"", "", {name: value.replace("TAG", tag) for name, value in headers.items()}
    yield "HEAD", b"", "", {}


def good_person(world: World, one: Door) -> User:
    return world.people[next(role for role in Role if role in one.allowed)]


def test_lists_hold_nothing_of_another_site(world: World, shut_out: dict[str, User], subtests: pytest.Subtests) -> None:
    for one, htmx in ways([one for one in PAGES + API if not one.pk]):
        with subtests.test(str(one), htmx=htmx), transaction.atomic():
            for name, person in asking(shut_out, htmx):
                answer = Caller(person, one in API, htmx).call(one, world)
                # What everybody may do is about the own account.
                if one.body is not None and one.allowed != frozenset(Role):
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


def test_a_method_that_a_door_lacks_is_405_for_everybody(world: World, subtests: pytest.Subtests) -> None:
    """A22, A23: whoever asks, and whatever for."""
    known = routes()
    for path in sorted({one.path for one in PAGES + API}):
        doors = [one for one in PAGES + API if one.path == path]
        taken = {method for row in known if row["path"] == path for method in row["methods"]}
        with subtests.test(path), transaction.atomic():
            callers = [
                Caller(person, doors[0] in API) for person in (None, world.stranger, good_person(world, doors[0]))
            ]
            pks = [doors[0].pk(world), unknown_pk(doors[0])] if doors[0].pk else [None]
            for method in [method for method in METHODS if method not in taken]:
                answers = [
                    neutral(caller.send(method, caller.address(doors[0], world, pk), tries="methods"), pk)
                    for caller in callers
                    for pk in pks
                ]
                assert answers[0][0] == 405, method
                assert all(answer == answers[0] for answer in answers), method
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
