"""What a browser is told, and what pages of other origins and forged requests get."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.staticfiles import finders
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import User
from accounts.roles import Role
from review.models import Claim, Item, Verdict
from tests import factories
from tests.doors import API, PAGES, PUBLIC, Caller, Door, World, content, make_world
from tests.factories import Place, bearer, claim, make_item, make_token, sign_in

READS = [one for one in PAGES + API if one.method == "GET"]
WRITES = [one for one in PAGES if one.method != "GET"]
FOREIGN = ["https://evil.example", "null", "http://testserver.evil.example", "http://evil-testserver", "file://"]
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def insider(world: World, one: Door) -> Caller:
    return Caller(world.people[next(role for role in Role if role in one.allowed)], one in API)


def require_headers(answer: Any) -> None:
    for name, value in ALWAYS.items():
        assert answer[name] == value, name
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "camera=()" in answer["Permissions-Policy"]
    # A browser complains on each page of a feature that it does not know.
    assert "bluetooth" not in answer["Permissions-Policy"]
    assert not [name for name, _value in answer.items() if name.lower().startswith("access-control-")]
    assert {"Cookie", "HX-Request"} <= set(re.split(", *", answer.get("Vary", "Cookie, HX-Request")))


# Headers (A57, A62, A67, A68, A72)


def test_every_answer_says_what_a_browser_may_do_with_it(world: World, subtests: pytest.Subtests) -> None:
    """A57, A62, A68: on every route, whoever asks from whichever page."""
    for one in READS:
        with subtests.test(str(one)), transaction.atomic():
            for caller in (insider(world, one), Caller(world.stranger, one in API), Caller(None, one in API)):
                for origin in FOREIGN[: 1 if caller.person else 5]:
                    address = caller.address(one, world)
                    answer = caller.send("GET", address, headers={"Origin": origin}, tries="headers")
                    require_headers(answer)
                    assert answer["Cache-Control"].startswith("private")
                    content(answer)
            transaction.set_rollback(True)
    for path in PUBLIC | {"/nothing/here", "/api/v1/nothing", "/events/%00/", "/?a=%00"}:
        require_headers(Client().get(path))


def test_a_preflight_of_another_origin_gets_no_leave(world: World) -> None:
    """A62."""
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for one in PAGES + API:
        answer = Caller(None, one in API).send("OPTIONS", Caller(None, True).address(one, world), headers=asks)
        assert answer.status_code == 405
        require_headers(answer)


def test_files_of_the_pages_may_be_kept_by_caches() -> None:
    """A11: the rest may not."""
    assert finders.find("css/base.css")
    answer = Client().get("/static/css/base.css")
    assert "public" in answer["Cache-Control"]
    assert "private" not in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"


HOSTS = [
    "evil.example",
    "testserver.evil.example",
    "testserver@evil.example",
    "testserver:80@evil",
    "a" * 300,
    "[::1",
    "",
]


@pytest.mark.parametrize("host", [*HOSTS, "testserver/..", "localhost\t", "testserver, evil"])
def test_a_host_that_is_not_ours_is_400(db: None, host: str) -> None:
    """A67: on pages, in the API, for pictures and where nothing is."""
    for path in ("/accounts/login/", "/queues/", "/api/v1/events", f"/media/{uuid4()}/working/", "/nothing/"):
        answer = Client(raise_request_exception=False).get(path, headers={"Host": host})
        assert answer.status_code == 400, path
        require_headers(answer)
        assert b"evil" not in answer.content


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override"])
def test_headers_that_would_steer_a_request_do_nothing(world: World, header: str) -> None:
    """A23, A67."""
    client = Client()
    sign_in(client, world.people[Role.AUDITOR])
    plain, steered = client.get("/audit/"), client.get("/audit/", headers={header: "/people/"})
    assert steered.status_code == plain.status_code == 200
    assert b"evil" not in client.get("/audit/", headers={header: "evil.example"}).content


@pytest.mark.parametrize(
    "path", ["//events/", "/./events/", "/%2e%2e/events/", "/events%2f", "/events;x/", "/EVENTS/", "/events/../people/"]
)
def test_a_crooked_path_is_nothing(world: World, path: str) -> None:
    """A23."""
    client = Client()
    sign_in(client, world.people[Role.SUPERVISOR])
    answer = client.request(PATH_INFO=path)
    assert answer.status_code in {301, 404}
    if answer.status_code == 301:
        assert answer["Location"].startswith("/")
        assert not answer["Location"].startswith("//")


# Forged requests (A61)


def forged(client: Client, one: Door, address: str, body: Any, **headers: str) -> Any:
    kind = MULTIPART_CONTENT if one.form else "application/json"
    raw = encode_multipart(BOUNDARY, body or {}) if one.form else json.dumps(body or {}).encode()
    kind = headers.pop("kind", kind)
    return client.generic(one.method, address, raw, kind, headers=headers)


def test_no_page_is_written_to_without_its_token_or_from_elsewhere(world: World, subtests: pytest.Subtests) -> None:
    """A61: without token, with another one, from another origin, as text/plain; with its token it goes through."""
    for one in WRITES:
        with subtests.test(str(one)), transaction.atomic():
            caller = insider(world, one)
            client = Client(enforce_csrf_checks=True)
            assert caller.person
            sign_in(client, caller.person)
            body, address = one.body(world) if one.body else {}, caller.address(one, world)
            token = "a" * 32
            client.cookies["csrftoken"] = token
            tries: list[dict[str, str]] = [
                {},
                {"X-CSRFToken": "b" * 32},
                {"Sec-Fetch-Site": "cross-site"},
                {"X-CSRFToken": token, "Origin": "https://evil.example"},
                {"X-CSRFToken": token, "Origin": "null"},
                {"kind": "text/plain"},
                {"HX-Request": "true"},
            ]
            for headers in tries:
                assert forged(client, one, address, body, **headers).status_code == 403, headers
            with transaction.atomic():
                good = forged(client, one, address, body, **{"X-CSRFToken": token, "Origin": "http://testserver"})
                assert good.status_code in one.good, content(good)[:200]
                transaction.set_rollback(True)
            transaction.set_rollback(True)


def test_a_session_never_opens_the_api_and_a_token_never_a_page(world: World, subtests: pytest.Subtests) -> None:
    """A61: the API ignores cookies, pages ignore bearers."""
    for one in PAGES + API:
        with subtests.test(str(one)), transaction.atomic():
            person, address = insider(world, one).person, Caller(None, True).address(one, world)
            assert person
            client = Client() if one in API else Client(**bearer(make_token(person)))
            if one in API:
                sign_in(client, person)
            answer = client.generic(one.method, address, b"{}", "application/json")
            assert answer.status_code in ({401} if one in API else {302, 401})
            if answer.status_code == 302:
                assert answer["Location"].startswith("/accounts/login/")
            transaction.set_rollback(True)


def test_a_source_is_known_by_its_token_alone(place: Place, operator: User) -> None:
    """A61: with or without somebody's cookie."""
    client = Client()
    sign_in(client, operator)
    for path in ("/api/v1/events", "/api/v1/events/batch"):
        assert client.post(path, "{}", content_type="application/json").status_code == 401
    assert client.get("/api/v1/source", **bearer(place.token)).status_code == 200


