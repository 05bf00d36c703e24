"""Between sites: what questions, bodies, counters and twins of one site tell of another."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.roles import Role
from review.models import Event, Item, Release, Verdict
from tests import factories
from tests.doors import API, CANARY, PAGES, Caller, Door, World, content, make_world, neutral
from tests.factories import Place, bearer, make_item, make_person, make_token, sign_in

# Each call here is a session of its own, and the page about security lists them: it grows by being asked.
GROWS = {"/me/security/"}
LISTS = [one for one in PAGES + API if one.method == "GET" and not one.pk and one.path not in GROWS]
UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def insider(world: World, one: Door) -> Caller:
    return Caller(world.people[next(role for role in Role if role in one.allowed)], one in API)


# Questions (A04, A74, A103)


def lookups() -> list[str]:
    """Paths through the models as an ORM would follow them, to secrets and to other sites."""
    models = [model for app in ("accounts", "inference", "review") for model in apps.get_app_config(app).get_models()]
    names = sorted({field.name for model in models for field in model._meta.get_fields()})
    ends = ["", "__startswith", "__gt", "__isnull", "__regex", "__in", "__contains"]
    paths = [*names, *(f"{one}__password" for one in names), *(f"{one}__token_hash" for one in names)]
    paths += [f"event__{one}" for one in names] + [f"site__{one}" for one in names]
    return [path + end for path in paths for end in ends] + ["_connector", "_negated", "pk__in", "__proto__"]


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_question_in_the_orms_words_changes_no_list(world: World, data: st.DataObject) -> None:
    """A04, A74: columns and lookups in a query string are ignored; the list is the same as without."""
    one = data.draw(st.sampled_from(LISTS))
    chosen = data.draw(st.lists(st.sampled_from(lookups()), min_size=1, max_size=8, unique=True))
    value = data.draw(st.sampled_from(["a", "1", "-created_at", "argon2", "' OR 1=1 --", '{"$ne": null}', "%"]))
    # These are names that lists really take.
    chosen = [name for name in chosen if name not in {"site", "camera", "kind", "outcome", "model", "person", "verb"}]
    query = "&".join(f"{name}={value}" for name in [*chosen, "ordering", "order_by", "search", "fields"])
    caller = insider(world, one)
    with transaction.atomic():
        plain, asked = (caller.send("GET", one.path + extra) for extra in ("", f"?{query}"))
        transaction.set_rollback(True)
    assert plain.status_code == asked.status_code
    assert without_own_address(asked) == without_own_address(plain)


def without_own_address(answer: Any) -> Any:
    """The answer without the address of the page itself, which forms and audit lists may repeat."""
    status, headers, body = neutral(answer, "no id")
    if status == 200 and body.startswith(b"{"):
        return status, json.loads(body)
    return status, len(re.findall(rb"<tr|<li|<article", body))


@pytest.mark.parametrize(
    "query",
    [
        "limit=1000000000",
        "limit=-1",
        "limit=1e9",
        "cursor=" + "A" * 4000,
        "cursor=MDAwMS0wMS0wMVQwMDowMDowMCswMDowMHwwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDA",
        "from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
        "from=-9999999-01-01T00:00:00Z",
        "class=%25%25%25",
        "after=999999999999999999",
        "page_size=1000000000",
    ],
)
def test_a_question_that_asks_for_too_much_gets_a_page_or_a_no(world: World, query: str) -> None:
    """A103: never an error of the server, never more than a page."""
    make_item(world.place)
    for path in ("/api/v1/events", "/api/v1/verdicts", "/api/v1/queues", "/api/v1/releases", "/events/", "/audit/"):
        caller = Caller(world.people[Role.SUPERVISOR], path.startswith("/api/"))
        answer = caller.send("GET", f"{path}?{query}")
        assert answer.status_code in {200, 422}, path
        if answer.status_code == 200 and path.startswith("/api/"):
            assert len(content(answer)) < 300_000


# Ids of another site in a body (A05)


def with_each_id_replaced(value: Any, new: UUID) -> Iterator[Any]:
    """The value again and again, each time with another one of its ids replaced."""
    text = json.dumps(value, default=str)
    for found in UUID_TEXT.finditer(text):
        yield json.loads(text[: found.start()] + str(new) + text[found.end() :])


def counts() -> list[int]:
    return [model._default_manager.count() for model in (Event, Item, Release, Verdict)]


def test_an_id_of_another_site_in_a_body_writes_nothing(world: World, subtests: pytest.Subtests) -> None:
    """A05: each valid request again, each of its ids exchanged for one of every kind of site B."""
    other = factories.make_place("smuggled")
    foreign = make_item(other)
    theirs = [other.site.pk, other.queue.pk, other.camera.pk, other.source.pk, foreign.pk, foreign.event.pk]
    for one in [one for one in PAGES + API if one.body and one.method != "GET"]:
        with subtests.test(str(one)), transaction.atomic():
            caller, body = insider(world, one), one.body(world) if one.body else {}
            for new in theirs:
                for changed in with_each_id_replaced(body, new):
                    # The key of a verdict is the client's own; any will do.
                    if isinstance(changed, dict) and changed.get("key") == str(new):
                        continue
                    with transaction.atomic():
                        before = counts()
                        smuggled = Door(
                            one.method, one.path, one.allowed, one.pk, lambda _w, c=changed: c, form=one.form
                        )
                        answer = caller.call(smuggled, world, tries="smuggled ids")
                        assert answer.status_code in {400, 403, 404, 409, 422, 429}, (changed, content(answer)[:200])
                        assert counts() == before
                        assert b"smuggled" not in content(answer).lower().replace(str(new).encode(), b"")
                        transaction.set_rollback(True)
            transaction.set_rollback(True)


# Side channels (A10)


# Each look makes a new secret.
NEVER_THE_SAME = {"/me/security/app/", "/me/security/passkeys/"}


def snapshot(world: World, role: Role) -> dict[str, bytes]:
    """Every page and API answer that a person of site A gets, as bytes without clocks and tokens."""
    seen = {}
    doors = [one for one in PAGES + API if one.method == "GET" and one.path not in NEVER_THE_SAME]
    for one in [one for one in doors if role in one.allowed]:
        with transaction.atomic():
            answer = Caller(world.people[role], one in API).call(one, world, tries="side channels")
            body = neutral(answer, "no id")[2]
            body = re.sub(rb"<time.*?</time>|datetime=\"[^\"]*\"|\"expires_at\": \"[^\"]*\"", b"", body, flags=re.S)
            seen[str(one)] = re.sub(rb"\d+ (seconds?|minutes?)", b"", body)
            transaction.set_rollback(True)
    return seen


@pytest.mark.parametrize("role", list(Role))
def test_fifty_events_of_another_site_change_no_byte(world: World, role: Role) -> None:
    """A10: counters, badges, totals, next items."""
    other = factories.make_place("loud")
    before = snapshot(world, role)
    for _number in range(50):
        make_item(other)
    after = snapshot(world, role)
    assert [name for name in before if before[name] != after[name]] == []
    # The control: one event at home is noticed by whoever sees events.
    make_item(world.place)
    if role in {Role.OPERATOR, Role.SUPERVISOR}:
        assert snapshot(world, role) != before


# Twins (A14) and caches (A11)


def test_twins_at_two_sites_have_nothing_to_do_with_each_other(place: Place) -> None:
    """A14: the same camera, queue, class, model and event id at two sites."""
    twin = factories.make_place("twin")
    mine = factories.post(place)
    body = {"event_id": str(mine.event.event_id)}
    theirs = factories.post(twin, **body)
    assert theirs.created
    assert theirs.event.pk != mine.event.pk
    assert (twin.queue.slug, twin.camera.slug, twin.model.name) == (place.queue.slug, place.camera.slug, "detector")
    person = make_person("one-site", Role.SUPERVISOR, place.site)
    client = Client(**bearer(make_token(person)))
    found = client.get(f"/api/v1/events?camera=cam-1&model=detector&class={mine.event.top_class}").json()["results"]
    assert [event["id"] for event in found] == [str(mine.event.pk)]


def test_the_same_address_is_never_the_last_persons_page(place: Place, elsewhere: Place) -> None:
    """A11: in one browser's cache and in Django's, with and without htmx."""
    make_item(place)
    mine, theirs = (
        make_person("mine", Role.SUPERVISOR, place.site),
        make_person("theirs", Role.SUPERVISOR, elsewhere.site),
    )
    for path in ("/queues/", "/events/", "/releases/", "/people/", "/sources/", "/audit/", "/inbox/"):
        for headers in ({}, {"HX-Request": "true"}):
            first, second = Client(), Client()
            sign_in(first, mine)
            sign_in(second, theirs)
            told, other = first.get(path, headers=headers), second.get(path, headers=headers)
            assert place.site.name in told.content.decode() or path not in {"/queues/", "/sources/"}
            assert place.site.name not in other.content.decode()
            assert other["Cache-Control"] == "private, no-store"
            assert {"Cookie", "HX-Request"} <= set(re.split(", *", other["Vary"]))


# Mass assignment (A24)

EXTRAS: dict[str, Any] = {
    "site": "SITE",
    "site_id": "SITE",
    "status": "decided",
    "state": "decided",
    "outcome": "confirmed",
    "created_at": "2001-01-01T00:00:00Z",
    "received_at": "2001-01-01T00:00:00Z",
    "decided_by": 1,
    "person_id": 1,
    "is_superuser": True,
    "is_staff": True,
    "sha256": "0" * 64,
    "id": "00000000-0000-0000-0000-000000000001",
    "pk": 1,
}


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_a_field_that_nobody_asked_for_changes_nothing(world: World, extra: str, subtests: pytest.Subtests) -> None:
    """A24: a valid request with one field more is refused, or does what it would have done without."""
    value = str(factories.make_place("extra").site.pk) if EXTRAS[extra] == "SITE" else EXTRAS[extra]
    for one in [one for one in PAGES + API if one.body and one.method != "GET"]:
        # Where it is a field of the form itself.
        if one.path in {"/inbox/", "/cameras/", "/policy/queues/", "/sources/connect/"} and extra == "site":
            continue
        with subtests.test(str(one)), transaction.atomic():
            body = (one.body(world) if one.body else {}) | {extra: value}
            answer = insider(world, one).call(replace(one, body=lambda _w, b=body: b), world, tries="extra fields")
            assert answer.status_code in one.good | {400, 409, 422}, content(answer)[:200]
            assert not User.objects.filter(is_superuser=True).exists()
            assert not User.objects.filter(is_staff=True).exists()
            for model in (Event, Item, Verdict, Release):
                assert not model._default_manager.exclude(event_site(model, world)).exists()
            assert not Verdict.objects.filter(created_at__year=2001).exists()
            transaction.set_rollback(True)


def event_site(model: Any, world: World) -> Any:
    from django.db.models import Q

    return Q(item__site=world.place.site) if model is Verdict else Q(site=world.place.site)


def test_the_canary_is_really_there(world: World) -> None:
    """The control of all tests that look for it: whoever belongs there sees it."""
    answer = Caller(world.people[Role.SUPERVISOR], api=False).send("GET", "/queues/")
    assert CANARY.title() in answer.content.decode() or CANARY in answer.content.decode()
