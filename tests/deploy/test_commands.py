"""Commands: what they print, how they end."""

import io
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.access import held_by
from accounts.models import Grant, User
from accounts.roles import Role
from deploy import credentials, first_start
from deploy.management.commands.serve import require_free
from inference.models import Site, Source
from review.models import Queue
from tests.factories import Place, bearer, event_body


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "var"
    return tmp_path / "var"


def said(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


# seed_test


def test_seed_test_prints_two_sites_with_everything(db: None) -> None:
    seeded = json.loads(said("seed_test", "--json"))
    assert set(seeded) == {"sites", "admin"}
    assert len(seeded["sites"]) == 2
    for site in seeded["sites"]:
        assert set(site) == {"id", "slug", "canary", "people", "sources", "queues"}
        assert Site.objects.get(pk=site["id"]).slug == site["slug"]
        assert set(site["people"]) >= {"operator", "supervisor", "ml_engineer", "fleet_engineer", "auditor"}
        for person in site["people"].values():
            assert set(person) == {"login", "password", "token"}
        assert len(site["sources"]) >= 2
        assert all(set(source) == {"token", "camera"} for source in site["sources"])
        assert all(set(queue) == {"id", "slug"} for queue in site["queues"])
    assert set(seeded["admin"]) == {"login", "password", "token"}


def test_what_seed_test_prints_works(db: None) -> None:
    seeded = json.loads(said("seed_test", "--json"))
    site, other = seeded["sites"]
    source = Client(**bearer(site["sources"][0]["token"]))
    assert (
        source.post(
            "/api/v1/events",
            event_body(model={"name": "person-detector", "version": "1.2.0"}),
            content_type="application/json",
        ).status_code
        == 201
    )
    operator = Client(**bearer(site["people"]["operator"]["token"]))
    queues = operator.get("/api/v1/queues").json()
    assert {queue["id"] for queue in queues} == {queue["id"] for queue in site["queues"]}
    page = Client()
    assert page.login(username=site["people"]["operator"]["login"], password=site["people"]["operator"]["password"])
    shown = page.get("/queues/").content.decode()
    assert site["canary"] in shown
    assert other["canary"] not in shown


def test_seed_test_can_be_run_again(db: None) -> None:
    first, second = (json.loads(said("seed_test", "--json")) for _run in range(2))
    assert {site["slug"] for site in first["sites"]}.isdisjoint({site["slug"] for site in second["sites"]})


# seed_demo


def test_the_demo_is_made_once_and_its_people_stay(db: None, data_folder: Path) -> None:
    first = said("seed_demo")
    people = User.objects.count()
    assert said("seed_demo") == first
    assert User.objects.count() == people
    assert (data_folder / "demo.json").stat().st_mode & 0o077 == 0
    kept = credentials.load("demo")
    for login, person in kept["people"].items():
        assert Client().login(username=login, password=person["password"]), login
    assert Source.objects.filter(revoked_at=None).count() == 1


# issue_token


def test_a_token_is_issued_for_a_site_and_a_camera(place: Place) -> None:
    issued = json.loads(said("issue_token", "--site", "yard", "--camera", "cam-1", "--name", "gate", "--json"))
    assert set(issued) == {"token", "source", "site"}
    source = Source.objects.get(pk=issued["source"])
    assert (source.camera, source.name, issued["site"]) == (place.camera, "gate", "yard")
    assert issued["token"] not in source.token_hash
    assert Client(**bearer(issued["token"])).get("/api/v1/source").json()["name"] == "gate"


@pytest.mark.parametrize(
    "options,names",
    [
        (["--site", "nowhere", "--name", "x"], "yard"),
        (["--site", "yard", "--camera", "no-such", "--name", "x"], "cam-1"),
        (["--site", "yard", "--camera", "dock-cam", "--name", "x"], "cam-1"),
    ],
)
def test_a_token_for_what_is_not_there_says_what_is(place: Place, options: list[str], names: str) -> None:
    before = Source.objects.count()
    with pytest.raises(CommandError, match=names):
        said("issue_token", *options)
    assert Source.objects.count() == before


# routes


def test_every_route_has_a_rule(db: None) -> None:
    rows = json.loads(said("routes", "--json"))
    assert all(set(row) == {"kind", "path", "methods", "rule"} for row in rows)
    assert {row["kind"] for row in rows} == {"http", "websocket", "task", "media"}
    assert all(row["rule"] for row in rows)


def test_a_route_without_a_rule_fails(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from deploy.management.commands import routes

    monkeypatch.setattr(routes, "task_rows", lambda: iter([routes.row("task", "secret", [], "")]))
    with pytest.raises(SystemExit) as stopped:
        call_command("routes", stdout=io.StringIO(), stderr=io.StringIO())
    assert stopped.value.code == 1


# serve


def test_a_port_that_is_taken_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CommandError, match="is taken"):
            require_free("127.0.0.1", taken.getsockname()[1])


def test_an_address_that_is_not_of_this_machine_is_said_plainly() -> None:
    with pytest.raises(CommandError, match="Cannot listen"):
        require_free("192.0.2.1", 8000)


# The first start


def test_the_first_person_holds_every_role_and_is_made_once(db: None) -> None:
    lines = first_start.first_person()
    owner = User.objects.get()
    assert {held.role for held in held_by(owner)} == set(Role)
    assert all(held.scope_type == "everywhere" for held in held_by(owner))
    assert first_start.first_person() == []
    password = credentials.load("first-person")["password"]
    assert any(password in line for line in lines)
    assert Client().login(username=owner.username, password=password)
    assert Queue.objects.count() == 1


def test_a_first_start_that_breaks_off_can_be_repeated(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_now: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(first_start, "first_site", fail)
        with pytest.raises(KeyboardInterrupt):
            first_start.first_person()
    assert not User.objects.exists()
    assert not Grant.objects.exists()
    assert first_start.first_person()
