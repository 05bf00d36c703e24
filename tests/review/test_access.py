"""Every door of the product, tried by everybody: a generated matrix of routes, roles and sites.

A route that is in none of the tables below fails `test_every_route_is_in_the_matrix`.
"""

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Grant, User
from accounts.roles import Role
from inference.models import Site
from review.models import Claim, Event, Evidence, Item, Queue, Release, ReleaseFile, ReleaseState, Verdict
from review.releases.store import ReleaseStore
from review.tasks.renditions import make_renditions
from tests import factories
from tests.factories import Place, bearer, claim, give_answer, jpeg, make_item, make_person, make_token

CANARY = "canary-a"
O, S, M, F, A, D = Role  # operator, supervisor, ML engineer, fleet engineer, auditor, administrator  # noqa: E741
ALL = frozenset(Role)


@dataclass
class World:
    """Site A with one object of every kind and one person per role, and site B with its own people."""

    place: Place
    people: dict[Role, User]
    stranger: User
    claim: Claim
    waiting: Item
    verdict: Verdict
    event: Event
    evidence: Evidence
    release: Release
    grant: Grant

    def answer(self) -> dict[str, Any]:
        return factories.answer_body(self.claim)


@pytest.fixture
def world(db: None) -> World:
    place = factories.make_place(CANARY, undo_window=timedelta(hours=1))
    people = {role: make_person(f"{role.value}-{CANARY}", role, place.site) for role in Role}
    other = factories.make_place("site-b")
    stranger = make_person("stranger")
    for role in Role:
        factories.give_role(stranger, role, other.site)
    decided, held, waiting, _more = (make_item(place, picture=jpeg((shade, 9, 9))) for shade in (1, 60, 120, 180))
    verdict = give_answer(claim(place, people[O])).verdict
    assert verdict.item_id == decided.pk
    taken = claim(place, people[O])
    assert taken.item_id == held.pk
    evidence = Evidence.objects.order_by("stored_at")[0]
    make_renditions.func(str(evidence.pk))
    return World(
        place=place,
        people=people,
        stranger=stranger,
        claim=taken,
        waiting=waiting,
        verdict=verdict,
        event=decided.event,
        evidence=evidence,
        release=ready_release(place, people[M]),
        grant=factories.give_role(make_person(f"new-{CANARY}"), Role.OPERATOR, place.site),
    )


def ready_release(place: Place, person: User) -> Release:
    now = timezone.now()
    made = Release.objects.create(
        site=place.site,
        taxonomy=place.taxonomy,
        number=1,
        name=f"release {CANARY}",
        state=ReleaseState.READY,
        recipe={},
        created_by=person,
        created_at=now,
        touched_at=now,
        ready_at=now,
    )
    for name in ("manifest.json", "coco/annotations.json"):
        sums = ReleaseStore(made.pk).put_bytes(name, f'{{"{CANARY}": 1}}'.encode())
        ReleaseFile.objects.create(release=made, name=name, size=sums.size, sha256=sums.sha256, crc32=sums.crc32)
    return made


@dataclass(frozen=True)
class Door:
    """One way in: how it is called for the object `pk` of site A, and which roles of site A come in."""

    method: str
    path: str
    allowed: frozenset[Role]
    pk: Callable[[World], Any] | None = None
    body: Callable[[World], Any] | None = None
    good: frozenset[int] = frozenset({200})
    extra: str = ""
    form: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.extra}".strip()


def door(method: str, path: str, allowed: Any, pk: Any = None, **more: Any) -> Door:
    good = more.pop("good", {200})
    return Door(method, path, frozenset(allowed), pk, good=frozenset(good), **more)


def proof(world: World) -> dict[str, Any]:
    return {"claim_token": str(world.claim.token)}


def new_grant(world: World) -> dict[str, str]:
    return {
        "person": f"new-{CANARY}",
        "role": "operator",
        "scope": f"queue:{world.place.queue.pk}",
        "reason": "help",
    }


def recipe(world: World) -> dict[str, Any]:
    """A release of the one verdict, which can no longer be undone by then."""
    Verdict.objects.update(final_at=timezone.now())
    return {"queues": [str(world.place.queue.pk)], "name": "x"}