# Redirects (A66)

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example",
    "http://testserver@evil.example",
    "http://testserver.evil.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "/%09/evil.example",
    "/\t/evil.example",
    "\x01//evil.example",
    " //evil.example",
    "//evil.example/%2e%2e",
    "////evil.example",
    "/\n/evil.example",
    "http:///evil.example",
    "ftp://evil.example",
    "//[::1]",
    "//0x7f000001",
    "//evil%E3%80%82example",
    "／／evil.example",
    "?next=//evil.example",
    ".evil.example",
    "@evil.example",
    "https://testserver:443@evil.example",
    "vbscript:x",
]


@pytest.mark.parametrize("where", ELSEWHERE)
def test_signing_in_leads_nowhere_else(db: None, operator: User, where: str) -> None:
    """A66."""
    client = Client()
    form = {"login": operator.username, "password": factories.PASSWORD, "next": where}
    answer = client.post("/accounts/login/", form)
    goes = answer.get("Location", "") + answer.get("HX-Redirect", "")
    assert not re.match(r"\s*([a-z]+:|//|/\\|\\)", goes, re.IGNORECASE), goes


@pytest.mark.parametrize("header", ["HX-Current-URL", "Referer", "Origin"])
def test_where_somebody_comes_from_steers_no_answer(world: World, header: str) -> None:
    """A66: no redirect, no HX header of an answer repeats it."""
    for one in [one for one in PAGES if one.method == "GET" and not one.pk]:
        caller = insider(world, one)
        for htmx in (False, True):
            asked = Caller(caller.person, api=False, htmx=htmx)
            answer = asked.send("GET", one.path, headers={header: "https://evil.example/x"}, tries="redirects")
            assert not [value for _name, value in answer.items() if "evil.example" in value]


