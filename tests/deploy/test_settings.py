"""Settings: production starts with all of its secrets or not at all."""

import os
import secrets
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from deploy import cli
from deploy.checks import connections_are_private
from deploy.settings import env

WHOLE = {
    "DJANGO_SETTINGS_MODULE": "deploy.settings.production",
    "SECONDLOOK_SECRET_KEY": "k" * 25 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "SECONDLOOK_HOSTS": "review.example.org",
    "SECONDLOOK_DATABASE_URL": "postgresql://app:secret@127.0.0.1:1/app",
    "SECONDLOOK_REDIS_URL": "redis://127.0.0.1:1/0",
    "SECONDLOOK_AUDIT_KEY": "Y2hlY2sgb25seSwgbmV2ZXIgZm9yIHNlYWxpbmcuLi4=",
    "SECONDLOOK_AUDIT_ANCHORS": "https://anchor.example/notes",
}


def manage(environment: dict[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SECONDLOOK_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_production_passes_djangos_own_check() -> None:
    done = manage(WHOLE, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WHOLE if name.startswith("SECONDLOOK_")])
@pytest.mark.parametrize("value", [None, " "])
def test_production_does_not_start_without(name: str, value: str | None) -> None:
    environment = {key: text for key, text in WHOLE.items() if key != name} | ({name: value} if value else {})
    done = manage(environment, "check")
    assert done.returncode != 0
    assert name in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "name,value",
    [
        ("SECONDLOOK_SECRET_KEY", "changeme"),
        ("SECONDLOOK_SECRET_KEY", "django-insecure-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2),
        ("SECONDLOOK_HOSTS", "*"),
        ("DEBUG", "1"),
        ("SECONDLOOK_DEBUG", "true"),
    ],
)
def test_production_does_not_start_with_what_is_not_safe(name: str, value: str) -> None:
    done = manage(WHOLE | {name: value}, "check")
    assert done.returncode != 0
    assert name in done.stderr
    assert "ImproperlyConfigured" in done.stderr


LONG = "0123456789abcdefghijklmnopqrstuvwxyz"
SAMPLES_OF_SECRETS = [
    "",
    " ",
    "tiny-4711",
    "k3Jx9" * 6,
    "a" * 60,
    "ab" * 30,
    "0123456789" * 5,
    f"changeme-{LONG}",
    f"Secret-{LONG}",
    f"django-insecure-{LONG}",
    f"replace-me-{LONG}",
    f"EXAMPLE{LONG}",
]


@pytest.mark.parametrize("value", SAMPLES_OF_SECRETS)
def test_a_secret_that_can_be_guessed_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECONDLOOK_X", value)
    with pytest.raises(ImproperlyConfigured, match="SECONDLOOK_X") as refused:
        env.secret("SECONDLOOK_X")
    assert not value.strip() or value not in str(refused.value)


def test_generated_secrets_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for make in (secrets.token_urlsafe, secrets.token_hex):
        for _ in range(200):
            monkeypatch.setenv("SECONDLOOK_X", made := make(32))
            assert env.secret("SECONDLOOK_X") == made


@pytest.mark.parametrize("value", ["*", "*.example.org", "https://x.example", "x.example:443", ".", " , "])
def test_hosts_that_name_no_host_stop_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECONDLOOK_X", value)
    with pytest.raises(ImproperlyConfigured, match="SECONDLOOK_X"):
        env.hosts("SECONDLOOK_X")


@pytest.mark.parametrize("value", ["10.0.0.0/33", "proxy", "10.0.0.1;10.0.0.2"])
def test_networks_that_are_none_stop_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECONDLOOK_X", value)
    with pytest.raises(ImproperlyConfigured, match="SECONDLOOK_X"):
        env.networks("SECONDLOOK_X")


def warned(settings: Any, database: str, redis: str) -> list[str | None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECONDLOOK_X", database)
        settings.DATABASES = {"default": env.database("SECONDLOOK_X")}
    settings.REDIS_URL = redis
    return [message.id for message in connections_are_private()]


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_open_doors_to_other_machines_are_warned_of(settings: Any) -> None:
    assert warned(settings, "postgresql://a@10.0.0.9/x", "redis://10.0.0.9/0") == ["secondlook.W001", "secondlook.W002"]
    assert warned(settings, "postgresql://a@10.0.0.9/x?sslmode=verify-full", "rediss://:pw@10.0.0.9/0") == []
    assert warned(settings, "postgresql://a@127.0.0.1/x", "redis://localhost/0") == []


@pytest.mark.slow
def test_the_support_desk_is_off_until_it_is_asked_for() -> None:
    without = manage(WHOLE, "routes").stdout
    with_desk = manage(WHOLE | {"SECONDLOOK_SUPPORT_DESK": "1"}, "routes").stdout
    assert "/queues/" in without
    assert "/support/" not in without
    assert "/support/" in with_desk


def test_commands_of_the_owner_sign_in_as_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    os.environ |= {"SECONDLOOK_MIGRATION_DATABASE_URL": "owner", "SECONDLOOK_DATABASE_URL": "running"}
    cli.choose_role("serve")
    assert os.environ["SECONDLOOK_DATABASE_URL"] == "running"
    cli.choose_role("migrate")
    assert os.environ["SECONDLOOK_DATABASE_URL"] == "owner"
    assert os.environ["SECONDLOOK_RUNNING_DATABASE_URL"] == "running"


@pytest.mark.parametrize("value", ["", "x", "1.5", "-1", "101", "1e2", " "])
def test_a_number_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECONDLOOK_X", value)
    with pytest.raises(ImproperlyConfigured, match="SECONDLOOK_X"):
        env.integer("SECONDLOOK_X", 5, low=0, high=100)


@pytest.mark.parametrize("value,meant", [("1", True), ("YES", True), ("off", False), ("False", False)])
def test_a_switch_is_read(monkeypatch: pytest.MonkeyPatch, value: str, meant: bool) -> None:
    monkeypatch.setenv("SECONDLOOK_X", value)
    assert env.flag("SECONDLOOK_X", not meant) is meant


def test_a_switch_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_X", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="SECONDLOOK_X"):
        env.flag("SECONDLOOK_X", True)


@pytest.mark.parametrize("value", ["", "mysql://x/y", "postgresql://host", "postgresql://host/", "sqlite:///x"])
def test_a_database_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECONDLOOK_X", value)
    with pytest.raises(ImproperlyConfigured, match="SECONDLOOK_X"):
        env.database("SECONDLOOK_X")


def test_a_database_address_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_X", "postgresql://us%40er:p%2Fw@db.example:6432/na%20me?sslmode=require")
    found: dict[str, Any] = env.database("SECONDLOOK_X")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "us@er",
        "p/w",
        "db.example",
        "6432",
        "na me",
    )
    assert found["OPTIONS"] == {"sslmode": "require"}