SEES_EVENTS = {O, S, M}
PAGES = [
    door("GET", "/people/", {S, D}),
    door("POST", "/people/", {S, D}, body=new_grant, good={302}, form=True),
    door(
        "POST",
        "/people/grants/<uuid:pk>/end/",
        {S, D},
        lambda w: w.grant.pk,
        body=lambda _w: {"reason": "over"},
        good={302},
        form=True,
    ),
    door("GET", "/audit/", ALL),
    door("GET", "/sources/", ALL),
    door("GET", "/sources/<uuid:pk>/", {S, F, D}, lambda w: w.place.source.pk),
    door("GET", "/sources/<uuid:pk>/events/", {S, F, D}, lambda w: w.place.source.pk),
    door("GET", "/", ALL, good={302}),
    door("GET", "/queues/", ALL),
    door("GET", "/queues/<uuid:pk>/row/", SEES_EVENTS, lambda w: w.place.queue.pk),
    door("GET", "/queues/<uuid:pk>/desk/", {O, S}, lambda w: w.place.queue.pk),
    door("GET", "/queues/<uuid:pk>/desk/counts/", {O, S}, lambda w: w.place.queue.pk),
    door("POST", "/queues/<uuid:pk>/desk/claim/", {O, S}, lambda w: w.place.queue.pk, body=lambda _w: {}),
    door("POST", "/claims/<uuid:pk>/open/", {O}, lambda w: w.claim.pk, body=proof),
    door("GET", "/claims/<uuid:pk>/picture/", {O}, lambda w: w.claim.pk),
    door("POST", "/claims/<uuid:pk>/heartbeat/", {O}, lambda w: w.claim.pk, body=proof),
    door("POST", "/claims/<uuid:pk>/release/", {O}, lambda w: w.claim.pk, body=proof, good={204}),
    door("POST", "/claims/<uuid:pk>/skip/", {O}, lambda w: w.claim.pk, body=proof, good={204}),
    door("POST", "/claims/<uuid:pk>/escalate/", {O}, lambda w: w.claim.pk, body=proof, good={204}),
    # A supervisor comes through the door and is told that the claim is not his.
    door("POST", "/items/<uuid:pk>/verdict/", {O, S}, lambda w: w.claim.item_id, body=World.answer, good={201, 409}),
    door("POST", "/verdicts/<uuid:pk>/undo/", {O}, lambda w: w.verdict.pk, body=lambda _w: {}),
    door("GET", "/events/", ALL),
    door("GET", "/events/<uuid:pk>/", SEES_EVENTS, lambda w: w.event.pk),
    door("GET", "/media/<uuid:pk>/<slug:kind>/", SEES_EVENTS, lambda w: w.evidence.pk, extra="thumbnail"),
    door("GET", "/media/<uuid:pk>/<slug:kind>/", SEES_EVENTS, lambda w: w.evidence.pk, extra="working"),
    door("GET", "/policy/", ALL, good={200, 302}),
    door("GET", "/policy/<uuid:pk>/", {S}, lambda w: w.place.site.pk),
    door(
        "POST",
        "/policy/<uuid:pk>/",
        {S},
        lambda w: w.place.site.pk,
        body=lambda _w: {"reason": "x"},
        good={422},
        form=True,
    ),
    door("GET", "/inbox/", ALL),
    door(
        "POST",
        "/inbox/",
        {S, F, D},
        body=lambda w: {"site": str(w.place.site.pk), "kind": "camera", "value": "x"},
        good={302},
        form=True,
    ),
    door("GET", "/releases/", ALL),
    door("POST", "/releases/", {M}, body=lambda _w: {"queues": "x"}, good={422}, form=True),
    door("GET", "/releases/<uuid:pk>/", {S, M, A}, lambda w: w.release.pk),
    door("GET", "/releases/<uuid:pk>/state/", {S, M, A}, lambda w: w.release.pk),
    door("GET", "/releases/<uuid:pk>/files/<path:name>", {S, M, A}, lambda w: w.release.pk, extra="manifest.json"),
    door("GET", "/releases/<uuid:pk>/files/<path:name>", {M}, lambda w: w.release.pk, extra="coco/annotations.json"),
    door("GET", "/releases/<uuid:pk>/archive.zip", {M}, lambda w: w.release.pk),
]
V1 = "/api/v1/"
API = [
    door("GET", V1 + "events", ALL),
    door("GET", V1 + "events/<uuidstr:pk>", SEES_EVENTS, lambda w: w.event.pk),
    door("GET", V1 + "queues", ALL),
    door("POST", V1 + "queues/<uuidstr:pk>/claims", {O, S}, lambda w: w.place.queue.pk, good={201}),
    door("PUT", V1 + "claims/<uuidstr:pk>", {O}, lambda w: w.claim.pk),
    door("DELETE", V1 + "claims/<uuidstr:pk>", {O}, lambda w: w.claim.pk, good={204}),
    door(
        "POST",
        V1 + "items/<uuidstr:pk>/verdicts",
        {O, S},
        lambda w: w.claim.item_id,
        body=World.answer,
        good={201, 409},
    ),
    door("GET", V1 + "verdicts", ALL),
    door("POST", V1 + "releases", {M}, body=recipe, good={202}),
    door("GET", V1 + "releases", ALL),
    door("GET", V1 + "releases/<uuidstr:pk>", {S, M}, lambda w: w.release.pk),
    door(
        "GET", V1 + "releases/<uuidstr:pk>/files/<path:name>", {S, M, A}, lambda w: w.release.pk, extra="manifest.json"
    ),
    door(
        "GET",
        V1 + "releases/<uuidstr:pk>/files/<path:name>",
        {M},
        lambda w: w.release.pk,
        extra="coco/annotations.json",
    ),
    door("GET", V1 + "releases/<uuidstr:pk>/archive", {M}, lambda w: w.release.pk),
]
# The doors of sources are tried in tests/review/api/test_events.py, the socket in tests/review/test_consumers.py, the
# support desk in tests/accounts/test_admin.py.
SOURCES = {
    ("GET", V1 + "source"),
    ("POST", V1 + "events"),
    ("POST", V1 + "events/batch"),
    ("PUT", V1 + "evidence/<sha256>"),
}
PUBLIC = {
    "/healthz",
    "/readyz",
    V1,
    V1 + "openapi.json",
    V1 + "docs",
    "/accounts/login/",
    "/accounts/logout/",
    "/accounts/signup/",
}
ELSEWHERE = {"/support/", "/ws/live/"}