# The same thing twice (A69)


@pytest.fixture
def held(place: Place, operator: User) -> tuple[Claim, Client]:
    make_item(place)
    client = Client()
    sign_in(client, operator)
    return claim(place, operator), client


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"answer": "confirm"', '"answer": "confirm", "answer": "empty"'),
        lambda text: text.replace('"version": 1', '"version": 1, "version": 2'),
        lambda text: text[:-1] + ', "extra": 1}',
        lambda text: f"[{text}]",
        lambda text: text + text,
    ],
    ids=["answer", "version", "extra", "list", "twice"],
)
def test_an_answer_that_says_two_things_is_no_answer(held: tuple[Claim, Client], change: Any) -> None:
    """A69."""
    taken, client = held
    body = change(json.dumps(factories.answer_body(taken)))
    answer = client.post(f"/items/{taken.item_id}/verdict/", body, content_type="application/json")
    assert answer.status_code in {400, 422}
    assert not Verdict.objects.exists()
    whole = json.dumps(factories.answer_body(taken))
    assert client.post(f"/items/{taken.item_id}/verdict/", whole, content_type="application/json").status_code == 201


def test_a_query_does_not_change_what_a_body_says(held: tuple[Claim, Client]) -> None:
    """A69."""
    taken, client = held
    body = json.dumps(factories.answer_body(taken))
    address = f"/items/{taken.item_id}/verdict/?answer=empty&answer=unsure&version=9"
    assert client.post(address, body, content_type="application/json").status_code == 201
    assert Item.objects.get().outcome == "confirmed"


# Errors (A72)


@pytest.mark.parametrize("path,kind", [("/queues/", "page"), ("/api/v1/queues", "api")])
def test_a_crash_tells_its_number_and_nothing_of_itself(
    place: Place, operator: User, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    """A72."""

    def fail(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("secret of the machine: SELECT password")

    monkeypatch.setattr("review.views.queues.queues_in_use", fail)
    monkeypatch.setattr("review.api.queues.queues_in_use", fail)
    client = Client(raise_request_exception=False, **(bearer(make_token(operator)) if kind == "api" else {}))
    if kind == "page":
        sign_in(client, operator)
    answer = client.get(path)
    assert answer.status_code == 500
    require_headers(answer)
    for told in (b"secret", b"Traceback", b"SELECT", b"Django", b"/work", b".py"):
        assert told not in answer.content
    assert answer["X-Request-ID"].encode() in answer.content
    if kind == "api":
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method,path,status", [("GET", "/api/v1/no", 404), ("PATCH", "/api/v1/events", 405)])
def test_the_api_refuses_in_problem_documents(db: None, method: str, path: str, status: int) -> None:
    """A72."""
    answer = Client().generic(method, path)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    assert status != 405 or set(answer["Allow"].split(", ")) == {"GET", "POST"}


def test_a_body_of_the_wrong_type_is_told_so(place: Place) -> None:
    """A72: and not that pictures are meant."""
    answer = Client(**bearer(place.token)).post("/api/v1/events", "x", content_type="text/plain")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_type")
    assert "picture" not in answer.json()["title"].lower() + answer.json()["detail"].lower()
