"""Settings: production starts with all of its secrets or not at all."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from deploy.settings import env

WHOLE = {
    "DJANGO_SETTINGS_MODULE": "deploy.settings.production",
    "SECONDLOOK_SECRET_KEY": "k" * 25 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "SECONDLOOK_HOSTS": "review.example.org",
    "SECONDLOOK_DATABASE_URL": "postgresql://app:secret@127.0.0.1:1/app",
    "SECONDLOOK_REDIS_URL": "redis://127.0.0.1:1/0",
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