def routes() -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("routes", "--json", stdout=out)
    found: list[dict[str, Any]] = json.loads(out.getvalue())
    return found


def test_every_route_is_in_the_matrix() -> None:
    rows = [row for row in routes() if row["kind"] != "task"]
    pages = {row["path"] for row in rows if not row["path"].startswith(V1)}
    calls = {(method, row["path"]) for row in rows if row["path"].startswith(V1) for method in row["methods"]}
    assert pages - PUBLIC - ELSEWHERE == {one.path for one in PAGES}
    assert calls - SOURCES == {(one.method, one.path) for one in API}
    assert {row["path"] for row in rows if row["rule"].startswith("public: ")} == PUBLIC


# Calling


@dataclass(frozen=True)
class Caller:
    """Somebody, as a session on pages or as a personal token on the API."""

    person: User | None
    api: bool
    htmx: bool = False
    clients: dict[str, Client] = field(default_factory=dict)

    def call(self, one: Door, world: World, pk: Any = None) -> Any:
        body = one.body(world) if one.body else None
        kind = {} if one.form else {"content_type": "application/json"}
        data = body if one.form or body is None else json.dumps(body)
        if data is None and one.form:
            data = {}
        method = getattr(self.client(), one.method.lower())
        more: dict[str, Any] = {"headers": {"HX-Request": "true"}} if self.htmx else {}
        if one.method == "GET":
            return method(self.address(one, world, pk), **more)
        return method(self.address(one, world, pk), data if data is not None else "", **kind, **more)

    def address(self, one: Door, world: World, pk: Any) -> str:
        wanted = pk or (one.pk(world) if one.pk else "")
        path = re.sub(r"<uuid(str)?:pk>", str(wanted), one.path)
        return re.sub(r"<(slug:kind|path:name)>", one.extra, path)

    def client(self) -> Client:
        if self.api:
            return Client(**bearer(make_token(self.person))) if self.person else Client()
        client = Client()
        if self.person:
            client.force_login(self.person)
        return client


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def neutral(answer: Any, pk: Any) -> tuple[int, dict[str, str], bytes]:
    """An answer without what differs from call to call: the id that was asked for, the request's id, form tokens."""
    body = content(answer).replace(str(pk).encode(), b"PK")
    body = re.sub(rb'"request_id": "[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"|data-csrf="[^"]*"', b"", body)
    body = re.sub(rb'"X-CSRFToken": *"[^"]*"|content="[A-Za-z0-9]{64}"|nonce="[^"]*"', b"", body)
    left_out = {"X-Request-ID", "Set-Cookie", "Content-Length"}
    return answer.status_code, {name: value for name, value in answer.items() if name not in left_out}, body


def ways(doors: list[Door]) -> Iterator[tuple[Door, bool]]:
    """Each door plainly, and as htmx asks for it."""
    for one in doors:
        yield one, False
        yield one, True


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
                    assert answer.status_code in {403, 404}, (role, answer.status_code)
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
